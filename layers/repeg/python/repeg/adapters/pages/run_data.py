"""What the program of a run's page draws from: looks, fills and payments as short lists.

Times are seconds since midnight in New York on the run's day, so that no browser's time zone changes them. A reason is
the number of its text in `words`, since orders share most of them.
"""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from typing import Any

from repeg.domain.run_page.page import OrderOnPage, RunPage
from repeg.domain.run_page.record import Look
from repeg.domain.session import NEW_YORK


def data_of(page: RunPage) -> dict[str, Any]:
    """The data of a run's page, as JSON values."""
    encoded = _Encoded(page)
    return {
        "orders": [encoded.order(order) for order in page.orders],
        "words": encoded.words,
        "payments": [
            [encoded.clock(p.at), p.symbol, p.side, _text(p.qty), _number(p.price), _number(p.dollars),
             _number(p.received), _number(p.spent)]
            for p in page.payments
        ],
        "releases": [[encoded.clock(r.at), _number(r.spendable), r.asking, r.waiting] for r in page.releases],
    }  # fmt: skip


class _Encoded:
    """Numbers the texts of a page, and counts its times from midnight."""

    def __init__(self, page: RunPage) -> None:
        self.words: list[str] = []
        self._numbers: dict[str, int] = {}
        first = page.began.astimezone(NEW_YORK).date() if page.began is not None else None
        day = page.day or first
        self._midnight = None if day is None else datetime.combine(day, time(), NEW_YORK).timestamp()

    def clock(self, at: datetime) -> float:
        """Seconds since midnight, to a tenth."""
        return round(at.timestamp() - (self._midnight or 0), 1)

    def order(self, order: OrderOnPage) -> dict[str, Any]:
        """An order's pictures and its story."""
        return {
            "symbol": order.symbol,
            "side": order.side,
            "looks": [self._look(look) for look in order.looks],
            "fills": [[self.clock(fill.at), _text(fill.qty), _number(fill.price)] for fill in order.fills],
            "arrival": _mid(order),
            "collar": _number(order.collar),
            "left_out": order.left_out,
        }

    def _look(self, look: Look) -> list[Any]:
        prices = [_number(look.bid), _number(look.ask), _number(look.price)]
        texts = [self._word(look.verb), self._word(look.detail), self._word(look.reason)]
        return [self.clock(look.at), *prices, *texts, *([look.times] if look.times > 1 else [])]

    def _word(self, text: str) -> int:
        number = self._numbers.setdefault(text, len(self._numbers))
        if number == len(self.words):
            self.words.append(text)
        return number


def _mid(order: OrderOnPage) -> float | None:
    if order.arrival_bid is None or order.arrival_ask is None:
        return None
    return float((order.arrival_bid + order.arrival_ask) / 2)


def _number(value: Decimal | None) -> float | None:
    """A number to draw. Amounts that are shown as figures are texts."""
    return None if value is None else float(value)


def _text(value: Decimal) -> str:
    return f"{value.normalize():f}"
