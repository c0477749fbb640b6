"""The story of one order: its journal entries, decision by decision, with what each was decided from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from repeg.adapters.journal.files import Journalled
from repeg.domain.decision import Decision
from repeg.domain.funding import FundingRequest, Need
from repeg.domain.journal import Entry
from repeg.domain.journalled_rules import FUNDING, OBSERVATION, SIZING
from repeg.domain.observed import ObservedOrder, Trades
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.sizing_request import SizingRequest
from repeg_workbench.explain.decided import Decided, decided_of
from repeg_workbench.explain.figures import dollars, price, shares
from repeg_workbench.explain.found import RunJournal
from repeg_workbench.explain.reasons import reason_of

WAITS_FOR_CASH = ("waits for sells", "no cash", "waits for the balance")
"""What the reason of a hold begins with that waits for cash."""

# A hold is the same as the one before if its sentence differs in figures alone.
_WITH_FIGURES = re.compile(r"\S*\d\S*")

# For other readers of the journal: the figures of an experiment, and that a long hold was published.
_NOT_TOLD = frozenset({"measure", "held_long"})


@dataclass(frozen=True)
class Line:
    """One decision or observation of the story; a hold that was repeated has its last time and the number of times."""

    at: datetime
    verb: str
    detail: str
    why: str
    until: datetime
    times: int = 1
    is_abnormal: bool = False
    same: tuple[str, str] = ("", "")

    def and_again(self, at: datetime) -> Line:
        """This line, journalled once more."""
        return replace(self, until=at, times=self.times + 1)


@dataclass(frozen=True)
class Told:
    """An entry, with its decision and the cash that was there when it was journalled, as far as they are known."""

    entry: Entry
    decided: Decided | None
    cash: FundingRequest | None = None


@dataclass(frozen=True)
class OrderStory:
    """Everything that the journal has of one order. `trades` are None where the run's end is not in it.

    `unsold` are the run's sells that were not filled, with what they sold: cash that its buys may have waited for.
    `sizing` is what its size was decided from; None where the journal does not have that.
    """

    symbol: str
    told: tuple[Told, ...]
    order: ParentOrder | None
    trades: Trades | None
    measured: ObservedOrder | None
    unsold: tuple[str, ...] = ()
    sizing: SizingRequest | None = None

    @cached_property
    def decisions(self) -> list[Decided]:
        """Its decisions on quotes, in order."""
        return [each.decided for each in self.told if each.decided is not None]

    @cached_property
    def end(self) -> Entry | None:
        """The entry that ended it."""
        return next((each.entry for each in reversed(self.told) if each.entry.verb == "finish"), None)

    @property
    def planned(self) -> Entry | None:
        """The entry that planned it."""
        return next((each.entry for each in self.told if each.entry.verb == "plan"), None)

    @property
    def fills(self) -> list[Entry]:
        """Its fills as they were read."""
        return [each.entry for each in self.told if each.entry.verb == "fill"]

    def lines(self, *, is_every: bool = False) -> list[Line]:
        """The story; a hold for the same reason at the same limit is one line, unless every look is wanted."""
        lines: list[Line] = []
        for each in self.told:
            if each.entry.verb in _NOT_TOLD:
                continue
            line = _line(each)
            is_again = bool(lines) and line.verb == lines[-1].verb == "hold" and line.same == lines[-1].same
            if is_again and not is_every:
                lines[-1] = lines[-1].and_again(each.entry.at)
            else:
                lines.append(line)
        return lines


def stories(journal: RunJournal, symbols: Collection[str]) -> list[OrderStory]:
    """The stories of the orders of these symbols, in their order."""
    told: dict[str, list[Told]] = {symbol: [] for symbol in symbols}
    ends: dict[str, Journalled] = {}
    cash: FundingRequest | None = None
    unsold, sizing = tuple(_unsold(journal)), None
    for each in journal.entries:
        if each.entry.rule == SIZING:
            sizing = read_as(SizingRequest, each.inputs, "request")
        elif each.entry.rule == FUNDING:
            cash = read_as(FundingRequest, each.inputs, "purse")
        elif each.entry.subject in told:
            told[each.entry.subject].append(Told(each.entry, decided_of(each), cash))
            if each.entry.rule == OBSERVATION:
                ends[each.entry.subject] = each
    found = [_story(symbol, tuple(told[symbol]), ends.get(symbol)) for symbol in symbols]
    return [replace(story, unsold=unsold, sizing=sizing) for story in found]


def _unsold(journal: RunJournal) -> Iterator[str]:
    """The sells that have ended without being filled, such as `RIFT (0 of 400)`."""
    entries = [each.entry for each in journal.entries]
    sells = {entry.subject for entry in entries if entry.verb == "plan" and entry.detail.startswith(Side.SELL)}
    for entry in entries:
        done, _, wanted = entry.detail.partition(" @")[0].partition(" of ")
        if entry.verb == "finish" and entry.subject in sells and done != wanted:
            yield f"{entry.subject} ({done} of {wanted})"


def _story(symbol: str, told: tuple[Told, ...], end: Journalled | None) -> OrderStory:
    known = [each.decided.order for each in told if each.decided is not None]
    inputs = {} if end is None else end.inputs
    order, trades = read_as(ParentOrder, inputs, "order"), read_as(Trades, inputs, "trades")
    measured = None if end is None else end.entry.answer
    return OrderStory(
        symbol,
        told,
        order or (known[-1] if known else None),
        trades,
        measured if isinstance(measured, ObservedOrder) else None,
    )


def need_of(cash: FundingRequest | None, symbol: str) -> Need | None:
    """What a buy needed when the cash was last granted."""
    return None if cash is None else next((need for need in cash.needs if need.symbol == symbol), None)


_Model = TypeVar("_Model", bound=BaseModel)


def read_as(model: type[_Model], inputs: Mapping[str, Any], name: str) -> _Model | None:
    """An input of a journalled decision; None where it is missing or this release cannot read it."""
    try:
        return model.model_validate(inputs[name])
    except (KeyError, ValidationError):
        return None


def _line(told: Told) -> Line:
    entry, decided = told.entry, told.decided
    why = _cash(told) or (entry.reason if decided is None else _decided(entry, decided))
    verb = "hold" if entry.verb == "check" else entry.verb
    same = (entry.detail, entry.reason if decided is None else _WITH_FIGURES.sub("", why))
    return Line(entry.at, verb, entry.detail, why, entry.at, 1, entry.is_abnormal, same)


def _decided(entry: Entry, decided: Decided) -> str:
    """The decision in words, and what was sent where that is not what was decided."""
    why = reason_of(decided)
    answer = decided.answer
    if entry.verb == "hold" or not isinstance(answer, Decision) or answer.limit is None:
        return why
    sent = entry.detail.rpartition("→")[2].rpartition("@")[2].strip()
    size = _size(entry, decided)
    is_other = sent not in {"", price(answer.limit)}
    return f"{why}; sent at {sent}, not at {price(answer.limit)}{size}" if is_other else f"{why}{size}"


def _size(entry: Entry, decided: Decided) -> str:
    """How much of the order was sent, where the entry says so and it is not all."""
    words = entry.detail.split()
    if len(words) < 2 or words[0] not in set(Side) or not words[1].replace(".", "", 1).isdigit():
        return ""
    qty, left = Decimal(words[1]), decided.order.remaining
    return "" if qty >= left else f"; {shares(qty)} of the {shares(left)} that are left"


def _cash(told: Told) -> str:
    """A hold for want of cash, with what the order needed and what there was; empty for another entry."""
    entry, need = told.entry, need_of(told.cash, told.entry.subject)
    if entry.verb not in {"hold", "scale"} or entry.rule or need is None or told.cash is None:
        return ""
    if entry.verb == "hold" and not entry.reason.startswith(WAITS_FOR_CASH):
        return ""
    cash = told.cash
    wants = f"its {shares(need.qty)} shares may cost {dollars(need.cost)}, at {price(need.worst_price)} each"
    coming = cash.expected_from_sells
    sells = f"the open sells may bring {dollars(coming)}" if coming > 0 else "no open sell brings more"
    there = dollars(cash.spendable)
    return f"{wants}; {there} was there for all buys{_unsettled(cash)}{_ahead(cash, need)}, and {sells}"


def _unsettled(cash: FundingRequest) -> str:
    """What the cash may have become once the balance showed the orders of the seconds before."""
    late = cash.unsettled + cash.freed
    return f", at most {dollars(cash.spendable + late)} once the balance shows the last orders" if late > 0 else ""


def _ahead(cash: FundingRequest, own: Need) -> str:
    """What the buys that are served first may cost: the larger ones."""
    first = sum((need.cost for need in cash.needs if (-need.cost, need.symbol) < (-own.cost, own.symbol)), Decimal(0))
    return f", larger buys of {dollars(first)} first" if first > 0 else ""
