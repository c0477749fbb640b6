"""The answers about an order in the words of a trader: what held it, what it waited for, and where it stood."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from repeg.domain.journal import Entry
from repeg_workbench.explain.command import explain
from repeg_workbench.explain.endings import reason_in_words
from repeg_workbench.explain.found import Place
from repeg_workbench.operate.workstation import Workstation
from tests.explain.mornings import desk_of, simulated
from tests.functions.books import KO, book
from tests.functions.desk import holding

WHY_NOT, WHY_LATE = "Why was it not filled?", "Why so late?"


def told(folder: Path, entries: list[Entry], symbol: str) -> dict[str, Any]:
    (order,) = explain(Workstation(), Place(str(simulated(folder, entries))), symbol).data["orders"]
    return dict(order)


def worked(books: Any, plan: str, *times: str, cash: str = "50000", **settings: Any) -> list[Entry]:
    """A morning with a turn at each of these times, and then its end."""
    with desk_of(books, opening=holding(cash, KO="100")) as desk:
        desk.begin(*plan.split(", "), policy="normal", **settings)
        desk.place()
        for time in times:
            desk.turn_at(time)
            desk.place()
        desk.close()
        return list(desk.journal.entries)


def test_an_order_in_a_halt_is_promised_no_fallback(tmp_path: Path) -> None:
    """Nothing is sent into a halt, whatever the fallback."""
    books = {"T": book("09:20 300 @ 20.00 × 300 @ 20.90", until="09:36:30")}
    order = told(tmp_path, worked(books, "buy 10 T", "09:36:30", "09:42:30", "09:43"), "T")
    answer = order["answers"][WHY_NOT]
    assert "its trading was halted, as far as its quotes show" in answer
    assert "nothing is sent into one, not even as a fallback" in answer
    assert "6m32s old at 09:43:00; 10 seconds are allowed" in answer
    assert "With fallback" not in answer
    assert "its trading was halted" in order["headline"]


@pytest.fixture(scope="module")
def left_behind() -> list[Entry]:
    """A buy without moves, whose market leaves at 09:36:50."""
    books = {"T": book("09:20 300 @ 20.00 × 300 @ 20.04", "09:36:50 300 @ 20.20 × 300 @ 20.24")}
    settings: dict[str, Any] = {"max_repegs": 0, "escalation": "none", "patience_seconds": 300}
    return worked(books, "buy 100 T", "09:36:30", "09:37", **settings)


def test_an_order_that_the_market_left_says_where_it_stood(tmp_path: Path, left_behind: list[Entry]) -> None:
    answers = told(tmp_path, left_behind, "T")["answers"]
    assert "None of its 100 shares had traded when it ended at" in answers[WHY_NOT]
    stood = re.search(r"at 20\.01, sent at 09:36:00; it was the best bid in (\d+) of (\d+) ", answers[WHY_NOT])
    assert stood is not None, answers[WHY_NOT]
    assert 0 < int(stood[1]) < int(stood[2])
    assert "All max_repegs=0 moves were made by then, so it followed no further." in answers[WHY_NOT]
    assert "escalation=none never let it take the far side." in answers[WHY_NOT]
    assert answers[WHY_LATE].endswith("it never goes further than resting (escalation=none).")


def test_a_hold_at_the_bid_and_one_behind_it_are_two_lines(tmp_path: Path, left_behind: list[Entry]) -> None:
    story = told(tmp_path, left_behind, "T")["story"]
    holds = [line["why"].partition(": ")[2] for line in story if line["verb"] == "hold"]
    assert holds[0] == "we are at the bid"
    assert holds[-1] == "the bid is 0.19 in front of us, and all max_repegs=0 moves are made"


def test_a_resting_order_that_nobody_traded_with_was_the_best(tmp_path: Path) -> None:
    books = {"T": book("09:20 300 @ 20.00 × 300 @ 20.04")}
    entries = worked(books, "buy 100 T", "09:36:30", escalation="none", patience_seconds=300)
    assert "journalled books since, and nobody traded with it" in told(tmp_path, entries, "T")["answers"][WHY_NOT]


@pytest.mark.parametrize(
    ("plan", "waited"),
    [
        ("buy 100 T, buy 90 F", "No sell of the run was open to bring cash"),
        ("buy 100 T, buy 90 F, sell 10 KO", "Buys wait until the run's sells have brought their cash"),
    ],
)
def test_a_wait_for_cash_says_what_would_have_brought_it(tmp_path: Path, plan: str, waited: str) -> None:
    books = {
        "T": book("09:20 300 @ 20.00 × 300 @ 20.04"), "F": book("09:20 300 @ 20.01 × 300 @ 20.05"), "KO": KO
    }  # fmt: skip
    entries = worked(books, plan, "09:36:30", "09:37", cash="2020", escalation="none", patience_seconds=300)
    assert waited in told(tmp_path, entries, "F")["answers"][WHY_LATE]


@pytest.mark.parametrize(
    ("escalation", "words"),
    [
        ("mid", "then the rest goes to the mid and no further (escalation=mid)"),
        ("cross", "then the rest takes the far side, up to its collar (escalation=cross)"),
        ("market", "then the rest takes the far side, near the close at the market (escalation=market)"),
    ],
)
def test_the_step_after_patience_is_said_in_words(tmp_path: Path, escalation: str, words: str) -> None:
    books = {"T": book("09:20 300 @ 20.00 × 300 @ 20.04")}
    entries = worked(books, "buy 100 T", "09:36:30", escalation=escalation)
    assert told(tmp_path, entries, "T")["answers"][WHY_LATE].endswith(f"{words}.")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("0 of 400: wide", "its spread was too wide to trade on"),
        ("0.5 of 400: the window closed", "the window closed"),
        ("396 of 500: collar", "the price was beyond its collar"),
        ("0 of 5: waits for sells", "it was still waiting for the cash of the run's sells"),
        ("no cash for a share: 50.29 to spend", "no cash for a share: 50.29 to spend"),
        ("the kill switch is cancel_all", "the kill switch is cancel_all"),
    ],
)
def test_the_reason_of_an_end_is_told_in_words(reason: str, words: str) -> None:
    assert reason_in_words(reason) == words
