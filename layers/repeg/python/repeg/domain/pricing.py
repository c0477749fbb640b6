"""Limit prices: the price of each rung, the collar, and the comparison of two prices by aggressiveness."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from repeg.domain import tick
from repeg.domain.child_order import Rung
from repeg.domain.limits import committed
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.settings import Settings


def passive_price(side: Side, quote: Quote, day: date, floor: Decimal) -> Decimal:
    """One tick better than the near side, but never reaching the far side: at a one-tick spread, join.

    A limit that reaches the far side trades at once, like a market order.
    """
    if side is Side.BUY:
        improved = tick.above(quote.bid, day, floor)
        return improved if improved < quote.ask else tick.round_down(quote.bid, day, floor)
    improved = tick.below(quote.ask, day, floor)
    return improved if improved > quote.bid else tick.round_up(quote.ask, day, floor)


def mid_price(side: Side, quote: Quote, day: date, floor: Decimal) -> Decimal:
    """The midpoint, rounded away from the far side so that a half tick never crosses."""
    return tick.round_down(quote.mid, day, floor) if side is Side.BUY else tick.round_up(quote.mid, day, floor)


def collar(side: Side, arrival: Quote, max_slippage_bps: Decimal, day: date, floor: Decimal) -> Decimal:
    """The worst price that the order may ever trade at: `max_slippage_bps` from the arrival mid, against us."""
    worst = arrival.mid * (1 + side.sign * max_slippage_bps / 10_000)
    return tick.round_down(worst, day, floor) if side is Side.BUY else tick.round_up(worst, day, floor)


def limit_for(rung: Rung, order: ParentOrder, quote: Quote, day: date, settings: Settings) -> Decimal | None:
    """The limit of a child at a rung, inside the collar and `max_order_notional`; None for a market order.

    Raises ValueError before arrival."""
    if rung is Rung.MARKET:
        return None
    if rung is Rung.CROSS or order.collar is None:
        return furthest_price(order, day, settings)
    price = mid_price if rung is Rung.MID else passive_price
    return affordable(order, inside(order, price(order.side, quote, day, settings.tick_size)), day, settings)


def furthest_price(order: ParentOrder, day: date, settings: Settings) -> Decimal:
    """The furthest limit that an order may have: its collar, inside `max_order_notional`. Raises ValueError before
    arrival."""
    if order.collar is None:
        raise ValueError(f"{order.symbol} has no collar before it has arrived")
    return affordable(order, order.collar, day, settings)


def affordable(order: ParentOrder, price: Decimal, day: date, settings: Settings) -> Decimal:
    """The price, or, for a buy, the highest one at which what is left to buy fits `max_order_notional`.

    A sell is not made cheaper to fit. Nor is a price found where the fills alone have reached the limit.
    """
    most = settings.max_order_notional
    if most is None or order.side is Side.SELL:
        return price
    child = order.open_child
    left = order.remaining if child is None else child.remaining
    paid = sum([each.notional * each.filled / each.qty for each in order.children if each.filled], Decimal(0))
    if left <= 0 or most <= paid:
        return price
    return min(price, tick.round_down((most - paid) / left, day, settings.tick_size))


def reserved_qty(order: ParentOrder) -> Decimal:
    """The shares that were reserved for a successor: those that the latest child has left unfilled."""
    return order.child.qty - order.child.filled if order.child is not None else Decimal(0)


def reserved_price(order: ParentOrder, qty: Decimal, day: date, floor: Decimal) -> Decimal | None:
    """The highest limit inside the collar at which `qty` shares are worth no more than was reserved for a successor;
    None without a reservation.

    For an order whose old child is closed: what it filled has come out of the same amount. A sell is worth more at a
    higher limit, so its reserved price is the lower one that it was about to be sent at.
    """
    if not order.reserved_orders or qty <= 0:
        return None
    price = tick.round_down((order.committed - committed(order.children)) / qty, day, floor)
    return inside(order, price) if price > 0 else None


def inside(order: ParentOrder, price: Decimal) -> Decimal:
    """The price, or the collar if that is better for us."""
    if order.collar is None:
        return price
    return min(price, order.collar) if order.side is Side.BUY else max(price, order.collar)


def worse_by(side: Side, price: Decimal, than: Decimal) -> Decimal:
    """How much more aggressive `price` is than another, in dollars: above it for a buy, below it for a sell."""
    return price - than if side is Side.BUY else than - price
