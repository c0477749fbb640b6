"""`repeg what-if`: the same settings decide the same, and other ones up to the first difference of an order's path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from repeg.domain.errors import InvalidInput
from repeg.domain.journal import Entry
from repeg_workbench.cli import app
from repeg_workbench.explain.found import Place
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.what_if.command import NOT_AGAIN, UNKNOWN, what_if
from tests.explain.mornings import eventful, in_pieces, simulated


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return eventful()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]) -> Path:
    return simulated(tmp_path_factory.mktemp("day"), entries)


def asked(folder: Path, *assignments: str) -> Answer:
    return what_if(Workstation(), Place(str(folder)), assignments)


def changes(folder: Path, *assignments: str) -> dict[str, Any]:
    return {order["symbol"]: order["change"] for order in asked(folder, *assignments).data["orders"]}


def test_the_same_settings_decide_the_same(folder: Path, entries: list[Entry]) -> None:
    answer = asked(folder)
    assert (answer.code, answer.data["problems"]) == (DONE, [])
    assert answer.data["decisions"] == sum(bool(entry.rule) for entry in entries) > 20


def test_a_setting_at_its_own_value_changes_no_path(folder: Path) -> None:
    assert set(changes(folder, "patience_seconds=60", "max_spread_pct=0.25").values()) == {None}


def test_less_patience_escalates_at_the_turn_where_it_is_spent(folder: Path) -> None:
    found = changes(folder, "patience_seconds=30")["AAPL"]
    assert f"{found['at']:%H:%M:%S}" == "14:36:30"
    assert "patience spent" in found["instead"]


def test_a_wider_spread_lets_an_order_go_when_its_book_was_first_seen(folder: Path) -> None:
    found = changes(folder, "max_spread_pct=10")
    assert (found["F"]["was"], found["F"]["instead"]) == ("held (wide)", "accepted")
    assert f"{found['T']['at']:%H:%M:%S}" == "14:36:00", "not only when it had narrowed"
    assert found["AAPL"] is None


def test_a_symbols_own_setting_changes_its_path_alone(folder: Path) -> None:
    found = changes(folder, "symbols.F.max_spread_pct=10")
    assert [symbol for symbol, change in found.items() if change is not None] == ["F"]


def test_a_repeated_hold_is_made_again_as_well(folder: Path, entries: list[Entry]) -> None:
    held = [entry for entry in entries if entry.subject == "F" and entry.rule]
    assert [entry.verb for entry in held][:3] == ["hold", "check", "check"]
    (order,) = (each for each in asked(folder, "max_spread_pct=0.3").data["orders"] if each["symbol"] == "F")
    assert order["made"] == len(held)


def test_another_collar_goes_into_the_decisions_after_it(folder: Path) -> None:
    """A collar below the ask keeps a spent patience from crossing."""
    (order,) = (each for each in asked(folder, "max_slippage_bps=1").data["orders"] if each["symbol"] == "AAPL")
    assert order["bounds"][0]["was"] == "collar 190.36"
    assert order["bounds"][0]["instead"] == "collar 189.43"
    assert "189.43" in order["change"]["instead"]


def test_a_higher_collar_takes_its_cash_before_others(folder: Path) -> None:
    """At a collar of 156.01 PG may cost more than AAPL, so that the cash is granted to it first."""
    found = changes(folder, "symbols.PG.max_slippage_bps=400")
    assert (found["PG"]["was"], found["PG"]["instead"]) == (
        "cash for 0 shares (waits for sells)",
        "cash for 50 shares (funded)",
    )
    assert found["AAPL"]["instead"] == "cash for 0 shares (waits for sells)"


def test_a_later_window_leaves_nothing_of_the_path(folder: Path) -> None:
    answer = asked(folder, "market_open_delay_minutes=7")
    assert "wait until 09:37:00" in answer.data["run"][-1]["instead"]
    for order in answer.data["orders"]:
        assert "opened at 09:37:00 only" in order["change"]["instead"]
        assert order["made"] == 0


def test_a_limit_that_refuses_the_run_says_so(folder: Path) -> None:
    (found,) = asked(folder, "max_run_notional=5000").data["run"]
    assert "it would have been refused: the run is worth" in found["instead"]


def test_the_answer_says_that_the_markets_is_unknown(folder: Path) -> None:
    said = CliRunner().invoke(app, ["what-if", str(folder), "--set", "patience_seconds=30"])
    assert said.exit_code == DONE
    assert UNKNOWN in said.stdout
    assert "Unchanged to the end: F" in said.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("order_monitoring_seconds=60", "also says when the run looks"),
        ("use_replace=true", "changes no decision here: it says how a move is sent"),
    ],
)
def test_a_setting_that_no_decision_shows_is_named(folder: Path, name: str, words: str) -> None:
    assert any(words in remark for remark in asked(folder, name).data["remarks"])


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("patience_second=1", "settings.patience_second: unknown name, given '1'; did you mean patience_seconds?"),
        ("escalation=far", "settings.escalation: 'far' is not valid; expected 'none', 'mid', 'cross' or 'market'"),
        ("data_feed=sip", "settings.data_feed: 'sip' is not valid; expected no value"),
        ("symbols.XX.escalation=none", "set.symbols: 'XX' is not valid; expected a symbol of the run: AAPL, F"),
        ("max_spread_pct", "set: 'max_spread_pct' is not valid; expected NAME=VALUE"),
        ("max_spread_pct=50", "settings.max_spread_pct"),
    ],
)
def test_a_bad_assignment_is_refused_with_what_would_be_right(folder: Path, assignment: str, words: str) -> None:
    with pytest.raises(InvalidInput) as error:
        asked(folder, assignment)
    assert words in str(error.value)


def test_an_edited_decision_is_named_and_no_path_is_told_from_it(entries: list[Entry], tmp_path: Path) -> None:
    where = simulated(tmp_path, entries)
    file = where / "journal.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace('"limit":"189.41"', '"limit":"189.40"'), encoding="utf-8")
    answer = asked(where)
    assert answer.code == UNFINISHED
    assert any(
        "AAPL at 09:36:00, place: this release's rules decide otherwise" in each for each in answer.data["problems"]
    )


# How many shares an order is sent for


@pytest.fixture(scope="module")
def pieces() -> list[Entry]:
    return in_pieces()


@pytest.fixture(scope="module")
def in_parts(tmp_path_factory: pytest.TempPathFactory, pieces: list[Entry]) -> Path:
    return simulated(tmp_path_factory.mktemp("pieces"), pieces)


def test_the_sizes_of_pieces_are_made_again(in_parts: Path, pieces: list[Entry]) -> None:
    placed = [entry.detail for entry in pieces if entry.verb == "place"]
    assert placed == ["buy 300 @ 20.01", "buy 300 @ 20.01"]
    answer = asked(in_parts)
    assert (answer.code, answer.data["sizes"], answer.data["not_sized"]) == (DONE, 2, [])


def test_a_buy_that_its_cash_had_cut_is_made_again_from_its_grant(folder: Path) -> None:
    answer = asked(folder)
    assert answer.data["sizes"] >= 3
    assert answer.data["not_sized"] == []


def test_too_few_orders_for_pieces_send_the_whole(in_parts: Path) -> None:
    """Three orders are kept for the end, so the first of four is for all shares."""
    found = changes(in_parts, "max_repegs=0", "max_attempts=4")["T"]
    assert found["was"].startswith("300 shares: place at 20.01")
    assert found["instead"].startswith("1000 shares: place at 20.01")


def test_a_piece_makes_way_for_the_rest_when_few_orders_are_left(in_parts: Path) -> None:
    found = changes(in_parts, "max_repegs=0", "max_attempts=5")["T"]
    assert found["instead"] == "cancel the piece for all 700 left"


def test_an_order_of_another_size_than_the_rules_is_named(tmp_path: Path, pieces: list[Entry]) -> None:
    cut = [each._replace(detail="buy 200 @ 20.01") if each.verb == "place" else each for each in pieces]
    answer = asked(simulated(tmp_path, cut))
    assert answer.data["sizes"] == 0
    assert [each.partition(",")[2] for each in answer.data["not_sized"]] == [" buy 200 @ 20.01"] * 2
    assert any("Sent for other sizes than the rule's" in str(line) for line in answer.text)


def test_the_decisions_not_made_again_are_always_said(in_parts: Path) -> None:
    for given in ((), ("--set", "patience_seconds=120")):
        said = CliRunner().invoke(app, ["what-if", str(in_parts), *given])
        assert said.exit_code == DONE
        assert NOT_AGAIN in said.stdout
