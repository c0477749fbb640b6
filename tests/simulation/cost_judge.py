"""Checks a finished day's costs against the exchange's ledger and the market's own record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from repeg.domain.amount import in_cents
from repeg.domain.markouts import CLOSE, HORIZONS
from repeg.domain.parent_order import ParentOrder
from repeg.domain.report import OrderRow, Report
from repeg.domain.session import TradingDay
from repeg.domain.shortfall import PARTS
from repeg_workbench.exchange.broker.ledger import Execution
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.time.calendar import nanoseconds
from repeg_workbench.exchange.units import price as dollars_of
from repeg_workbench.exchange.units import qty as shares_of

_MICROSECOND = 1_000


def parts_add_up(exchange: Exchange, orders: Iterable[ParentOrder], report: Report) -> None:
    """Each shortfall is what the ledger's fills say, to the cent, and so is the sum of its parts; the run's is the sum
    of its orders'. An order without one says why."""
    by_symbol = {order.symbol: order for order in orders}
    for row in report.orders:
        _parts_of_one_add_up(row, by_symbol[row.symbol], fills_of(exchange, row.symbol))
    known = [row.shortfall for row in report.orders if row.shortfall is not None]
    assert report.costs is not None
    assert report.costs.shortfall is not None
    for name in ("worth", "dollars", *PARTS):
        values = [getattr(each, name) for each in known]
        total = None if None in values else sum(values)
        assert getattr(report.costs.shortfall, name) == total, name


def _parts_of_one_add_up(row: OrderRow, order: ParentOrder, fills: Sequence[Execution]) -> None:
    decision = order.decision or order.arrival
    if decision is None or row.shortfall is None:
        assert (decision, row.shortfall) == (None, None), row.symbol
        assert row.uncosted, row.symbol
        return
    start, left = decision.mid, order.target - sum((shares_of(fill.quantity) for fill in fills), Decimal(0))
    paid = sum((shares_of(fill.quantity) * (dollars_of(fill.price) - start) for fill in fills), Decimal(0))
    if left and row.last_mid is None:
        assert row.shortfall.dollars is None, row.symbol
        assert "no last price" in row.shortfall.missing, row.symbol
        return
    unfilled = left * ((row.last_mid or start) - start)
    assert row.shortfall.dollars == in_cents(order.side.sign * (paid + unfilled)), row.symbol
    assert row.shortfall.dollars == sum(getattr(row.shortfall, name) for name in PARTS), row.symbol


def measured_from_the_market(exchange: Exchange, market: Market, day: TradingDay, report: Report) -> None:
    """The spread and the markouts of each order are those of the quotes that the market had."""
    assert report.costs is not None
    assert report.costs.books == ("sip" if exchange.ledger.executions else "")
    for row in report.orders:
        fills, sign = fills_of(exchange, row.symbol), 1 if row.side == "buy" else -1
        found = {markout.horizon: markout for markout in row.markouts}
        assert set(found) == ({*HORIZONS, CLOSE} if fills else set())
        if fills and row.shortfall is not None:
            before = [_mid(market, day.day, row.symbol, _stamp(fill) - _MICROSECOND) for fill in fills]
            assert row.shortfall.unsplit == 0
            spread = sign * sum(
                shares_of(f.quantity) * (dollars_of(f.price) - mid) for f, mid in zip(fills, before, strict=True)
            )
            assert abs(row.shortfall.spread - spread) < Decimal("0.01"), row.symbol
        for horizon, markout in found.items():
            _markout_is_the_markets(fills, sign, market, day, row.symbol, horizon, markout.dollars)


def _markout_is_the_markets(
    fills: Sequence[Execution], sign: int, market: Market, day: TradingDay, symbol: str, horizon: str,
    reported: Decimal | None,
) -> None:  # fmt: skip
    close, moved, measured = nanoseconds(day.close), Decimal(0), 0
    for fill in fills:
        at = close if horizon == CLOSE else _stamp(fill) + int(HORIZONS[horizon].total_seconds()) * 1_000_000_000
        if at <= close:
            measured += 1
            moved += sign * shares_of(fill.quantity) * (_mid(market, day.day, symbol, at) - dollars_of(fill.price))
    assert reported == (in_cents(moved) if measured else None), (symbol, horizon)


def fills_of(exchange: Exchange, symbol: str) -> list[Execution]:
    """The ledger's executions of a symbol."""
    return [execution for execution in exchange.ledger.executions if execution.symbol == symbol]


def _stamp(fill: Execution) -> int:
    """When the broker says that a fill was: its times are read to the microsecond."""
    return fill.at // _MICROSECOND * _MICROSECOND


def _mid(market: Market, day: date, symbol: str, at: int) -> Decimal:
    """The mid of the last quote up to a time, in dollars."""
    found = market.day(symbol, day)
    assert found is not None
    row = int(found.quotes.ts.searchsorted(at, "right")) - 1
    return (dollars_of(int(found.quotes.bid[row])) + dollars_of(int(found.quotes.ask[row]))) / 2
