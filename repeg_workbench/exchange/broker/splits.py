"""Stock splits and their effect on positions and open orders."""

from dataclasses import dataclass

from repeg_workbench.exchange.broker.floor import Floor
from repeg_workbench.exchange.broker.ledger import POSITION, STREET, Posting
from repeg_workbench.exchange.broker.orders import Status


@dataclass
class Splits:
    """Carries out splits. Call while the market is closed; the next day's tape must have the new prices."""

    floor: Floor

    def split(self, symbol: str, new: int, old: int, at: int) -> None:
        """Turn every `old` shares into `new`; fractions below a billionth of a share are lost."""
        records = self.floor.records
        holding = records.account.portfolio.holdings.get(symbol)
        if holding is not None:
            after = holding.quantity * new // old
            change = after - holding.quantity
            records.account.ledger.book(
                at, "split", "", (Posting(POSITION, symbol, change), Posting(STREET, symbol, -change))
            )
            holding.quantity = after
            if not after:
                del records.account.portfolio.holdings[symbol]
        self._settle_orders(symbol, at)

    def _settle_orders(self, symbol: str, at: int) -> None:
        records = self.floor.records
        for order in list(records.account.orders.open.values()):
            if order.terms.symbol != symbol or not order.is_open:
                continue
            is_too_large = order.is_closing and records.account.portfolio.available(symbol) < 0
            if records.quirks.split_orders == "cancel" or is_too_large:
                self.floor.finish(order, Status.CANCELED, at, "stock split")
                records.set_hold(order, 0, 0, at)
