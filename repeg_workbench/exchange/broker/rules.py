"""The account's rules for a new order: switches, wash trades, shares, short sales, buying power."""

from datetime import time
from typing import Final

from repeg_workbench.exchange.broker.account import Account, Switches
from repeg_workbench.exchange.broker.orders import BUY, SELL, Order, Status, Terms, quantity_for
from repeg_workbench.exchange.broker.portfolio import SHORT_MARGIN_PERCENT
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.figures import money_text, price_text, qty_text
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.exchange.matching.venue import Venue
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.time.hours import TradingHours
from repeg_workbench.exchange.time.stamps import MINUTE, local_clock
from repeg_workbench.exchange.units import PRICE_SCALE

# A market buy is checked and executed at up to this many bps above the ask; more below fifty dollars.
_COLLAR_BPS: Final = 400
_COLLAR_BPS_OF_DEAR: Final = 250
_DEAR: Final = 50 * PRICE_SCALE
_CENT: Final = PRICE_SCALE // 100
_AUCTION_REOPENS: Final = time(19)
_OPENING_CUTOFF: Final = 2 * MINUTE
_CLOSING_CUTOFF: Final = 10 * MINUTE


def check_switches(switches: Switches, terms: Terms, *, is_closing: bool) -> None:
    """Refuse the order if the account is not allowed to trade."""
    if switches.account_blocked or switches.trading_blocked:
        raise Refusal.forbidden("trading is blocked for this account")
    if switches.trade_suspended_by_user:
        raise Refusal.forbidden("new orders are rejected by user request")
    if switches.liquidation_only and not is_closing:
        raise Refusal.forbidden("account is restricted to liquidation only")
    if terms.is_fractional and not switches.fractional_trading:
        raise Refusal.forbidden("account is not allowed to trade fractional shares")


def check_auction_window(terms: Terms, hours: TradingHours, at: int) -> None:
    """Refuse auction orders after the auction's cutoff and before 19:00, when the next day's are accepted."""
    if terms.time_in_force not in {"opg", "cls"}:
        return
    today = hours.on(hours.day(at))
    if today is None or local_clock(at) >= _AUCTION_REOPENS:
        return
    if terms.time_in_force == "opg" and at >= today.open - _OPENING_CUTOFF:
        raise Refusal.forbidden("opg orders are not accepted after 9:28am and before 7:00pm ET")
    if terms.time_in_force == "cls" and at >= today.close - _CLOSING_CUTOFF:
        raise Refusal.forbidden("cls orders are not accepted after 3:55pm and before 7:00pm ET")


def check_wash_trade(account: Account, terms: Terms, quirks: BrokerQuirks) -> None:
    """Refuse an order that could trade with an opposite order of the account; complex orders are exempt."""
    if terms.is_advanced or terms.is_trailing:
        return
    for order in account.orders.open_in(terms.symbol, -terms.side):
        if not _is_exempt(order, quirks) and _could_meet(order.terms, terms):
            raise _wash_trade(order)


def check_opening(account: Account, terms: Terms, listing: Listing, quirks: BrokerQuirks) -> None:
    """Check an order that opens or adds to a position: shorts must be allowed, and only one side may be open."""
    if terms.side == SELL:
        _check_short(account, terms, listing, quirks)
    elif any(not order.is_closing for order in account.orders.open_in(terms.symbol, SELL)):
        raise Refusal.forbidden("cannot open a long buy while a short sell order is open")


def check_class(terms: Terms, last: int, *, is_closing: bool) -> None:
    """Brackets and one-triggers-others must enter a position, one-cancels-others exit one; all must be day or gtc.

    The exit prices must lie on either side of the order's own: its limit, or else the last price.
    """
    if not terms.is_advanced:
        return
    name = terms.order_class
    if terms.time_in_force not in {"day", "gtc"}:
        raise Refusal.unprocessable(f"{name} orders must be DAY or GTC orders")
    if name == "oco" and not is_closing:
        raise Refusal.unprocessable("oco orders must be exit orders")
    if name != "oco" and is_closing:
        raise Refusal.unprocessable(f"{name} orders must be entry orders")
    entry = -terms.side if name == "oco" else terms.side
    if terms.take_profit and terms.stop_loss and (terms.take_profit - terms.stop_loss) * entry <= 0:
        word = ">" if entry == BUY else "<"
        raise Refusal.unprocessable(f"take_profit.limit_price must be {word} stop_loss.stop_price")
    if name == "oco":
        _check_exit("stop_loss.stop_price", terms.stop_loss, last, -entry)
    else:
        base = terms.limit or last
        _check_exit("take_profit.limit_price", terms.take_profit, base, entry)
        _check_exit("stop_loss.stop_price", terms.stop_loss, base, -entry)


def _check_exit(field: str, exit_price: int | None, base: int, beyond: int) -> None:
    """Refuse exit prices less than a cent beyond the base price, upwards (+1) or downwards (-1)."""
    if exit_price and base and (exit_price - base) * beyond < _CENT:
        bound = "<= base_price - 0.01" if beyond < 0 else ">= base_price + 0.01"
        raise Refusal.unprocessable(f"{field} must be {bound}", base_price=price_text(base))


def check_shares(account: Account, symbol: str, quantity: int) -> None:
    """Refuse closing orders for more than the position's available shares; a position cannot be flipped."""
    portfolio = account.portfolio
    available = portfolio.available(symbol)
    if quantity <= available:
        return
    holders = [order.id for side in (BUY, SELL) for order in account.orders.open_in(symbol, side) if order.held_shares]
    raise Refusal.forbidden(
        f"insufficient qty available for order (requested: {qty_text(quantity)}, available: {qty_text(available)})",
        available=qty_text(available),
        existing_qty=qty_text(abs(portfolio.quantity(symbol))),
        held_for_orders=qty_text(account.ledger.held_shares(symbol)),
        related_orders=holders,
        symbol=symbol,
    )


def check_buying_power(account: Account, cost: int) -> None:
    """Refuse orders whose cost (money units) exceeds buying power."""
    power = account.portfolio.buying_power()
    if cost > power:
        raise Refusal.forbidden(
            "insufficient buying power", buying_power=money_text(max(power, 0)), cost_basis=money_text(cost)
        )


def reserve_price(terms: Terms, venue: Venue, at: int) -> int:
    """Price units at which an opening order's hold is computed; for a market buy also its maximum price."""
    if terms.side == BUY and terms.limit is not None:
        return terms.limit
    quote = venue.quote(terms.symbol, at)
    ask = (quote.ask if quote else 0) or venue.price(terms.symbol, at)
    if terms.side == SELL:
        return max(terms.limit or terms.stop or 0, -(-ask * SHORT_MARGIN_PERCENT // 100))
    if terms.notional is not None:
        return ask
    return collar(terms.stop or ask)


def size(terms: Terms, venue: Venue, at: int) -> int:
    """The order's quantity units; for a notional order at its limit or at the current far side."""
    if terms.quantity is not None:
        return terms.quantity
    quote = venue.quote(terms.symbol, at)
    side = (quote.ask if terms.side == BUY else quote.bid) if quote else 0
    price = terms.limit or side or venue.price(terms.symbol, at)
    return quantity_for(terms.notional or 0, price) if price else 0


def collar(price: int) -> int:
    """The maximum price of a market buy: the collar's bps above the given price, rounded up to a tick."""
    units = price + price * (_COLLAR_BPS if price < _DEAR else _COLLAR_BPS_OF_DEAR) // 10_000
    step = PRICE_SCALE // 100 if units >= PRICE_SCALE else 1
    return -(-units // step) * step


def _check_short(account: Account, terms: Terms, listing: Listing, quirks: BrokerQuirks) -> None:
    if terms.is_fractional:
        raise Refusal.unprocessable("fractional orders cannot be sold short")
    switches = account.switches
    if not switches.shorting_enabled or switches.no_shorting or account.portfolio.multiplier == 1:
        raise Refusal.forbidden("account is not allowed to short")
    if any(not order.is_closing for order in account.orders.open_in(terms.symbol, BUY)):
        raise Refusal.forbidden("cannot open a short sell while a long buy order is open")
    is_borrowable = listing.shortable and (listing.easy_to_borrow or quirks.hard_to_borrow_short == "allowed")
    if not is_borrowable:
        raise Refusal.forbidden(f'asset "{terms.symbol}" cannot be sold short')


def _is_exempt(order: Order, quirks: BrokerQuirks) -> bool:
    if order.status is Status.PENDING_CANCEL and not quirks.wash_trade_counts_pending_cancel:
        return True
    return order.terms.is_advanced or order.terms.is_trailing or order.parent is not None


def _could_meet(existing: Terms, new: Terms) -> bool:
    if not (existing.has_limit and new.has_limit):
        return True
    buy, sell = (existing, new) if existing.side == BUY else (new, existing)
    return (buy.limit or 0) >= (sell.limit or 0)


def _wash_trade(order: Order) -> Refusal:
    kind = "limit" if order.terms.has_limit else "market/stop"
    return Refusal.forbidden(
        "potential wash trade detected. use complex orders",
        existing_order_id=order.id,
        reject_reason=f"opposite side {kind} order exists",
    )
