"""How parent orders end, why they are held meanwhile, and which outcome each hold leads to."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a parent order ended."""

    FILLED = "filled"
    PARTIAL_DEADLINE = "partial_deadline"
    NO_FILL_COLLAR = "no_fill_collar"
    HELD_WIDE = "held_wide"
    HELD_STALE = "held_stale"
    HELD_THIN = "held_thin"
    HALTED = "halted"
    UNFUNDED = "unfunded"
    REJECTED = "rejected"
    KILLED = "killed"
    UNKNOWN = "unknown"
    PREVIEW = "preview"
    ENDED_BY_OWNER = "ended_by_owner"
    ENDED_BY_UNKNOWN_HAND = "ended_by_unknown_hand"
    NO_TRADE = "no_trade"
    NOT_SIZED = "not_sized"


class HoldReason(StrEnum):
    """Why an order was last not traded on: its quote, its price, money, shares, a limit of ours, or the broker."""

    MISSING = "missing"
    ONE_SIDED = "one_sided"
    CROSSED = "crossed"
    LOCKED = "locked"
    STALE = "stale"
    HALTED = "halted"
    WIDE = "wide"
    THIN = "thin"
    COLLAR = "collar"
    UNFUNDED = "unfunded"
    WAITS_FOR_SELLS = "waits_for_sells"
    NOT_HELD = "not_held"
    SHARES = "shares"
    OPPOSITE_ORDER = "opposite_order"
    REJECTED = "rejected"
    BUDGET = "budget"
    ATTEMPTS = "attempts"
    OWNER = "owner"
    REPRICED = "repriced"
    ORDER_NOTIONAL = "order_notional"
    OTHER_RUN = "other_run"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> HoldReason:
        """Stored rows outlive releases: ff73b05 wrote a sentence for ATTEMPTS, and a later release may know more."""
        return cls.ATTEMPTS if value == "attempts are used up" else cls.OTHER

    @property
    def is_of_the_book(self) -> bool:
        """Whether the order's quote is what holds it."""
        return self in _OF_THE_BOOK

    @property
    def is_of_a_price(self) -> bool:
        """Whether the price of a quote that passed the check is what holds the order."""
        return self in {HoldReason.COLLAR, HoldReason.ORDER_NOTIONAL}

    @property
    def words(self) -> str:
        """The reason as the end of a sentence in a report."""
        return _WORDS.get(self, self.replace("_", " "))


_WORDS = {
    HoldReason.ATTEMPTS: "attempts exhausted",
    HoldReason.OWNER: "moved at the broker by the account's owner",
    HoldReason.NOT_HELD: "fewer shares are held than it would have sold",
    HoldReason.OTHER_RUN: "another run was placing its buys",
    HoldReason.ORDER_NOTIONAL: "max_order_notional allows no higher price",
    HoldReason.REPRICED: "the price is more than 10 % from the one that the order was sized at",
}

_OF_THE_BOOK = frozenset(
    {
        HoldReason.MISSING, HoldReason.ONE_SIDED, HoldReason.CROSSED, HoldReason.LOCKED,
        HoldReason.STALE, HoldReason.HALTED, HoldReason.WIDE, HoldReason.THIN, HoldReason.REPRICED,
    }
)  # fmt: skip

# A reason without an entry leaves an order that could have gone on trading: it ends at the deadline.
OUTCOME_OF_HOLD: dict[HoldReason, Outcome] = {
    HoldReason.MISSING: Outcome.HELD_STALE,
    HoldReason.ONE_SIDED: Outcome.HELD_STALE,
    HoldReason.CROSSED: Outcome.HELD_STALE,
    HoldReason.LOCKED: Outcome.HELD_STALE,
    HoldReason.STALE: Outcome.HELD_STALE,
    HoldReason.REPRICED: Outcome.HELD_STALE,
    HoldReason.HALTED: Outcome.HALTED,
    HoldReason.WIDE: Outcome.HELD_WIDE,
    HoldReason.THIN: Outcome.HELD_THIN,
    HoldReason.COLLAR: Outcome.NO_FILL_COLLAR,
    HoldReason.UNFUNDED: Outcome.UNFUNDED,
    HoldReason.WAITS_FOR_SELLS: Outcome.UNFUNDED,
    HoldReason.NOT_HELD: Outcome.REJECTED,
    HoldReason.SHARES: Outcome.REJECTED,
    HoldReason.OPPOSITE_ORDER: Outcome.REJECTED,
    HoldReason.REJECTED: Outcome.REJECTED,
    HoldReason.OWNER: Outcome.ENDED_BY_OWNER,
}
