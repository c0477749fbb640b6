"""The account's ledger: a double-entry, append-only record of cash, shares, holds, executions and order events."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final, NamedTuple

USD: Final = "$"
"""Cash as a commodity; not a word, as USD is also a ticker."""
CASH: Final = "cash"
POSITION: Final = "position"
STREET: Final = "street"
OPENING: Final = "opening"
FREE: Final = "free"
HELD: Final = "held"


class Posting(NamedTuple):
    """One side of an entry; money units for USD, quantity units for a symbol."""

    account: str
    commodity: str
    amount: int


class Entry(NamedTuple):
    """One balanced booking: its postings sum to zero in every commodity."""

    at: int
    kind: str
    order_id: str
    postings: tuple[Posting, ...]


class OrderEvent(NamedTuple):
    """One event of one order; quantity and filled in quantity units, limit in price units.

    filled counts the order's own executions, without those that a replacement inherits. replaces is the id of the order
    that it replaces or was meant to replace, empty for none.
    """

    at: int
    order_id: str
    client_order_id: str
    symbol: str
    side: int
    event: str
    status: str
    quantity: int | None
    filled: int
    limit: int | None
    reason: str
    replaces: str = ""
    time_in_force: str = "day"
    extended_hours: bool = False


class Execution(NamedTuple):
    """One fill. cumulative and leaves count the whole replace chain; limit is the limit price at that instant."""

    at: int
    id: str
    order_id: str
    client_order_id: str
    symbol: str
    side: int
    quantity: int
    price: int
    cumulative: int
    leaves: int
    status: str
    limit: int | None


@dataclass
class Ledger:
    """All entries, order events and executions in order of time; append-only."""

    def __post_init__(self) -> None:
        self.entries: list[Entry] = []
        self.events: list[OrderEvent] = []
        self.executions: list[Execution] = []
        self._balances: defaultdict[tuple[str, str], int] = defaultdict(int)

    @property
    def cash(self) -> int:
        """Settled and unsettled cash, in money units."""
        return self._balances[CASH, USD]

    @property
    def held_cash(self) -> int:
        """Buying power held for open orders, in money units."""
        return self._balances[HELD, USD]

    def held_shares(self, symbol: str) -> int:
        """Shares held for open closing orders, in quantity units."""
        return self._balances.get((HELD, symbol), 0)

    def position(self, symbol: str) -> int:
        """Signed position in quantity units."""
        return self._balances.get((POSITION, symbol), 0)

    def open(self, at: int, cash: int, positions: dict[str, int]) -> None:
        """Book the opening cash and positions."""
        postings = [Posting(CASH, USD, cash), Posting(OPENING, USD, -cash)]
        for symbol, quantity in positions.items():
            postings += [Posting(POSITION, symbol, quantity), Posting(OPENING, symbol, -quantity)]
        self.book(at, "opening", "", tuple(postings))

    def hold(self, at: int, order_id: str, commodity: str, change: int) -> None:
        """Change the money or shares held for an order; a negative change releases."""
        self.book(at, "hold", order_id, (Posting(HELD, commodity, change), Posting(FREE, commodity, -change)))

    def execute(self, execution: Execution) -> None:
        """Book a fill: the shares, and their exact value in the opposite direction."""
        signed = execution.side * execution.quantity
        value = signed * execution.price
        symbol = execution.symbol
        postings = (
            Posting(POSITION, symbol, signed),
            Posting(STREET, symbol, -signed),
            Posting(CASH, USD, -value),
            Posting(STREET, USD, value),
        )
        self.executions.append(execution)
        self.book(execution.at, "execution", execution.order_id, postings)

    def book(self, at: int, kind: str, order_id: str, postings: tuple[Posting, ...]) -> None:
        """Append an entry. Raises ValueError if it does not balance or is earlier than the last one."""
        if self.entries and at < self.entries[-1].at:
            raise ValueError(f"entry at {at} is earlier than the last one at {self.entries[-1].at}")
        _require_balance(postings)
        balances = self._balances
        for account, commodity, amount in postings:
            balances[account, commodity] += amount
        self.entries.append(Entry(at, kind, order_id, postings))


def _require_balance(postings: tuple[Posting, ...]) -> None:
    if len(postings) == 2 and postings[0][1] == postings[1][1] and postings[0][2] == -postings[1][2]:
        return
    sums: defaultdict[str, int] = defaultdict(int)
    for _, commodity, amount in postings:
        sums[commodity] += amount
    if any(sums.values()):
        raise ValueError(f"entry does not balance: {postings}")
