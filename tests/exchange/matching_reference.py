"""A reference implementation of matching, which steps through every event of the day, to compare with."""

from collections import deque
from dataclasses import dataclass, field

from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.matching.symbol_book import BookOrder, Fill, FillModel
from repeg_workbench.exchange.units import QTY_SCALE

INFINITE = float("inf")


@dataclass
class Side:
    """One displayed side: its price (None if absent), size, and the quantity we took from it."""

    price: int | None = None
    size: int = 0
    venue: int = 0
    taken: int = 0

    @property
    def available(self) -> int:
        return max(0, self.size * QTY_SCALE - self.taken)

    def update(self, price: int, size: int, venue: int) -> None:
        new = price or None
        if new != self.price:
            self.taken = 0
        elif size < self.size:
            self.taken = max(0, self.taken - (self.size - size) * QTY_SCALE)
        self.price, self.size, self.venue = new, size, venue


@dataclass
class Working:
    """One of our orders and its queue position."""

    order: BookOrder
    ahead: float = INFINITE
    venue: int = 0


@dataclass
class ReferenceBook:
    """A book that steps through every event, with the interface of the real one."""

    day: SymbolDay
    model: FillModel
    bid: Side = field(default_factory=Side)
    ask: Side = field(default_factory=Side)
    working: list[Working] = field(default_factory=list)
    waiting: list[Working] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    quoted: int = -1
    now: int = -1

    def __post_init__(self) -> None:
        quotes, trades = self.day.quotes, self.day.trades
        rows = [(int(ts), 1, index) for index, ts in enumerate(quotes.ts)]
        prints = [(int(ts), 0, index) for index, ts in enumerate(trades.ts)]
        self.events = deque(event for event in sorted(rows + prints) if not self.in_halt(event[0]))

    def in_halt(self, ts: int) -> bool:
        return any(start <= ts < end for start, end in self.day.halts)

    def awaits_quote(self, ts: int) -> bool:
        return any(start <= ts and (ts < end or self.quoted < start) for start, end in self.day.halts)

    def walk(self, to: int) -> None:
        while self.events and self.events[0][0] <= to:
            at, kind, index = self.events.popleft()
            self.now = at
            if kind:
                self.on_quote(index)
            elif self.day.trades.lit[index]:
                self.on_print(index)
        self.now = to

    def answer(self) -> list[Fill]:
        fills, self.fills = self.fills, []
        return fills

    def advance(self, to: int) -> list[Fill]:
        self.walk(to)
        return self.answer()

    def enter(self, order: BookOrder, at: int) -> list[Fill]:
        self.walk(at)
        if self.awaits_quote(at):
            self.waiting.append(Working(order))
        else:
            self.place(Working(order))
        return self.answer()

    def remove(self, order_id: str, at: int) -> int:
        self.walk(at)
        gone = [working.order for working in self.working + self.waiting if working.order.id == order_id]
        self.working = [working for working in self.working if working.order.id != order_id]
        self.waiting = [working for working in self.waiting if working.order.id != order_id]
        return gone[0].remaining if gone else 0

    @property
    def resting(self) -> int:
        return len(self.working) + len(self.waiting)

    def execute(self, order: BookOrder, price: int, quantity: int) -> None:
        if quantity:
            order.remaining -= quantity
            self.fills.append(Fill(order.id, self.now, price, quantity))
        self.working = [working for working in self.working if working.order.remaining]

    def place(self, working: Working) -> None:
        order = working.order
        far = self.ask if order.side > 0 else self.bid
        if far.price is not None and (order.limit is None or within(order, far.price)):
            self.take(order)
        if not order.remaining:
            return
        self.working.append(working)
        near = self.bid if order.side > 0 else self.ask
        if order.limit is None:
            return
        if near.price is None or better(order.side, order.limit, near.price):
            working.ahead, working.venue = 0, near.venue if self.quoted >= 0 else 0
        elif near.price == order.limit:
            working.ahead, working.venue = near.size * QTY_SCALE, near.venue

    def take(self, order: BookOrder) -> None:
        near, far = (self.bid, self.ask) if order.side > 0 else (self.ask, self.bid)
        assert far.price is not None
        if self.model is FillModel.PAPER:
            self.execute(order, far.price, order.remaining)
            return
        quantity = min(order.remaining, far.available)
        far.taken += quantity
        self.execute(order, far.price, quantity)
        behind = level_behind(order.side, near.price, far.price)
        if order.remaining and (order.limit is None or within(order, behind)):
            self.execute(order, behind, order.remaining)

    def on_quote(self, row: int) -> None:
        quotes = self.day.quotes
        self.bid.update(int(quotes.bid[row]), int(quotes.bid_size[row]), int(quotes.bid_venue[row]))
        self.ask.update(int(quotes.ask[row]), int(quotes.ask_size[row]), int(quotes.ask_venue[row]))
        self.quoted = self.now
        for working in self.working:
            if working.order.limit is not None:
                self.move_queue(working, working.order.limit)
        for working in self.in_priority(1) + self.in_priority(-1):
            self.meet_quote(working.order)
        waiting, self.waiting = self.waiting, []
        for working in waiting:
            self.place(working)

    def move_queue(self, working: Working, limit: int) -> None:
        near = self.bid if working.order.side > 0 else self.ask
        if near.price is not None and better(working.order.side, near.price, limit):
            return
        working.venue = working.venue or near.venue
        if near.price == limit:
            working.ahead = min(working.ahead, near.size * QTY_SCALE)
        else:
            working.ahead = 0

    def meet_quote(self, order: BookOrder) -> None:
        near, far = (self.bid, self.ask) if order.side > 0 else (self.ask, self.bid)
        if far.price is None:
            return
        if order.limit is None:
            self.take(order)
            return
        through = better(order.side, order.limit, far.price)
        locked = near.price is not None and not better(order.side, order.limit, near.price)
        met = {
            FillModel.TRADE_THROUGH: through,
            FillModel.QUEUE: through or (far.price == order.limit and not locked),
            FillModel.TOUCH: within(order, far.price),
            FillModel.PAPER: within(order, far.price),
        }[self.model]
        if met and self.model is FillModel.PAPER:
            self.execute(order, far.price, order.remaining)
        elif met:
            quantity = min(order.remaining, far.available)
            far.taken += quantity
            self.execute(order, order.limit, quantity)

    def on_print(self, index: int) -> None:
        trades = self.day.trades
        price, left = int(trades.price[index]), int(trades.size[index]) * QTY_SCALE
        aggressor = int(trades.side[index]) or self.inferred(price)
        for working in self.in_priority(1) + self.in_priority(-1):
            order = working.order
            if order.limit is None or not within(order, price):
                continue
            volume = self.volume(working, price, left, aggressor, int(trades.venue[index]))
            quantity = min(order.remaining, volume)
            left -= quantity
            self.execute(order, order.limit, quantity)

    def volume(self, working: Working, price: int, left: int, aggressor: int, venue: int) -> int:
        at_limit = price == working.order.limit
        if self.model is FillModel.PAPER or (self.model is FillModel.TRADE_THROUGH and at_limit):
            return 0
        if self.model is not FillModel.QUEUE or not at_limit or not left:
            return left
        near = self.bid if working.order.side > 0 else self.ask
        is_alone = near.price is None or better(working.order.side, price, near.price)
        elsewhere = not is_alone and working.venue and venue and working.venue != venue
        if aggressor != -working.order.side or elsewhere:
            return 0
        served = min(working.ahead, left)
        working.ahead -= served
        return int(left - served)

    def inferred(self, price: int) -> int:
        bid, ask = self.bid.price, self.ask.price
        at_bid, at_ask = bid is not None and price <= bid, ask is not None and price >= ask
        if at_bid or at_ask:
            return 0 if at_bid and at_ask else -1 if at_bid else 1
        if bid is None or ask is None:
            return 0
        return (2 * price > bid + ask) - (2 * price < bid + ask)

    def in_priority(self, side: int) -> list[Working]:
        ours = [working for working in self.working if working.order.side == side]
        return sorted(ours, key=lambda working: -side * (working.order.limit or side * INFINITE))


def better(side: int, price: int, than: int) -> bool:
    """Whether a price is more aggressive: higher for a buyer, lower for a seller."""
    return price > than if side > 0 else price < than


def within(order: BookOrder, price: int) -> bool:
    """Whether a price is no worse than the order's limit."""
    assert order.limit is not None
    return not better(order.side, price, order.limit)


def level_behind(side: int, near: int | None, far: int) -> int:
    """The level a third of the spread (in whole ticks, at least one) beyond the far side."""
    tick = 100 if far >= 10_000 else 1
    spread = 0 if near is None else (far - near) * side // tick
    gap = tick * max(1, (spread + 1) // 3)
    return far + gap if side > 0 else max(1, far - gap)
