"""What the broker's streams delivered on a day, and what the steps that listened asked the broker after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from repeg_workbench.faults.judges.record import ServedQuote


class Told(NamedTuple):
    """An order update as it reached a step at `at`: the event's name, the order's ids, and the event's own time."""

    at: int
    invocation: int
    event: str
    client_order_id: str
    order_id: str
    happened: int


class Asked(NamedTuple):
    """A request of a step, as it reached the exchange: an order's id, of either kind, or what else it asks for."""

    at: int
    invocation: int
    about: str


# What a request for the list of orders is about.
EVERY_ORDER = "every order"


@dataclass
class StreamRecord:
    """The streams of a day. `listened` are the invocations that opened any; times are those of delivery.

    `asked` begins with the first step that listens. `struck` are the times at which a fault of the day struck a call,
    and the invocation that made it.
    """

    listened: set[int] = field(default_factory=set)
    quotes: list[ServedQuote] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    struck: list[tuple[int, int]] = field(default_factory=list)
