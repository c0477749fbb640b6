"""What is measured of an order once its run has ended: what it cost since its arrival, and what its takes paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from pydantic import AwareDatetime

from repeg.domain.arm import Arm
from repeg.domain.broker import Execution
from repeg.domain.child_order import Child
from repeg.domain.frozen import Frozen
from repeg.domain.intent import Intent
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.settings import Settings
from repeg.domain.tick import increment

# What an order that was marketable when it was sent trades within this time, it took. What it trades later it had
# rested for.
TAKES_WITHIN = timedelta(seconds=5)

_NOTHING = Decimal(0)


class Trades(Frozen):
    """What a run's books hold of one order: its executions and its intents. With the core session of the day."""

    executions: tuple[Execution, ...]
    intents: tuple[Intent, ...]
    opens: AwareDatetime
    closes: AwareDatetime


class Take(Frozen):
    """What one marketable child traded at once, beside the quote that it was sent on.

    `qty` in shares, `paid` in dollars a share against the mid of that quote, positive where we paid, `half_spread` of
    that quote in dollars. `is_control`: it was a control order at the market.
    """

    at: AwareDatetime
    qty: Decimal
    price: Decimal
    paid: Decimal
    half_spread: Decimal
    is_control: bool


class ObservedOrder(Frozen):
    """One order of a run that has ended, as the experiment counts it.

    `share` is the chance with which it was drawn for the control arm, `arm` None for an order that took no part.
    `notional` is the whole order at its arrival mid in dollars, `cost` what the order has cost against that mid: what
    was filled at its prices, and the rest at the mid at the end of the run. None if there was no arrival, or no quote
    for the rest. `half_spread` is that of the arrival in dollars a share, `spread_ticks` the spread in ticks.
    `off_session` are shares that traded outside of the core session.
    """

    run_id: str
    symbol: str
    day: date
    feed: str
    arm: Arm | None
    share: Decimal
    outcome: Outcome | None
    target: Decimal
    filled: Decimal
    off_session: Decimal
    notional: Decimal
    half_spread: Decimal
    spread_ticks: int
    cost: Decimal | None
    takes: tuple[Take, ...] = ()

    @property
    def is_preview(self) -> bool:
        """Whether the order was decided and never sent."""
        return self.outcome is Outcome.PREVIEW

    @property
    def cost_bps(self) -> Decimal | None:
        """The cost in basis points of the order's notional."""
        return None if self.cost is None or self.notional <= 0 else self.cost / self.notional * 10_000

    @property
    def cost_half_spreads(self) -> Decimal | None:
        """The cost a share, in half-spreads of the arrival quote."""
        return None if self.cost is None or self.half_spread <= 0 else self.cost / self.target / self.half_spread


def observe(order: ParentOrder, trades: Trades, book: Quote | None, settings: Settings) -> ObservedOrder:
    """What is measured of an order that has ended; `book` is the last quote, for what it has not filled."""
    arrival, inside = order.arrival, [each for each in trades.executions if _is_in_session(each, trades)]
    off_session = sum((each.qty for each in trades.executions), _NOTHING) - sum((e.qty for e in inside), _NOTHING)
    return ObservedOrder(
        run_id=order.run_id,
        symbol=order.symbol,
        day=trades.opens.date(),
        feed=settings.data_feed or "",
        arm=order.arm,
        share=settings.control_share,
        outcome=order.outcome,
        target=order.target,
        filled=order.filled,
        off_session=off_session,
        notional=_NOTHING if arrival is None else order.target * arrival.mid,
        half_spread=_NOTHING if arrival is None else arrival.spread / 2,
        spread_ticks=0 if arrival is None else int(arrival.spread / increment(arrival.bid, trades.opens.date())),
        cost=_cost(order, trades.executions, book),
        takes=tuple(_takes(order, inside, trades.intents)),
    )


def _cost(order: ParentOrder, executions: Sequence[Execution], book: Quote | None) -> Decimal | None:
    """Dollars against the arrival mid; what is booked must be what was filled."""
    arrival, sign = order.arrival, order.side.sign
    shares = sum((each.qty for each in executions), _NOTHING)
    if arrival is None or shares != order.filled:
        return None
    paid = sum((each.qty * sign * (each.price - arrival.mid) for each in executions), _NOTHING)
    if order.remaining <= 0:
        return paid
    if book is None or not 0 < book.bid <= book.ask:
        return None
    return paid + order.remaining * sign * (book.mid - arrival.mid)


def _takes(order: ParentOrder, executions: Sequence[Execution], intents: Sequence[Intent]) -> Iterator[Take]:
    """What the order's marketable children traded at once."""
    meant = {intent.client_order_id: intent for intent in intents}
    for child in order.children:
        intent = meant.get(child.client_order_id)
        if intent is None or not _is_marketable(intent):
            continue
        until = child.sent_at + TAKES_WITHIN
        mine = [each for each in executions if each.broker_order_id == child.broker_id and each.at <= until]
        if mine:
            yield _take(child, intent, mine)


def _take(child: Child, intent: Intent, executions: Sequence[Execution]) -> Take:
    qty = sum((each.qty for each in executions), _NOTHING)
    price = sum((each.qty * each.price for each in executions), _NOTHING) / qty
    return Take(
        at=intent.decided_at,
        qty=qty,
        price=price,
        paid=intent.side.sign * (price - intent.quote.mid),
        half_spread=intent.quote.spread / 2,
        is_control=child.is_control,
    )


def _is_marketable(intent: Intent) -> bool:
    """Whether an order reached the far side of a two-sided book when it was sent."""
    quote = intent.quote
    if not 0 < quote.bid < quote.ask:
        return False
    return intent.limit is None or intent.side.sign * (intent.limit - quote.far(intent.side)) >= 0


def _is_in_session(execution: Execution, trades: Trades) -> bool:
    return trades.opens <= execution.at <= trades.closes
