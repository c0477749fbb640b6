"""What the steps need from the world, as protocols. The adapters implement them, and so do the twins for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from repeg.domain.broker import Account, Asset, BrokerClock, CancelAnswer, Execution, Position, Submission
from repeg.domain.child_order import OrderReport
from repeg.domain.hints import Hints
from repeg.domain.intent import Intent
from repeg.domain.journal import Entry
from repeg.domain.order_ids import LOCAL_TAG
from repeg.domain.quote import Quote
from repeg.domain.session import TradingDay
from repeg.domain.sizing_price import Trade
from repeg.domain.usage import Used
from repeg.store_port import Store

__all__ = ["Broker", "Journal", "Listener", "Market", "Notifier", "Plans", "Ports", "Runtime", "Signals", "Store"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Broker(Protocol):
    """The account. Every read may raise BrokerUnavailable or BrokerDenied; writes return an answer and do not raise."""

    def for_closing(self) -> Broker:
        """The same broker, drawing on the request quota reserved for closing."""

    def for_account(self, number: str) -> Broker:
        """The same broker for this account only: with other keys reads raise BrokerDenied, writes return Unknown."""

    def account_number(self) -> str:
        """The number of the account that the keys open."""

    def make_room(self, orders: int) -> int:
        """Take the requests of up to so many orders that are about to be sent, after a wait of some seconds if need be;
        returns how many may be sent now. What is not used within seconds is lost."""

    def has_room_for_hints(self, requests: int) -> bool:
        """Take the requests of reads that hints ask for, which follow at once; False, without a wait, where the account
        has none to spare in these ten seconds."""

    def submit(self, intent: Intent) -> Submission:
        """Send a DAY order, limit or market, under the intent's client order id. Never retried by itself."""

    def replace(self, broker_id: str, intent: Intent) -> Submission:
        """Move an open order to the intent's limit, under the intent's client order id. Never retried by itself."""

    def cancel(self, broker_id: str) -> CancelAnswer:
        """Request a cancel. The order is not cancelled until a read shows it."""

    def order(self, client_order_id: str) -> OrderReport | None:
        """The order with that id, or None if the broker does not find it (it may still be in flight)."""

    def order_by_broker_id(self, broker_id: str) -> OrderReport | None:
        """The order with that broker id, or None."""

    def open_orders(self) -> list[OrderReport]:
        """Every open order of the account, over all pages. The list may lag: an absent order may still be open."""

    def orders_since(self, day: date) -> list[OrderReport]:
        """Every order of the account, open or closed, submitted since a New York date began, over all pages."""

    def executions(self, day: date) -> list[Execution]:
        """Every fill of a New York date, over all pages, oldest first."""

    def clock(self) -> BrokerClock:
        """The broker's time."""

    def trading_day(self, day: date) -> TradingDay | None:
        """The core session of a date, or None."""

    def account(self) -> Account:
        """The account's money now."""

    def forbids_shorting(self) -> bool:
        """Whether the account's configuration forbids short sales, whatever its margin."""

    def positions(self) -> list[Position]:
        """All holdings."""

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """The listings of these symbols. Unknown ones are absent, of several perhaps only the first."""


class Market(Protocol):
    """The data feed. Reads may raise BrokerUnavailable."""

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Latest quotes in as few requests as possible; a symbol without a quote is absent."""

    def last_trades(self, symbols: Iterable[str]) -> dict[str, Trade]:
        """Latest trades, each with its time; a symbol without a trade is absent."""

    def past_quotes(self, symbols: Sequence[str], since: datetime, until: datetime) -> dict[str, list[Quote]]:
        """The quotes of a short time, oldest first: what one page holds. A symbol without any is absent."""

    def quote_at(self, symbol: str, at: datetime, since: datetime) -> Quote | None:
        """The consolidated quote in force at a time at least fifteen minutes ago, also on the free plan, whatever the
        feed of `quotes`; None if there was none since `since`."""


class Notifier(Protocol):
    """Publishes events."""

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Publish one event, at least once."""


class Journal(Protocol):
    """Records every decision."""

    def record(self, entry: Entry) -> None:
        """Add one entry."""


class Plans(Protocol):
    """Where plans are stored."""

    def body(self, uri: str) -> bytes:
        """The bytes of a plan file. Raises InvalidPlan if there is none."""


class Runtime(Protocol):
    """Time and concurrency: real clocks and threads when deployed, virtual ones in simulations."""

    def now(self) -> datetime:
        """Our own clock, UTC, for durations. The market's time is read from the broker's clock."""

    def pause(self, seconds: float) -> None:
        """Let a short time pass inside a step, for instance between cancel confirmations."""

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Run the calls concurrently; results in the order of the items. The first exception is raised at the end."""


class Listener(Protocol):
    """What a step hears between two turns: order updates and quotes. No method raises for a stream that fails.

    A context manager: leaving it closes the sockets. One thread uses it.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def wait(self, seconds: float) -> Hints:
        """The pending hints, at once; without any, those of the next event, or none after `seconds`."""

    def watch(self, symbols: Sequence[str]) -> None:
        """Follow the quotes of these symbols from now on, the most urgent first; what does not fit is not followed."""

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """The latest streamed quotes of these symbols; one that is absent is to be read from the market."""

    @property
    def source(self) -> str:
        """`stream`, or `poll: ` and a reason while there is no stream of order updates."""

    @property
    def quote_source(self) -> str:
        """`stream`, or `poll: ` and a reason while there is no stream of quotes. Either stream may fail alone."""

    @property
    def followed(self) -> frozenset[str]:
        """The symbols whose quotes are streamed at present; the others that were asked for did not fit."""


class Signals(Protocol):
    """The broker's streams."""

    def open(self, prefix: str, symbols: Sequence[str]) -> Listener:
        """Listen to the orders whose client order id begins with `prefix`, and to the quotes of these symbols, the most
        urgent first. Never raises: without a stream the listener is one that only waits."""


class Meter(Protocol):
    """What runs use of AWS and of the broker."""

    def used(self, run_id: str) -> Used | None:
        """What the ended steps of a run have used; None if that is not known. Never raises."""


class Unmetered:
    """A Meter that knows nothing."""

    def used(self, run_id: str) -> Used | None:  # noqa: ARG002 - it knows of no run
        """Nothing is known."""
        return None


@dataclass(frozen=True)
class Ports:
    """Everything a step may touch. `tag` is what the client order ids of this stack are known by."""

    broker: Broker
    market: Market
    store: Store
    notifier: Notifier
    journal: Journal
    plans: Plans
    runtime: Runtime
    signals: Signals
    tag: str = LOCAL_TAG
    meter: Meter = field(default_factory=Unmetered)

    def for_closing(self) -> Ports:
        """The same ports, with the broker on the request quota reserved for closing."""
        return replace(self, broker=self.broker.for_closing())

    def for_account(self, number: str) -> Ports:
        """The same ports, with the broker for this account only."""
        return replace(self, broker=self.broker.for_account(number))
