"""A desk: the deployed steps, a simulated broker behind them, and a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from functions.close_run.app import close_run
from functions.open_run.app import open_run
from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.repeg_orders.app import repeg_orders
from functions.sweep_orders.app import sweep_orders
from functions.validate_quotes.app import validate_quotes
from functions.watch_runs.app import watch_runs
from repeg.adapters.alpaca.keys import SIMULATED, FixedKeys
from repeg.adapters.alpaca.signals import AlpacaSignals
from repeg.domain.order_ids import LOCAL_TAG, OWN_PREFIX, run_prefix
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import format_price
from repeg.domain.run import Run
from repeg.domain.run_health import Alert
from repeg.domain.steps import OrdersPlaced, QuotesValidated, RunClosed, RunOpened, RunSwept, StepFailure, TurnDone
from repeg.ports import Broker, Ports, Store
from repeg_workbench.deployment_variables import variables
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import EPOCH, Scheduler
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker.orders import Order
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.scripted import ScriptedMarket
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.units import price
from repeg_workbench.exchange.units import qty as shares
from repeg_workbench.faults.records import MemoryJournal, QuietNotifier
from repeg_workbench.twins.memory_store import MemoryStore
from repeg_workbench.twins.stream_twin import StreamTwin
from tests.builders import MONDAY, worked_by
from tests.functions.books import Event
from tests.functions.line import DeskBroker, MemoryPlans
from tests.simulation import judge

RUN_ID = "core-2026-11-23"
PREFIX = run_prefix(LOCAL_TAG, RUN_ID)
SECOND_PREFIX = run_prefix(LOCAL_TAG, f"{RUN_ID}-r2")
"""What the ids of the run's orders begin with, and those of an explicit second run."""
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:execute-plan:first"
PROMPT = BrokerQuirks(
    ack_delay=(0, 0),
    cancel_delay=(50, 50),
    release_delay=(0, 0),
    requests_per_minute=None,
    data_requests_per_minute=None,
)
"""Orders reach the book at once, cancels take 50 ms, and requests are not limited."""

new_store: Callable[[], Store] = MemoryStore
"""Makes the store of a desk that is given none."""


class Desk:
    """One account on one trading day, with a run's steps to call one by one; prices follow the given books."""

    def __init__(
        self,
        books: Mapping[str, Sequence[Event]],
        *,
        at: str = "09:36",
        opening: OpeningAccount | None = None,
        quirks: BrokerQuirks = PROMPT,
        store: Store | None = None,
        plans: Mapping[str, str] | None = None,
        market: ScriptedMarket | None = None,
        seed: int = 0,
    ) -> None:
        self.scheduler = Scheduler(_instant(at))
        self.exchange = Exchange(
            market or ScriptedMarket({MONDAY: books}),
            lambda: self.scheduler.now_ns,
            quirks,
            opening or OpeningAccount(),
            seed,
        )
        self.runtime = VirtualRuntime(self.scheduler)
        self.streams = StreamTwin(self.exchange, self.scheduler)
        self.broker = DeskBroker(self.exchange, self.runtime.pause)
        self.store = store or new_store()
        self.journal = MemoryJournal()
        self.notifier = QuietNotifier()
        self.run_id = RUN_ID
        self.epoch = 1
        self.turns = 0
        self.ports = Ports(
            broker=cast("Broker", self.broker), market=self.broker, store=self.store, notifier=self.notifier,
            journal=self.journal, plans=MemoryPlans(plans or {}), runtime=self.runtime,
            signals=AlpacaSignals(self.streams.connect, FixedKeys(SIMULATED), self.runtime),
        )  # fmt: skip

    def use_store(self, store: Store) -> None:
        """Continue with another store."""
        self.store = store
        self.ports = replace(self.ports, store=store)

    # Time

    def advance_to(self, instant: datetime) -> None:
        """Advance the clock to an instant."""
        self.scheduler.run(until=instant)
        self.exchange.advance()

    def wait_until(self, time: str) -> None:
        """Advance the clock to a New York time of the day."""
        self.advance_to(_instant(time))

    def wait(self, seconds: float) -> None:
        """Advance the clock by that many seconds."""
        self.advance_to(self.scheduler.now() + timedelta(seconds=seconds))

    # The steps

    def open(self, plan: Mapping[str, Any], *, execution: str = EXECUTION, **settings: Any) -> RunOpened:
        """Call OpenRun with this plan, in a deployment with these settings."""
        return open_run({"plan": plan}, execution, variables(worked_by(settings)), self.ports)

    def preview(self, *orders: str) -> None:
        """Open a preview of such orders as `buy 40 AAPL`, plan it, and work on it from then on."""
        given = {"plan": a_plan(*orders), "preview": True}
        self.run_id = open_run(given, EXECUTION, variables(worked_by({})), self.ports).run_id
        plan_orders(self.run_id, self.epoch, self.ports)

    def submit(self, client_order_id: str, *, wait: float = 1) -> None:
        """Submit an order that is not the run's, far below the market: 5 AAPL at 100.00."""
        terms = {"symbol": "AAPL", "side": "buy", "qty": "5", "type": "limit", "limit_price": "100.00"}
        self.broker.line.post("/orders", {**terms, "time_in_force": "day", "client_order_id": client_order_id})
        self.wait(wait)

    def begin(self, *orders: str, **settings: Any) -> None:
        """Open a run of such orders as `buy 40 AAPL`, and plan it."""
        self.open(a_plan(*orders), **settings)
        plan_orders(self.run_id, self.epoch, self.ports)

    def validate(self) -> QuotesValidated:
        """ValidateQuotes."""
        return validate_quotes(self.run_id, self.epoch, self.ports)

    def place(self) -> OrdersPlaced:
        """ValidateQuotes, then PlaceOrders."""
        self.validate()
        return place_orders(self.run_id, self.epoch, self.turns, self.ports)

    def repeg(self, *, left: int = 0) -> TurnDone:
        """RepegOrders, after a PlaceOrders that left so many orders."""
        answer = repeg_orders(self.run_id, self.epoch, self.turns, 0, self.ports, left=left)
        self.turns = answer.turns
        return answer

    def turn_at(self, time: str) -> TurnDone:
        """RepegOrders at that time."""
        self.wait_until(time)
        return self.repeg()

    def close(self, failure: StepFailure | None = None) -> RunClosed:
        """CloseRun."""
        return close_run(self.run_id, self.epoch, self.turns, failure, self.ports)

    def sweep(self, execution: str = EXECUTION, status: str = "ABORTED") -> RunSwept:
        """SweepOrders for an execution that ended with this status."""
        return sweep_orders(execution, status, self.ports)

    def watch(self, *, expect_run: bool = True) -> list[Alert]:
        """WatchRuns."""
        watched = watch_runs(self.ports, expect_run=expect_run)
        watched.raise_failure()
        return watched.alerts

    # Results

    @property
    def run(self) -> Run:
        """The run's row."""
        run = self.store.run(self.run_id)
        assert run is not None
        return run

    @property
    def report(self) -> dict[str, Any]:
        """The run's report."""
        assert self.run.report is not None
        return self.run.report.as_json()

    def order(self, symbol: str = "AAPL") -> ParentOrder:
        """A stored parent order."""
        return next(order for order in self.store.orders(self.run_id) if order.symbol == symbol)

    def row(self, symbol: str = "AAPL") -> dict[str, Any]:
        """An order's row in the report."""
        return next(row for row in self.report["orders"] if row["symbol"] == symbol)

    def at_broker(self, symbol: str | None = None) -> list[Order]:
        """Every order of ours that the broker accepted, oldest first."""
        orders = self.exchange.account.orders.by_id.values()
        return [o for o in orders if o.client_order_id.startswith(OWN_PREFIX) and symbol in {None, o.terms.symbol}]

    def open_at_broker(self, symbol: str | None = None) -> list[str]:
        """Our open orders at the broker, such as `40 AAPL @ 189.41`: remaining quantity, symbol, limit."""
        return [_open(order) for order in self.at_broker(symbol) if order.is_open]

    def bought(self, symbol: str = "AAPL") -> Decimal:
        """Net shares executed, from the broker's ledger; sales count as negative."""
        found = (shares(e.side * e.quantity) for e in self.exchange.ledger.executions if e.symbol == symbol)
        return sum(found, Decimal(0))

    def posts(self) -> int:
        """The number of order submissions sent."""
        return sum(method == "POST" for method, _ in self.broker.line.sent)

    def judge(self) -> None:
        """Check the broker's ledger against the targets, the intents and the stored fills."""
        orders = self.store.orders(self.run_id)
        judge.never_a_share_too_many(self.exchange, orders)
        judge.every_order_was_meant(self.exchange, self.store.intents(self.run_id))
        judge.cash_is_never_negative(self.exchange)
        judge.books_are_the_brokers(self.exchange, orders)

    def journalled(self, subject: str, verb: str) -> list[tuple[str, str]]:
        """Detail and reason of the journal's entries with this subject and verb."""
        return [(e.detail, e.reason) for e in self.journal.entries if (e.subject, e.verb) == (subject, verb)]


@contextmanager
def a_desk(books: Mapping[str, Sequence[Event]], **options: Any) -> Iterator[Desk]:
    """A desk whose scheduler is closed afterwards."""
    desk = Desk(books, **options)
    try:
        yield desk
    finally:
        desk.scheduler.close()


OpenDesk = Callable[..., Desk]
"""Opens a desk with the given books and options."""


def a_plan(*orders: str) -> dict[str, Any]:
    """A plan of such orders as `buy 40 AAPL` or `sell all KO`."""
    rows = [dict(zip(("side", "qty", "symbol"), order.split(), strict=True)) for order in orders]
    return {"name": "core", "orders": rows}


def holding(cash: str = "100000", **positions: str) -> OpeningAccount:
    """An account with cash and shares, carried at a dollar each."""
    held = {symbol: (Decimal(qty), Decimal(1)) for symbol, qty in positions.items()}
    return OpeningAccount(cash=Decimal(cash), positions=held)


def _open(order: Order) -> str:
    return (
        f"{shares(order.remaining).normalize():f} {order.terms.symbol} @ {format_price(price(order.terms.limit or 0))}"
    )


def _instant(time: str) -> datetime:
    return EPOCH + timedelta(microseconds=new_york(MONDAY, time) // 1_000)
