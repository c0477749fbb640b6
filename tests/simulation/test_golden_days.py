"""Whole days, from 09:25 to the report, compared with their golden tapes."""

from __future__ import annotations

import pytest

from repeg.adapters.journal.files import read_file
from repeg.domain.journal_file import StepName, encode
from repeg.domain.next_step import EVENTS_PER_TURN
from repeg_workbench.what_if.again import decided_again
from repeg_workbench.what_if.changes import Changes
from tests.simulation import cost_judge, judge
from tests.simulation.days import DAYS, GoldenDay
from tests.simulation.playing import Played, play

BIGGEST_PAYLOAD = 4_096

# History events outside of turns: opening, waiting, planning, closing.
EVENTS_AROUND_TURNS = 60


@pytest.fixture(scope="module", params=DAYS, ids=lambda day: day.name)
def golden(request: pytest.FixtureRequest) -> tuple[GoldenDay, Played]:
    day: GoldenDay = request.param
    return day, play(day.scenario())


def test_the_days_tape_equals_its_golden_file(golden: tuple[GoldenDay, Played]) -> None:
    day, played = golden
    assert played.tape == day.tape.read_text(encoding="utf-8"), (
        "run python -m tests.simulation.regenerate and review the diff"
    )


def test_the_same_settings_decide_the_day_again_as_it_was(golden: tuple[GoldenDay, Played]) -> None:
    """From the stored form of its journal; a setting at its own value goes through everything that a change does."""
    _, played = golden
    step = read_file("", encode(StepName(played.run.run_id, "day", played.journal[0].at, "1"), played.journal))
    settings = played.run.settings
    again = decided_again(step.entries, Changes({"max_repegs": settings.max_repegs}), settings)
    assert (step.problems, again.problems, again.run, again.not_sized) == ([], [], [], [])
    placed = [entry for entry in played.journal if entry.rule and entry.detail.startswith(("buy ", "sell "))]
    assert again.sized == len(placed) > 0
    assert again.made == sum(bool(entry.rule) for entry in played.journal) > len(played.orders)
    for path in again.paths.values():
        assert (path.symbol, path.change, path.bounds) == (path.symbol, None, [])


def test_every_order_ends_with_its_expected_outcome(golden: tuple[GoldenDay, Played]) -> None:
    day, played = golden
    expected = {order["symbol"]: "filled" for order in day.plan["orders"]} | dict(day.outcomes)
    assert {order["symbol"]: order["outcome"] for order in played.summary["orders"]} == expected
    assert played.summary["outcome"] == "settled"


def test_the_brokers_ledger_has_no_violation(golden: tuple[GoldenDay, Played]) -> None:
    _, played = golden
    judge.nothing_of_ours_is_open(played.exchange)
    judge.never_a_share_too_many(played.exchange, played.orders)
    judge.books_are_the_brokers(played.exchange, played.orders)
    judge.every_order_was_meant(played.exchange, played.intents)
    judge.cash_is_never_negative(played.exchange)


def test_the_parts_of_each_shortfall_add_up_to_the_cent(golden: tuple[GoldenDay, Played]) -> None:
    _, played = golden
    for report in filter(None, (played.report, played.measured)):
        cost_judge.parts_add_up(played.exchange, played.orders, report)


def test_spreads_and_markouts_are_those_of_the_markets_quotes(golden: tuple[GoldenDay, Played]) -> None:
    day, played = golden
    if played.measured is None:
        assert day.name == "halt"
        return
    market = day.market(day.day)
    cost_judge.measured_from_the_market(played.exchange, market, played.run.trading_day, played.measured)


def test_no_order_is_sent_outside_the_window(golden: tuple[GoldenDay, Played]) -> None:
    _, played = golden
    judge.every_order_was_sent_in_the_window(played.exchange, played.run)


def test_the_workflow_stays_within_its_budgets(golden: tuple[GoldenDay, Played]) -> None:
    _, played = golden
    totals = played.summary["totals"]
    assert [execution.status for execution in played.executions] == ["SUCCEEDED"]
    assert totals["history_events"] <= EVENTS_AROUND_TURNS + EVENTS_PER_TURN * totals["turns"]
    assert all(execution.largest_payload <= BIGGEST_PAYLOAD for execution in played.executions)


@pytest.mark.parametrize(("name", "utc"), [("clocks_forward", "13:25"), ("clocks_back", "14:25"), ("quiet", "14:25")])
def test_a_run_starts_at_the_same_new_york_time_all_year(name: str, utc: str) -> None:
    (day,) = (day for day in DAYS if day.name == name)
    assert f"{day.scenario().starts:%H:%M}" == utc
    assert day.tape.read_text(encoding="utf-8").startswith("09:25:00")
