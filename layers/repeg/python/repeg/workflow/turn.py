"""One turn: the run as it stands, the broker's time, and how its parts are worked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel

from repeg.domain.errors import BrokerDenied, BrokerUnavailable, Conflict, RefusedRun, StoreUnavailable
from repeg.domain.journal import Entry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import Moment
from repeg.domain.quote import Quote
from repeg.domain.run import Run
from repeg.domain.session import trading_date
from repeg.domain.settings import Settings
from repeg.ports import Ports

Item = TypeVar("Item")
Result = TypeVar("Result")

# No new child is started after this long in one step: the function's own time limit must never cut a placement in two.
STEP_SECONDS = 35

# The last request of a window is sent this long before it closes, so that its answer, time-outs included, falls inside.
SEND_MARGIN = timedelta(seconds=10)


@dataclass(frozen=True)
class Turn:
    """What every part of a step shares. `started` is our own clock when the broker's said `moment.now`."""

    run: Run
    ports: Ports
    moment: Moment
    started: datetime

    @property
    def now(self) -> datetime:
        """The broker's time now: its clock at the start of the turn plus what has passed on ours."""
        return self.moment.now + (self.ports.runtime.now() - self.started)

    @property
    def present(self) -> Moment:
        """The moment as it is now: a step may take half a minute, and a quote must not be judged by its beginning."""
        return self.moment.model_copy(update={"now": self.now})

    @property
    def may_send(self) -> bool:
        """Whether an order may still leave: inside the window, with time for the answer, and within the step's time."""
        in_step = self.ports.runtime.now() - self.started < timedelta(seconds=STEP_SECONDS)
        window = self.run.window
        return in_step and window.opens <= self.now < window.closes - SEND_MARGIN

    def settings(self, symbol: str) -> Settings:
        """The run's settings as they hold for a symbol."""
        return self.run.settings.for_symbol(symbol)

    def each(self, work: Callable[[ParentOrder], ParentOrder], orders: Sequence[ParentOrder]) -> list[ParentOrder]:
        """Work every order, concurrently if the run says so; what fails for one order touches no other."""

        def alone(order: ParentOrder) -> ParentOrder:
            try:
                return work(order)
            except (BrokerUnavailable, BrokerDenied, StoreUnavailable, Conflict, RefusedRun) as error:
                self.note(order.symbol, "error", type(error).__name__, str(error))
                return order

        if self.run.settings.use_async_execution:
            return self.ports.runtime.map(alone, orders)
        return [alone(order) for order in orders]

    def quotes(self, orders: Sequence[ParentOrder]) -> dict[str, Quote]:
        """The books of these orders, in one request; none for no orders."""
        return self.ports.market.quotes([order.symbol for order in orders]) if orders else {}

    def note(
        self,
        subject: str,
        verb: str,
        detail: str = "",
        reason: str = "",
        rule: str = "",
        inputs: dict[str, BaseModel | None] | None = None,
        answer: BaseModel | None = None,
    ) -> None:
        """Add an entry to the journal."""
        self.ports.journal.record(
            Entry(self.now, self.run.run_id, subject, verb, detail, reason, rule, inputs or {}, answer)
        )


def begin_trading_turn(run_id: str, epoch: int, ports: Ports) -> Turn:
    """Begin a turn that may place orders. Raises RefusedRun where the run is over, fenced, or of another day."""
    turn = begin_turn(run_id, ports)
    turn.run.require_current(epoch, trading_date(turn.moment.now))
    return turn


def begin_turn(run_id: str, ports: Ports) -> Turn:
    """Begin a turn on a run in whatever state it is. Raises RefusedRun where there is no such run."""
    run = find_run(run_id, ports)
    started = ports.runtime.now()
    now = ports.broker.clock().now
    # An order must have left before the margin, so that is where the day ends for whoever decides.
    closes = run.window.closes - SEND_MARGIN
    moment = Moment(now=now, closes=closes, turn_seconds=run.settings.order_monitoring_seconds)
    return Turn(run=run, ports=ports, moment=moment, started=started)


def find_run(run_id: str, ports: Ports) -> Run:
    """The run's row. Raises RefusedRun where there is none."""
    run = ports.store.run(run_id)
    if run is None:
        raise RefusedRun(f"there is no run {run_id}")
    return run
