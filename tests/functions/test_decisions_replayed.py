"""Every decision of a day is reproduced by its rule from its journal line alone."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from functions.check_session.app import check_session
from repeg.domain.funding import FundingDecision
from repeg.domain.journalled_rules import (
    FUNDING,
    NEXT_ACTION,
    OBSERVATION,
    QUOTE_CHECK,
    SESSION,
    SIZING,
    decide_again,
)
from repeg.domain.quote_check import QuoteCheck
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding


def eventful(open_desk: OpenDesk) -> Desk:
    """A morning with sells that fund buys, an unaffordable buy, a wide book that narrows, and one that stays wide."""
    widening = book("09:20 300 @ 20.00 × 300 @ 20.90", "09:36:20 300 @ 20.00 × 300 @ 20.03")
    books = {
        "AAPL": book(QUIET, UP), "KO": KO, "T": widening,
        "F": book("09:20 300 @ 12.00 × 300 @ 12.90"), "PG": book("09:20 900 @ 150.00 × 900 @ 150.03"),
    }  # fmt: skip
    desk = open_desk(books, opening=holding("9000", KO="100"), at="09:25")
    desk.begin("buy 40 AAPL", "sell all KO", "buy 10 T", "buy 10 F", "buy 50 PG", patience_seconds=60)
    check_session(RUN_ID, desk.ports)
    desk.wait_until("09:36")
    check_session(RUN_ID, desk.ports)
    desk.place()
    for time in ("09:36:30", "09:37", "09:37:30", "09:38", "09:38:30"):
        desk.turn_at(time)
        desk.place()
    desk.close()
    return desk


def test_every_journalled_decision_can_be_replayed_from_its_inputs(open_desk: OpenDesk) -> None:
    desk = eventful(open_desk)
    lines = [json.loads(entry.line()) for entry in desk.journal.entries if entry.rule]
    for line in lines:
        again = decide_again(line["rule"], line["inputs"])
        assert type(again).model_validate(line["answer"]) == again, line
    counts = Counter(line["rule"] for line in lines)
    assert set(counts) == {NEXT_ACTION, QUOTE_CHECK, FUNDING, SESSION, OBSERVATION, SIZING}
    assert counts[SESSION] == 2


def test_the_replayed_day_has_waiting_scaled_and_held_buys(open_desk: OpenDesk) -> None:
    """Shows that the test above covers each kind of decision."""
    desk = eventful(open_desk)
    answers = [entry.answer for entry in desk.journal.entries]
    granted = {grant.funding for answer in answers if isinstance(answer, FundingDecision) for grant in answer.grants}
    judged = {answer.gate for answer in answers if isinstance(answer, QuoteCheck)}
    assert granted >= {"funded", "waits_for_sells", "scaled"}
    assert judged == {"use", "wide"}


@pytest.mark.parametrize("symbol", ["AAPL", "T"])
def test_the_collar_is_journalled_with_its_arrival_quote(open_desk: OpenDesk, symbol: str) -> None:
    desk = eventful(open_desk)
    (accepted,) = [e for e in desk.journal.entries if (e.subject, e.verb) == (symbol, "accept")]
    assert isinstance(accepted.answer, QuoteCheck)
    assert accepted.answer.collar == desk.order(symbol).collar
    assert accepted.inputs["quote"] == desk.order(symbol).arrival
