"""The first judge of orders without a limit: nothing but the moment and the quote bounds what they may cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from repeg_workbench.exchange.broker.ledger import OrderEvent
from repeg_workbench.faults.judges import rules as law
from repeg_workbench.faults.judges.observed import ObservedQuotes
from repeg_workbench.faults.judges.occasions import Occasions, passes
from repeg_workbench.faults.judges.pauses import held_up
from repeg_workbench.faults.judges.placed import Parent
from repeg_workbench.faults.judges.record import SECOND, DayRecord, Intent
from repeg_workbench.faults.judges.rules import Book, Rules, book_of
from repeg_workbench.faults.judges.verdict import Violation

# The widest spread on which an order falls back to the market, in percent.
WIDEST_MARKET = 5


class MarketJudge:
    """Judges the orders without a limit that arrived."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record = record
        self._observed = ObservedQuotes(record)
        self._occasions = Occasions(record, self._observed)
        self._threads = {(sent.client_order_id, sent.invocation): sent.thread for sent in reversed(record.sent)}

    def judge(self, parents: Iterable[Parent]) -> None:
        """Judge every market order of every line."""
        for parent in parents:
            rules = Rules(parent.run.settings).of(parent.symbol)
            for order in parent.orders:
                if not order.is_owners and order.arrival.limit is None:
                    self._judge_order(order.arrival, parent, rules)

    def _judge_order(self, event: OrderEvent, parent: Parent, rules: Rules) -> None:
        is_control = self._occasions.is_control(event, parent, rules)
        self._claim(rules.may_use_market or is_control, "market_order_not_allowed", event)
        intent = self._occasions.intents.get(event.client_order_id)
        if intent is None:
            return
        may_fall_back = rules["fallback"] == "market" and self._occasions.is_fallback_due(intent.at, rules)
        is_climbing = not rules.trades_at_market and self._occasions.is_climb_due(intent, rules)
        is_due = rules.trades_at_market or is_climbing or may_fall_back or is_control
        self._claim(is_due, "market_order_too_soon", event)
        books, slack = list(self._books(intent, event)), self._record.allowance
        is_checked = any(passes(book, parent, rules, slack, may_be_thin=is_climbing) for book in books)
        is_bounded = may_fall_back and any(_bounds(book, rules, slack) for book in books)
        self._claim(is_checked or is_bounded, "unchecked_quote", event, str(books))

    def _books(self, intent: Intent, event: OrderEvent) -> Iterator[Book]:
        """What the writer of an intent was served, as old as it was when the intent was written.

        Time for which the writer could do nothing does not count: it was old enough only then.
        """
        thread = self._threads.get((intent.client_order_id, intent.invocation))
        for quote in self._observed.before(intent.invocation, event.symbol, intent.at):
            held = held_up(self._record, intent.invocation, thread, quote.at, intent.at)
            yield book_of(quote, event.side, intent.at - held)

    def _claim(self, holds: bool, name: str, event: OrderEvent, observed: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.found.append(Violation(name, event.at, event.client_order_id, observed))


def _bounds(book: Book, rules: Rules, allowance: int) -> bool:
    """Whether a book bounds what a fallback at the market may cost: two-sided, current and narrow enough."""
    oldest = int(rules["max_quote_age_seconds"]) * SECOND
    if book.age is None or not -law.CLOCK_ERROR - allowance <= book.age <= oldest + allowance:
        return False
    spread = book.ask - book.bid
    is_narrow = spread <= law.legal_tick(book.bid) or spread * 100 <= WIDEST_MARKET * book.mid
    return 0 < book.bid <= book.ask and is_narrow
