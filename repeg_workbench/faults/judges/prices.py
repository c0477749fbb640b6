"""The first judge of prices: each limit follows from a quote that the sender was served, and from the arrival.

The arrival is the first quote that ValidateQuotes accepted. Which one that was is certain unless a fault struck the
invocation that was served it: then the next accepted quote may be the arrival as well, and the collar is the worst that
any of them allows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise

from repeg_workbench.exchange.broker.ledger import OrderEvent
from repeg_workbench.faults.judges import rules as law
from repeg_workbench.faults.judges.dollars import IN_DOLLARS, fitting, less_filled
from repeg_workbench.faults.judges.observed import ObservedQuotes
from repeg_workbench.faults.judges.occasions import Occasions, passes
from repeg_workbench.faults.judges.placed import PRICE, Parent
from repeg_workbench.faults.judges.record import MINUTE, DayRecord, Intent, Invoked, ServedQuote
from repeg_workbench.faults.judges.retreats import is_behind_own_quote
from repeg_workbench.faults.judges.rules import Book, Rules, book_of
from repeg_workbench.faults.judges.verdict import Violation

# The widest spread whose mid is a price, in percent, and how old such a quote may be.
WIDEST_MID, HALTED = 20, 5 * MINUTE

# For how long its book has held a line that falls back.
HELD_FOR = MINUTE


class PriceJudge:
    """Judges the limits of all orders that arrived."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record = record
        self._invoked = {invoked.number: invoked for invoked in record.invoked}
        self._observed = ObservedQuotes(record)
        self._checked: defaultdict[tuple[str, str], list[ServedQuote]] = defaultdict(list)
        for quote in record.quotes:
            invoked = self._invoked.get(quote.invocation)
            if invoked is not None and invoked.function == "ValidateQuotes":
                self._checked[invoked.run_id, quote.symbol].append(quote)
        self._occasions = Occasions(record, self._observed)
        self._intents = self._occasions.intents

    def judge(self, parents: Iterable[Parent]) -> None:
        """Judge every order of every line."""
        for parent in parents:
            self._judge_line(parent)

    def _judge_line(self, parent: Parent) -> None:
        rules = Rules(parent.run.settings).of(parent.symbol)
        ours = [order.arrival for order in parent.orders if not order.is_owners]
        if not ours:
            return
        side, first = ours[0].side, ours[0].at
        arrivals = list(self._arrivals(parent, side, first, rules))
        collars = {law.collar_of(book, rules) for book in arrivals}
        for event in ours:
            if event.limit is not None:
                self._judge_order(event, event.limit * PRICE, parent, rules, collars)

    def _judge_order(
        self, event: OrderEvent, limit: Decimal, parent: Parent, rules: Rules, collars: set[Decimal]
    ) -> None:
        self._claim(limit % law.step_at(limit, rules) == 0, "off_the_tick", event, str(limit))
        self._claim(bool(collars), "no_collar", event)
        worst = (max if event.side > 0 else min)(collars, default=limit)
        self._claim(event.side * (limit - worst) <= 0, "past_the_collar", event, f"{limit} past {worst}")
        intent = self._intents.get(event.client_order_id)
        if intent is not None:
            self._follows(event, limit, intent, parent, rules, collars)

    def _follows(
        self, event: OrderEvent, limit: Decimal, intent: Intent, parent: Parent, rules: Rules, collars: set[Decimal]
    ) -> None:
        """Whether the writer of the intent had a quote that passes the check and gives this limit, or may fall back."""
        served = self._observed.before(intent.invocation, event.symbol, intent.at)
        books = [book_of(q, event.side, q.at) for q in served]
        passing = self._passing(books, event, parent, rules)
        may_fall_back = self._occasions.is_fallback_due(intent.at, rules)
        self._claim(bool(passing) or may_fall_back, "unchecked_quote", event, str(books))
        if not collars:
            return
        rungs = self._rungs(event, intent, parent, rules)
        right = _limits_of(passing, event.side, rules, collars, rungs) | self._kept(event, parent, rules)
        right |= self._reserved(event, parent, rules, collars, rungs)
        right |= fitting(event, parent, rules, right)
        recent = self._observed.of_run(parent.run.run_id, event.symbol, event.at)
        is_retreat = rules.is_looking and is_behind_own_quote(event, parent, passing, recent)
        if passing and not is_retreat:
            self._claim(limit in right, "not_a_price_of_the_book", event, f"{limit} not in {sorted(right)}")

    def _rungs(self, event: OrderEvent, intent: Intent, parent: Parent, rules: Rules) -> frozenset[str]:
        """The rungs above the passive one that the settings permit, if the order may have reached them: once patience
        may be exhausted, or under the rules of looks near the close.

        A fallback goes to the collar in any case. So does what would be a market order without the cash or the budget.
        """
        is_market = rules.trades_at_market or (event.side > 0 and self._occasions.is_control(event, parent, rules))
        if is_market or self._occasions.is_fallback_due(intent.at, rules):
            return rules.rungs | {"cross"}
        return rules.rungs if self._occasions.is_climb_due(intent, rules) else frozenset()

    def _kept(self, event: OrderEvent, parent: Parent, rules: Rules) -> set[Decimal]:
        """The price of the order before, once a line under the rules of looks has made all its moves up.

        Its order was cancelled to take the far side, which the book then showed no more.
        """
        limits = [o.arrival.limit for o in parent.orders if o.arrival.at < event.at and o.arrival.limit is not None]
        ups = sum(event.side * (later - former) > 0 for former, later in pairwise(limits))
        return {limits[-1] * PRICE} if rules.is_looking and limits and ups >= int(rules["max_repegs"]) else set()

    def _reserved(
        self, event: OrderEvent, parent: Parent, rules: Rules, collars: set[Decimal], rungs: frozenset[str]
    ) -> set[Decimal]:
        """The limits of the quotes since the order before, for a line with a limit in dollars.

        A successor's place is reserved before its predecessor is cancelled, and kept by an order that was never sent.
        If the dollars have no room for a later price, the reserved one is sent.
        """
        if all(rules.most(name) is None for name in IN_DOLLARS):
            return set()
        before = [order for order in parent.orders if order.arrival.at < event.at]
        since = before[-1].arrival.at if before else 0
        quotes = self._observed.of_run(parent.run.run_id, event.symbol, event.at)
        books = [book_of(quote, event.side, quote.at) for quote in quotes if quote.at >= since]
        limits = _limits_of(self._passing(books, event, parent, rules), event.side, rules, collars, rungs)
        return limits | less_filled(self._record, limits, event, before[-1:], rules)

    def _passing(self, books: Iterable[Book], event: OrderEvent, parent: Parent, rules: Rules) -> list[Book]:
        """The books on which this order may be sent."""
        may_be_thin = self._occasions.may_escalate(self._intents[event.client_order_id], rules)
        slack = self._record.allowance
        return [book for book in books if passes(book, parent, rules, slack, may_be_thin=may_be_thin)]

    def _arrivals(self, parent: Parent, side: int, until: int, rules: Rules) -> Iterator[Book]:
        """The quotes that may be the line's arrival, up to the first that is certain to have been taken as such."""
        certain: Invoked | None = None
        slack = self._record.allowance
        for quote in self._checked.get((parent.run.run_id, parent.symbol), ()):
            if quote.at > until or (certain is not None and quote.at > certain.ended):
                break
            book = book_of(quote, side, quote.at)
            if law.fault_of(book, rules, slack):
                continue
            yield book
            invoked = self._invoked[quote.invocation]
            # A line that was sized at a price waits while the book is far from that.
            is_sure = invoked.answered and not invoked.is_struck and not parent.run.is_sized_by_price(parent.symbol)
            late = book_of(quote, side, invoked.ended)
            if certain is None and is_sure and not law.fault_of(late, rules, -slack):
                certain = invoked
        before = until if certain is None else certain.began
        if self._occasions.is_fallback_due(before, rules):
            quotes = list(self._observed.of_run(parent.run.run_id, parent.symbol, before))
            oldest = 0 if certain is None else self._oldest_arrival(quotes, certain.began, rules)
            yield from (book for q in quotes if q.at >= oldest and _has_mid(book := book_of(q, side, q.at)))

    def _oldest_arrival(self, quotes: list[ServedQuote], passed: int, rules: Rules) -> int:
        """From when on a two-sided quote may be the arrival of a fallback that had to wait, and whose book passed then.

        The book had held the line for a minute. A line keeps a two-sided quote until it sees one five minutes later.
        """
        if min((q.at for q in quotes), default=passed) > passed - HELD_FOR:
            return passed
        kept = [q.at for q in quotes if q.at < self._occasions.fallbacks_from(rules) and _has_mid(book_of(q, 1, q.at))
                and not self._invoked[q.invocation].is_struck]  # fmt: skip
        return max(kept, default=0) - HALTED - MINUTE

    def _claim(self, holds: bool, name: str, event: OrderEvent, observed: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.found.append(Violation(name, event.at, event.client_order_id, observed))


def _limits_of(
    books: Iterable[Book], side: int, rules: Rules, collars: set[Decimal], rungs: frozenset[str]
) -> set[Decimal]:
    """Where the rules may place an order on one of these books, on the passive rung or on one of the others."""
    limits: set[Decimal] = set(collars) if "cross" in rungs else set()
    for book in books:
        wanted = {law.passive_limit(book, rules)} | (law.look_limits(book, rules) if rules.is_looking else set())
        wanted |= {law.mid_limit(book, rules)} if "mid" in rungs else set()
        limits |= {law.within(each, collar, side) for each in wanted for collar in collars}
    return limits


def _has_mid(book: Book) -> bool:
    is_current = book.age is not None and -law.CLOCK_ERROR <= book.age < HALTED
    is_two_sided = 0 < book.bid <= book.ask
    spread = book.ask - book.bid
    is_narrow = is_two_sided and (spread <= law.legal_tick(book.bid) or spread * 100 <= WIDEST_MID * book.mid)
    return is_current and is_narrow
