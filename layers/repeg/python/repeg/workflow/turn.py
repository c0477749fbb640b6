"""One turn: the run as stored, the broker's time, and how its orders are worked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from repeg.domain.decision import Decision
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, Conflict, RefusedRun, StoreUnavailable
from repeg.domain.funding import buys_wait_for_sells
from repeg.domain.journal import Entry, Ruling
from repeg.domain.moment import Moment
from repeg.domain.order_news import OrderNews
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.run import Run
from repeg.domain.session import TradingWindow, trading_date
from repeg.domain.settings import Settings
from repeg.domain.store_rules import Guard
from repeg.domain.time_limits import (
    ANSWER,
    REQUEST,
    SEND_MARGIN,
    SENDS_FOR,
    STEP_BATCHES_FOR,
    STEP_PLACES_FOR,
    STREAMED_QUOTE_AGE,
)
from repeg.ports import Listener, Ports


@dataclass(frozen=True)
class Turn:
    """What every part of a step shares. `started` is our own clock when the broker's was `moment.now`.

    The broker may have read its clock as much as `clock_delay` later than that. `step` is the number of the step in its
    run, which only the run's latest step may send under; 0 in a step that sends nothing. `listener` has the
    streamed quotes of a step that listens. `buys_wait`: a buy of the run waits for the cash of its sells.
    """

    run: Run
    ports: Ports
    moment: Moment
    started: datetime
    clock_delay: timedelta = timedelta(0)
    step: int = 0
    listener: Listener | None = None
    buys_wait: bool = False

    @property
    def now(self) -> datetime:
        """The broker's time now: its clock at the start of the turn plus the time elapsed on ours."""
        return self.moment.now + self.elapsed

    @property
    def elapsed(self) -> timedelta:
        """The time since the turn began, on our own clock."""
        return self.ports.runtime.now() - self.started

    @property
    def earliest(self) -> datetime:
        """The earliest that the broker's clock may show now."""
        return self.now - self.clock_delay

    @property
    def present(self) -> Moment:
        """The moment with the time as it is now: a step may take half a minute, and quotes age meanwhile."""
        now, latest = self.now, self._latest[0]
        if latest.now != now:
            self._latest[0] = latest = self.moment.at(now)
        return latest

    @property
    def may_send(self) -> bool:
        """Whether an order may still be sent: inside the window, early enough for the answer and for the step."""
        return self.elapsed < STEP_PLACES_FOR and self.is_in_window

    @property
    def is_in_window(self) -> bool:
        """Whether orders may be sent now, early enough for their answers."""
        return self.window.opens <= self.now < self.window.closes - SEND_MARGIN

    @property
    def has_time_for_a_batch(self) -> bool:
        """Whether the step may begin another batch of orders: it may have to wait for the quota first."""
        return self.elapsed < STEP_BATCHES_FOR and self.may_send

    @property
    def sends_until(self) -> datetime:
        """Until when an order that is decided now may be sent, by our own clock, which its sender reads."""
        ahead = self.moment.now - self.started
        return min(self.ports.runtime.now() + SENDS_FOR, self.window.closes - ANSWER - ahead)

    @cached_property
    def window(self) -> TradingWindow:
        """The run's trading window, computed once a turn: every order asks for it several times."""
        return self.run.window

    @cached_property
    def decided(self) -> dict[str, tuple[ParentOrder, Quote | None, Moment, Decision]]:
        """By symbol, the latest decision and what it was made from."""
        return {}

    @cached_property
    def _latest(self) -> list[Moment]:
        """One element: the last answer of `present`, since a hundred orders ask at the same instant."""
        return [self.moment]

    def settings(self, symbol: str) -> Settings:
        """The run's settings for a symbol."""
        return self.run.settings.for_symbol(symbol)

    def settings_now(self, order: ParentOrder) -> Settings:
        """The settings that an order is decided by: a sell may be in a hurry while a buy of the run waits for cash."""
        settings = self.settings(order.symbol)
        return settings.hurried() if self.buys_wait and order.side is Side.SELL else settings

    def each(self, work: Callable[[ParentOrder], ParentOrder], orders: Sequence[ParentOrder]) -> list[ParentOrder]:
        """Work every order, concurrently if the run says so. A failure of one order does not affect the others."""

        def alone(order: ParentOrder) -> ParentOrder:
            try:
                return work(order)
            except (BrokerUnavailable, BrokerDenied, StoreUnavailable, Conflict, RefusedRun) as error:
                self.warn(order.symbol, "error", type(error).__name__, str(error))
                return order

        if self.run.settings.use_async_execution:
            return self.ports.runtime.map(alone, orders)
        return [alone(order) for order in orders]

    def quotes(self, orders: Sequence[ParentOrder]) -> dict[str, Quote]:
        """The latest quotes of these orders' symbols, in one request; none for no orders."""
        return self.ports.market.quotes([order.symbol for order in orders]) if orders else {}

    def looked_quotes(self, orders: Sequence[ParentOrder]) -> dict[str, Quote]:
        """The quotes of a look: streamed ones that are new enough, the others in one request."""
        if self.listener is None:
            return self.quotes(orders)
        since = self.now - STREAMED_QUOTE_AGE
        streamed = self.listener.quotes([order.symbol for order in orders])
        fresh = {symbol: quote for symbol, quote in streamed.items() if quote.at is not None and quote.at >= since}
        return fresh | self.quotes([order for order in orders if order.symbol not in fresh])

    def listening(self, listener: Listener) -> Turn:
        """This turn, with a listener."""
        return replace(self, listener=listener)

    def with_orders(self, orders: Sequence[ParentOrder]) -> Turn:
        """This turn, with what the run's orders need of each other now."""
        buys_wait = buys_wait_for_sells(orders)
        return self if buys_wait is self.buys_wait else replace(self, buys_wait=buys_wait)

    @property
    def floor(self) -> datetime:
        """The whole second that has begun: a state that waits for it does not wait."""
        return self.now.replace(microsecond=0)

    def journal(
        self,
        subject: str,
        verb: str,
        detail: str = "",
        reason: str = "",
        ruling: Ruling | None = None,
        news: OrderNews | None = None,
    ) -> None:
        """Journal a decision or an observation. Its `news` are published when the step has ended."""
        entry = self._entry(subject, verb, detail, reason, ruling)
        self.ports.journal.record(entry if news is None else entry._replace(news=news))

    def warn(self, subject: str, verb: str, detail: str = "", reason: str = "", ruling: Ruling | None = None) -> None:
        """Journal an abnormal event, one that an operator should find in the log."""
        self.ports.journal.record(self._entry(subject, verb, detail, reason, ruling)._replace(is_abnormal=True))

    def _entry(self, subject: str, verb: str, detail: str, reason: str, ruling: Ruling | None) -> Entry:
        entry = Entry(self.now, self.run.run_id, subject, verb, detail, reason)
        return entry if ruling is None else entry._replace(rule=ruling.rule, inputs=ruling.inputs, answer=ruling.answer)


def begin_trading_turn(run_id: str, epoch: int, ports: Ports) -> Turn:
    """Begin a turn that may place orders. Raises RefusedRun if the run is over, fenced, or of another day."""
    turn = begin_turn(run_id, ports)
    turn.run.require_current(epoch, trading_date(turn.moment.now))
    return turn


def begin_sending_turn(run_id: str, epoch: int, ports: Ports) -> Turn:
    """Begin the first turn of a step that sends orders: it is its run's only step from here on that may.

    An invocation that was retried or delivered twice has a twin. The later one takes the lease over before it reads any
    order, so that it knows of every intent that the earlier one has written, and none follows. Raises like
    `begin_trading_turn`.
    """
    turn = begin_trading_turn(run_id, epoch, ports)
    return replace(turn, step=turn.ports.store.take_step(run_id, epoch, turn.moment.now))


def continue_step(turn: Turn) -> Turn:
    """The next turn of the same step. Raises Conflict if a later step has begun, or like `begin_trading_turn`."""
    run_id, epoch = turn.run.run_id, turn.run.epoch
    following = begin_trading_turn(run_id, epoch, turn.ports)
    following.ports.store.keep_step(run_id, epoch, turn.step, following.moment.now)
    return replace(following, step=turn.step, listener=turn.listener)


def begin_turn(run_id: str, ports: Ports) -> Turn:
    """Begin a turn on a run in any state, in its own account.

    Raises RefusedRun if there is no such run, BrokerDenied if the keys open another account.
    """
    run = find_run(run_id, ports)
    ports = in_account_of(run, ports)
    started = ports.runtime.now()
    read = ports.broker.clock().now
    # The broker read its clock within the last request. What was waited before that, for the account's quota, would
    # put the turn's time ahead: quotes would be called stale, and the run would end before its window.
    took = ports.runtime.now() - started
    waited = max(took - REQUEST, timedelta(0))
    # A decision must leave time to send its order before the margin, so the margin is where its day ends.
    closes = run.window.closes - SEND_MARGIN
    moment = Moment(now=read - waited, closes=closes, turn_seconds=run.settings.order_monitoring_seconds)
    return Turn(run=run, ports=ports, moment=moment, started=started, clock_delay=took - waited)


def in_account_of(held: Run | Guard, ports: Ports) -> Ports:
    """The ports for the run's account only. Raises BrokerDenied, naming both accounts, if the keys open another."""
    if not held.account_number:
        return ports
    number = ports.broker.account_number()
    if number != held.account_number:
        raise BrokerDenied(f"run {held.run_id} trades in account {held.account_number}; the keys open account {number}")
    return ports.for_account(number)


def find_run(run_id: str, ports: Ports) -> Run:
    """The stored run. Raises RefusedRun if there is none."""
    run = ports.store.run(run_id)
    if run is None:
        raise RefusedRun(f"there is no run {run_id}")
    return run


def journal_skip(run_id: str, error: BrokerUnavailable, ports: Ports) -> datetime:
    """Journal that a step was skipped because the broker did not answer; returns the time on our own clock."""
    now = ports.runtime.now()
    ports.journal.record(Entry(now, run_id, "run", "skip", reason=str(error), is_abnormal=True))
    return now
