"""Builders of domain objects; the defaults are a quiet book at noon on an ordinary trading day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from repeg.adapters.alpaca.parsing import state_of
from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, ChildState, OrderReport, Rung
from repeg.domain.moment import Moment
from repeg.domain.order_ids import LOCAL_TAG
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import OrdersPlan, PlanOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.report import OrderRow, Report, Totals
from repeg.domain.run import Run
from repeg.domain.session import TradingDay, trading_day
from repeg.domain.settings import Settings

MONDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
WINDOW_CLOSES = datetime(2026, 11, 23, 20, 55, tzinfo=UTC)


def after_noon(seconds: float) -> datetime:
    """A time on the trading day, that many seconds after noon in New York."""
    return NOON + timedelta(seconds=seconds)


def a_day(day: date = MONDAY, opens: time = time(9, 30), closes: time = time(16, 0)) -> TradingDay:
    """A core session of that date, by New York wall times."""
    return trading_day(day, opens, closes)


def a_quote(
    bid: str = "100.00",
    ask: str = "100.05",
    *,
    bid_size: str = "500",
    ask_size: str = "500",
    at: datetime | None = NOON,
    symbol: str = "AAPL",
) -> Quote:
    """A quote five cents wide with 500 shares a side, timestamped noon."""
    return Quote(
        symbol=symbol, bid=Decimal(bid), ask=Decimal(ask), bid_size=Decimal(bid_size), ask_size=Decimal(ask_size), at=at
    )


def settings_with(**values: Any) -> Settings:
    """The default settings with these values; orders follow the original rule where they do not say otherwise."""
    return Settings.model_validate(worked_by(values))


def worked_by(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings that follow the original rule where they name none: it looks once a turn, so a turn is one decision."""
    named = {"policy", "use_smart_limit_execution"} & settings.keys()
    return settings if named else {"policy": "anchor", **settings}


def a_moment(now: datetime = NOON, closes: datetime = WINDOW_CLOSES, turn_seconds: int = 30) -> Moment:
    """A turn, by default hours before the close."""
    return Moment(now=now, closes=closes, turn_seconds=turn_seconds)


def a_child(
    limit: str | None = "100.01",
    *,
    qty: str = "100",
    filled: str = "0",
    price: str | None = None,
    state: ChildState = ChildState.LIVE,
    rung: Rung = Rung.PASSIVE,
    n: int = 1,
    notional: str = "0",
    replaces: int | None = None,
) -> Child:
    """A passive child, resting at the broker."""
    return Child(
        n=n,
        client_order_id=f"rp{LOCAL_TAG}-core-261123.AAPL.b.{n}",
        qty=Decimal(qty),
        limit=None if limit is None else Decimal(limit),
        rung=rung,
        state=state,
        decided_at=NOON,
        broker_id=f"broker-{n}",
        filled=Decimal(filled),
        average_price=None if price is None else Decimal(price),
        notional=Decimal(notional),
        replaces=replaces,
    )


def an_order(side: Side = Side.BUY, target: str = "100", *children: Child, **fields: Any) -> ParentOrder:
    """An order with an arrival quote of 100.00 × 100.05 and a collar five dollars away."""
    stated: dict[str, Any] = {
        "run_id": "core-2026-11-23",
        "symbol": "AAPL",
        "reference_price": Decimal("100.02"),
        "arrival": a_quote(),
        "collar": Decimal("105.00") if side is Side.BUY else Decimal("95.00"),
    }
    return ParentOrder(side=side, target=Decimal(target), children=children, **{**stated, **fields})


def resting(
    limit: str | None = "100.01", side: Side = Side.BUY, *, rung: Rung = Rung.PASSIVE, **fields: Any
) -> ParentOrder:
    """An order whose first child was placed at noon and rests unfilled."""
    stated: dict[str, Any] = {"first_placed_at": NOON, "rung": rung}
    return an_order(side, "100", a_child(limit, rung=rung), **{**stated, **fields})


def a_report(status: str = "new", *, filled: str = "0", price: str | None = None, **fields: Any) -> OrderReport:
    """The broker's report of the first child."""
    stated: dict[str, Any] = {
        "broker_id": "broker-1",
        "client_order_id": f"rp{LOCAL_TAG}-core-261123.AAPL.b.1",
        "symbol": "AAPL",
        "side": Side.BUY,
        "qty": Decimal(100),
        "limit": Decimal("100.01"),
        "submitted_at": NOON,
    }
    average = None if price is None else Decimal(price)
    stated |= {"status": status, "state": state_of(status)}
    return OrderReport(filled_qty=Decimal(filled), average_price=average, **{**stated, **fields})


def an_execution(qty: str, price: str, symbol: str = "AAPL", side: Side = Side.BUY) -> Execution:
    """A fill at noon; its id is its content."""
    return Execution(
        activity_id=f"{symbol}:{side}:{qty}:{price}",
        broker_order_id="broker-1",
        symbol=symbol,
        side=side,
        qty=Decimal(qty),
        price=Decimal(price),
        at=NOON,
    )


def a_run(**fields: Any) -> Run:
    """A running run with a plan of one order, on its own day."""
    stated: dict[str, Any] = {
        "run_id": "core-2026-11-23",
        "owner": "execution-1",
        "trading_day": a_day(),
        "plan": OrdersPlan(name="core", orders=(PlanOrder(symbol="AAPL", side=Side.BUY, qty=Decimal(100)),)),
        "settings": settings_with(),
        "started_at": NOON,
    }
    return Run(**{**stated, **fields})


def a_report_of(run_id: str = "core-2026-03-05", *, outcome: str = "settled", rows: int = 1) -> Report:
    """A run's report with that many identical rows of a filled order."""
    row = OrderRow(
        symbol="AAPL", side="buy", qty=Decimal(40), filled_qty=Decimal(40), average_price=Decimal("189.41"),
        arrival_mid=Decimal("189.42"), cost_bps=Decimal("1.25"), cost_half_spreads=Decimal("-0.5"), moves=3, children=4,
        outcome=Outcome.FILLED, reason="filled",
    )  # fmt: skip
    totals = Totals(
        orders=rows, orders_filled=rows, filled_notional=Decimal("7576.40"), cost_bps=Decimal("1.25"),
        market_cost_bps=Decimal("2.5"), executions=rows,
    )  # fmt: skip
    return Report(
        run_id=run_id, outcome=outcome, error="" if outcome == "settled" else "Swept",
        reason="every order has an outcome", trading_date="2026-03-05", preview=False, orders=(row,) * rows,
        totals=totals,
    )  # fmt: skip
