"""This release's sweep, watchdog and close over the whole tables of an earlier release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.close_run.app import close_run
from repeg.domain.errors import StoreUnavailable
from repeg.domain.run_health import Finding
from tests.contracts.tables import TABLE
from tests.stored_rows.replay import RELEASES, Replay, replayed


@pytest.fixture(params=RELEASES)
def aborted(request: pytest.FixtureRequest) -> Iterator[Replay]:
    """The table of a run whose execution was aborted between two turns."""
    with replayed("aborted", request.param) as scenario:
        yield scenario


@pytest.fixture(params=RELEASES)
def closed(request: pytest.FixtureRequest) -> Iterator[Replay]:
    """The table of a run that has been closed and announced."""
    with replayed("closed_with_a_partial_fill", request.param) as scenario:
        yield scenario


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", ["aborted", "closed_with_a_partial_fill"])
def test_the_rebuilt_broker_equals_the_recorded_one(name: str, release: str) -> None:
    """Without this the tests below would prove nothing."""
    with replayed(name, release) as scenario:
        recorded, desk = scenario.about["broker"], scenario.desk
        names = set(recorded["closed_orders"][0])
        listed = [report.model_dump(mode="json", include=names) for report in desk.broker.open_orders()]
        assert sorted(listed, key=str) == sorted(recorded["open_orders"], key=str)
        day = scenario.run.trading_day.day
        found = [execution.model_dump(mode="json") for execution in desk.broker.executions(day)]
        assert found == recorded["executions"]


def test_an_earlier_releases_run_is_swept_as_that_release_did(aborted: Replay) -> None:
    assert aborted.sweep().outcome == "swept"
    assert aborted.open_at_broker() == []
    assert aborted.ending == aborted.about["swept_by_this_release"]
    aborted.desk.wait(60)
    executions = aborted.desk.broker.executions(aborted.run.trading_day.day)
    assert aborted.store.executions(aborted.run_id) == executions


def test_the_watchdog_sweeps_an_earlier_releases_run(aborted: Replay) -> None:
    aborted.desk.wait_until("09:45")
    assert [alert.finding for alert in aborted.watch()] == [Finding.STUCK_RUN]
    assert aborted.open_at_broker() == []
    assert aborted.ending["orders"] == aborted.about["swept_by_this_release"]["orders"]


def test_the_closing_step_closes_an_earlier_releases_run(aborted: Replay) -> None:
    answer = close_run(aborted.run_id, 1, 3, None, aborted.desk.ports)
    assert answer.outcome == "settled"
    assert aborted.open_at_broker() == []
    assert [row["filled_qty"] for row in aborted.ending["orders"]] == ["20", "0", "100"]


def test_an_earlier_releases_closed_run_stays_as_it_is(closed: Replay) -> None:
    before = closed.run
    for step in (closed.sweep, closed.watch):
        step()
        assert closed.run == before
    assert close_run(closed.run_id, 1, 3, None, closed.desk.ports).outcome == "settled"
    assert closed.published == []


def test_an_earlier_releases_closed_run_is_reconciled_after_the_session(closed: Replay) -> None:
    """Its books are equal, and so nothing is corrected or published. The costs of a release that measured are
    completed, and an older report stays as it is."""
    before = closed.run.report
    assert before is not None
    for time in ("16:05", "16:20"):
        closed.desk.wait_until(time)
        assert closed.watch() == []
    after = closed.run.report
    assert after is not None
    assert after.figures == before.figures
    assert after == before if before.costs is None else after.costs is not None and after.costs.books == "sip"
    assert closed.published == ([] if before.costs is None else ["repeg.run.measured"])
    assert closed.item("RUN")["is_reconciled"] == {"BOOL": True}


# Rows of another release, or broken ones


def test_a_stored_setting_that_this_release_lacks_is_ignored(aborted: Replay) -> None:
    """The row of a release that has one setting more, read after a roll-back, or after the setting was removed."""
    opening = aborted.body("OPENING")
    opening["settings"]["sentiment"] = "bullish"
    opening["settings"]["symbols"] = {"AAPL": {"max_spread_pct": "0.5", "mood": "calm"}}
    aborted.rewrite("OPENING", opening)
    assert aborted.sweep().outcome == "swept"
    assert aborted.ending == aborted.about["swept_by_this_release"]
    assert str(aborted.run.settings.for_symbol("AAPL").max_spread_pct) == "0.5"


@pytest.mark.parametrize("sk", ["OPENING", "ORDER#AAPL", "INTENT#"])
def test_a_stored_field_that_this_release_lacks_is_ignored(aborted: Replay, sk: str) -> None:
    sk = aborted.first(sk)
    aborted.rewrite(sk, {**aborted.body(sk), "of_a_later_release": {"x": 1}})
    assert aborted.sweep().outcome == "swept"
    assert aborted.ending == aborted.about["swept_by_this_release"]


def test_an_unknown_escalation_of_a_stored_run_counts_as_none(aborted: Replay) -> None:
    opening = aborted.body("OPENING")
    opening["settings"]["escalation"] = "auction"
    aborted.rewrite("OPENING", opening)
    assert aborted.run.settings.escalation == "none"


def test_stored_settings_are_not_held_to_the_rules_for_input(aborted: Replay) -> None:
    """A combination that is refused today may have been allowed when the run was opened."""
    opening = aborted.body("OPENING")
    opening["settings"] |= {"patience_seconds": 30, "order_monitoring_seconds": 60}
    aborted.rewrite("OPENING", opening)
    assert aborted.run.settings.patience_seconds == 30


def test_a_broken_order_row_does_not_hide_the_other_orders(aborted: Replay) -> None:
    aborted.rewrite("ORDER#AAPL", {**aborted.body("ORDER#AAPL"), "side": "sideways"})
    assert aborted.sweep().outcome == "swept"
    assert aborted.open_at_broker() == []
    ending = aborted.ending
    assert [(row["symbol"], row["outcome"]) for row in ending["orders"]] == [
        ("KO", "partial_deadline"),
        ("T", "filled"),
    ]
    assert (ending["outcome"], ending["error"]) == ("failed", "Swept")
    assert "ORDER#AAPL cannot be read" in ending["reason"]
    assert [e.subject for e in aborted.desk.journal.entries if e.verb == "unreadable"] == ["run"]
    assert aborted.published == ["repeg.watch.unreadable_row", "repeg.run.failed"]


def test_a_broken_order_row_fails_the_closing_step_as_unexplained(aborted: Replay) -> None:
    aborted.rewrite("ORDER#AAPL", "not JSON")
    answer = close_run(aborted.run_id, 1, 3, None, aborted.desk.ports)
    assert (answer.outcome, answer.error) == ("failed", "Unexplained")
    assert answer.reason == "ORDER#AAPL cannot be read"
    assert aborted.open_at_broker() == []


@pytest.mark.parametrize("sk", ["FILL#", "ORDER#AAPL"])
def test_a_run_with_a_broken_row_stops_trading(aborted: Replay, sk: str) -> None:
    sk = aborted.first(sk)
    aborted.rewrite(sk, "{}")
    read = aborted.store.orders if sk.startswith("ORDER") else aborted.store.executions
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        read(aborted.run_id)


@pytest.mark.parametrize("sk", ["FILL#", "INTENT#"])
def test_a_broken_fill_or_intent_row_does_not_keep_a_run_open(aborted: Replay, sk: str) -> None:
    sk = aborted.first(sk)
    aborted.rewrite(sk, "{}")
    assert aborted.sweep().outcome == "swept"
    assert aborted.ending["outcome"] == "failed"
    assert f"{sk} cannot be read" in aborted.ending["reason"]


def test_an_unreadable_run_is_cancelled_by_its_ids_and_ended(aborted: Replay) -> None:
    aborted.rewrite("OPENING", "{}")
    answer = aborted.sweep()
    assert (answer.outcome, answer.cancelled) == ("swept", 2)
    assert aborted.open_at_broker() == []
    assert aborted.item("RUN")["state"] == {"S": "swept"}
    assert aborted.published == ["repeg.watch.unreadable_row", "repeg.run.failed"]
    assert aborted.desk.notifier.published[-1][1]["error"] == "Unreadable"
    assert aborted.body("REPORT")["error"] == "Unreadable"


def test_the_watchdog_ends_a_run_that_it_cannot_read(aborted: Replay) -> None:
    aborted.rewrite("OPENING", "{}")
    aborted.desk.wait_until("09:43")
    assert aborted.watch() == []
    aborted.desk.wait_until("09:45")
    assert [alert.finding for alert in aborted.watch()] == [Finding.UNREADABLE_ROW, Finding.STUCK_RUN]
    assert aborted.published == ["repeg.watch.unreadable_row", "repeg.run.failed", "repeg.watch.stuck_run"]
    assert aborted.open_at_broker() == []
    assert aborted.watch() == []
    aborted.desk.wait_until("16:00")
    assert [alert.finding for alert in aborted.watch()] == [Finding.UNREADABLE_ROW]


def test_an_unreadable_kill_switch_does_not_keep_a_run_open(aborted: Replay) -> None:
    row = {"pk": {"S": "ACCOUNT"}, "sk": {"S": "KILL"}, "state": {"S": "halt"}}
    aborted.client.put_item(TableName=TABLE, Item=row)
    assert close_run(aborted.run_id, 1, 3, None, aborted.desk.ports).outcome == "settled"
    assert [row["outcome"] for row in aborted.ending["orders"]] == ["killed", "killed", "filled"]
