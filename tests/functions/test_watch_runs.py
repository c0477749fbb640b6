"""WatchRuns: reports missing runs, sweeps stuck runs and cancels orphaned orders; healthy runs are not touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.watch_runs.app import watch_runs
from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.domain.books import Books
from repeg.domain.broker import BrokerClock
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, KeysMissing, StillOpen, StoreUnavailable
from repeg.domain.order_ids import LOCAL_TAG, run_prefix
from repeg.domain.run import RunState
from repeg.domain.run_health import Alert, Finding
from repeg.workflow.watched import Watched
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import MONDAY
from tests.functions.books import AAPL, QUIET, book
from tests.functions.desk import PREFIX, RUN_ID, Desk, OpenDesk, a_plan
from tests.functions.scenes import half_filled, resting
from tests.simulation import judge


def found(alerts: list[Alert]) -> list[tuple[Finding, str]]:
    return [(alert.finding, alert.run_id) for alert in alerts]


def published(desk: Desk) -> list[str]:
    return [kind for kind, _ in desk.notifier.published]


def test_a_missing_run_is_reported_once_it_is_late(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, at="09:39:59")
    assert desk.watch() == []
    desk.wait_until("09:40")
    assert found(desk.watch()) == [(Finding.MISSED_RUN, "")]
    assert desk.notifier.published[0][1]["reason"] == "no run on 2026-11-23, a session day"


def test_no_run_is_reported_missing_if_none_is_expected(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, at="12:00")
    assert desk.watch(expect_run=False) == []


def test_no_run_is_reported_missing_on_a_holiday(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.scheduler.run(until=datetime(2026, 11, 26, 17, 0, tzinfo=UTC))
    assert desk.watch() == []


def test_a_run_with_regular_turns_is_not_touched(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, escalation="none")
    for time in ("09:36:30", "09:40", "09:44", "09:48"):
        desk.turn_at(time)
        assert desk.watch() == []
    assert (desk.run.epoch, desk.run.state) == (1, RunState.RUNNING)
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


def test_a_run_waiting_for_its_window_is_not_stuck(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, at="08:00", market=None)
    desk.wait_until("09:25")
    desk.open(a_plan("buy 40 AAPL"), market_open_delay_minutes=30)
    desk.wait_until("10:04")
    assert desk.watch() == []


def test_a_late_start_is_not_mistaken_for_a_stuck_run(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk({"AAPL": AAPL}, at="09:50")
    desk.begin("buy 40 AAPL")
    desk.place()
    assert desk.watch() == []
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    desk.wait_until("09:55:01")
    assert found(desk.watch()) == [(Finding.STUCK_RUN, RUN_ID)]


def test_a_run_with_turns_during_an_outage_is_not_swept(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, escalation="none")
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, path="/v2/clock", status=503), When(times=12))
    for turn in range(12):
        desk.turn_at(f"09:{36 + (turn + 1) // 2}:{(turn + 1) % 2 * 30:02}")
    assert len(desk.journalled("run", "skip")) == 12
    desk.wait_until("09:42:10")
    assert desk.watch() == []
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


def test_a_run_without_turns_for_minutes_is_swept_and_reported(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.turn_at("09:36:30")
    desk.wait_until("09:41:30")
    assert desk.watch() == []
    desk.wait_until("09:41:31")
    assert found(desk.watch()) == [(Finding.STUCK_RUN, RUN_ID)]
    assert (desk.run.epoch, desk.run.state) == (2, RunState.SWEPT)
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()
    assert "repeg.watch.stuck_run" in published(desk)


def test_an_unpublished_run_ended_event_is_published_once(open_desk: OpenDesk) -> None:
    """The closing step wrote the state, died before publishing and is not retried."""
    desk = resting(open_desk)
    ports = desk.ports
    desk.ports = replace(ports, notifier=InterruptedNotifier())
    with pytest.raises(StoreUnavailable):
        desk.close()
    assert (desk.run.state, desk.run.is_announced) == (RunState.CLOSED, False)
    desk.ports = ports
    assert desk.watch() == []
    assert published(desk) == ["repeg.run.settled"]
    desk.watch()
    assert published(desk) == ["repeg.run.settled"]


class InterruptedNotifier:
    """An event bus on which every publication is interrupted."""

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        raise StoreUnavailable(f"cut off before {kind} of {detail['run_id']}")


def test_a_run_with_long_turns_is_stuck_only_after_a_longer_time(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, order_monitoring_seconds=200, patience_seconds=400)
    desk.turn_at("09:38:20")
    desk.wait_until("09:48:20")
    assert desk.watch() == []
    desk.wait_until("09:48:21")
    assert found(desk.watch()) == [(Finding.STUCK_RUN, RUN_ID)]


def test_a_repeated_watch_reports_nothing_more(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.wait_until("09:50")
    assert found(desk.watch()) == [(Finding.STUCK_RUN, RUN_ID)]
    run = desk.run
    assert desk.watch() == []
    assert desk.run == run


def test_a_watch_that_loses_the_run_to_another_watch_reports_nothing(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.wait_until("09:50")
    first = desk.scheduler.spawn(desk.watch)
    desk.wait(30)
    second = desk.scheduler.spawn(desk.watch)
    desk.wait(300)
    assert (first.result(), found(second.result())) == ([], [(Finding.STUCK_RUN, RUN_ID)])
    assert desk.run.state is RunState.SWEPT
    judge.nothing_of_ours_is_open(desk.exchange)


def test_a_late_event_leaves_a_run_to_the_watchdog_that_sweeps_it(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.wait_until("09:50")
    watcher = desk.scheduler.spawn(desk.watch)
    desk.wait(30)
    assert desk.sweep().outcome == "superseded"
    desk.wait(300)
    assert found(watcher.result()) == [(Finding.STUCK_RUN, RUN_ID)]
    judge.nothing_of_ours_is_open(desk.exchange)


def test_an_open_order_of_a_run_that_is_over_is_cancelled_and_reported(open_desk: OpenDesk) -> None:
    """A late request, or a defect."""
    desk = resting(open_desk)
    desk.close()
    desk.submit(f"{PREFIX}AAPL.b.9")
    assert found(desk.watch()) == [(Finding.LEFT_OPEN, RUN_ID)]
    desk.wait(1)
    judge.nothing_of_ours_is_open(desk.exchange)
    assert desk.watch() == []


def test_an_order_open_after_its_window_is_cancelled_and_reported(open_desk: OpenDesk) -> None:
    """A run that goes on turning, and does not close."""
    desk = resting(open_desk, book(QUIET, until="16:00"))
    desk.wait_until("15:58")
    desk.store.record_heartbeat(RUN_ID, desk.runtime.now())
    assert desk.watch() == []
    desk.wait_until("15:58:01")
    assert found(desk.watch()) == [(Finding.LEFT_OPEN, RUN_ID)]
    desk.wait(1)
    judge.nothing_of_ours_is_open(desk.exchange)
    assert desk.watch() == []


def test_an_orphaned_order_of_an_unknown_run_is_cancelled(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    lost = f"{run_prefix(LOCAL_TAG, 'lost-2026-11-20')}AAPL.b.1"
    desk.submit(lost)
    alerts = desk.watch(expect_run=False)
    assert found(alerts) == [(Finding.LEFT_OPEN, "lost-2026-11-20")]
    assert alerts[0].reason == f"cancelled {lost}"


def test_an_order_of_another_client_is_never_touched(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.submit("my-own-order")
    desk.wait_until("15:59")
    assert desk.watch(expect_run=False) == []
    assert desk.exchange.account.orders.by_client_id["my-own-order"].is_open


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/calendar", "/v2/orders"])
def test_a_watch_without_broker_answers_raises(open_desk: OpenDesk, path: str) -> None:
    desk = resting(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=path, status=502))
    with pytest.raises(Exception, match="502"):
        desk.watch()


def revoke(desk: Desk) -> str:
    name = "APCA-API-SECRET-KEY"
    key, desk.broker.headers[name] = desk.broker.headers[name], "revoked"
    return key


def test_an_unreachable_run_is_reported_until_the_broker_answers(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    key = revoke(desk)
    for time in ("09:50", "09:55"):
        desk.wait_until(time)
        with pytest.raises(BrokerDenied):
            desk.watch()
    named = [detail for kind, detail in desk.notifier.published if kind == "repeg.watch.stuck_run"]
    assert [detail["run_id"] for detail in named] == [RUN_ID, RUN_ID]
    assert all("the broker could not be read since 2026-11-23T14:50:00" in detail["reason"] for detail in named)
    assert published(desk).count("repeg.run.failed") == 1
    desk.broker.headers["APCA-API-SECRET-KEY"] = key
    assert found(desk.watch()) == [(Finding.STUCK_RUN, RUN_ID)]
    assert desk.watch() == []
    assert published(desk).count("repeg.run.failed") == 1
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


class Keyless(AlpacaBroker):
    """A broker for which the stack has no keys yet."""

    def clock(self) -> BrokerClock:
        raise KeysMissing("the secret still holds the placeholder")


def without_keys(desk: Desk) -> Watched:
    keyless = Keyless(desk.broker.line)
    return watch_runs(replace(desk.ports, broker=keyless), expect_run=True)


def test_a_stack_without_keys_and_runs_is_no_failed_pass(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, at="12:00")
    watched = without_keys(desk)
    assert (watched.alerts, watched.failure, watched.lacks_keys) == ([], None, True)
    assert desk.notifier.published == []


def test_a_stack_that_has_lost_its_keys_during_a_run_is_a_failed_pass(open_desk: OpenDesk) -> None:
    watched = without_keys(half_filled(open_desk))
    assert isinstance(watched.failure, KeysMissing)
    assert not watched.lacks_keys


def test_a_run_unreachable_overnight_is_swept_the_next_day(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    key = revoke(desk)
    with pytest.raises(BrokerDenied):
        desk.sweep()
    desk.broker.headers["APCA-API-SECRET-KEY"] = key
    desk.scheduler.run(until=datetime(2026, 11, 26, 17, 0, tzinfo=UTC))  # Thanksgiving
    assert found(desk.watch()) == [(Finding.STUCK_RUN, RUN_ID)]
    assert desk.run.state is RunState.SWEPT


def test_a_healthy_run_is_not_reported_after_a_broker_error(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    revoke(desk)
    with pytest.raises(BrokerDenied):
        desk.watch()
    assert desk.notifier.published == []


def test_a_finding_is_published_even_if_a_later_check_fails(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, at="09:40")
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders", status=502))
    with pytest.raises(BrokerUnavailable):
        desk.watch()
    assert published(desk) == ["repeg.watch.missed_run", "repeg.watch.watch_failed"]


def test_each_run_of_the_day_is_watched(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    run = desk.run
    again = run.model_copy(update={"run_id": f"{RUN_ID}-r2", "owner": "arn:second", "is_planned": False})
    desk.store.claim_run(again)
    desk.wait_until("09:50")
    assert found(desk.watch()) == [(Finding.STUCK_RUN, RUN_ID), (Finding.STUCK_RUN, f"{RUN_ID}-r2")]
    assert [run.state for run in desk.store.guards_on(MONDAY)] == [RunState.SWEPT, RunState.SWEPT]


# One run's failure does not affect the others


class PartlyBrokenStore(MemoryStore):
    """A store that fails on each read of one run's orders."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def books(self, run_id: str) -> Books:
        if run_id == RUN_ID:
            raise self.error
        return super().books(run_id)


@pytest.mark.parametrize(
    "error", [StillOpen("AAPL is open"), StoreUnavailable("busy"), ValueError("bad"), KeyError("x")]
)
def test_a_run_that_will_not_close_does_not_stop_the_watchdog(open_desk: OpenDesk, error: Exception) -> None:
    desk = half_filled(open_desk, store=PartlyBrokenStore(error))
    again = desk.run.model_copy(update={"run_id": f"{RUN_ID}-r2", "owner": "arn:second", "is_planned": False})
    desk.store.claim_run(again)
    desk.wait_until("09:50")
    watched = watch_runs(desk.ports, expect_run=True)
    assert found(watched.alerts) == [(Finding.WATCH_FAILED, RUN_ID), (Finding.STUCK_RUN, f"{RUN_ID}-r2")]
    assert watched.failure is error
    assert published(desk) == ["repeg.watch.watch_failed", "repeg.run.failed", "repeg.watch.stuck_run"]
    assert [guard.state for guard in desk.store.guards_on(MONDAY)] == [RunState.CLOSING, RunState.SWEPT]
    with pytest.raises(type(error)):
        desk.watch()


def test_an_event_bus_outage_does_not_stop_the_watchdog(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.ports = replace(desk.ports, notifier=InterruptedNotifier())
    desk.wait_until("09:50")
    with pytest.raises(StoreUnavailable):
        desk.watch()
    assert desk.run.state is RunState.SWEPT
    judge.nothing_of_ours_is_open(desk.exchange)
