"""Which buys are released this turn, from the cash as the broker reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from repeg import risk
from repeg.order import Outcome, ParentOrder, ParentState
from repeg.placement import finish
from repeg.plan import TargetsPlan
from repeg.quote import Quote
from repeg.risk import Funding, Grant, Need
from repeg.turn import Turn
from repeg.validation import hold


def fund(
    turn: Turn, buys: Sequence[ParentOrder], orders: Sequence[ParentOrder], quotes: Mapping[str, Quote]
) -> dict[str, Decimal]:
    """Shares that each waiting buy may be placed for now, zero where it has to wait or is not to be had.

    An order that cannot be paid for is ended once nothing of the run is left that could bring cash.
    """
    spendable = turn.ports.broker.account().spendable - risk.headroom(orders) - _reserve(turn)
    # When the close is near, no sell is waited for any more: what the cash buys now is better than nothing.
    expected = Decimal(0) if turn.present.close_is_near else risk.expected_from_sells(orders)
    needs = [_need(order, quotes.get(order.symbol)) for order in buys]
    grants = {grant.symbol: grant for grant in risk.release_buys(needs, spendable, expected)}
    nothing_comes = not any(order.state is ParentState.WORKING for order in orders) and not any(
        grant.qty > 0 for grant in grants.values()
    )
    for order in buys:
        _tell(turn, order, grants[order.symbol], spendable, nothing_comes=nothing_comes)
    return {symbol: grant.qty for symbol, grant in grants.items()}


def _reserve(turn: Turn) -> Decimal:
    """Dollars that a plan of weights wants to stay in cash."""
    wanted = turn.run.plan
    return wanted.cash_reserve * turn.run.opening_equity if isinstance(wanted, TargetsPlan) else Decimal(0)


def _need(order: ParentOrder, quote: Quote | None) -> Need:
    return Need(
        symbol=order.symbol,
        qty=order.remaining,
        worst_price=risk.worst_price(order, quote),
    )


def _tell(turn: Turn, order: ParentOrder, grant: Grant, spendable: Decimal, *, nothing_comes: bool) -> None:
    cash = f"{spendable:.2f} to spend"
    if grant.funding is Funding.SCALED:
        turn.note(order.symbol, "scale", f"{order.remaining} → {grant.qty}", cash)
    if grant.funding is Funding.WAITS_FOR_SELLS:
        hold(turn, order, str(grant.funding), f"waits for sells, {cash}")
    if grant.funding is Funding.UNFUNDED:
        if nothing_comes:
            finish(turn, order, Outcome.UNFUNDED, f"no cash for a share: {cash}")
        else:
            hold(turn, order, str(grant.funding), f"no cash yet, {cash}")
