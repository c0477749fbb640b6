"""What the broker can tell us and answer us, in our own words."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from repeg.domain.child_order import OrderReport
from repeg.domain.quote import Side


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class BrokerClock(_Told):
    """The broker's time and whether the core session is on."""

    now: AwareDatetime
    is_open: bool


class Account(_Told):
    """Money in dollars. `spendable` is what may be spent without borrowing, less what open buys have reserved;
    `blocked_by` is what keeps the account from trading, in the broker's words, and empty where nothing does."""

    number: str
    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    spendable: Decimal
    blocked_by: str = ""

    @property
    def is_blocked(self) -> bool:
        """Whether anything keeps the account from trading."""
        return bool(self.blocked_by)


class Position(_Told):
    """Shares held (negative when short) and how many of them no open sell has reserved."""

    symbol: str
    qty: Decimal
    available: Decimal


class Asset(_Told):
    """Whether a symbol can be traded, and in fractions."""

    symbol: str
    is_tradable: bool
    is_fractionable: bool


class Execution(_Told):
    """One fill, by the broker's own unique id."""

    activity_id: str
    broker_order_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    at: AwareDatetime


class Refusal(StrEnum):
    """Why the broker said no, as far as it changes what we do next."""

    FUNDS = "funds"
    SHARES = "shares"
    OPPOSITE_ORDER = "opposite_order"
    PRICE = "price"
    ASSET = "asset"
    DENIED = "denied"
    OTHER = "other"


class Accepted(_Told):
    """The broker has the order."""

    report: OrderReport


class Refused(_Told):
    """The broker says definitively that it does not have the order and will not."""

    refusal: Refusal
    message: str


class Unknown(_Told):
    """Nobody knows: time-out, reset, 5xx, unreadable answer, or an id that is already taken. Look it up by its id."""

    reason: str


Submission = Accepted | Refused | Unknown


class CancelAnswer(StrEnum):
    """What the broker said to a cancel. None of these says what became of the order: read it again."""

    REQUESTED = "requested"
    NOT_OPEN = "not_open"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"
