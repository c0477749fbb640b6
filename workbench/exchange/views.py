"""What the trading API shows of orders, positions, the account and its activities: strings, trimmed decimals."""

from typing import Any, Final

from workbench.exchange.account import Account
from workbench.exchange.figures import (
    MONEY_SCALE,
    PRICE_DIGITS,
    average_text,
    money_text,
    price_text,
    qty_text,
    ratio_text,
    text,
)
from workbench.exchange.knobs import Knobs
from workbench.exchange.ledger import Execution
from workbench.exchange.market import Listing
from workbench.exchange.orders import BUY, Order
from workbench.exchange.portfolio import Holding
from workbench.exchange.seeds import asset_id
from workbench.exchange.stamps import MILLISECOND, utc

View = dict[str, Any]

_UNUSED_OF_ACCOUNT: Final[View] = {
    "admin_configurations": {},
    "user_configurations": None,
    "transfers_blocked": False,
    "options_buying_power": "0",
    "options_approved_level": 0,
    "options_trading_level": 0,
    "accrued_fees": "0",
    "last_maintenance_margin": "0",
    "sma": "0",
    "crypto_tier": 1,
    "intraday_adjustments": "0",
    "pending_reg_taf_fees": "0",
}

# The real API stamps created_at a little after submitted_at.
_FILING_TIME: Final = 91_209


def order_view(order: Order, knobs: Knobs, *, is_nested: bool = True) -> View:
    """One order, with its legs rolled up where nested."""
    terms = order.terms
    filled = order.shown_filled
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": utc(order.created_at + _FILING_TIME),
        "updated_at": utc(max(order.updated_at, order.created_at + _FILING_TIME)),
        "submitted_at": utc(order.submitted_at),
        "filled_at": _stamp(order.filled_at),
        "expired_at": _stamp(order.expired_at),
        "canceled_at": _stamp(order.canceled_at),
        "failed_at": _stamp(order.failed_at),
        "replaced_at": _stamp(order.replaced_at),
        "replaced_by": order.replaced_by.id if order.replaced_by else None,
        "replaces": order.replaces.id if order.replaces else None,
        "asset_id": asset_id(terms.symbol),
        "symbol": terms.symbol,
        "asset_class": "us_equity",
        "notional": None if terms.notional is None else money_text(terms.notional),
        "qty": None if terms.notional is not None else qty_text(order.quantity),
        "filled_qty": qty_text(filled),
        "filled_avg_price": average_text(order.shown_value, filled) if filled else None,
        "order_class": terms.order_class or knobs.simple_order_class,
        "order_type": terms.type,
        "type": terms.type,
        "side": side_word(terms.side),
        "position_intent": terms.position_intent or _intent(order),
        "time_in_force": terms.time_in_force,
        "limit_price": _price(terms.limit),
        "stop_price": _price(terms.stop),
        "status": order.status,
        "extended_hours": terms.extended_hours,
        "legs": [order_view(leg, knobs) for leg in order.legs] if is_nested and order.legs else None,
        "trail_percent": _price(terms.trail_percent),
        "trail_price": _price(terms.trail_price),
        "hwm": None if order.high_water is None else price_text(order.high_water),
        "subtag": None,
        "source": None,
        "expires_at": utc(order.expires_at),
    }


def side_word(side: int) -> str:
    """buy or sell."""
    return "buy" if side == BUY else "sell"


def position_view(holding: Holding, account: Account, listing: Listing | None, price: int, last_close: int) -> View:
    """One position, valued at the price; a short has negative quantity, cost and value."""
    sign = 1 if holding.quantity > 0 else -1
    value = holding.quantity * price
    profit = value - sign * holding.cost
    today = holding.opened_today
    intraday_basis = holding.cost_today + (abs(holding.quantity) - today) * last_close
    intraday = value - sign * intraday_basis
    return {
        "asset_id": asset_id(holding.symbol),
        "symbol": holding.symbol,
        "exchange": listing.exchange if listing else "",
        "asset_class": "us_equity",
        "asset_marginable": bool(listing and listing.marginable),
        "qty": qty_text(holding.quantity),
        "avg_entry_price": average_text(holding.cost, abs(holding.quantity)),
        "side": "long" if sign > 0 else "short",
        "market_value": money_text(value),
        "cost_basis": money_text(sign * holding.cost),
        "unrealized_pl": money_text(profit),
        "unrealized_plpc": _share_of(profit, holding.cost),
        "unrealized_intraday_pl": money_text(intraday),
        "unrealized_intraday_plpc": _share_of(intraday, intraday_basis),
        "current_price": price_text(price),
        "lastday_price": price_text(last_close),
        "change_today": _share_of(price - last_close, last_close),
        "qty_available": qty_text(account.portfolio.available(holding.symbol)),
    }


def account_view(account: Account, last_equity: int, knobs: Knobs) -> View:
    """The account, valued now."""
    switches, power = account.switches, money_text(max(account.portfolio.buying_power(), 0))
    view: View = {
        "id": account.id,
        "account_number": account.number,
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": "USD",
        "created_at": utc(account.opened_at),
        "balance_asof": utc(account.opened_at)[:10],
        "multiplier": str(account.portfolio.multiplier),
        "buying_power": power,
        "regt_buying_power": power,
        "effective_buying_power": power,
        "last_equity": money_text(last_equity),
        "trading_blocked": switches.trading_blocked,
        "account_blocked": switches.account_blocked,
        "trade_suspended_by_user": switches.trade_suspended_by_user,
        "shorting_enabled": switches.shorting_enabled and not switches.no_shorting,
        **_money_view(account),
        **_UNUSED_OF_ACCOUNT,
    }
    if knobs.pdt_fields:
        view |= {"pattern_day_trader": False, "daytrade_count": 0, "daytrading_buying_power": power}
    return view


def _money_view(account: Account) -> View:
    portfolio, cash = account.portfolio, account.ledger.cash
    long_value, short_value = portfolio.long_value(), portfolio.short_value()
    equity, exposure = money_text(cash + long_value + short_value), long_value - short_value
    return {
        "cash": money_text(cash),
        "equity": equity,
        "portfolio_value": equity,
        "long_market_value": money_text(long_value),
        "short_market_value": money_text(short_value),
        "position_market_value": money_text(exposure),
        "non_marginable_buying_power": money_text(max(cash - account.ledger.held_cash, 0)),
        "initial_margin": ratio_text(exposure, portfolio.multiplier * MONEY_SCALE),
        "maintenance_margin": ratio_text(exposure * _maintenance(portfolio.multiplier), 100 * MONEY_SCALE),
    }


def configuration_view(account: Account) -> View:
    """What the client itself has set."""
    switches = account.switches
    return {
        "fractional_trading": switches.fractional_trading,
        "max_margin_multiplier": switches.max_margin_multiplier,
        "max_options_trading_level": None,
        "no_shorting": switches.no_shorting,
        "ptp_no_exception_entry": switches.ptp_no_exception_entry,
        "suspend_trade": switches.trade_suspended_by_user,
        "trade_confirm_email": switches.trade_confirm_email,
    }


def asset_view(listing: Listing, knobs: Knobs) -> View:
    """One asset."""
    view: View = {
        "id": asset_id(listing.symbol),
        "class": "us_equity",
        "exchange": listing.exchange,
        "symbol": listing.symbol,
        "name": listing.name,
        "status": "active",
        "tradable": listing.tradable,
        "marginable": listing.marginable,
        "shortable": listing.shortable,
        "borrow_status": "easy_to_borrow" if listing.easy_to_borrow else "hard_to_borrow",
        "fractionable": listing.fractionable,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "attributes": [],
    }
    if knobs.easy_to_borrow:
        view["easy_to_borrow"] = listing.easy_to_borrow
    return view


def activity_view(execution: Execution) -> View:
    """One fill, as an account activity."""
    return {
        "activity_type": "FILL",
        "id": activity_id(execution),
        "order_id": execution.order_id,
        "symbol": execution.symbol,
        "side": side_word(execution.side),
        "qty": qty_text(execution.quantity),
        "price": price_text(execution.price),
        "cum_qty": qty_text(execution.cumulative),
        "leaves_qty": qty_text(execution.leaves),
        "type": "partial_fill" if execution.leaves else "fill",
        "order_status": "partially_filled" if execution.leaves else "filled",
        "transaction_time": utc(execution.at),
    }


def activity_id(execution: Execution) -> str:
    """Digits of its time to the millisecond, two colons, the execution's id."""
    stamp = utc(execution.at - execution.at % MILLISECOND)
    digits = "".join(character for character in stamp if character.isdigit())
    return f"{digits:0<17}::{execution.id}"


def _maintenance(multiplier: int) -> int:
    """Percent of the exposure that must be covered."""
    return 30 if multiplier > 1 else 100


def _intent(order: Order) -> str:
    word = side_word(order.terms.side)
    return f"{word}_to_{'close' if order.is_closing else 'open'}"


def _stamp(at: int | None) -> str | None:
    return None if at is None else utc(at)


def _price(units: int | None) -> str | None:
    return None if units is None else text(units, PRICE_DIGITS)


def _share_of(part: int, whole: int) -> str:
    return ratio_text(part, whole) if whole else "0"
