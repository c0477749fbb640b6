"""Every decision of a day, put to its rule again from nothing but its line of the journal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from functions.check_session.app import check_session
from repeg.domain import peg, session
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import Moment
from repeg.domain.quote import Quote
from repeg.domain.session import TradingWindow
from repeg.domain.settings import Settings
from repeg.workflow import funding, quote_check
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding

Inputs = Mapping[str, Any]


def of_an_order(inputs: Inputs) -> tuple[ParentOrder, Quote | None, Moment, Settings]:
    quote = None if inputs["quote"] is None else Quote.model_validate(inputs["quote"])
    moment, settings = Moment.model_validate(inputs["moment"]), Settings.model_validate(inputs["settings"])
    return ParentOrder.model_validate(inputs["order"]), quote, moment, settings


RULES: dict[str, Callable[[Inputs], BaseModel]] = {
    "peg.decide": lambda inputs: peg.decide(*of_an_order(inputs)),
    "validation.judge": lambda inputs: quote_check.check_waiting_order(*of_an_order(inputs)),
    "release.decide": lambda inputs: funding.decide_funding(funding.FundingRequest.model_validate(inputs["purse"])),
    "session.check": lambda inputs: session.check(
        Moment.model_validate(inputs["moment"]).now, TradingWindow.model_validate(inputs["window"])
    ),
}


def eventful(open_desk: OpenDesk) -> Desk:
    """A morning with sells that pay for buys, a buy too many, a wide book that narrows, and one that stays wide."""
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
    for time in ("09:36:30", "09:37", "09:37:30", "09:38"):
        desk.turn_at(time)
        desk.place()
    desk.close()
    return desk


def test_every_decision_of_a_day_is_journalled_with_what_it_takes_to_make_it_again(open_desk: OpenDesk) -> None:
    desk = eventful(open_desk)
    lines = [json.loads(entry.line()) for entry in desk.journal.entries if entry.rule]
    for line in lines:
        again = RULES[line["rule"]](line["inputs"])
        assert type(again).model_validate(line["answer"]) == again, line
    counts = Counter(line["rule"] for line in lines)
    assert set(counts) == set(RULES)
    assert counts["session.check"] == 2


def test_the_day_has_buys_that_wait_that_are_scaled_and_that_are_held_by_their_books(open_desk: OpenDesk) -> None:
    """What the test above would otherwise show of nothing."""
    desk = eventful(open_desk)
    answers = [entry.answer for entry in desk.journal.entries]
    granted = {
        grant.funding for answer in answers if isinstance(answer, funding.FundingDecision) for grant in answer.grants
    }
    judged = {answer.gate for answer in answers if isinstance(answer, quote_check.QuoteCheck)}
    assert granted >= {"funded", "waits_for_sells", "scaled"}
    assert judged == {"use", "wide"}


@pytest.mark.parametrize("symbol", ["AAPL", "T"])
def test_the_collar_is_journalled_with_the_quote_it_was_fixed_from(open_desk: OpenDesk, symbol: str) -> None:
    desk = eventful(open_desk)
    (accepted,) = [e for e in desk.journal.entries if (e.subject, e.verb) == (symbol, "accept")]
    assert isinstance(accepted.answer, quote_check.QuoteCheck)
    assert accepted.answer.collar == desk.order(symbol).collar
    assert accepted.inputs["quote"] == desk.order(symbol).arrival
