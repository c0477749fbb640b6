"""SweepOrders: a dead execution's run is fenced and cancelled, with a second check after any step must have died."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from repeg.adapters.eventbridge import EventsUnavailable
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, Conflict, RefusedRun, StillOpen
from repeg.domain.run import RunState
from repeg.domain.steps import RunSwept
from repeg.domain.time_limits import DEAD_STEP
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import AAPL, QUIET, UP, book
from tests.functions.desk import EXECUTION, PREFIX, RUN_ID, SECOND_PREFIX, Desk, OpenDesk
from tests.functions.scenes import half_filled, resting
from tests.simulation import judge

RENEWED = EXECUTION.replace("first", "second")


def lists(desk: Desk) -> int:
    """The number of reads of the broker's open orders."""
    return desk.broker.line.sent.count(("GET", "/orders"))


def test_an_execution_without_a_run_has_nothing_to_sweep(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    answer = desk.sweep("arn:duplicate", "FAILED")
    assert answer == RunSwept(run_id="", outcome="nothing", cancelled=0)
    assert (desk.run.epoch, desk.open_at_broker()) == (1, ["40 AAPL @ 189.41"])


def test_a_closed_run_is_not_swept(open_desk: OpenDesk) -> None:
    """A run that ends in Fail has closed itself before its event arrives."""
    desk = half_filled(open_desk)
    desk.close()
    before = desk.run
    assert desk.sweep(status="FAILED") == RunSwept(run_id=RUN_ID, outcome="over", cancelled=0)
    assert desk.run == before


def test_an_aborted_run_is_fenced_cancelled_and_reported(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    assert desk.sweep() == RunSwept(run_id=RUN_ID, outcome="swept", cancelled=2)
    assert (desk.run.epoch, desk.run.state) == (2, RunState.SWEPT)
    judge.nothing_of_ours_is_open(desk.exchange)
    assert {row["symbol"]: row["filled_qty"] for row in desk.report["orders"]} == {"AAPL": "15", "KO": "0"}
    assert (desk.report["outcome"], desk.report["error"]) == ("failed", "Swept")
    assert desk.report["reason"] == "its execution ended ABORTED"
    assert desk.report["totals"]["turns"] == 0
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.failed"]
    desk.judge()


def test_a_sweep_checks_twice_with_a_steps_lifetime_between(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    before, started = lists(desk), desk.scheduler.now()
    desk.sweep()
    assert lists(desk) - before == 3  # the first comes before any row is read
    assert desk.scheduler.now() - started >= DEAD_STEP


def test_a_repeated_sweep_changes_nothing(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.sweep()
    run, report = desk.run, desk.report
    assert desk.sweep().outcome == "over"
    assert (desk.run, desk.report, len(desk.notifier.published)) == (run, report, 1)


def test_the_fenced_execution_cannot_act(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    desk.sweep()
    for step in (desk.validate, desk.place, desk.repeg):
        with pytest.raises(RefusedRun, match="epoch 2; this execution holds 1"):
            step()
    assert desk.close().error == "Fenced"
    assert desk.posts() == 1


def test_an_order_sent_by_a_frozen_step_is_found_and_cancelled(open_desk: OpenDesk) -> None:
    """The function outlives its execution: it resumes after the first check and sends its written intent."""
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
    assert sweeper.result().outcome == "swept"
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_a_frozen_step_writes_no_intent_after_the_sweep(open_desk: OpenDesk) -> None:
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


def test_concurrent_sweeps_have_one_winner(open_desk: OpenDesk) -> None:
    """The service may deliver the event twice. The losing sweep fails and is retried."""
    desk = half_filled(open_desk)

    def sweep() -> str:
        try:
            return str(desk.sweep().outcome)
        except Conflict:
            return "conflict"

    sweepers = [desk.scheduler.spawn(sweep) for _ in range(2)]
    desk.wait(400)
    assert [sweeper.result() for sweeper in sweepers] == ["conflict", "swept"]
    assert desk.sweep().outcome == "over"
    assert desk.run.state is RunState.SWEPT
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.failed"]
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_an_unpublished_event_is_published_by_the_next_sweep(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    ports = desk.ports
    desk.ports = replace(ports, notifier=FailingNotifier())
    with pytest.raises(EventsUnavailable):
        desk.sweep()
    assert desk.run.state is RunState.SWEPT
    desk.ports = ports
    for _ in range(2):
        assert desk.sweep().outcome == "over"
    assert [(kind, detail["event_id"]) for kind, detail in desk.notifier.published] == [
        ("repeg.run.failed", f"{RUN_ID}.ended")
    ]


class FailingNotifier:
    """An event bus that rejects every event."""

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        raise EventsUnavailable(kind)


# While the broker's keys are revoked


def revoke(desk: Desk) -> str:
    """Revoke the keys; returns the former secret key."""
    name = "APCA-API-SECRET-KEY"
    key, desk.broker.headers[name] = desk.broker.headers[name], "revoked"
    return key


def test_an_unreachable_run_is_reported_as_failed_once(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    key = revoke(desk)
    for _ in range(3):
        with pytest.raises(BrokerDenied):
            desk.sweep()
        desk.wait(60)
    ((kind, detail),) = desk.notifier.published
    assert (kind, detail["error"]) == ("repeg.run.failed", "Unseen")
    since = "its execution ended ABORTED; the broker could not be read since 2026-11-23T14:36:20+00:00: "
    assert detail["reason"].startswith(since)
    assert desk.report["reason"] == detail["reason"]
    assert desk.run.state is RunState.CLOSING
    desk.broker.headers["APCA-API-SECRET-KEY"] = key
    assert desk.sweep().outcome == "swept"
    assert len(desk.notifier.published) == 1
    assert desk.report["error"] == "Swept"
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_a_short_broker_error_is_not_reported(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders", status=502), When(times=2))
    with pytest.raises(BrokerUnavailable):
        desk.sweep()
    assert desk.notifier.published == []


def test_an_open_order_leaves_the_run_for_the_next_sweep(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=1_000)
    with pytest.raises(StillOpen, match=f"{PREFIX}AAPL.b.1"):
        desk.sweep()
    assert desk.run.state is RunState.CLOSING
    desk.wait(1_000)
    assert desk.sweep().outcome == "swept"
    judge.nothing_of_ours_is_open(desk.exchange)


def test_orders_of_other_clients_are_not_swept(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.submit("my-own-order")
    desk.submit(f"{SECOND_PREFIX}AAPL.b.1")
    desk.sweep()
    left = {order.client_order_id for order in desk.exchange.account.orders.open.values()}
    assert left == {"my-own-order", f"{SECOND_PREFIX}AAPL.b.1"}


def test_a_renewed_run_is_found_by_its_current_execution(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.store.take_over(RUN_ID, 1, RENEWED)
    assert desk.sweep(RENEWED, "TIMED_OUT").outcome == "swept"
    assert desk.run.epoch == 3
    judge.nothing_of_ours_is_open(desk.exchange)


def test_a_renewed_run_is_not_swept_for_its_former_execution(open_desk: OpenDesk) -> None:
    """The event about the old execution is late: its successor is alive and working."""
    desk = half_filled(open_desk)
    desk.store.take_over(RUN_ID, 1, RENEWED)
    before, sent = desk.run, len(desk.broker.line.sent)
    assert desk.sweep() == RunSwept(run_id=RUN_ID, outcome="superseded", cancelled=0)
    assert desk.run == before
    assert len(desk.open_at_broker()) == 2
    assert len(desk.broker.line.sent) == sent


def test_a_failed_sweep_is_repeated_by_its_own_execution(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=1_000)
    with pytest.raises(StillOpen):
        desk.sweep()
    assert desk.run.owner == f"{EXECUTION}#sweep"
    desk.wait(1_000)
    assert desk.sweep().outcome == "swept"


def test_a_failed_list_of_open_orders_fails_the_sweep(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders", status=502), When(times=2))
    with pytest.raises(Exception, match="502"):
        desk.sweep()
    assert desk.run.state is RunState.CLOSING
    assert desk.sweep().outcome == "swept"
    judge.nothing_of_ours_is_open(desk.exchange)
