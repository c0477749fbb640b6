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
from repeg.domain.sizing_request import Sizing, SizingRequest, size
from repeg.domain.symbol_settings import STORED

NEXT_ACTION = "peg.decide"
QUOTE_CHECK = "validation.judge"
FUNDING = "release.decide"
SESSION = "session.check"
OBSERVATION = "savings.observe"
SIZING = "sizing.parent_orders"

Inputs = Mapping[str, Any]


def decide_again(rule: str, inputs: Inputs) -> BaseModel:
    """The answer of a journalled rule to the inputs of a journal's line. Raises KeyError for an unknown rule, or for an
    input that is missing, ValidationError for one that does not fit."""
    return decide_on(rule, models_of(rule, inputs))


def models_of(rule: str, inputs: Inputs, known: dict[int, BaseModel] | None = None) -> dict[str, Any]:
    """The inputs of a journal's line as the rule's models, of which a quote alone may be missing. Settings are read
    like those of a stored run: another release may have written them. Raises like `decide_again`.

    `known` are models by the identity of their inputs, for a reader that keeps all lines: many share their values.
    """
    known = {} if known is None else known
    return {name: _model(model, inputs[name], known) for name, model in _INPUTS[rule].items()}


def decide_on(rule: str, models: Mapping[str, Any]) -> BaseModel:
    """The answer of a journalled rule to its models, as they were or changed. Raises KeyError for an unknown rule."""
    return _RULES[rule](models)


def answer_of(rule: str, answer: Any) -> BaseModel:
    """A journalled answer as its rule's model. Raises KeyError for an unknown rule, ValidationError for an answer that
    does not fit."""
    return _ANSWERS[rule].model_validate(answer)


def _model(model: type[BaseModel], raw: Any, known: dict[int, BaseModel]) -> BaseModel | None:
    if raw is None and model is Quote:
        return None
    found = known.get(id(raw))
    if not isinstance(found, model):
        found = known[id(raw)] = model.model_validate(raw, context=STORED)
    return found


_Models = Mapping[str, Any]


def _of_an_order(models: _Models) -> tuple[ParentOrder, Quote | None, Moment, Settings]:
    return models["order"], models["quote"], models["moment"], models["settings"]


_RULES: dict[str, Callable[[_Models], BaseModel]] = {
    NEXT_ACTION: lambda models: peg.decide(*_of_an_order(models)),
    QUOTE_CHECK: lambda models: check_waiting_order(*_of_an_order(models)),
    FUNDING: lambda models: decide_funding(models["purse"]),
    OBSERVATION: lambda models: observe(models["order"], models["trades"], models["book"], models["settings"]),
    SESSION: lambda models: session.check(models["moment"].now, models["window"]),
    SIZING: lambda models: size(models["request"]),
}

_INPUTS: dict[str, dict[str, type[BaseModel]]] = {
    NEXT_ACTION: {"order": ParentOrder, "quote": Quote, "moment": Moment, "settings": Settings},
    QUOTE_CHECK: {"order": ParentOrder, "quote": Quote, "moment": Moment, "settings": Settings},
    FUNDING: {"purse": FundingRequest},
    OBSERVATION: {"order": ParentOrder, "trades": Trades, "book": Quote, "settings": Settings},
    SESSION: {"moment": Moment, "window": TradingWindow},
    SIZING: {"request": SizingRequest},
}

_ANSWERS: dict[str, type[BaseModel]] = {
    NEXT_ACTION: Decision,
    QUOTE_CHECK: QuoteCheck,
    FUNDING: FundingDecision,
    SESSION: session.SessionAnswer,
    OBSERVATION: ObservedOrder,
    SIZING: Sizing,
}
