"""Funding: which buys the cash is there for, while the run's sells are still bringing some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from repeg.domain.broker import Account
from repeg.domain.child_order import UNRESOLVED, Child, ChildState
from repeg.domain.frozen import Frozen
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.setting_types import FundBuysFrom


class Need(Frozen):
    """A buy that needs cash: shares, and the worst price that each may cost.

    `least` are the fewest shares worth placing before the cash for the rest is there; None: not fewer than all. `place`
    are the dollars that its turn goes by: those of the whole order, where a part of it has been bought or is being so.
    """

    symbol: str
    qty: Decimal
    worst_price: Decimal
    least: Decimal | None = None
    place: Decimal | None = None

    @property
    def rank(self) -> tuple[Decimal, str]:
        """Sorts the biggest order first."""
        return -(self.cost if self.place is None else self.place), self.symbol

    @property
    def cost(self) -> Decimal:
        """Dollars that the whole need may cost."""
        return self.qty * self.worst_price


class Funding(StrEnum):
    """Whether a buy may be placed: in full, in part before its sells have paid for the rest, scaled to cash that will
    not become more, later (when sells have paid for it, or when the balance shows what was just bought, sold or
    cancelled), or not at all."""

    FUNDED = "funded"
    IN_PART = "in_part"
    SCALED = "scaled"
    WAITS_FOR_SELLS = "waits_for_sells"
    WAITS_FOR_BALANCE = "waits_for_balance"
    UNFUNDED = "unfunded"


_SENDS_NO_REST = frozenset({HoldReason.BUDGET, HoldReason.ATTEMPTS})
_WAITING = frozenset({Funding.IN_PART, Funding.WAITS_FOR_SELLS, Funding.WAITS_FOR_BALANCE})


class Grant(Frozen):
    """The shares that a buy may be placed for now."""

    symbol: str
    funding: Funding
    qty: Decimal = Decimal(0)


class FundingRequest(Frozen):
    """The needs of all waiting buys, the dollars available, and the least that the open sells will bring.

    The dollars available may turn out to be more by as much as is `unsettled`, which was taken off them because it was
    just spent, if the balance shows that already; and by what was just `freed`, if it does not. `rests` are what the
    open children of other buys leave, which is sent once they have ended.
    """

    needs: tuple[Need, ...]
    rests: tuple[Need, ...] = ()
    spendable: Decimal
    expected_from_sells: Decimal
    unsettled: Decimal = Decimal(0)
    freed: Decimal = Decimal(0)


class FundingDecision(Frozen):
    """What each buy may be placed for now, biggest need first."""

    grants: tuple[Grant, ...]


def decide_funding(request: FundingRequest) -> FundingDecision:
    """Which buys may be placed now."""
    cash = request.spendable, request.expected_from_sells, request.unsettled
    return FundingDecision(grants=tuple(grant_cash(request.needs, *cash, request.rests, request.freed)))


def grant_cash(
    needs: Sequence[Need],
    spendable: Decimal,
    expected_from_sells: Decimal,
    unsettled: Decimal = Decimal(0),
    rests: Sequence[Need] = (),
    freed: Decimal = Decimal(0),
) -> list[Grant]:
    """Grant cash to buys, biggest first.

    A buy that waits for sells is placed in part as soon as the cash is there for a part worth placing. A smaller buy
    may pass a bigger one that waits only if the cash from the open sells will cover both. With no sells left, a buy
    that does not fit is scaled to whole shares, or skipped; but not while it may fit once the `unsettled` and `freed`
    dollars are known to be there, nor while a bigger one waits for them. No smaller buy passes on account of what was
    freed: the cash may have it already. The rest of a bigger buy waits in its place: with no sells left, its cash is
    kept for it.
    """
    grants: list[Grant] = []
    cash, waiting = spendable, Decimal(0)
    resting = {rest.symbol for rest in rests}
    for need in sorted((*needs, *rests), key=lambda n: n.rank):
        if need.symbol in resting:
            waiting += need.cost if expected_from_sells > 0 else Decimal(0)
            cash -= need.cost if expected_from_sells <= 0 else Decimal(0)
            continue
        free = min(cash, cash + expected_from_sells + unsettled - waiting)
        grant = _grant(need, cash, free, unsettled + freed, has_sells=expected_from_sells > 0)
        granted = grant.qty * need.worst_price
        if grant.funding in _WAITING:
            waiting += need.cost - granted
        cash -= granted
        grants.append(grant)
    return grants


def balance_for_buys(account: Account, source: FundBuysFrom) -> Decimal:
    """Dollars that the account has for new buys, after what the broker has reserved for open ones."""
    return account.spendable if source is FundBuysFrom.CASH else max(account.buying_power, Decimal(0))


def worst_price(order: ParentOrder, quote: Quote | None) -> Decimal:
    """The most (buy) or least (sell) that a share may trade at: the collar, or the far side before there is one."""
    if order.collar is not None:
        return order.collar
    far = quote.far(order.side) if quote is not None else Decimal(0)
    return far if far > 0 else order.reference_price


def rests_of(orders: Iterable[ParentOrder]) -> tuple[Need, ...]:
    """What the open children of buys leave to be sent after them, each in the place of its whole order."""
    return tuple(
        _rest(order, child) for order in orders if (child := order.open_child) and _leaves_a_rest(order, child)
    )


def place_of(order: ParentOrder, price: Decimal) -> Decimal:
    """Dollars that an order's turn goes by: those of its whole target, whatever part of it has been bought."""
    return order.target * price


def headroom(orders: Iterable[ParentOrder]) -> Decimal:
    """Dollars that open buys may need beyond what the broker has reserved for them: from their limits to collars."""
    return sum((_headroom(order) for order in orders if order.side is Side.BUY), Decimal(0))


def expected_from_sells(orders: Iterable[ParentOrder]) -> Decimal:
    """The least that the run's unfinished sells will bring, in dollars, at their collars.

    One that is held because its shares are not there brings nothing until they are: no buy waits for it.
    """
    unfinished = [order for order in orders if order.side is Side.SELL and order.outcome is None]
    unfinished = [order for order in unfinished if order.held is not HoldReason.NOT_HELD]
    return sum((order.remaining * worst_price(order, None) for order in unfinished), Decimal(0))


def buys_wait_for_sells(orders: Iterable[ParentOrder]) -> bool:
    """Whether a buy waits for the cash of the run's sells."""
    return any(
        order.side is Side.BUY and order.outcome is None and order.held is HoldReason.WAITS_FOR_SELLS
        for order in orders
    )


def _grant(need: Need, cash: Decimal, free: Decimal, late: Decimal, *, has_sells: bool) -> Grant:
    """What a buy is granted. `free` is the cash that no bigger one waits for, `late` what the balance may not show."""
    if need.cost <= free:
        return Grant(symbol=need.symbol, funding=Funding.FUNDED, qty=need.qty)
    if has_sells:
        part = _whole_shares(free, need.worst_price)
        if need.least is not None and part >= need.least:
            return Grant(symbol=need.symbol, funding=Funding.IN_PART, qty=part)
        return Grant(symbol=need.symbol, funding=Funding.WAITS_FOR_SELLS)
    if need.cost <= cash + late or free < cash:
        return Grant(symbol=need.symbol, funding=Funding.WAITS_FOR_BALANCE)
    qty = _whole_shares(cash, need.worst_price)
    if qty <= 0:
        return Grant(symbol=need.symbol, funding=Funding.UNFUNDED)
    return Grant(symbol=need.symbol, funding=Funding.SCALED, qty=qty)


def _leaves_a_rest(order: ParentOrder, child: Child) -> bool:
    """Whether an order needs cash beyond its open child's. One that sends no more, or that a budget holds, does not."""
    if order.side is Side.SELL or order.sends_no_more or order.held in _SENDS_NO_REST:
        return False
    return child.remaining < order.remaining


def _rest(order: ParentOrder, child: Child) -> Need:
    worst = worst_price(order, order.arrival)
    left = order.remaining - child.remaining
    return Need(symbol=order.symbol, qty=left, worst_price=worst, place=place_of(order, worst))


def _whole_shares(dollars: Decimal, price: Decimal) -> Decimal:
    return (max(dollars, Decimal(0)) / price).quantize(Decimal(1), ROUND_FLOOR)


def _headroom(order: ParentOrder) -> Decimal:
    """The largest need of an open child: of an order and its replacement only one can fill."""
    return max((_needed(order, child) for child in order.open_children), default=Decimal(0))


def _needed(order: ParentOrder, child: Child) -> Decimal:
    """Dollars beyond the broker's reservation; a child in flight, or just cancelled, may have none."""
    if child.state in UNRESOLVED or child.state is ChildState.CANCELLING:
        # A market order may cost more than the collar; its notional says how much.
        return max(worst_price(order, order.arrival), child.notional / child.qty) * child.remaining
    if child.limit is None or order.collar is None:
        return Decimal(0)
    return max(Decimal(0), order.collar - child.limit) * child.remaining
