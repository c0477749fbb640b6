"""SweepOrders: a dead execution's run is fenced, cancelled, and looked at twice, a dead step's time apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from repeg.adapters.eventbridge import EventsUnavailable
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, Conflict, RefusedRun, StillOpen
from repeg.domain.run import RunState
from repeg.workflow.sweeping import ZOMBIE_SECONDS
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.functions.books import AAPL, QUIET, UP, book
from tests.functions.desk import EXECUTION, RUN_ID, Desk, OpenDesk
from tests.functions.scenes import half_filled, resting
from tests.simulation import judge

RENEWED = EXECUTION.replace("first", "second")


def lists(desk: Desk) -> int:
    """How often the broker's list of open orders was read."""
    return desk.broker.line.sent.count(("GET", "/orders"))


def test_an_execution_that_never_claimed_a_run_left_nothing_behind(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    answer = desk.sweep("arn:duplicate", "FAILED")
    assert answer == {"run_id": "", "outcome": "nothing", "cancelled": 0}
    assert (desk.run.epoch, desk.open_at_broker()) == (1, ["40 AAPL @ 189.41"])


def test_a_run_that_was_closed_properly_is_over_and_stays_as_it_is(open_desk: OpenDesk) -> None:
    """A run that ends in Fail has closed itself first; its event comes all the same."""
    desk = half_filled(open_desk)
    desk.close()
    before = desk.run
    assert desk.sweep(status="FAILED") == {"run_id": RUN_ID, "outcome": "over", "cancelled": 0}
    assert desk.run == before


def test_an_aborted_run_is_fenced_cancelled_and_reported(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    assert desk.sweep() == {"run_id": RUN_ID, "outcome": "swept", "cancelled": 0}
    assert (desk.run.epoch, desk.run.state) == (2, RunState.SWEPT)
    judge.nothing_of_ours_is_open(desk.exchange)
    assert {row["symbol"]: row["filled_qty"] for row in desk.report["orders"]} == {"AAPL": "15", "KO": "0"}
    assert (desk.report["outcome"], desk.report["error"]) == ("failed", "Swept")
    assert desk.report["reason"] == "its execution ended ABORTED"
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.failed"]
    desk.judge()


def test_two_empty_looks_lie_a_dead_steps_time_apart(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    before, started = lists(desk), desk.scheduler.now()
    desk.sweep()
    assert lists(desk) - before == 2
    assert (desk.scheduler.now() - started).total_seconds() >= ZOMBIE_SECONDS


def test_sweeping_again_changes_nothing(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.sweep()
    run, report = desk.run, desk.report
    assert desk.sweep()["outcome"] == "over"
    assert (desk.run, desk.report, len(desk.notifier.published)) == (run, report, 1)


def test_the_old_execution_can_do_nothing_any_more(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    desk.sweep()
    for step in (desk.validate, desk.place, desk.repeg):
        with pytest.raises(RefusedRun, match="epoch 2; this execution holds 1"):
            step()
    assert desk.close()["error"] == "Fenced"
    assert desk.posts() == 1


def test_a_step_that_was_frozen_with_its_order_in_hand_places_it_and_it_is_found(open_desk: OpenDesk) -> None:
    """Ending the execution does not end its function: it wakes after the first look and sends what it had written."""
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.validate()
    desk.broker.line.seconds = 1
    zombie = desk.scheduler.spawn(desk.place)
    desk.wait(5.5)
    assert desk.order().children[-1].state is ChildState.INTENDED
    zombie.pause()
    desk.broker.line.seconds = 0
    sweeper = desk.scheduler.spawn(desk.sweep)
    desk.wait(20)
    assert desk.at_broker() == []
    zombie.resume()
    desk.wait(5)
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    desk.wait(300)
    assert sweeper.result()["outcome"] == "swept"
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_a_step_that_wakes_before_its_intent_is_written_writes_none(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.validate()
    desk.broker.line.seconds = 1
    zombie = desk.scheduler.spawn(desk.place)
    desk.wait(3.5)
    zombie.pause()
    desk.broker.line.seconds = 0
    desk.sweep()
    zombie.resume()
    desk.wait(10)
    assert (desk.posts(), desk.store.intents(RUN_ID)) == (0, [])


def test_of_two_sweepers_at_once_the_later_takes_the_run_and_the_other_finds_it_over(open_desk: OpenDesk) -> None:
    """The service may tell of an end twice. Whoever loses is called again, as every failed sweep is."""
    desk = half_filled(open_desk)

    def sweep() -> str:
        try:
            return str(desk.sweep()["outcome"])
        except Conflict:
            return "conflict"

    sweepers = [desk.scheduler.spawn(sweep) for _ in range(2)]
    desk.wait(400)
    assert [sweeper.result() for sweeper in sweepers] == ["conflict", "swept"]
    assert desk.sweep()["outcome"] == "over"
    assert desk.run.state is RunState.SWEPT
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.failed"]
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_a_sweep_that_was_cut_off_before_it_told_anybody_is_told_by_the_next(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    told = desk.ports
    desk.ports = replace(told, notifier=Mute())
    with pytest.raises(EventsUnavailable):
        desk.sweep()
    assert desk.run.state is RunState.SWEPT
    desk.ports = told
    for _ in range(2):
        assert desk.sweep()["outcome"] == "over"
    assert [(kind, detail["event_id"]) for kind, detail in desk.notifier.published] == [
        ("repeg.run.failed", f"{RUN_ID}.ended")
    ]


class Mute:
    """A bus that takes no event."""

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        raise EventsUnavailable(kind)


# While the broker's keys are revoked


def revoke(desk: Desk) -> str:
    """Take the keys away; returned to be given back."""
    name = "APCA-API-SECRET-KEY"
    key, desk.broker.headers[name] = desk.broker.headers[name], "revoked"
    return key


def test_a_run_that_cannot_be_looked_at_is_reported_failed_once_with_what_is_not_known(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    key = revoke(desk)
    for _ in range(3):
        with pytest.raises(BrokerDenied):
            desk.sweep()
        desk.wait(60)
    ((kind, detail),) = desk.notifier.published
    assert (kind, detail["error"]) == ("repeg.run.failed", "Unseen")
    since = "its execution ended ABORTED; could not look at the broker since 2026-11-23T14:36:20+00:00: "
    assert detail["reason"].startswith(since)
    assert desk.report["reason"] == detail["reason"]
    assert desk.run.state is RunState.CLOSING
    desk.broker.headers["APCA-API-SECRET-KEY"] = key
    assert desk.sweep()["outcome"] == "swept"
    assert len(desk.notifier.published) == 1
    assert desk.report["error"] == "Swept"
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_a_broker_that_is_only_slow_for_a_moment_is_not_reported_as_unseen(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders", status=502))
    with pytest.raises(BrokerUnavailable):
        desk.sweep()
    assert desk.notifier.published == []


def test_an_order_that_will_not_close_leaves_the_run_unswept_for_the_next_try(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=1_000)
    with pytest.raises(StillOpen, match=f"rp-{RUN_ID}.AAPL.b.1"):
        desk.sweep()
    assert desk.run.state is RunState.CLOSING
    desk.wait(1_000)
    assert desk.sweep()["outcome"] == "swept"
    judge.nothing_of_ours_is_open(desk.exchange)


def test_orders_of_others_are_not_swept_with_ours(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.submit("my-own-order")
    desk.submit(f"rp-{RUN_ID}-r2.AAPL.b.1")
    desk.sweep()
    left = {order.client_order_id for order in desk.exchange.account.orders.open.values()}
    assert left == {"my-own-order", f"rp-{RUN_ID}-r2.AAPL.b.1"}


def test_the_run_of_a_renewed_execution_is_found_by_the_execution_that_holds_it(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.store.take_over(RUN_ID, 1, RENEWED)
    assert desk.sweep(RENEWED, "TIMED_OUT")["outcome"] == "swept"
    assert desk.run.epoch == 3
    judge.nothing_of_ours_is_open(desk.exchange)


def test_a_list_that_fails_during_the_sweep_is_no_empty_look(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders", status=502))
    with pytest.raises(Exception, match="502"):
        desk.sweep()
    assert desk.run.state is RunState.CLOSING
    assert desk.sweep()["outcome"] == "swept"
    judge.nothing_of_ours_is_open(desk.exchange)
