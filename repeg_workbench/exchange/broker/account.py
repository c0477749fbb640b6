"""The account: switches, orders, ledger and portfolio."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from repeg_workbench.exchange.broker.ledger import USD, Ledger
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker.orders import Order
from repeg_workbench.exchange.broker.portfolio import Portfolio
from repeg_workbench.exchange.figures import PRICE_DIGITS, QTY_DIGITS, exact, money

_NONE: Final[Mapping[str, Order]] = {}


@dataclass(slots=True)
class Switches:
    """The account's permissions and settings; the client can change some of them."""

    shorting_enabled: bool
    fractional_trading: bool
    trading_blocked: bool
    account_blocked: bool
    liquidation_only: bool
    trade_suspended_by_user: bool
    no_shorting: bool = False
    trade_confirm_email: str = "all"
    ptp_no_exception_entry: bool = False
    max_margin_multiplier: str = "4"
    max_options_trading_level: int = 0
    disable_overnight_trading: bool = False


class Blotter:
    """All orders ever accepted, oldest first, and the open ones by symbol and side."""

    def __init__(self) -> None:
        self.by_id: dict[str, Order] = {}
        self.by_client_id: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self._open_in: dict[tuple[str, int], dict[str, Order]] = {}

    def add(self, order: Order) -> None:
        """Add a new order."""
        self.by_id[order.id] = order
        self.by_client_id[order.client_order_id] = order
        if order.is_open:
            self.open[order.id] = order
            self._open_in.setdefault((order.terms.symbol, order.terms.side), {})[order.id] = order

    def close(self, order: Order) -> None:
        """Remove a terminal order from the open ones."""
        self.open.pop(order.id, None)
        self._open_in[order.terms.symbol, order.terms.side].pop(order.id, None)

    def open_in(self, symbol: str, side: int) -> Iterable[Order]:
        """The open orders of one symbol and side, oldest first."""
        return self._open_in.get((symbol, side), _NONE).values()

    def is_taken(self, client_order_id: str, scope: str) -> bool:
        """Whether the id is in use; in the scope "forever", also whether it ever was."""
        order = self.by_client_id.get(client_order_id)
        return order is not None and (scope == "forever" or order.is_open)


class Account:
    """One account: its identity on the wire and its books."""

    def __init__(self, opening: OpeningAccount, account_id: str, at: int, price: Callable[[str], int]) -> None:
        self.id = account_id
        self.number = f"PA{account_id.replace('-', '')[:10].upper()}"
        self.opened_at = at
        self.orders = Blotter()
        self.ledger = Ledger()
        self.portfolio = Portfolio(self.ledger, opening.multiplier, price)
        self.switches = Switches(
            shorting_enabled=opening.shorting_enabled,
            fractional_trading=opening.fractional_trading,
            trading_blocked=opening.trading_blocked,
            account_blocked=opening.account_blocked,
            liquidation_only=opening.liquidation_only,
            trade_suspended_by_user=opening.trade_suspended_by_user,
        )
        self._open(opening, at)

    def is_sound(self) -> bool:
        """Whether positions and holds agree with the ledger, and only open orders are listed as open."""
        ledger, held = self.ledger, Counter[str]()
        for order in self.orders.by_id.values():
            held[USD] += order.held_cash
            held[order.terms.symbol] += order.held_shares
        holdings = self.portfolio.holdings
        return (
            held[USD] == ledger.held_cash
            and all(held[symbol] == ledger.held_shares(symbol) for symbol in {*held, *holdings} - {USD})
            and all(holding.quantity == ledger.position(symbol) for symbol, holding in holdings.items())
            and all(order.is_open for order in self.orders.open.values())
        )

    def _open(self, opening: OpeningAccount, at: int) -> None:
        quantities = {}
        for symbol, (shares, average) in opening.positions.items():
            quantities[symbol] = exact(shares, QTY_DIGITS)
            self.portfolio.open(symbol, quantities[symbol], exact(average, PRICE_DIGITS))
        self.ledger.open(at, money(opening.cash), quantities)
        self.portfolio.end_session()
        self.portfolio.start_day()
