"""The trading API's JSON for the account, positions, assets and calendar: strings with trimmed decimals."""

from functools import cache
from typing import Any, Final

from repeg_workbench.exchange.broker.account import Account
from repeg_workbench.exchange.broker.portfolio import Holding
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.figures import MONEY_SCALE, average_text, money_text, price_text, qty_text, ratio_text
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.exchange.seeds import asset_id
from repeg_workbench.exchange.time.calendar import Session
from repeg_workbench.exchange.time.hours import hours_of
from repeg_workbench.exchange.time.stamps import new_york, utc

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


def position_view(holding: Holding, account: Account, listing: Listing | None, price: int, last_close: int) -> View:
    """One position, valued at the given price; a short has negative quantity, cost and value."""
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


def account_view(account: Account, quirks: BrokerQuirks) -> View:
    """The account at its present value."""
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
        "last_equity": money_text(account.portfolio.last_equity),
        "trading_blocked": switches.trading_blocked,
        "account_blocked": switches.account_blocked,
        "trade_suspended_by_user": switches.trade_suspended_by_user,
        "shorting_enabled": switches.shorting_enabled and not switches.no_shorting,
        **_money_view(account),
        **_UNUSED_OF_ACCOUNT,
    }
    if quirks.pdt_fields:
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
    """The settings that the client can change."""
    switches = account.switches
    return {
        "disable_overnight_trading": switches.disable_overnight_trading,
        "fractional_trading": switches.fractional_trading,
        "max_margin_multiplier": switches.max_margin_multiplier,
        "max_options_trading_level": switches.max_options_trading_level,
        "no_shorting": switches.no_shorting,
        "ptp_no_exception_entry": switches.ptp_no_exception_entry,
        "suspend_trade": switches.trade_suspended_by_user,
        "trade_confirm_email": switches.trade_confirm_email,
    }


def asset_view(listing: Listing, quirks: BrokerQuirks) -> View:
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
    if quirks.easy_to_borrow:
        view["easy_to_borrow"] = listing.easy_to_borrow
    return view


# Formatting sixty years of days takes a good part of a second, during which a server answers no other call.
@cache
def calendar_view(session: Session, following: Session) -> View:
    """One trading day; its trades settle on the following one."""
    hours = hours_of(session)
    opens, closes, pre, post = (new_york(at)[11:16] for at in (hours.open, hours.close, hours.pre, hours.post))
    return {
        "date": session.day.isoformat(),
        "open": opens,
        "close": closes,
        "session_open": pre.replace(":", ""),
        "session_close": post.replace(":", ""),
        "settlement_date": following.day.isoformat(),
    }


def _maintenance(multiplier: int) -> int:
    """Maintenance margin as a percentage of the exposure."""
    return 30 if multiplier > 1 else 100


def _share_of(part: int, whole: int) -> str:
    return ratio_text(part, whole) if whole else "0"
