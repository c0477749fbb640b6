"""What the broker reports and answers, as values of our own."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from repeg.domain.child_order import OrderReport
from repeg.domain.frozen import Frozen
from repeg.domain.quote import Side


class BrokerClock(Frozen):
    """The broker's time and whether the core session is on."""

    now: AwareDatetime
    is_open: bool


class Account(Frozen):
    """Money in dollars. `spendable` is what may be spent without borrowing, less what open buys have reserved.
    `buying_power` is what buys may cost with borrowed money, likewise, and what they buy may be held over night.
    `blocked_by` is what keeps the account from trading, in the broker's words; empty if nothing does. `may_short` says
    whether it may sell short today."""

    number: str
    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    spendable: Decimal
    blocked_by: str = ""
    may_short: bool = False

    @property
    def is_blocked(self) -> bool:
        """Whether anything keeps the account from trading."""
        return bool(self.blocked_by)


class Position(Frozen):
    """Shares held (negative when short), how many of them no open sell has reserved, and the price in dollars that the
    broker values them at: that of the last trade, whatever its age; None if it names none."""

    symbol: str
    qty: Decimal
    available: Decimal
    price: Decimal | None = None


class Asset(Frozen):
    """Whether a symbol can be traded, and in fractions."""

    symbol: str
    is_tradable: bool
    is_fractionable: bool


class Execution(Frozen):
    """One fill, by the broker's own unique id."""

    activity_id: str
    broker_order_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    at: AwareDatetime


class Refusal(StrEnum):
    """Why the broker refused, as far as it changes what happens next."""

    FUNDS = "funds"
    SHARES = "shares"
    OPPOSITE_ORDER = "opposite_order"
    PRICE = "price"
    ASSET = "asset"
    DENIED = "denied"
    OTHER = "other"


class Accepted(Frozen):
    """The broker has the order."""

    report: OrderReport


class Refused(Frozen):
    """The broker does not have the order and will not accept it: a definitive answer."""

    refusal: Refusal
    message: str


class Unknown(Frozen):
    """The outcome is not known: timeout, reset, 5xx, unreadable answer, duplicate id. Look the order up by its id.

    `was_sent` is false for a request that has not left the program. `id_is_used`: the broker refused the order's id as
    used, so it has an order under it, whether or not it finds that."""

    reason: str
    was_sent: bool = True
    id_is_used: bool = False


Submission = Accepted | Refused | Unknown


class CancelAnswer(StrEnum):
    """The broker's answer to a cancel. No answer says what became of the order: read it again.

    `unsent` is none of the broker's: the account's quota had no request for it.
    """

    REQUESTED = "requested"
    NOT_OPEN = "not_open"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"
    UNSENT = "unsent"
