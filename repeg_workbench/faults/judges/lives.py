"""The second judge's model of the account: the life of each order as an interval of the ledger, in whole units.

It shares no code with the first judge, which replays the ledger event by event: here each question is answered by
looking back at the finished lives.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter

from repeg_workbench.exchange.broker.ledger import OrderEvent
from repeg_workbench.faults.judges.record import DayRecord, JudgedRun

NEVER = 1 << 62
OVER = ("filled", "canceled", "expired", "rejected", "replaced", "calculated", "done_for_day")


@dataclass(eq=False)
class Life:
    """One order: `born` and `died` are positions in the ledger's list of events; fills are (position, units, price).

    An order may have as many fills as shares, so what it had executed and paid after each is kept with it.
    """

    order_id: str
    client_order_id: str
    symbol: str
    side: int
    at: int
    born: int
    size: int
    limit: int
    is_market: bool
    is_plain: bool
    run: JudgedRun | None
    parent_id: str
    died: int = NEVER
    died_at: int = NEVER
    was_rejected: bool = False
    fills: list[tuple[int, int, int]] = field(default_factory=list)
    _sums: list[tuple[int, int, int]] = field(default_factory=lambda: [(-1, 0, 0)])

    def fill(self, position: int, units: int, price: int) -> None:
        """The order executes, later than before."""
        self.fills.append((position, units, price))
        _, done, paid = self._sums[-1]
        self._sums.append((position, done + units, paid + units * price))

    def filled_by(self, position: int) -> int:
        """Units executed up to and including a position."""
        return self._sum_at(position)[1]

    def paid_by(self, position: int) -> int:
        """Money units executed up to and including a position."""
        return self._sum_at(position)[2]

    def _sum_at(self, position: int) -> tuple[int, int, int]:
        return self._sums[bisect_right(self._sums, position, key=itemgetter(0)) - 1]

    def lives_at(self, position: int) -> bool:
        """Whether it could still execute after the event at a position."""
        return self.born <= position < self.died


class Account:
    """Every order's life, and the money and shares that the executions have moved."""

    def __init__(self, record: DayRecord) -> None:
        self.lives: dict[str, Life] = {}
        self.of_line: defaultdict[tuple[str, str], list[Life]] = defaultdict(list)
        self._runs = {run.prefix: run for run in record.runs}
        self._line_of: dict[str, tuple[str, str]] = {}
        self.cash, self.shares = self._opening(record)
        self.balances: list[tuple[int, str, int, int, int]] = []
        self._live(record)

    def line_of(self, order_id: str) -> tuple[str, str] | None:
        """Run and symbol of one of our orders, or of what its owner made of it."""
        return self._line_of.get(order_id)

    def ancestors(self, life: Life) -> Iterator[Life]:
        """The orders that it replaces, the latest first."""
        while life.parent_id in self.lives:
            life = self.lives[life.parent_id]
            yield life

    def may_still_fill(self, life: Life, position: int) -> int:
        """Units that it may still execute: what its replace chain has executed counts against its size."""
        if not life.lives_at(position):
            return 0
        done = life.filled_by(position) + sum(each.filled_by(position) for each in self.ancestors(life))
        return max(life.size - done, 0)

    def at_stake(self, lives: Iterable[Life], position: int) -> int:
        """Units of these that are executed, or may be at most: of a chain only the largest order counts."""
        lives = [life for life in lives if life.born <= position]
        done = sum(life.filled_by(position) for life in lives)
        return done + sum(most for _, most in self._chains(lives, position))

    def cost_of(self, line: tuple[str, str], position: int) -> int:
        """Money units that a line holds in the budgets: at the limit what is executed or open, at market the fills."""
        lives = [life for life in self.of_line[line] if life.born <= position]
        total = 0
        best: dict[str, int] = {}
        for life in lives:
            done = life.filled_by(position)
            if life.is_market:
                paid = life.paid_by(position)
            else:
                paid = life.limit * (done + self.may_still_fill(life, position))
            if life.lives_at(position):
                root = self._root(life, position)
                best[root] = max(best.get(root, 0), paid)
            else:
                total += paid
        return total + sum(best.values())

    def _chains(self, lives: list[Life], position: int) -> list[tuple[str, int]]:
        most: dict[str, int] = {}
        for life in lives:
            if life.lives_at(position):
                root = self._root(life, position)
                most[root] = max(most.get(root, 0), self.may_still_fill(life, position))
        return list(most.items())

    def _root(self, life: Life, position: int) -> str:
        """The oldest order of its chain that is still alive."""
        root = life
        for each in self.ancestors(life):
            if not each.lives_at(position):
                break
            root = each
        return root.order_id

    def _opening(self, record: DayRecord) -> tuple[int, dict[str, int]]:
        cash, shares = 0, defaultdict[str, int](int)
        first = record.ledger.entries[0].postings if record.ledger.entries else ()
        for account, commodity, amount in first:
            if account == "cash":
                cash += amount
            elif account == "position":
                shares[commodity] += amount
        return cash, shares

    def _live(self, record: DayRecord) -> None:
        executed = iter(record.ledger.executions)
        cash = self.cash
        self._split(record)
        for position, event in enumerate(record.ledger.events):
            life = self.lives.get(event.order_id) or self._birth(position, event)
            if event.event in {"fill", "partial_fill"}:
                fill = next(executed)
                life.fill(position, fill.quantity, fill.price)
                cash -= fill.side * fill.quantity * fill.price
                self.shares[fill.symbol] += fill.side * fill.quantity
                owned = sum(n * record.dearest.get(symbol, 0) for symbol, n in self.shares.items() if n > 0)
                self.balances.append((position, event.order_id, cash, self.shares[fill.symbol], owned))
            if event.status in OVER and life.died == NEVER:
                life.died, life.died_at = position, event.at
                life.was_rejected = event.status == "rejected"

    def _split(self, record: DayRecord) -> None:
        """The shares that splits have made; they come before the open, and so before every execution."""
        for entry in record.ledger.entries:
            for account, commodity, amount in entry.postings if entry.kind == "split" else ():
                self.shares[commodity] += amount if account == "position" else 0

    def _birth(self, position: int, e: OrderEvent) -> Life:
        prefix = e.client_order_id[: e.client_order_id.find(".") + 1]
        run = self._runs.get(prefix)
        life = Life(
            e.order_id, e.client_order_id, e.symbol, e.side, e.at, position, e.quantity or 0, e.limit or 0,
            e.limit is None, e.time_in_force == "day" and not e.extended_hours, run, e.replaces,
        )  # fmt: skip
        line = (run.run_id, life.symbol) if run is not None else self._line_of.get(life.parent_id)
        self.lives[life.order_id] = life
        if line is not None:
            self._line_of[life.order_id] = line
            self.of_line[line].append(life)
        return life
