"""The rules whose decisions are journalled, under the names that journals know them by.

A name never changes, whatever becomes of the function: journals of every release stay readable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from repeg.domain import peg, session
from repeg.domain.decision import Decision
from repeg.domain.funding import FundingDecision, FundingRequest, decide_funding
from repeg.domain.moment import Moment
from repeg.domain.observed import ObservedOrder, Trades, observe
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.quote_check import QuoteCheck, check_waiting_order
from repeg.domain.session import TradingWindow
from repeg.domain.settings import Settings
from repeg.domain.symbol_settings import STORED

NEXT_ACTION = "peg.decide"
QUOTE_CHECK = "validation.judge"
FUNDING = "release.decide"
SESSION = "session.check"
OBSERVATION = "savings.observe"

Inputs = Mapping[str, Any]


def decide_again(rule: str, inputs: Inputs) -> BaseModel:
    """The answer of a journalled rule to the inputs of a journal's line. Raises KeyError for an unknown rule."""
    return _RULES[rule](inputs)


def answer_of(rule: str, answer: Any) -> BaseModel:
    """A journalled answer as its rule's model. Raises KeyError for an unknown rule, ValidationError for an answer that
    does not fit."""
    return _ANSWERS[rule].model_validate(answer)


def _order_inputs(inputs: Inputs) -> tuple[ParentOrder, Quote | None, Moment, Settings]:
    quote = None if inputs["quote"] is None else Quote.model_validate(inputs["quote"])
    moment, settings = Moment.model_validate(inputs["moment"]), Settings.model_validate(inputs["settings"])
    return ParentOrder.model_validate(inputs["order"]), quote, moment, settings


def _observe(inputs: Inputs) -> ObservedOrder:
    book = None if inputs["book"] is None else Quote.model_validate(inputs["book"])
    trades, settings = (
        Trades.model_validate(inputs["trades"]),
        Settings.model_validate(inputs["settings"], context=STORED),
    )
    return observe(ParentOrder.model_validate(inputs["order"]), trades, book, settings)


_RULES: dict[str, Callable[[Inputs], BaseModel]] = {
    NEXT_ACTION: lambda inputs: peg.decide(*_order_inputs(inputs)),
    QUOTE_CHECK: lambda inputs: check_waiting_order(*_order_inputs(inputs)),
    FUNDING: lambda inputs: decide_funding(FundingRequest.model_validate(inputs["purse"])),
    OBSERVATION: _observe,
    SESSION: lambda inputs: session.check(
        Moment.model_validate(inputs["moment"]).now, TradingWindow.model_validate(inputs["window"])
    ),
}

_ANSWERS: dict[str, type[BaseModel]] = {
    NEXT_ACTION: Decision,
    QUOTE_CHECK: QuoteCheck,
    FUNDING: FundingDecision,
    SESSION: session.SessionAnswer,
    OBSERVATION: ObservedOrder,
}
