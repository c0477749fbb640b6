"""A run as its journal records it, collected entry by entry: a large run's journal is never held as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from repeg.domain.broker import Execution
from repeg.domain.journal import Entry
from repeg.domain.journalled_rules import FUNDING, OBSERVATION, decide_again
from repeg.domain.observed import ObservedOrder
from repeg.domain.run_page.reading import amount_of, fields_of, instant_of, list_of, model_of, price_of, text_of

Recorded = tuple[Entry, Mapping[str, Any], Any]
"""An entry, its decision's inputs as JSON values by name, and its answer as a JSON value."""

_OF_THE_RUN = frozenset({"run", "session"})
_ENDS = frozenset({"settled", "failed"})

# What changes nothing: an order that stays as it is, or is refused once more on its quote.
QUIET = frozenset({"hold", "check"})


class Look(NamedTuple):
    """What was seen and done at one time: the book, our limit from then on, the act with its detail and its reason.

    `bid`, `ask` and `price` are None where there was none. `times` counts equal looks that follow each other.
    """

    at: datetime
    verb: str
    bid: Decimal | None
    ask: Decimal | None
    price: Decimal | None
    detail: str
    reason: str
    times: int = 1


class Fill(NamedTuple):
    """Shares that were traded, at a price in dollars."""

    at: datetime
    qty: Decimal
    price: Decimal


class Release(NamedTuple):
    """One decision of which buys to release: dollars to spend, none where the balance may lack what was just spent, and
    how many buys asked, and how many wait."""

    at: datetime
    spendable: Decimal
    asking: int
    waiting: int


@dataclass
class OrderRecord:
    """One order of the run. `state` is the last that the journal has of it, as JSON; `measured` what was measured of it
    when the run closed, None if it never arrived or the journal ends before that."""

    symbol: str
    looks: list[Look] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    state: Mapping[str, Any] = field(default_factory=dict)
    measured: ObservedOrder | None = None
    planned: str = ""
    ended: str = ""

    def see(self, entry: Entry, inputs: Mapping[str, Any], answer: Any) -> None:
        """Add an entry of this order."""
        if isinstance(inputs.get("order"), Mapping):
            self.state = inputs["order"]
        if entry.rule == OBSERVATION:
            self._measure(inputs)
            return
        if entry.verb == "fill" and self.measured is None:
            self.fills += _fill_in_words(entry)
        if entry.verb == "plan":
            self.planned = entry.detail
        if entry.verb == "finish":
            self.ended = entry.reason
        self._add(_look(entry, fields_of(inputs.get("quote")), fields_of(answer)))

    def _add(self, look: Look) -> None:
        """Add a look, or count it where it repeats the last one."""
        last = self.looks[-1] if self.looks else None
        if last is not None and look.verb in QUIET and look[1:7] == last[1:7]:
            self.looks[-1] = last._replace(times=last.times + 1)
        else:
            self.looks.append(look)

    def _measure(self, inputs: Mapping[str, Any]) -> None:
        try:
            found = decide_again(OBSERVATION, inputs)
        except (KeyError, TypeError, ValueError):
            return
        self.measured = found if isinstance(found, ObservedOrder) else None
        executions = [model_of(Execution, each) for each in list_of(fields_of(inputs.get("trades")).get("executions"))]
        self.fills = sorted(Fill(each.at, each.qty, each.price) for each in executions if each is not None)


@dataclass
class RunRecord:
    """Everything of one run's journal that its page is made from. `others` are further runs that entries were of."""

    run_id: str = ""
    orders: dict[str, OrderRecord] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    events: list[Look] = field(default_factory=list)
    settings: Mapping[str, Any] = field(default_factory=dict)
    began: datetime | None = None
    ended: datetime | None = None
    outcome: str = ""
    reason: str = ""
    others: set[str] = field(default_factory=set)

    def read(self, recorded: Iterable[Recorded]) -> None:
        """Add entries, in the order in which they were made. Entries of a second run are left out."""
        for entry, inputs, answer in recorded:
            self.run_id = self.run_id or entry.run_id
            if entry.run_id in {self.run_id, ""}:
                self._see(entry, fields_of(inputs), answer)
            else:
                self.others.add(entry.run_id)

    def _see(self, entry: Entry, inputs: Mapping[str, Any], answer: Any) -> None:
        self.began, self.ended = self.began or entry.at, entry.at
        self.settings = self.settings or fields_of(inputs.get("settings"))
        if entry.subject not in _OF_THE_RUN:
            self.orders.setdefault(entry.subject, OrderRecord(entry.subject)).see(entry, inputs, answer)
            return
        if entry.rule == FUNDING:
            self.releases += _releases(entry, fields_of(inputs.get("purse")), fields_of(answer))
            return
        if entry.verb in _ENDS:
            self.outcome, self.reason = entry.verb, entry.reason
        self.events.append(_look(entry, {}, {}))


def _look(entry: Entry, quote: Mapping[str, Any], answer: Mapping[str, Any]) -> Look:
    limit = price_of(answer.get("limit"))
    reason = _without_book(entry.reason) if quote else entry.reason
    return Look(
        entry.at, entry.verb, price_of(quote.get("bid")), price_of(quote.get("ask")), limit, entry.detail, reason
    )


def _without_book(reason: str) -> str:
    """A reason without the two prices that it begins with: they are shown beside it."""
    book, comma, rest = reason.partition(", ")
    return rest if comma and " × " in book else reason


def _fill_in_words(entry: Entry) -> Iterator[Fill]:
    """The fill that an entry records, in a journal without the measurement that has all of them."""
    qty, price = (price_of(part) for part in (entry.detail.partition(" @ ")[::2]))
    if qty is not None and price is not None:
        yield Fill(entry.at, qty, price)


def _releases(entry: Entry, purse: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[Release]:
    spendable = amount_of(purse.get("spendable"))
    grants = [fields_of(each) for each in list_of(answer.get("grants"))]
    if spendable is not None:
        waiting = sum(text_of(each.get("funding")).startswith("waits") for each in grants)
        yield Release(entry.at, max(spendable, Decimal(0)), len(grants), waiting)


def arrival_of(order: OrderRecord) -> tuple[Decimal | None, Decimal | None, datetime | None]:
    """The bid, the ask and the time of the book that an order arrived on."""
    arrival = fields_of(order.state.get("arrival"))
    return price_of(arrival.get("bid")), price_of(arrival.get("ask")), instant_of(arrival.get("at"))
