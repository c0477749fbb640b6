"""Which buys are released this turn, from the cash as the broker reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from repeg.domain import limits
from repeg.domain.limits import Funding, Grant, Need
from repeg.domain.parent_order import Outcome, ParentOrder, ParentState
from repeg.domain.plan import TargetsPlan
from repeg.domain.quote import Quote
from repeg.workflow.placement import finish_order
from repeg.workflow.quote_check import hold_order
from repeg.workflow.turn import Turn


class FundingRequest(BaseModel):
    """What buys are released from: what each wants, the dollars there are, and those that sells are sure to bring."""

    model_config = ConfigDict(frozen=True)

    needs: tuple[Need, ...]
    spendable: Decimal
    expected_from_sells: Decimal


class FundingDecision(BaseModel):
    """What each buy may be placed for now, biggest need first."""

    model_config = ConfigDict(frozen=True)

    grants: tuple[Grant, ...]


def decide_funding(purse: FundingRequest) -> FundingDecision:
    """Which buys may go now."""
    return FundingDecision(grants=tuple(limits.grant_cash(purse.needs, purse.spendable, purse.expected_from_sells)))


def fund_buys(
    turn: Turn, buys: Sequence[ParentOrder], orders: Sequence[ParentOrder], quotes: Mapping[str, Quote]
) -> dict[str, Decimal]:
    """Shares that each waiting buy may be placed for now, zero where it has to wait or is not to be had.

    An order that cannot be paid for is ended once nothing of the run is left that could bring cash.
    """
    purse = _purse(turn, buys, orders, quotes)
    release = decide_funding(purse)
    turn.note("run", "release", _told(release), f"{purse.spendable:.2f} to spend",
              "release.decide", {"purse": purse}, release)  # fmt: skip
    grants = {grant.symbol: grant for grant in release.grants}
    nothing_comes = not any(order.state is ParentState.WORKING for order in orders) and not any(
        grant.qty > 0 for grant in grants.values()
    )
    for order in buys:
        _tell(turn, order, grants[order.symbol], purse.spendable, nothing_comes=nothing_comes)
    return {symbol: grant.qty for symbol, grant in grants.items()}


def _purse(
    turn: Turn, buys: Sequence[ParentOrder], orders: Sequence[ParentOrder], quotes: Mapping[str, Quote]
) -> FundingRequest:
    return FundingRequest(
        needs=tuple(_need(order, quotes.get(order.symbol)) for order in buys),
        spendable=turn.ports.broker.account().spendable - limits.headroom(orders) - _reserve(turn) + _previewed(orders),
        # When the close is near, no sell is waited for any more: what the cash buys now is better than nothing.
        expected_from_sells=Decimal(0) if turn.present.close_is_near else limits.expected_from_sells(orders),
    )


def _previewed(orders: Sequence[ParentOrder]) -> Decimal:
    """Dollars that sells would have brought and buys would have cost by now, had they not been for a look only."""
    done = [order for order in orders if order.outcome is Outcome.PREVIEW]
    return -sum((o.side.sign * o.remaining * limits.worst_price(o, None) for o in done), Decimal(0))


def _told(release: FundingDecision) -> str:
    return f"{sum(grant.qty > 0 for grant in release.grants)} of {len(release.grants)} buys"


def _reserve(turn: Turn) -> Decimal:
    """Dollars that a plan of weights wants to stay in cash."""
    wanted = turn.run.plan
    return wanted.cash_reserve * turn.run.opening_equity if isinstance(wanted, TargetsPlan) else Decimal(0)


def _need(order: ParentOrder, quote: Quote | None) -> Need:
    return Need(
        symbol=order.symbol,
        qty=order.remaining,
        worst_price=limits.worst_price(order, quote),
    )


def _tell(turn: Turn, order: ParentOrder, grant: Grant, spendable: Decimal, *, nothing_comes: bool) -> None:
    cash = f"{spendable:.2f} to spend"
    if grant.funding is Funding.SCALED:
        turn.note(order.symbol, "scale", f"{order.remaining} → {grant.qty}", cash)
    if grant.funding is Funding.WAITS_FOR_SELLS:
        hold_order(turn, order, str(grant.funding), f"waits for sells, {cash}")
    if grant.funding is Funding.UNFUNDED:
        if nothing_comes:
            finish_order(turn, order, Outcome.UNFUNDED, f"no cash for a share: {cash}")
        else:
            hold_order(turn, order, str(grant.funding), f"no cash yet, {cash}")
