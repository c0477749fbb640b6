"""An auditor independent of the exchange's code: it recomputes the account from the ledger's lists."""

from collections import defaultdict
from dataclasses import dataclass, field

from repeg_workbench.exchange.broker.ledger import FREE, HELD, Entry, Execution, OrderEvent
from repeg_workbench.exchange.core import Exchange

TERMINAL = {"filled", "canceled", "expired", "rejected", "replaced"}


@dataclass
class Story:
    """One order's state according to its events so far."""

    status: str = ""
    quantity: int = 0
    filled: int = 0
    endings: int = 0
    is_working: bool = False


@dataclass
class Auditor:
    """Call `check` after each operation; it fails at the first inconsistency."""

    exchange: Exchange
    stories: dict[str, Story] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.opening_cash = self.cash = self.exchange.ledger.cash
        self.positions = {s: h.quantity for s, h in self.exchange.account.portfolio.holdings.items()}
        self.held: defaultdict[str, int] = defaultdict(int)
        self.chains: defaultdict[str, int] = defaultdict(int)
        self.seen_ids: set[str] = set()
        self._events = self._executions = self._entries = 0
        self._last = 0

    def check(self) -> None:
        """Check everything since the last check, and the present account."""
        ledger = self.exchange.ledger
        for entry in ledger.entries[self._entries :]:
            self._audit_entry(entry)
        for event in ledger.events[self._events :]:
            self._audit_event(event)
        for execution in ledger.executions[self._executions :]:
            self._audit_execution(execution)
        self._entries, self._events = len(ledger.entries), len(ledger.events)
        self._executions = len(ledger.executions)
        self._audit_account()

    def check_closed(self) -> None:
        """Check that every order has ended once and nothing is held."""
        assert not self.exchange.account.orders.open
        assert all(story.endings == 1 for story in self.stories.values())
        assert self.exchange.ledger.held_cash == 0
        assert not any(self.held.values())

    def _audit_entry(self, entry: Entry) -> None:
        assert entry.at >= self._last
        self._last = entry.at
        sums: defaultdict[str, int] = defaultdict(int)
        for account, commodity, amount in entry.postings:
            sums[commodity] += amount
            if account == HELD:
                self.held[commodity] += amount
                assert self.held[commodity] >= 0, f"{commodity} held below zero"
            assert account != FREE or entry.kind == "hold"
        assert not any(sums.values()), entry

    def _audit_event(self, event: OrderEvent) -> None:
        story = self.stories.setdefault(event.order_id, Story())
        assert story.endings == 0 or event.event == "order_replace_rejected", f"{event} after its end"
        assert event.filled >= story.filled
        story.status, story.filled, story.quantity = event.status, event.filled, event.quantity or 0
        story.is_working = story.is_working or event.status == "new"
        if event.event in TERMINAL or event.event == "fill":
            story.endings += 1

    def _audit_execution(self, execution: Execution) -> None:
        order = self.exchange.account.orders.by_id[execution.order_id]
        assert execution.id not in self.seen_ids
        self.seen_ids.add(execution.id)
        signed = execution.side * execution.quantity
        assert execution.quantity > 0
        self.cash -= signed * execution.price
        self.positions[execution.symbol] = self.positions.get(execution.symbol, 0) + signed
        limit = execution.limit
        assert limit is None or order.terms.type == "stop" or (limit - execution.price) * execution.side >= 0, execution
        self._audit_chain(execution)
        self._audit_hours(execution)

    def _audit_chain(self, execution: Execution) -> None:
        order = self.exchange.account.orders.by_id[execution.order_id]
        root = order
        while root.replaces is not None:
            root = root.replaces
        self.chains[root.id] += execution.quantity
        assert self.chains[root.id] == execution.cumulative
        assert self.chains[root.id] <= (order.quantity or 0), "more executed than the chain was for"

    def _audit_hours(self, execution: Execution) -> None:
        hours = self.exchange.hours
        day = hours.on(hours.day(execution.at))
        order = self.exchange.account.orders.by_id[execution.order_id]
        assert day is not None
        start, end = (day.pre, day.post) if order.terms.extended_hours else (day.open, day.close)
        assert start <= execution.at < end
        tape = self.exchange.market.day(execution.symbol, day.day)
        assert tape is not None
        assert not any(start <= execution.at < end for start, end in tape.halts)

    def _audit_account(self) -> None:
        ledger, portfolio = self.exchange.ledger, self.exchange.account.portfolio
        orders = self.exchange.account.orders
        assert ledger.cash == self.cash
        assert {s: h.quantity for s, h in portfolio.holdings.items()} == {s: q for s, q in self.positions.items() if q}
        worth = sum(quantity * self.exchange.price(symbol) for symbol, quantity in self.positions.items())
        assert portfolio.equity() == self.cash + worth
        if portfolio.multiplier == 1:
            assert portfolio.buying_power() >= 0
        for order in orders.open.values():
            assert self.stories[order.id].endings == 0
            assert order.held_cash >= 0
            assert order.held_shares >= 0
            assert not (order.held_cash and order.held_shares)
        for symbol, quantity in self.positions.items():
            assert 0 <= self.held[symbol] <= abs(quantity), f"{symbol}: {self.held[symbol]} held of {quantity}"
