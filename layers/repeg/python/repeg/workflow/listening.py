"""Listening: one step makes many turns, and between them waits on the broker's streams instead of in a state.

An event is only a hint to look. What an order has filled is read from the broker before anything is decided on it, so
that an event which is lost, late, doubled or forged costs time and never a share.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from repeg.domain.errors import BrokerUnavailable, Conflict
from repeg.domain.hints import Hints
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.quote import Side
from repeg.domain.request_quota import seconds_to_next_bucket
from repeg.domain.run import KillSwitch, RunState
from repeg.domain.session import next_turn
from repeg.domain.time_limits import CONNECTS_WITHIN, HINTS_APART, LISTENS_FOR, OPEN_ORDERS_AGE, SHOWN_WITHIN
from repeg.ports import Listener
from repeg.workflow.looking import (
    is_looked_at,
    look,
    named_orders,
    next_turn_of,
    reconcile,
    requests_to_read,
    work_named,
)
from repeg.workflow.switches import switch_now
from repeg.workflow.turn import Turn, continue_step


@dataclass(frozen=True)
class Listened:
    """What a listening step leaves: its last turn, its orders, how many turns it made, and when the next one is due."""

    turn: Turn
    orders: list[ParentOrder]
    turns: int
    due: datetime


@dataclass
class _Step:
    """A step while it listens. `due` is the next turn on the grid by the broker's time, `ends` the end by our clock.

    All orders were last read at `read_at`, and from `reads_at` on some may be for hints. `named` has by symbol when an
    order was last mentioned and not read since; `gap_at` is when events may have been missed.
    """

    listener: Listener
    ends: datetime
    due: datetime
    kill: KillSwitch
    read_at: datetime
    reads_at: datetime
    named: dict[str, datetime] = field(default_factory=dict)
    gap_at: datetime | None = None

    @property
    def has_hints(self) -> bool:
        """Whether an order is to be read back, because it was mentioned, or may have been."""
        return bool(self.named) or self.gap_at is not None

    def hear(self, hints: Hints, now: datetime) -> None:
        """Remember which orders to look at, and when they were last mentioned."""
        self.named |= dict.fromkeys(hints.by_symbol, now)
        self.gap_at = now if hints.has_gap else self.gap_at

    def forget(self, began: datetime, now: datetime, unread: Collection[str] = ()) -> None:
        """Every order that was mentioned has been read since `began` but these. What was heard of them is still to be
        acted on, and what was heard so late that the read may not show it is read once more."""
        shown = began - SHOWN_WITHIN
        self.named = {symbol: at for symbol, at in self.named.items() if symbol in unread or at > shown}
        if self.gap_at is not None and self.gap_at <= shown and not unread:
            self.gap_at = None
        if not any(symbol in unread for symbol in self.named):
            self.reads_at = now + HINTS_APART


def listen(turn: Turn, most_turns: int, after_turn: Callable[[Turn, list[ParentOrder]], None]) -> Listened:
    """Make turns until there is a reason to leave; `after_turn` is called after each. The sockets are closed then.

    The step leaves when its time is over, the window ends, the kill switch changes, nothing is left to work, an order
    is to be placed, the execution has made `most_turns` more, the broker does not answer, the run is fenced or closing,
    or a later step of it has begun. Raises BrokerUnavailable in the first turn.
    """
    before = turn.ports.store.orders(turn.run.run_id)
    with turn.ports.signals.open(turn.run.order_prefix, _urgent(turn, before)) as listener:
        step = _begin(turn, listener)
        turn = turn.listening(listener)
        # What happened before the stream was there is in the first turn's reading, if that comes after it.
        listener.wait(CONNECTS_WITHIN.total_seconds())
        orders, turns = reconcile(turn), 1
        leaves = _is_time_to_leave(step, turn, before, orders)
        after_turn(turn, orders)
        due = None
        while not leaves and turns < most_turns:
            try:
                orders, leaves = _follow(step, turn, orders)
                if leaves:
                    break
                turn = continue_step(turn)
                turns += 1
                orders, leaves = _next_turn(step, turn, orders)
                after_turn(turn, orders)
            except Conflict:
                break  # a later step has begun; nothing waits for this one's answer
            except BrokerUnavailable as error:
                turn.warn("run", "skip", reason=str(error))
                due = next_turn_of(turn, looks=True)
                break
    return Listened(turn, orders, turns, due or turn.floor)


def _begin(turn: Turn, listener: Listener) -> _Step:
    settings = turn.run.settings
    now = turn.ports.runtime.now()
    return _Step(
        listener=listener,
        ends=now + timedelta(seconds=settings.listen_seconds),
        due=next_turn(turn.moment.now, turn.window, settings.order_monitoring_seconds),
        kill=switch_now(turn.run, turn.now, turn.ports),
        read_at=turn.now,
        reads_at=turn.now,
    )


def _next_turn(step: _Step, turn: Turn, before: list[ParentOrder]) -> tuple[list[ParentOrder], bool]:
    """A full reconciliation. On the grid every order is worked; in between only those that are looked at."""
    is_due = turn.moment.now >= step.due
    began = turn.now
    orders = reconcile(turn) if is_due else look(turn, before, is_reading=True)
    step.read_at = turn.now
    step.forget(began, turn.now, {order.symbol for order in orders if not (is_due or is_looked_at(turn, order))})
    is_placing = is_due and step.kill is KillSwitch.ACTIVE and _has_waiting(orders)
    leaves = _is_time_to_leave(step, turn, before, orders) or is_placing
    if is_due:
        step.due = next_turn(turn.moment.now, turn.window, turn.run.settings.order_monitoring_seconds)
    step.listener.watch(_urgent(turn, orders))
    return orders, leaves


def _follow(step: _Step, turn: Turn, orders: list[ParentOrder]) -> tuple[list[ParentOrder], bool]:
    """The orders once the turn's time is over, or there is a reason to leave: until then they are worked as hints come
    in, and looked at as in any turn."""
    period = timedelta(seconds=turn.run.settings.look_seconds)
    looks_at = turn.now + period
    while turn.now < (renews_at := _renewal(step, turn)):
        until = looks_at if any(is_looked_at(turn, order) for order in orders) else renews_at
        if step.has_hints:
            until = min(until, max(step.reads_at, turn.now))
        step.hear(step.listener.wait(max(0.0, (min(until, renews_at) - turn.now).total_seconds())), turn.now)
        before = orders
        if step.has_hints and turn.now >= step.reads_at:
            orders = _work_hinted(step, turn, orders)
        elif turn.now < looks_at:
            continue
        else:
            looks_at = turn.now + period
            if turn.may_send:
                is_reading = turn.now - step.read_at >= OPEN_ORDERS_AGE
                step.read_at = turn.now if is_reading else step.read_at
                orders = look(turn, orders, is_reading=is_reading)
                looks_at = turn.now + period
        if _is_time_to_leave(step, turn, before, orders):
            return orders, True
    return orders, turn.ports.runtime.now() >= step.ends


def _work_hinted(step: _Step, turn: Turn, orders: list[ParentOrder]) -> list[ParentOrder]:
    """The orders after those that were mentioned were read and worked; without requests to spare, once there are."""
    began, named = turn.now, named_orders(orders, None if step.gap_at is not None else step.named)
    if named and not turn.ports.broker.has_room_for_hints(requests_to_read(named)):
        step.reads_at = turn.now + timedelta(seconds=seconds_to_next_bucket(turn.ports.runtime.now()))
        return orders
    after = work_named(turn, orders, named) if named else orders
    step.forget(began, turn.now)
    return after


def _renewal(step: _Step, turn: Turn) -> datetime:
    """When the turn is over, by the broker's time: on the grid, when its clock is old, or with the window or step."""
    ends = turn.now + (step.ends - turn.ports.runtime.now())
    return min(step.due, turn.moment.now + LISTENS_FOR, ends, max(turn.window.closes, turn.moment.now))


def _is_time_to_leave(step: _Step, turn: Turn, before: Sequence[ParentOrder], after: Sequence[ParentOrder]) -> bool:
    is_over = turn.now >= turn.window.closes or all(order.state is ParentState.DONE for order in after)
    if is_over or not _is_latest(turn):
        return True
    kill = switch_now(turn.run, turn.now, turn.ports)
    if kill is KillSwitch.CANCEL_ALL or kill is not step.kill:
        return True
    return kill is KillSwitch.ACTIVE and _is_to_be_placed(before, after)


def _is_latest(turn: Turn) -> bool:
    """Whether the run still runs at this step's epoch, and no later step has begun."""
    held = turn.ports.store.guard(turn.run.run_id)
    return held is not None and (held.state, held.epoch, held.step) == (RunState.RUNNING, turn.run.epoch, turn.step)


def _is_to_be_placed(before: Sequence[ParentOrder], after: Sequence[ParentOrder]) -> bool:
    """Whether an order is to be placed at once: it has lost its child, or never left; or cash has come for a buy."""
    was_working = {order.symbol for order in before if order.state is ParentState.WORKING}
    waiting = [order for order in after if order.state is ParentState.WAITING]
    if any(order.symbol in was_working or order.was_not_sent for order in waiting):
        return True
    return any(order.side is Side.BUY for order in waiting) and _freed(after) > _freed(before)


def _freed(orders: Sequence[ParentOrder]) -> Decimal:
    """A figure that rises when a sell has filled or a buy has ended short, and so has freed cash."""
    sold = sum((order.filled for order in orders if order.side is Side.SELL), Decimal(0))
    ended = sum(order.side is Side.BUY and order.state is ParentState.DONE for order in orders)
    return sold + ended


def _has_waiting(orders: Sequence[ParentOrder]) -> bool:
    return any(order.state is ParentState.WAITING for order in orders)


def _urgent(turn: Turn, orders: Sequence[ParentOrder]) -> list[str]:
    """The symbols whose quotes are looked at, those with the most dollars left to trade first."""
    looked = [order for order in orders if is_looked_at(turn, order)]
    return [o.symbol for o in sorted(looked, key=lambda o: (-o.remaining * o.reference_price, o.symbol))]
