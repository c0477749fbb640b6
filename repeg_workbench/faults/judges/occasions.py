"""The first judge's reading of when an order may go further than to its passive price, and on which books.

Each answer is in the program's favour: what only it can know is assumed to be as it needs it.
"""

from __future__ import annotations

from repeg_workbench.exchange.broker.ledger import OrderEvent
from repeg_workbench.faults.judges import rules as law
from repeg_workbench.faults.judges.observed import ObservedQuotes
from repeg_workbench.faults.judges.placed import PRICE, QTY, Parent, number_of
from repeg_workbench.faults.judges.record import MINUTE, SECOND, DayRecord, Intent
from repeg_workbench.faults.judges.rules import Book, Rules

# The last orders of a window leave ten seconds before it ends, by a clock that may be a request's seven seconds ahead.
LAST_SEND = (10 + 7) * SECOND


class Occasions:
    """Answers, for one day, when an order may escalate, fall back, or be a control order."""

    def __init__(self, record: DayRecord, observed: ObservedQuotes) -> None:
        self.intents: dict[str, Intent] = {}
        for intent in record.intents:
            self.intents.setdefault(intent.client_order_id, intent)
        self._record = record
        self._observed = observed

    def is_control(self, event: OrderEvent, parent: Parent, rules: Rules) -> bool:
        """Whether an order may be a control order: the first of its line that the broker has, for all of it where the
        plan has its shares, and small enough for a quote that the writer of its intent was served."""
        intent, number = self.intents.get(event.client_order_id), number_of(event.client_order_id)
        if rules.number("control_share") <= 0 or intent is None or not event.quantity:
            return False
        if any(number_of(o.arrival.client_order_id) < number for o in parent.orders if not o.is_owners):
            return False
        served = self._observed.before(intent.invocation, event.symbol, intent.at)
        shares = event.quantity * QTY
        run, symbol = parent.run, parent.symbol
        if event.side > 0 and not run.is_sized_by_price(symbol) and shares < run.targets[symbol][1]:
            return False
        return any(law.may_be_control(quote, event.side, shares, rules) for quote in served)

    def is_climb_due(self, intent: Intent, rules: Rules) -> bool:
        """Whether an order may have begun to climb: once patience may be exhausted, or under the rules of looks near
        the close."""
        return self.is_near_close(intent.at, rules) if rules.is_looking else self.may_escalate(intent, rules)

    def is_near_close(self, at: int, rules: Rules) -> bool:
        """Whether two turns are left, or fewer, before the last order of the window may leave."""
        closes = self._record.session_close - int(rules["close_margin_minutes"]) * MINUTE
        lasts = 2 * int(rules["order_monitoring_seconds"]) * SECOND + LAST_SEND
        return at >= closes - lasts - self._record.allowance

    def may_escalate(self, intent: Intent, rules: Rules) -> bool:
        """Whether a line may have exhausted its patience: half of it or all moves are used, or the close is near.

        Each is known from the line's earlier intents, whose orders may reach the broker much later or never.
        """
        line = intent.client_order_id.rpartition(".")[0]
        of_line = (each for each in self.intents.values() if each.client_order_id.rpartition(".")[0] == line)
        earlier = [each.at for each in of_line if each.at < intent.at]
        is_moved = len(earlier) > int(rules["max_repegs"])
        is_spent = intent.at - min(earlier, default=intent.at) >= rules.patience * SECOND // 2
        return is_moved or is_spent or self.is_near_close(intent.at, rules)

    def is_fallback_due(self, at: int, rules: Rules) -> bool:
        """Whether an order that its book holds may be sent all the same."""
        return rules["fallback"] != "none" and at >= self.fallbacks_from(rules)

    def fallbacks_from(self, rules: Rules) -> int:
        """From when on orders may fall back: a minute early, for a clock and a turn."""
        closes = self._record.session_close - int(rules["close_margin_minutes"]) * MINUTE
        lead = max(int(rules["fallback_minutes"]) * MINUTE, 2 * int(rules["order_monitoring_seconds"]) * SECOND)
        return closes - lead - MINUTE


def passes(book: Book, parent: Parent, rules: Rules, allowance: int, *, may_be_thin: bool) -> bool:
    """Whether the quote check passes; our own order at the near side may be all that a thin quote shows."""
    fault = law.fault_of(book, rules, allowance)
    own = {order.arrival.limit * PRICE for order in parent.orders if order.arrival.limit is not None}
    return not fault or (fault == "thin" and (may_be_thin or book.near in own))
