"""The looks of a turn: the first reads everything; under the policy of looks, more follow until the next turn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from repeg.domain.child_order import UNRESOLVED
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.policy import depends_on_fills
from repeg.domain.quote import Quote, Side
from repeg.domain.run import KillSwitch
from repeg.domain.session import next_turn, whole_second
from repeg.domain.time_limits import BATCH_QUOTES_AGE, LISTED_FROM, LOOKS_FOR, OPEN_ORDERS_AGE
from repeg.workflow.deciding import market_move_cost, market_notional, wants_to_send
from repeg.workflow.funding import funded_market_moves
from repeg.workflow.in_flight import lists_for, refresh_children
from repeg.workflow.leftovers import has_leftovers
from repeg.workflow.proposals import NO_FUNDS, Funds
from repeg.workflow.reconciliation import book_fills, list_reports
from repeg.workflow.sellable import Holdings, read_holdings
from repeg.workflow.switches import switch_now
from repeg.workflow.turn import Turn
from repeg.workflow.working import work_order

# A move takes a cancel, the read that confirms it, and the new order. So few need no room: the quota has it, or they
# wait for less than a bucket.
REQUESTS_OF_A_MOVE = 3
MOVES_WITHOUT_ROOM = 4


def work_turn(turn: Turn, *, looks_once: bool = False) -> tuple[list[ParentOrder], datetime]:
    """Every order of the run after the looks of a turn, and when the next turn is due."""
    before = turn.ports.store.orders(turn.run.run_id)
    orders = _reconciled(turn, before)
    if looks_once or _has_next_piece(turn, before, orders):
        return orders, next_turn_of(turn, looks=False)
    return _look_until_next_turn(turn, orders)


def reconcile(turn: Turn) -> list[ParentOrder]:
    """Every order of the run, each one that works read back from the broker and worked once."""
    return _reconciled(turn, turn.ports.store.orders(turn.run.run_id))


def named_orders(orders: Sequence[ParentOrder], symbols: Collection[str] | None) -> list[ParentOrder]:
    """The orders that rest or are in flight of these symbols, None for all."""
    return [each for each in _in_state(orders, ParentState.WORKING) if symbols is None or each.symbol in symbols]


def requests_to_read(named: Sequence[ParentOrder]) -> int:
    """The requests that it takes to read these orders back: a few are read one by one, more by a list, which does not
    show an order in flight or in a chain."""
    if len(named) <= LISTED_FROM:
        return sum(len(order.open_children) for order in named)
    unlisted = (order for order in named if len(order.open_children) > 1 or order.open_children[0].state in UNRESOLVED)
    return 1 + sum(len(order.open_children) for order in unlisted)


def work_named(turn: Turn, orders: list[ParentOrder], named: list[ParentOrder]) -> list[ParentOrder]:
    """Every order after these were read back from the broker, and worked once if they are looked at. One that is not is
    only settled: it is decided on the grid of turns. Quotes are read after the fills, from the feed."""
    turn = turn.with_orders(orders)
    seen = _read_back(turn, named, is_listed=len(named) > LISTED_FROM)
    read = [now for was, now in zip(named, seen, strict=True) if is_looked_at(turn, now) or _is_to_settle(was, now)]
    quotes = turn.quotes([order for order in read if order.open_child])
    known = {order.symbol: order for order in seen}
    return _worked(turn, [known.get(order.symbol, order) for order in orders], read, quotes)


def _reconciled(turn: Turn, before: list[ParentOrder]) -> list[ParentOrder]:
    turn = turn.with_orders(before)
    seen = _read_back(turn, [o for o in before if o.state is ParentState.WORKING or has_leftovers(o)])
    return _worked(turn, before, seen, _quotes(turn, seen))


def _look_until_next_turn(turn: Turn, orders: list[ParentOrder]) -> tuple[list[ParentOrder], datetime]:
    """Every order after the further looks of the turn, and when the next turn is due.

    A look is one quote request and a decision for each order that the policy of looks works. Every few seconds the
    orders and their children are read again. The looks end when none is left to look at, when an order is ready for its
    next piece, when the broker does not answer, or in time for the next turn, which then follows without a pause.
    """
    window, period = turn.run.window, timedelta(seconds=turn.run.settings.look_seconds)
    due = next_turn(turn.moment.now, window, turn.run.settings.order_monitoring_seconds)
    read_at, looked = turn.now, False
    while _may_look(turn, orders, period, due):
        turn.ports.runtime.pause(period.total_seconds())
        looked, is_reading = True, turn.now - read_at >= OPEN_ORDERS_AGE
        read_at = turn.now if is_reading else read_at
        try:
            after = look(turn, orders, is_reading=is_reading)
        except BrokerUnavailable as error:
            turn.warn("run", "skip", reason=str(error))
            break
        before, orders = orders, after
        if _has_next_piece(turn, before, orders):
            break
    return orders, next_turn_of(turn, looks=looked)


def _has_next_piece(turn: Turn, before: list[ParentOrder], after: list[ParentOrder]) -> bool:
    """Whether an order that is worked by looks has lost its child, so that it is to be placed at once."""
    worked = {order.symbol for order in before if is_looked_at(turn, order)}
    return any(order.symbol in worked for order in _in_state(after, ParentState.WAITING))


def next_turn_of(turn: Turn, *, looks: bool) -> datetime:
    """When the next turn is due: on the grid, or one look later where orders are looked at."""
    on_grid = next_turn(turn.now, turn.run.window, turn.run.settings.order_monitoring_seconds)
    return (
        min(on_grid, whole_second(turn.now + timedelta(seconds=turn.run.settings.look_seconds))) if looks else on_grid
    )


def _may_look(turn: Turn, orders: Sequence[ParentOrder], period: timedelta, due: datetime) -> bool:
    if not any(is_looked_at(turn, order) for order in orders):
        return False
    elapsed = turn.ports.runtime.now() - turn.started
    return elapsed + period <= LOOKS_FOR and turn.now + 2 * period <= due and turn.may_send


def look(turn: Turn, orders: list[ParentOrder], *, is_reading: bool) -> list[ParentOrder]:
    """Every order after one look at those that the policy of looks works; read back first if `is_reading`."""
    orders = turn.ports.store.orders(turn.run.run_id) if is_reading else orders
    turn = turn.with_orders(orders)
    looking = [order for order in orders if is_looked_at(turn, order)]
    seen = _read_back(turn, looking) if is_reading else looking
    quotes = _quotes(turn, seen)
    changed = {} if is_reading else _changed(turn, seen, quotes)
    unchanged = [order for order in seen if order.symbol not in changed]
    return _worked(turn, [changed.get(order.symbol, order) for order in orders], unchanged, quotes)


def is_looked_at(turn: Turn, order: ParentOrder) -> bool:
    """Whether an order rests at the broker and is worked by the policy of looks."""
    return order.state is ParentState.WORKING and turn.settings(order.symbol).looks


def _is_to_settle(before: ParentOrder, after: ParentOrder) -> bool:
    """Whether a read has changed an order so that there is something to do but to decide: it has ended or lost its
    child, or more is open of it than it needs."""
    is_resting = after.outcome is None and after.remaining > 0 and len(after.open_children) == 1
    return after != before and not is_resting


def _read_back(turn: Turn, working: list[ParentOrder], *, is_listed: bool = True) -> list[ParentOrder]:
    """The orders as the broker reports their children now, with their fills booked; a few are not listed, but read."""
    listed = list_reports(turn, working) if working and is_listed else {}
    lists = lists_for(turn, working)
    seen = turn.each(lambda order: refresh_children(turn, order, listed, lists), working)
    book_fills(turn, working, seen)
    return seen


def _changed(turn: Turn, orders: list[ParentOrder], quotes: Mapping[str, Quote]) -> dict[str, ParentOrder]:
    """By symbol, the orders that would be moved although their children have changed since they were last read.

    Only the moves that depend on it are checked, with one request for all of them: a fill of ours that was not read yet
    looks as if others had left the near side, and a cancel for that gives up a place in the queue. The next look
    decides on the changed ones, since this one's quotes may be older than their fills.
    """
    unsure = [order for order in orders if _is_unsure(turn, order, quotes.get(order.symbol))]
    seen = _read_back(turn, unsure) if unsure else []
    return {after.symbol: after for before, after in zip(unsure, seen, strict=True) if after != before}


def _is_unsure(turn: Turn, order: ParentOrder, quote: Quote | None) -> bool:
    if quote is None or not wants_to_send(turn, order, quote):
        return False
    return depends_on_fills(order, quote, turn.present, turn.settings_now(order))


def _quotes(turn: Turn, orders: list[ParentOrder]) -> dict[str, Quote]:
    return turn.looked_quotes([order for order in orders if order.open_child])


def _worked(
    turn: Turn, orders: Sequence[ParentOrder], seen: list[ParentOrder], quotes: Mapping[str, Quote]
) -> list[ParentOrder]:
    """All orders: those that were looked at after acting on them, or as they were read if this look had no room."""
    read = {order.symbol: order for order in seen}
    seen, quotes = _with_room(turn, seen, quotes)
    kill: KillSwitch = switch_now(turn.run, turn.now, turn.ports)
    seen, held = _with_holdings(turn, seen, quotes)
    costs = _market_moves(turn, seen, quotes) if kill is KillSwitch.ACTIVE and turn.may_send else {}
    with funded_market_moves(turn, costs) as leases:

        def work(order: ParentOrder) -> ParentOrder:
            quote, lease = quotes.get(order.symbol), leases.get(order.symbol, "")
            funds = Funds(lease, market_notional(order, quote)) if lease and quote is not None else NO_FUNDS
            return work_order(turn, order, quote, kill, held=held, funds=funds)

        after = turn.each(work, seen)
    latest = read | {order.symbol: order for order in after}
    return [latest.get(order.symbol, order) for order in orders]


def _with_room(
    turn: Turn, seen: list[ParentOrder], quotes: Mapping[str, Quote]
) -> tuple[list[ParentOrder], Mapping[str, Quote]]:
    """The orders to work in this look, without the moves that the account's quota has no room for, and their quotes.

    A move that waited for its requests would be decided on an old quote, or be cancelled and not be sent again. So the
    requests of many moves are taken first; the quotes are read again if that took a while. The moves that are left are
    decided anew at the next look.
    """
    moving = [order for order in seen if wants_to_send(turn, order, quotes.get(order.symbol))]
    if len(moving) <= MOVES_WITHOUT_ROOM or turn.run.preview:
        return seen, quotes
    began = turn.ports.runtime.now()
    wanted = [_requests_of_a_move(turn, order) for order in moving]
    room = turn.ports.broker.make_room(sum(wanted)) if turn.has_time_for_a_batch else 0
    left = {order.symbol for order, used in zip(moving, accumulate(wanted), strict=True) if used > room}
    working = [order for order in seen if order.symbol not in left]
    if turn.ports.runtime.now() - began > BATCH_QUOTES_AGE:
        quotes = _quotes(turn, working)
    return working, quotes


def _requests_of_a_move(turn: Turn, order: ParentOrder) -> int:
    """Where the account may sell short, a sell also needs a read of what is held once its shares are free."""
    return REQUESTS_OF_A_MOVE + (turn.run.may_short and order.side is Side.SELL)


def _with_holdings(
    turn: Turn, orders: list[ParentOrder], quotes: Mapping[str, Quote]
) -> tuple[list[ParentOrder], Holdings | None]:
    """The orders to work in this look, and the holdings for all sells that are about to send a child, from one read; no
    holdings if no sell is. Sells whose holdings cannot be read are left to the next look, where they are."""
    sells = (order for order in orders if order.side is Side.SELL and order.open_child is not None)
    moving = {order.symbol for order in sells if wants_to_send(turn, order, quotes.get(order.symbol))}
    try:
        return orders, read_holdings(turn) if moving else None
    except BrokerUnavailable as error:
        turn.warn("run", "hold", reason=f"no sell is moved: {error}")
        return [order for order in orders if order.symbol not in moving], None


def _market_moves(turn: Turn, orders: list[ParentOrder], quotes: Mapping[str, Quote]) -> dict[str, Decimal]:
    """By symbol, what the buys that are about to move to market may cost beyond their collars."""
    costs = {order.symbol: market_move_cost(turn, order, quotes.get(order.symbol)) for order in orders}
    return {symbol: cost for symbol, cost in costs.items() if cost is not None}


def _in_state(orders: Sequence[ParentOrder], state: ParentState) -> list[ParentOrder]:
    return [order for order in orders if order.state is state]
