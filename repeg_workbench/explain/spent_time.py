"""Where an order's time went: from when its run could first trade to its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from repeg.domain.decision import Decision
from repeg.domain.quote import QuoteVerdict
from repeg.domain.quote_check import QuoteCheck
from repeg_workbench.explain.figures import span
from repeg_workbench.explain.story import WAITS_FOR_CASH, OrderStory, Told

IN_THE_MARKET = "in the market"
FOR_CASH = "waiting for cash"
BETWEEN = "on its way"
_A_BOOK = "without a tradable book"

_SENDS = frozenset({"place", "move", "cross", "resend"})
_OF_THE_BOOK = frozenset(QuoteVerdict) - {QuoteVerdict.OK}


class Spent(NamedTuple):
    """How long an order was in one state, in all."""

    state: str
    length: timedelta


def spent(story: OrderStory) -> list[Spent]:
    """The states of an order, the longest first. Empty for one that was never to be traded."""
    found: dict[str, timedelta] = {}
    for state, begins, ends in _stretches(story):
        found[state] = found.get(state, timedelta(0)) + (ends - begins)
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return [Spent(state, length) for state, length in ordered if length >= timedelta(seconds=1)]


def in_words(story: OrderStory) -> str:
    """The same as a sentence; empty where there is nothing to say."""
    parts = spent(story)
    total = sum((part.length for part in parts), timedelta(0))
    if not parts:
        return ""
    listed = ", ".join(f"{span(part.length)} {part.state}" for part in parts)
    return f"{span(total)} from its plan to its end: {listed}."


def _stretches(story: OrderStory) -> Iterator[tuple[str, datetime, datetime]]:
    state, since = "", None
    for told in story.told:
        at = told.entry.at
        if since is not None and state:
            yield state, since, at
        if told.entry.verb == "finish":
            return
        state, since = _state_after(told, state), at


def _state_after(told: Told, before: str) -> str:
    """The state of the order once the entry was journalled."""
    entry = told.entry
    if entry.verb in {"plan", "accept", "scale"}:
        return BETWEEN if not entry.detail.startswith("no trade") else ""
    if entry.verb in _SENDS:
        return IN_THE_MARKET
    if entry.verb not in {"hold", "check"} or _has_child(told):
        return before
    if entry.reason.startswith(WAITS_FOR_CASH):
        return FOR_CASH
    verdict = _verdict(told)
    return f"{_A_BOOK} ({verdict.replace('_', ' ')})" if verdict else f"held ({entry.reason})"


def _has_child(told: Told) -> bool:
    """Whether the order has an open child, as far as the entry says."""
    decided = told.decided
    return bool(told.entry.detail) if decided is None else decided.child is not None


def _verdict(told: Told) -> str:
    answer = None if told.decided is None else told.decided.answer
    if isinstance(answer, QuoteCheck):
        return "" if answer.gate is QuoteVerdict.OK else str(answer.gate)
    return answer.reason if isinstance(answer, Decision) and answer.reason in _OF_THE_BOOK else ""
