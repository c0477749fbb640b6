"""What the steps need from the world, as protocols. The adapters implement them, and so do the twins for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from repeg.domain.books import Books
from repeg.domain.broker import Account, Asset, BrokerClock, CancelAnswer, Execution, Position, Submission
from repeg.domain.child_order import OrderReport
from repeg.domain.intent import Intent
from repeg.domain.journal import Entry
from repeg.domain.limits import BudgetEntry
from repeg.domain.order_ids import LOCAL_TAG
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.report import Report
from repeg.domain.run import KillSwitch, Run, RunState
from repeg.domain.session import TradingDay
from repeg.domain.sizing_price import Trade
from repeg.domain.store_rules import Guard

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


class Store(Protocol):
    """The table. Reads are strongly consistent and complete; writes are conditional. May raise StoreUnavailable."""

    def claim_run(self, run: Run) -> Run:
        """Create the run. Its owner may repeat this and gets the stored run; another owner raises DuplicateRun."""

    def run(self, run_id: str) -> Run | None:
        """The run, or None."""

    def guard(self, run_id: str) -> Guard | None:
        """The run's guard row alone, or None. Readable even if the run's other rows are not."""

    def guard_of(self, owner: str) -> Guard | None:
        """The guard row of the run that an execution claimed or took over, or None."""

    def guards_on(self, day: date) -> list[Guard]:
        """The guard row of every run of a trading date, sorted by id."""

    def books(self, run_id: str) -> Books:
        """The run's rows for ending it, and the names of those that cannot be read; the other reads raise then."""

    def take_over(self, run_id: str, epoch: int, owner: str) -> Guard:
        """Raise the epoch by one for a new owner; repeated, it changes nothing. Raises Conflict for another owner."""

    def set_run_state(self, run_id: str, epoch: int, state: RunState) -> Guard:
        """Change a run's state as RunState's transitions allow. Raises Conflict at another epoch or after its end."""

    def save_report(self, run_id: str, report: Report) -> None:
        """Store the report with the run; the last one wins."""

    def mark_announced(self, run_id: str) -> None:
        """Mark the run's end as published. Raises Conflict if there is no such run."""

    def mark_reconciled(self, run_id: str) -> None:
        """Mark the run's books as equal to the broker's after the session. Raises Conflict if there is no such run."""

    def planning_version(self, day: date) -> int:
        """How often a run of this trading date has been planned: read before the orders of other runs."""

    def add_orders(self, run_id: str, epoch: int, orders: Sequence[ParentOrder], version: int | None = None) -> Run:
        """Write the orders and mark the run as planned, once. Raises Conflict if the planning version is another."""

    def orders(self, run_id: str) -> list[ParentOrder]:
        """Every parent order of the run, sorted by symbol, over all pages."""

    def save_order(self, order: ParentOrder, budgets: Sequence[BudgetEntry] = ()) -> ParentOrder:
        """Store the order if its version is as read, and change `budgets`, whatever their limits. Raises Conflict."""

    def write_intent(
        self, order: ParentOrder, intent: Intent, epoch: int, budgets: Sequence[BudgetEntry], funded_by: str = ""
    ) -> ParentOrder:
        """The intent, the order at its version and the budgets in one transaction, if the run runs at this epoch, the
        kill switch is active, a live stack armed, and `funded_by` holds its lease. Raises Conflict or RefusedRun."""

    def reserve(self, order: ParentOrder, epoch: int, budgets: Sequence[BudgetEntry]) -> ParentOrder:
        """Commit the budgets of a child's successor, before its cancel: like `write_intent`, but for arming."""

    def acquire_funding(self, holder: str, now: datetime, until: datetime) -> bool:
        """Take or extend the lease that lets a run commit the account's cash to buys; False while another has it."""

    def release_funding(self, holder: str) -> None:
        """Give the funding lease back; does nothing unless it is held by `holder`."""

    def intents(self, run_id: str) -> list[Intent]:
        """Every intent of the run, over all pages."""

    def book(self, run_id: str, executions: Sequence[Execution]) -> list[Execution]:
        """Store executions by activity id, each once; returns the new ones."""

    def executions(self, run_id: str) -> list[Execution]:
        """Every booked execution of the run, by time."""

    def runs_on(self, day: date) -> list[Run]:
        """Every run of a trading date, sorted by id."""

    def record_heartbeat(self, run_id: str, at: datetime) -> None:
        """Record that the run has made a turn."""

    def last_turn(self, run_id: str) -> datetime | None:
        """The time of the run's last turn, or None."""

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        """Reserve `count` requests from the account's bucket, capped at `most`. Returns False if it is exhausted."""

    def kill_switch(self) -> KillSwitch:
        """The kill switch; a row that was never written reads as ACTIVE."""

    def set_kill_switch(self, state: KillSwitch) -> None:
        """Set the kill switch."""

    def armed_until(self) -> datetime | None:
        """When the record that arms live trading expires; None if there is none, or it was taken back."""

    def set_armed_until(self, until: datetime | None) -> None:
        """Arm live trading until a time, or take the record back (None)."""

    def is_armed(self, now: datetime) -> bool:
        """Whether the record arms this stack's trading at that time; always, for a paper stack, which needs none."""


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

    def text(self, uri: str) -> str:
        """The text of a plan file. Raises InvalidPlan if there is none."""


class Runtime(Protocol):
    """Time and concurrency: real clocks and threads when deployed, virtual ones in simulations."""

    def now(self) -> datetime:
        """Our own clock, UTC, for durations. The market's time is read from the broker's clock."""

    def pause(self, seconds: float) -> None:
        """Let a short time pass inside a step, for instance between cancel confirmations."""

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Run the calls concurrently; results in the order of the items. The first exception is raised at the end."""


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
    tag: str = LOCAL_TAG

    def for_closing(self) -> Ports:
        """The same ports, with the broker on the request quota reserved for closing."""
        return replace(self, broker=self.broker.for_closing())

    def for_account(self, number: str) -> Ports:
        """The same ports, with the broker for this account only."""
        return replace(self, broker=self.broker.for_account(number))
