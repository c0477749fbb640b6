"""What the steps need from the world, as protocols; `adapters` and the tests' twins serve them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from repeg.domain.broker import Account, Asset, BrokerClock, CancelAnswer, Execution, Position, Submission
from repeg.domain.child_order import OrderReport
from repeg.domain.journal import Entry
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import Intent, ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.run import KillSwitch, Run, RunState
from repeg.domain.session import TradingDay

Item = TypeVar("Item")
Result = TypeVar("Result")


class Broker(Protocol):
    """The account. Every read may raise BrokerUnavailable or BrokerDenied; writes answer instead of raising."""

    def for_closing(self) -> Broker:
        """The same account for whoever ends a run: its requests are there also where others have spent all they may."""

    def submit(self, intent: Intent) -> Submission:
        """Send a DAY order, limit or market, under the intent's client order id. Never sent twice by itself."""

    def replace(self, broker_id: str, intent: Intent) -> Submission:
        """Move an open order to the intent's limit, quantity left out; the replacement has the intent's client order
        id. Never sent twice by itself."""

    def cancel(self, broker_id: str) -> CancelAnswer:
        """Ask for a cancel. The order is not cancelled until a read says so."""

    def order(self, client_order_id: str) -> OrderReport | None:
        """The order of that id, or None where the broker says it has none (which may be too early to say)."""

    def order_by_broker_id(self, broker_id: str) -> OrderReport | None:
        """The order of that broker id."""

    def open_orders(self) -> list[OrderReport]:
        """Every open order of the account, ours and others', over all pages. May lag; absence proves nothing."""

    def executions(self, day: date) -> list[Execution]:
        """Every fill of a New York date, over all pages, oldest first."""

    def clock(self) -> BrokerClock:
        """The broker's time."""

    def trading_day(self, day: date) -> TradingDay | None:
        """The core session of a date; None where there is none."""

    def account(self) -> Account:
        """Money as the broker reads it now."""

    def positions(self) -> list[Position]:
        """All holdings."""

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """The listings of these symbols, in few requests however many they are; an unknown one is absent.

        Where many are unknown, it is enough that the first of them, in the order given, is told apart from one that is
        known and does not trade.
        """


class Market(Protocol):
    """The data feed. Reads may raise BrokerUnavailable."""

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Latest quotes in as few requests as possible; a symbol without one is absent."""

    def last_prices(self, symbols: Iterable[str]) -> dict[str, Decimal]:
        """Latest trade prices; a symbol that has none is absent."""


class Store(Protocol):
    """The table. Reads are strongly consistent and complete; writes are conditional. May raise StoreUnavailable."""

    def claim_run(self, run: Run) -> Run:
        """Create the run; the same owner gets the row as it stands; another owner raises DuplicateRun."""

    def run(self, run_id: str) -> Run | None:
        """The run, or None."""

    def take_over(self, run_id: str, epoch: int, owner: str) -> Run:
        """Raise the epoch by one for a new owner, if it is still `epoch`; repeated by that owner it changes nothing.

        Raises Conflict where somebody else was first."""

    def set_run_state(self, run_id: str, epoch: int, state: RunState) -> Run:
        """Change the state of a run at that epoch, as its table of transitions allows; the state it already has is no
        change. Raises Conflict, also where the run is over: nothing opens it again."""

    def save_report(self, run_id: str, report: dict[str, Any]) -> None:
        """Keep the report with the run; the last one wins."""

    def mark_announced(self, run_id: str) -> None:
        """Note that the run's end has been told to whoever listens. Raises Conflict where there is no such run."""

    def add_orders(self, run_id: str, epoch: int, orders: Sequence[ParentOrder]) -> Run:
        """Add parent orders that are not there yet, then mark the run as planned. Repeating changes nothing."""

    def orders(self, run_id: str) -> list[ParentOrder]:
        """Every parent order of the run, sorted by symbol, over all pages."""

    def save_order(self, order: ParentOrder) -> ParentOrder:
        """Write the order if its version is still the one read; returned with the next version. Raises Conflict."""

    def write_intent(
        self, order: ParentOrder, intent: Intent, epoch: int, budgets: Sequence[BudgetEntry]
    ) -> ParentOrder:
        """In one transaction: the intent (new), the order (version as read), the budgets (within their limits), all on
        the condition that the run is running at this epoch and the kill switch is active.

        Raises Conflict (version or intent moved on) or RefusedRun (epoch, state, kill switch, or budget: the message
        says which)."""

    def intents(self, run_id: str) -> list[Intent]:
        """Every intent of the run, over all pages."""

    def book(self, run_id: str, executions: Sequence[Execution]) -> list[Execution]:
        """Keep executions by activity id, each once; returns those that were new."""

    def executions(self, run_id: str) -> list[Execution]:
        """Every booked execution of the run, by time."""

    def run_of(self, owner: str) -> Run | None:
        """The run that an execution has claimed or taken over, or None."""

    def runs_on(self, day: date) -> list[Run]:
        """Every run of a trading date, sorted by id."""

    def record_heartbeat(self, run_id: str, at: datetime) -> None:
        """Note that the run has turned."""

    def last_turn(self, run_id: str) -> datetime | None:
        """When the run last turned, or None."""

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        """Take so many requests out of a bucket that may give `most` in all; whether they were there. Shared by all
        who trade on the account."""

    def kill_switch(self) -> KillSwitch:
        """The brake as it stands; a row that was never written reads as active."""

    def set_kill_switch(self, state: KillSwitch) -> None:
        """Set the brake."""


class Notifier(Protocol):
    """Tells whoever listens."""

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """One event, at least once."""


class Journal(Protocol):
    """Keeps every decision."""

    def record(self, entry: Entry) -> None:
        """Add one entry."""


class Plans(Protocol):
    """Where plans are kept."""

    def text(self, uri: str) -> str:
        """The text of a plan file. Raises InvalidPlan where there is none."""


class Runtime(Protocol):
    """Time and concurrency: real threads and clocks when deployed, virtual ones at the desk."""

    def now(self) -> datetime:
        """Our own clock, UTC. For how long things take; the broker's clock decides what time it is."""

    def pause(self, seconds: float) -> None:
        """Let a short time pass inside a step (the confirmation of a cancel)."""

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Run the calls concurrently; results in the order of the items. The first exception is raised at the end."""


@dataclass(frozen=True)
class Ports:
    """Everything a step may touch."""

    broker: Broker
    market: Market
    store: Store
    notifier: Notifier
    journal: Journal
    plans: Plans
    runtime: Runtime

    def for_closing(self) -> Ports:
        """The same ports for whoever ends a run."""
        return replace(self, broker=self.broker.for_closing())
