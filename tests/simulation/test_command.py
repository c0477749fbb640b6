"""`repeg simulate`: its output, its files and its exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.testing import Result

from repeg.domain.decision import Decision
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import decide
from repeg.domain.quote import Quote
from repeg.domain.settings import Settings
from repeg_workbench.simulate.command import BAD_INPUT, FAILED, SETTLED, run
from repeg_workbench.simulate.published import in_words, published
from repeg_workbench.simulate.summary import ORDER_FIELDS, Usage, summarise
from tests.simulation.command_line import repeg, write
from tests.simulation.days import DAYS, DEMO, GoldenDay, orders

TOTALS = {
    "cost_bps", "market_cost_bps", "crossing_cost", "unfilled_cost", "turns", "transitions", "history_events",
    "trading_requests", "data_requests", "function_seconds", "aws_dollars", "states",
}  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("kept") / "new" / "folder"
    return repeg("--out", out), out


def test_the_demo_settles_and_prints_tape_orders_and_totals(demo: tuple[Result, Path]) -> None:
    result, _ = demo
    assert result.exit_code == SETTLED
    assert result.stdout.startswith("09:25:00  run       open     demo-2026-11-23")
    assert "8 of 8 orders" in result.stdout
    assert "market orders at arrival, from the same quotes" in result.stdout
    assert "dollars against the decision prices" in result.stdout
    assert "a generated day, seed 1, quotes from iex; a day's cost is mostly luck" in result.stdout
    assert in_words(published()) in result.stdout
    assert result.stderr == ""


def test_the_feed_is_named_and_decides_what_the_run_sees() -> None:
    """The deployed default is iex, one venue's quotes; all that the market would trade is traded there too."""
    iex, sip = (json.loads(repeg("--feed", feed, "--json").stdout) for feed in ("iex", "sip"))
    assert (iex["feed"], sip["feed"]) == ("iex", "sip")
    assert {order["outcome"] for each in (iex, sip) for order in each["orders"]} == {"filled"}
    assert [o["arrival_mid"] for o in iex["orders"]] != [o["arrival_mid"] for o in sip["orders"]]
    assert (iex["published"] is None, sip["published"] is None) == (False, True)


def test_a_feed_that_is_none_is_refused() -> None:
    result = repeg("--feed", "cta")
    assert result.exit_code == BAD_INPUT
    assert "feed" in result.stderr
    assert "one of iex, sip" in result.stderr


def test_the_out_folder_has_tape_summary_and_journal(demo: tuple[Result, Path]) -> None:
    result, out = demo
    assert sorted(path.name for path in out.iterdir()) == ["journal.jsonl", "report.html", "summary.json", "tape.txt"]
    assert result.stdout.startswith((out / "tape.txt").read_text(encoding="utf-8"))


def test_the_summary_has_its_documented_fields(demo: tuple[Result, Path]) -> None:
    summary = json.loads((demo[1] / "summary.json").read_text(encoding="utf-8"))
    described = {"run_id", "outcome", "reason", "notes", "feed", "market", "published"}
    assert set(summary) == described | {"orders", "totals", "costs"}
    assert all(tuple(order) == ORDER_FIELDS for order in summary["orders"])
    assert set(summary["totals"]) == TOTALS
    assert (summary["run_id"], summary["outcome"]) == ("demo-2026-11-23", "settled")


def test_every_decision_in_the_journal_can_be_replayed(demo: tuple[Result, Path]) -> None:
    _, *entries, footer = (demo[1] / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(footer)["entries"] == len(entries)
    decided = [line for line in map(json.loads, entries) if line["rule"] == "peg.decide"]
    assert len(decided) >= 8
    for line in decided:
        given = line["inputs"]
        quote = None if given["quote"] is None else Quote.model_validate(given["quote"])
        again = decide(
            ParentOrder.model_validate(given["order"]),
            quote,
            Moment.model_validate(given["moment"]),
            Settings.model_validate(given["settings"]),
        )
        assert same(again, line["answer"]), line


def same(answer: BaseModel, journalled: Any) -> bool:
    return Decision.model_validate(journalled) == answer


def test_json_output_is_the_summary_alone(demo: tuple[Result, Path]) -> None:
    result = repeg("--json")
    assert json.loads(result.stdout) == json.loads((demo[1] / "summary.json").read_text(encoding="utf-8"))
    assert result.stderr == ""


def test_different_seeds_give_different_days(demo: tuple[Result, Path]) -> None:
    result = repeg("--seed", "2")
    assert result.exit_code == SETTLED
    assert result.stdout != demo[0].stdout


def test_a_symbol_setting_applies_to_that_symbol_alone(tmp_path: Path) -> None:
    plan = write(tmp_path, orders("two", "sell 100 CAT", "sell 100 JNJ"))
    result = repeg("--plan", plan, "--json", "--set", "symbols.CAT.max_spread_pct=0.0001", "--set",
                   "order_monitoring_seconds=300")  # fmt: skip
    outcomes = {order["symbol"]: order["outcome"] for order in json.loads(result.stdout)["orders"]}
    assert outcomes == {"CAT": "held_wide", "JNJ": "filled"}


def test_cash_and_positions_can_be_given(tmp_path: Path) -> None:
    positions = tmp_path / "positions.json"
    positions.write_text('{"KO": "12.5"}', encoding="utf-8")
    plan = write(tmp_path, orders("exit", "sell all KO", "buy 1 AAPL"))
    result = repeg("--plan", plan, "--positions", positions, "--cash", "5000", "--json")
    assert {order["symbol"]: order["filled_qty"] for order in json.loads(result.stdout)["orders"]} == {
        "AAPL": "1",
        "KO": "12.5",
    }


def test_the_notes_of_the_plan_are_printed_and_in_the_summary(tmp_path: Path) -> None:
    """A computed weight that is a little below zero counts as zero, which the report says."""
    plan = write(tmp_path, {"name": "computed", "targets": {"KO": "-0.00003", "AAPL": "0.1"}})
    printed = repeg("--plan", plan)
    (note,) = json.loads(repeg("--plan", plan, "--json").stdout)["notes"]
    assert "-0.00003" in note
    assert f"note            {note}" in " ".join(printed.stdout.splitlines()[-6:])


def test_the_note_of_an_order_is_printed_with_its_symbol(demo: tuple[Result, Path]) -> None:
    order = dict.fromkeys(ORDER_FIELDS, "") | {"symbol": "KO", "note": "1 open order counted: sell 40 KO"}
    report = {"run_id": "x", "outcome": "settled", "error": "", "reason": "", "notes": ["weights add up to 1.00001"]}
    totals = dict.fromkeys(("cost_bps", "market_cost_bps", "unfilled_cost")) | {"turns": 1}
    usage = Usage(transitions=1, history_events=1, trading_requests=1, data_requests=1, function_seconds=1)
    summary = summarise({**report, "orders": [order, {**order, "note": ""}], "totals": totals}, usage)
    assert summary["notes"] == ["weights add up to 1.00001", "KO: 1 open order counted: sell 40 KO"]
    assert "note" not in demo[0].stdout.rpartition("filled ")[2]


BAD_PLANS = [
    ('{"name": "x", "orders": [', "plan: ", "JSON ("),
    (orders("x", "buy 10 ZZZZ"), "plan.orders[0].symbol: 'ZZZZ'", "a symbol that the broker lists"),
    (orders("x", "buy 10 AAPL", "sell 5 AAPL"), "plan.orders[1].symbol: 'AAPL'", "each symbol once"),
    (orders("x", "buy 0 AAPL"), "plan.orders[0].qty: '0'", "a positive number of shares"),
    (orders("x", "buy -4 AAPL"), "plan.orders[0].qty: '-4'", "a positive number of shares"),
    (orders("x", "buy 10 GONE"), "plan.orders[0].symbol: 'GONE'", "tradable"),
    (orders("x", "buy 1.5 RIFT"), "plan.orders[0].qty: '1.5'", "whole shares"),
    ({"name": "x", "targets": {"AAPL": "0.7", "KO": "0.6"}}, "plan.targets: '1.3'", "at most 1"),
    ([1, 2], "plan: ", "an object"),
]


@pytest.mark.parametrize(("plan", "field", "expected"), BAD_PLANS, ids=[field for _, field, _ in BAD_PLANS])
def test_an_invalid_plan_is_refused_in_one_line(plan: Any, field: str, expected: str, tmp_path: Path) -> None:
    refused(repeg("--plan", write(tmp_path, plan)), field, expected)


@pytest.mark.parametrize(
    ("arguments", "field", "expected"),
    [
        (["--plan", "nowhere.json"], "plan: 'nowhere.json'", "a file that can be read"),
        (["--date", "2026-11-26"], "trading date: '2026-11-26'", "a core session"),
        (["--date", "2026-11-28"], "trading date: '2026-11-28'", "a core session"),
        (["--date", "tomorrow"], "date: 'tomorrow'", "a date such as"),
        (["--set", "max_spread=1"], "settings.max_spread", "did you mean max_spread_pct?"),
        (["--set", "max_spread_pct=-1"], "settings.max_spread_pct: '-1'", "greater than 0"),
        (["--set", "patience_seconds=5"], "settings.patience_seconds: 5", "order_monitoring_seconds=30"),
        (["--set", "escalation"], "set: 'escalation'", "NAME=VALUE"),
        (["--set", "symbols=1", "--set", "symbols.KO.max_repegs=2"], "set: 'symbols.KO", "not both"),
        (["--cash", "much"], "cash: 'much'", "dollars"),
        (["--positions", "none.json"], "positions: 'none.json'", "a file that can be read"),
        (["--market", "no/such/folder"], "market: 'no/such/folder'", "is not a folder"),
        (["--out", __file__], "out: ", "a folder that can be written to"),
        (["--set", "max_run_notional=1000"], "max_run_notional is 1000", "the run is worth"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_an_invalid_option_is_refused_in_one_line(arguments: list[str], field: str, expected: str) -> None:
    refused(repeg(*arguments), field, expected)


def refused(result: Result, field: str, expected: str) -> None:
    assert result.exit_code == BAD_INPUT
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert field in result.stderr
    assert expected in result.stderr


QUOTES = """ts,bid,bid_size,ask,ask_size
1514903400000000000,10.00,100,10.01,100
1514903401000000000,10.00,100,10.01,100
"""


@pytest.mark.parametrize(
    ("quotes", "bad_value"),
    [
        (QUOTES.replace("1514903401", "1514903399"), "ts"),
        (QUOTES.replace("ask_size", "offer_size"), "ask_size"),
        (QUOTES.replace("10.01,100\n1514903401", "ten,100\n1514903401"), "ten"),
    ],
    ids=["rows out of order", "a column missing", "a price that is no number"],
)
def test_an_invalid_recording_is_refused_with_its_bad_value(quotes: str, bad_value: str, tmp_path: Path) -> None:
    (tmp_path / "ABC-2018-01-02.quotes.csv").write_text(quotes, encoding="utf-8")
    plan = write(tmp_path, orders("x", "buy 10 ABC"))
    result = repeg("--plan", plan, "--market", tmp_path, "--date", "2018-01-02")
    refused(result, "ABC-2018-01-02.quotes.csv", bad_value)


def test_a_date_without_a_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ABC-2018-01-02.quotes.csv").write_text(QUOTES, encoding="utf-8")
    plan = write(tmp_path, orders("x", "buy 10 ABC"))
    refused(repeg("--plan", plan, "--market", tmp_path, "--date", "2018-01-03"), "2018-01-03", "2018-01-02")


def test_a_refused_run_sends_nothing() -> None:
    day = GoldenDay("refused", orders("refused", "buy 10 ZZZZ", "buy 10 AAPL")).scenario()
    entries: list[Any] = []
    assert run(day, entries.append).exit_code == BAD_INPUT
    assert entries == []


def test_a_blocked_account_fails_the_run() -> None:
    (quiet,) = (day for day in DAYS if day.name == "quiet")
    day = quiet.scenario()
    finished = run(replace(day, opening=replace(day.opening, account_blocked=True)), lambda _: None)
    assert (finished.exit_code, finished.error) == (FAILED, "BrokerDenied")


def test_the_default_account_holds_the_sells_and_little_cash() -> None:
    opening = DAYS[0].scenario().opening
    assert {symbol: shares for symbol, (shares, _) in opening.positions.items()} == {
        "AIG": Decimal(400),
        "BAC": Decimal(2000),
        "GOOG": Decimal(100),
    }
    assert opening.cash == Decimal(10_000)


def test_help_names_every_option() -> None:
    help_text = repeg("--help").stdout
    for option in ("--plan", "--market", "--date", "--seed", "--set", "--cash", "--positions", "--out", "--json"):
        assert option in help_text
    assert DEMO.exists()
