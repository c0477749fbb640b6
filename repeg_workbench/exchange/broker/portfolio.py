"""Positions with their cost and value, equity and buying power."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from repeg_workbench.exchange.broker.ledger import Ledger
from repeg_workbench.exchange.figures import rounded

SHORT_MARGIN_PERCENT: Final = 103
"""Buying power for a short sale is checked at this percentage of the ask or more."""


@dataclass(slots=True)
class Holding:
    """One open position: signed quantity units, and its cost (for a short, its proceeds) in positive money units."""

    symbol: str
    quantity: int
    cost: int
    opened_today: int = 0
    """Quantity units opened since the last close."""
    cost_today: int = 0


class Portfolio:
    """The account's holdings; their quantities always equal the ledger's."""

    def __init__(self, ledger: Ledger, multiplier: int, price: Callable[[str], int]) -> None:
        self.holdings: dict[str, Holding] = {}
        self.multiplier = multiplier
        self._ledger = ledger
        self._price = price
        self._shorts = 0
        self.last_equity = self._closing_equity = 0

    def open(self, symbol: str, quantity: int, average: int) -> None:
        """Add an opening position at its average price in price units."""
        self.holdings[symbol] = Holding(symbol, quantity, abs(quantity) * average)
        self._shorts += quantity < 0

    def quantity(self, symbol: str) -> int:
        """Signed quantity units held."""
        holding = self.holdings.get(symbol)
        return holding.quantity if holding else 0

    def available(self, symbol: str) -> int:
        """Quantity units (unsigned) not held for open orders."""
        return abs(self.quantity(symbol)) - self._ledger.held_shares(symbol)

    def apply(self, symbol: str, signed: int, price: int) -> None:
        """Apply an execution: the same side averages into the cost, the opposite side leaves at average cost."""
        holding = self.holdings.get(symbol)
        if holding is None:
            value = abs(signed) * price
            self.holdings[symbol] = Holding(symbol, signed, value, abs(signed), value)
            self._shorts += signed < 0
            return
        if (holding.quantity > 0) == (signed > 0):
            self._add(holding, signed, price)
        else:
            self._reduce(holding, signed)

    def market_value(self, symbol: str) -> int:
        """The position's value in money units, negative for a short."""
        return self.quantity(symbol) * self._price(symbol)

    def long_value(self) -> int:
        """The value of all long positions in money units."""
        return sum(h.quantity * self._price(h.symbol) for h in self.holdings.values() if h.quantity > 0)

    def short_value(self) -> int:
        """The value of all short positions in money units, zero or negative."""
        if not self._shorts:
            return 0
        return sum(h.quantity * self._price(h.symbol) for h in self.holdings.values() if h.quantity < 0)

    def equity(self) -> int:
        """Cash plus the market value of every position, in money units."""
        return self._ledger.cash + self.long_value() + self.short_value()

    def buying_power(self) -> int:
        """Money units available to new orders: equity times the multiplier, less positions and holds."""
        if self.multiplier == 1 and not self._shorts:
            return self._ledger.cash - self._ledger.held_cash
        exposure = self.long_value() - self.short_value()
        return self.equity() * self.multiplier - exposure - self._ledger.held_cash

    def end_session(self) -> None:
        """Record the equity at the close."""
        self._closing_equity = self.equity()

    def start_day(self) -> None:
        """Take the latest close's equity as last_equity and reset the figures of positions opened today."""
        self.last_equity = self._closing_equity
        for holding in self.holdings.values():
            holding.opened_today = holding.cost_today = 0

    def _add(self, holding: Holding, signed: int, price: int) -> None:
        value = abs(signed) * price
        holding.quantity += signed
        holding.cost += value
        holding.opened_today += abs(signed)
        holding.cost_today += value

    def _reduce(self, holding: Holding, signed: int) -> None:
        held, leaving = abs(holding.quantity), abs(signed)
        if leaving > held:
            raise ValueError(f"{holding.symbol}: cannot take {leaving} out of a position of {held}")
        if leaving == held:
            self._shorts -= holding.quantity < 0
            del self.holdings[holding.symbol]
            return
        holding.cost -= rounded(holding.cost * leaving, held)
        holding.quantity += signed
        self._trim_today(holding)

    @staticmethod
    def _trim_today(holding: Holding) -> None:
        left = abs(holding.quantity)
        if holding.opened_today > left:
            holding.cost_today = rounded(holding.cost_today * left, holding.opened_today)
            holding.opened_today = left
