"""Stock splits: more shares (or fewer) at the same worth, and what that does to orders."""

from dataclasses import dataclass

from repeg_workbench.exchange.broker.floor import Floor
from repeg_workbench.exchange.broker.ledger import POSITION, STREET, Posting
from repeg_workbench.exchange.broker.orders import Status


@dataclass
class Splits:
    """Carries out splits; to be done while the market is closed, with the new prices on the next day's tape."""

    floor: Floor

    def split(self, symbol: str, new: int, old: int, at: int) -> None:
        """Every `old` shares become `new`; a fraction below a billionth of a share is lost."""
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
