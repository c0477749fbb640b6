"""Makes a run's page from its record: the costs with their uncertainty, the buckets of spreads, and the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from repeg.domain.clustered import Sample, mean_of
from repeg.domain.crossing import CrossingCost, crossing_cost, taking_of
from repeg.domain.market_cost import CROSSING_COSTS
from repeg.domain.outcome import Outcome
from repeg.domain.plan import day_of
from repeg.domain.run_page.orders import has_preview, orders_of
from repeg.domain.run_page.page import Bucket, Circumstances, Costs, MarketOrders, OrderOnPage, Payment, RunPage
from repeg.domain.run_page.reading import text_of
from repeg.domain.run_page.record import RunRecord
from repeg.domain.savings import BUCKETS

_NOTHING = Decimal(0)
_HUNDREDTH = Decimal("0.01")

# The outcomes of orders that were never to be traded, which have no cost.
_NEVER_TRADED = frozenset({Outcome.NO_TRADE, Outcome.NOT_SIZED, Outcome.PREVIEW})

CUT_OFF = "the journal does not say how the run ended: it is still going on, or its last part is missing"


def page_of(record: RunRecord, known: Circumstances) -> RunPage:
    """The page of a run, as far as its journal goes. What is missing from it is among the problems."""
    records = sorted(record.orders.values(), key=lambda order: order.symbol)
    outcome, reason = record.outcome or known.outcome, record.reason or known.reason
    orders = orders_of(records, known)
    return RunPage(
        run_id=record.run_id,
        day=_day(record.run_id),
        is_preview=has_preview(records),
        circumstances=known,
        outcome=outcome or "not known",
        reason=reason or CUT_OFF,
        began=record.began,
        ended=record.ended,
        policy=text_of(record.settings.get("policy")),
        feed=text_of(record.settings.get("data_feed")) or known.feed,
        orders=orders,
        costs=_costs(orders, known.crossing or _own_crossing(record)),
        buckets=tuple(_buckets(orders)),
        payments=tuple(_payments(orders)),
        releases=tuple(record.releases),
        events=tuple(record.events),
    )


def _own_crossing(record: RunRecord) -> CrossingCost:
    """What taking cost by this run's control orders alone."""
    measured = [order.measured for order in record.orders.values() if order.measured is not None]
    traded = [order for order in measured if not order.is_preview and order.off_session == 0]
    return crossing_cost(taking_of(traded, is_control=True), ())


def _costs(orders: Sequence[OrderOnPage], crossing: CrossingCost) -> Costs:
    known = [order for order in orders if order.cost is not None and order.notional]
    notional, dollars = _sum(order.notional for order in known), _sum(order.cost for order in known)
    displayed = _sum(order.market for order in known)
    assumed = [(cost, False) for cost in CROSSING_COSTS]
    measured = [] if crossing.value is None else [(crossing.value, True)]
    return Costs(
        orders=len(known),
        unknown=sum(order.cost is None and order.outcome not in _NEVER_TRADED for order in orders),
        notional=notional,
        dollars=dollars,
        interval=mean_of([Sample(o.symbol, o.cost_bps or _NOTHING, o.notional or _NOTHING) for o in known]),
        market=tuple(_market(cost, displayed, notional, dollars, is_measured=own) for cost, own in measured + assumed)
        if known
        else (),
        crossing=crossing,
    )


def _market(
    half_spreads: Decimal, displayed: Decimal, notional: Decimal, paid: Decimal, *, is_measured: bool
) -> MarketOrders:
    dollars = (half_spreads * displayed).quantize(_HUNDREDTH)
    return MarketOrders(half_spreads, dollars, _bps(dollars, notional), dollars - paid, is_measured)


def _buckets(orders: Sequence[OrderOnPage]) -> Iterator[Bucket]:
    known = [order for order in orders if order.cost is not None and order.notional]
    for name, low, high in BUCKETS:
        mine = [order for order in known if low <= (order.spread_ticks or 0) <= high]
        notional, dollars = _sum(order.notional for order in mine), _sum(order.cost for order in mine)
        each = [Sample(order.symbol, order.cost_half_spreads or _NOTHING) for order in mine]
        yield Bucket(
            name, len(mine), notional, dollars, _bps(dollars, notional), mean_of(each), _sum(o.market for o in mine)
        )


def _payments(orders: Sequence[OrderOnPage]) -> Iterator[Payment]:
    """The fills of all orders in the order of time, with what sells had brought and buys had taken by then."""
    received = spent = _NOTHING
    every = sorted(
        (fill.at, order.symbol, order.side, fill.qty, fill.price) for order in orders for fill in order.fills
    )
    for at, symbol, side, qty, price in every:
        dollars = (qty * price).quantize(_HUNDREDTH)
        received, spent = (received + dollars, spent) if side == "sell" else (received, spent + dollars)
        yield Payment(at, symbol, side, qty, price, dollars, received, spent)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((each for each in amounts if each is not None), _NOTHING)


def _bps(dollars: Decimal, notional: Decimal) -> Decimal | None:
    return (dollars / notional * 10_000).quantize(_HUNDREDTH) + 0 if notional else None


def _day(run_id: str) -> date | None:
    try:
        return day_of(run_id)
    except ValueError:
        return None
