"""The record of a day: what the broker, the network and the platform saw. Both judges read this and nothing else.

Times are nanoseconds since 1970, prices and quantities the exchange's units. What the program wrote is in it only where
the writing itself is judged: its intents, because each must precede its order, and its books, because they must equal
the broker's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from repeg_workbench.exchange.broker.ledger import Ledger
from repeg_workbench.faults.judges.cancels import SentCancels
from repeg_workbench.faults.judges.start_record import StartRecord
from repeg_workbench.faults.judges.stream_record import StreamRecord

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
ALL_THREADS = -1


@dataclass(frozen=True, eq=False)
class JudgedRun:
    """A run as the day plans it. `settings` are the deployment's and the input's as given, without defaults.

    `prefix` begins the client order ids of its orders. `targets` has the sign of each line of the plan and the most
    shares that it may trade; what depends on prices and holdings is set when the run is planned.
    """

    run_id: str
    prefix: str
    plan: Mapping[str, Any]
    settings: Mapping[str, Any]
    targets: dict[str, tuple[int, Decimal]]
    stack: int = 0

    @property
    def is_weights(self) -> bool:
        """Whether the plan has weights, so that its quantities depend on prices."""
        return "targets" in self.plan

    def is_sized_by_price(self, symbol: str) -> bool:
        """Whether a line's quantity depends on prices: a weight, or an order in dollars."""
        return self.is_weights or any(
            order["symbol"] == symbol and "notional" in order for order in self.plan.get("orders", ())
        )


class ServedQuote(NamedTuple):
    """A quote as it left the feed for the program: prices in price units, sizes in shares."""

    at: int
    invocation: int
    symbol: str
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    stamp: int | None


class SentOrder(NamedTuple):
    """A request to place an order, or to replace the order with the broker's id `replaces`.

    It left the program at `at`, in a thread of its invocation, and reached the broker at `arrived`; -1 if it never did.
    `is_answered` says whether the program received an answer that settles it.
    """

    at: int
    arrived: int
    client_order_id: str
    invocation: int
    replaces: str = ""
    is_answered: bool = False
    thread: int = 0


class HeldUp(NamedTuple):
    """A time during which an invocation could do nothing: a thread waited for an answer, or all were frozen."""

    invocation: int
    thread: int
    since: int
    until: int


class Looked(NamedTuple):
    """An answer that the program received about the order with that id: whether the broker had it."""

    at: int
    client_order_id: str
    is_found: bool


class Intent(NamedTuple):
    """An intent as it was written, with its quantity and limit (None: market) as stored, and its invocation."""

    at: int
    client_order_id: str
    side: int
    quantity: int
    limit: int | None
    invocation: int = -1


@dataclass
class Invoked:
    """An invocation of a function for a run (empty: for none), as the platform saw it.

    `ended` is -1 while it runs. `is_struck` says whether a fault of the day has struck one of its calls. One that
    `is_duplicate` is a second delivery of an event, for which nothing waits. `execution` is the one that its event
    names, if it names one: OpenRun's does.
    """

    number: int
    function: str
    run_id: str
    began: int
    ended: int = -1
    answered: bool = False
    is_struck: bool = False
    stack: int = 0
    is_duplicate: bool = False
    execution: str = ""


@dataclass
class Execution:
    """An execution of the state machine; `ended` is -1 while it runs. `is_event_lost`: its end was not announced."""

    name: str
    run_id: str
    began: int
    ended: int = -1
    status: str = "RUNNING"
    events: int = 0
    is_event_lost: bool = False


class Switched(NamedTuple):
    """The kill switch of a stack, set to a state."""

    at: int
    state: str
    stack: int = 0


class Published(NamedTuple):
    """An event that a run has ended, as the bus took it."""

    at: int
    run_id: str
    is_failure: bool = False


def name_in_record(run_id: str, stack: int) -> str:
    """A run's name in the record: two stacks may have runs of the same id."""
    return run_id if stack == 0 else f"{run_id} of stack {stack}"


class Outage(NamedTuple):
    """A time during which a service did not answer, or the keys were refused; `until` is after the last moment."""

    what: str
    since: int
    until: int


@dataclass
class Unfound:
    """A time during which the broker did not find the order with that id of its own; -1 if it never found it again."""

    order_id: str
    since: int
    until: int = -1


class BookedOrder(NamedTuple):
    """A line of the program's books: filled quantity, and how it is said to have ended ("" if it is not)."""

    symbol: str
    side: int
    filled: int
    outcome: str
    reason: str


@dataclass
class RunBooks:
    """A run's books at the end of the day, and the quantities and end of its report (None without a report).

    `executions` are the booked ones as (symbol, quantity, price); `published` the ids of the published ends.
    """

    run_id: str
    orders: tuple[BookedOrder, ...] = ()
    executions: tuple[tuple[str, int, int], ...] = ()
    reported: Mapping[str, int] | None = None
    published: tuple[str, ...] = ()


@dataclass
class DayRecord:
    """One day of one account; `session_open` and `session_close` are the broker's calendar.

    `until` is the last moment of the record; if the day `is_over`, the books were read then. `allowance` is how far the
    program's time may be from the broker's, `clock_ahead` how far the broker's clock is ahead of the record's. Of each
    stack, `requests` are the times of its requests to the broker. `unfound` are the times at which the broker did not
    find an order, `throttled` the time, run and function of each refused invocation, `dearest` each symbol's highest
    price, `multiplier` the account's, `loans` the runs with an alert that money is owed.
    """

    day: date
    session_open: int
    session_close: int
    ledger: Ledger
    runs: list[JudgedRun] = field(default_factory=list)
    quotes: list[ServedQuote] = field(default_factory=list)
    streams: StreamRecord = field(default_factory=StreamRecord)
    starts: StartRecord = field(default_factory=StartRecord)
    sent: list[SentOrder] = field(default_factory=list)
    cancels: SentCancels = field(default_factory=SentCancels)
    held_up: list[HeldUp] = field(default_factory=list)
    looked: list[Looked] = field(default_factory=list)
    requests: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    intents: list[Intent] = field(default_factory=list)
    switched: list[Switched] = field(default_factory=list)
    invoked: list[Invoked] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    throttled: list[tuple[int, str, str]] = field(default_factory=list)
    dearest: dict[str, int] = field(default_factory=dict)
    multiplier: int = 1
    loans: set[str] = field(default_factory=set)
    payloads: list[tuple[str, int]] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    books: list[RunBooks] = field(default_factory=list)
    unfound: list[Unfound] = field(default_factory=list)
    allowance: int = SECOND // 5
    clock_ahead: int = 0
    until: int = 0
    is_over: bool = False
