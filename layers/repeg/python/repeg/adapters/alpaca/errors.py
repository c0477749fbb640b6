"""What a failed request means, by method, status and code, and by the message only where those leave it open.

Row numbers are those of the conformance table in docs/simulator.md. Alpaca's own account of its errors:
https://alpaca.markets/learn/how-to-fix-common-trading-api-errors-at-alpaca
https://docs.alpaca.markets/docs/user-protection
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, NamedTuple

from repeg.adapters.alpaca.http import OTHER_ACCOUNT, Failure
from repeg.adapters.alpaca.keys import NO_KEYS
from repeg.domain.broker import CancelAnswer, Refusal, Refused, Unknown
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, KeysMissing


class Meaning(StrEnum):
    """What is known after a failed request. Only UNKNOWN and ID_IS_USED leave open whether a write was carried out; by
    the latter, the broker has an order under its id: our own of an earlier request, or another one."""

    UNKNOWN = "unknown"
    ID_IS_USED = "id_is_used"
    REFUSED = "refused"
    DENIED = "denied"
    ABSENT = "absent"
    CANCEL_PENDING = "cancel_pending"
    NOT_OPEN = "not_open"


ANY: Final = "any"


class Row(NamedTuple):
    """A failure with this method, status and code, and all of `texts` in its message, has this meaning."""

    methods: tuple[str, ...]
    status: int | Literal["any"]
    code: int | Literal["any"] | None
    meaning: Meaning
    texts: tuple[str, ...] = ()

    def matches(self, method: str, failure: Failure) -> bool:
        """Whether the row applies to a failure."""
        return (
            method in self.methods
            and self.status in (ANY, failure.status)
            and self.code in (ANY, failure.code)
            and all(text in failure.message for text in self.texts)
        )


_GET = ("GET",)
_PATCH = ("PATCH",)
_SEND = ("POST", "PATCH")
_DELETE = ("DELETE",)

# The first matching row decides. Whatever matches none is UNKNOWN: 404, 408, 409, 429 and 5xx, a proxy's page or a body
# without a known code may come from a server that does not know whether the order was placed.
MEANINGS: tuple[Row, ...] = (
    # Refusals of a replace after which the replacement may exist all the same.
    Row(_PATCH, ANY, ANY, Meaning.ID_IS_USED, ("client_order_id must be unique",)),  # row 66
    Row(_PATCH, ANY, ANY, Meaning.UNKNOWN, ("already replaced",)),  # row 69
    Row(_PATCH, ANY, ANY, Meaning.UNKNOWN, ("unable to replace order",)),  # row 79
    # The API keys or the account may not trade.
    Row(_SEND, 401, ANY, Meaning.DENIED),  # rows 1, 2
    Row(_SEND, 403, None, Meaning.DENIED, ("forbidden",)),  # row 2
    # The id is already used, by our own earlier request: look it up.
    Row(_SEND, ANY, ANY, Meaning.ID_IS_USED, ("client_order_id", "unique")),  # rows 13, 14, 106
    # The broker has read the order and refuses it.
    Row(_SEND, 400, 40010000, Meaning.REFUSED),  # no row: malformed body
    Row(_SEND, 400, 40010001, Meaning.REFUSED),  # no row: malformed body
    Row(_SEND, 403, 40310000, Meaning.REFUSED),  # rows 22, 29, 32, 34-38, 40, 44, 45, 83, 84
    Row(_SEND, 403, 40310100, Meaning.REFUSED),  # no row: pattern day trading, withdrawn in 2026
    Row(_SEND, 422, 40010001, Meaning.REFUSED),  # rows 12, 15-17, 27
    Row(_SEND, 422, 42210000, Meaning.REFUSED),  # rows 18-21, 23, 25, 26, 28, 67, 68, 70-72, 81, 82
    # A cancel.
    Row(_DELETE, 404, 40410000, Meaning.ABSENT),  # row 89
    Row(_DELETE, 422, 42210000, Meaning.UNKNOWN, ("pending replace",)),  # row 78
    Row(_DELETE, 422, 42210000, Meaning.CANCEL_PENDING, ("pending cancel",)),  # row 88
    Row(_DELETE, 422, 42210000, Meaning.NOT_OPEN),  # rows 86, 87
    # Not sent, as the keys open another account. A write is UNKNOWN, because an earlier one may have been carried out.
    Row(_GET, ANY, ANY, Meaning.DENIED, (OTHER_ACCOUNT,)),
    # A read. A 404 without the code comes from a proxy and proves nothing.
    Row(_GET, 404, 40410000, Meaning.ABSENT),  # rows 52, 53
    Row(_GET, 401, ANY, Meaning.DENIED),  # rows 1, 2
    Row(_GET, 403, ANY, Meaning.DENIED),  # rows 2, 101
)

# Why an order was refused, by a text in the message; the first match decides, and a message without one is OTHER.
# The codes are shared by many causes, and Alpaca may change the texts.
REFUSALS: tuple[tuple[str, Refusal], ...] = (
    ("wash trade", Refusal.OPPOSITE_ORDER),  # rows 38, 40
    ("opposite side", Refusal.OPPOSITE_ORDER),  # rows 38, 40
    ("order is open", Refusal.OPPOSITE_ORDER),  # no row: a short sell against an open buy, or the reverse
    ("buying power", Refusal.FUNDS),  # rows 29, 83
    ("insufficient balance", Refusal.FUNDS),  # no row: a variant of 29
    ("insufficient qty", Refusal.SHARES),  # rows 32, 34, 84
    ("sold short", Refusal.SHARES),  # row 26
    ("allowed to short", Refusal.SHARES),  # row 35
    ("sub-penny", Refusal.PRICE),  # rows 18, 19, 82
    ("limit price", Refusal.PRICE),  # row 16
    ("limit_price", Refusal.PRICE),  # row 18
    ("asset ", Refusal.ASSET),  # rows 20-22
    ("liquidation only", Refusal.DENIED),  # row 44
    ("blocked", Refusal.DENIED),  # row 44
    ("suspended", Refusal.DENIED),  # row 44
    ("restricted", Refusal.DENIED),  # row 44
    ("rejected by user request", Refusal.DENIED),  # row 44
    ("pattern day trading", Refusal.DENIED),  # no row: withdrawn in 2026
)

_CANCEL_ANSWERS = {
    Meaning.ABSENT: CancelAnswer.NOT_FOUND,
    Meaning.CANCEL_PENDING: CancelAnswer.REQUESTED,
    Meaning.NOT_OPEN: CancelAnswer.NOT_OPEN,
}


def submission(failure: Failure) -> Refused | Unknown:
    """The outcome of a failed POST of an order."""
    return _outcome("POST", failure)


def replacement(failure: Failure) -> Refused | Unknown:
    """The outcome of a failed PATCH of an order."""
    return _outcome("PATCH", failure)


def cancellation(failure: Failure) -> CancelAnswer:
    """The outcome of a failed DELETE of an order."""
    return _CANCEL_ANSWERS.get(_meaning("DELETE", failure), CancelAnswer.UNKNOWN)


def is_absent(failure: Failure) -> bool:
    """Whether the broker itself answered a GET with: no such resource."""
    return _meaning("GET", failure) is Meaning.ABSENT


def unreadable(what: str, failure: Failure) -> BrokerUnavailable | BrokerDenied:
    """The exception to raise for a failed GET."""
    message = f"{what}: {failure}"
    if failure.message.startswith(NO_KEYS):
        return KeysMissing(message)
    return BrokerDenied(message) if _meaning("GET", failure) is Meaning.DENIED else BrokerUnavailable(message)


def _meaning(method: str, failure: Failure) -> Meaning:
    return next((row.meaning for row in MEANINGS if row.matches(method, failure)), Meaning.UNKNOWN)


def _outcome(method: str, failure: Failure) -> Refused | Unknown:
    meaning = _meaning(method, failure)
    if meaning in {Meaning.UNKNOWN, Meaning.ID_IS_USED}:
        is_used = meaning is Meaning.ID_IS_USED
        return Unknown(reason=str(failure), was_sent=not failure.is_unsent, id_is_used=is_used)
    refusal = Refusal.DENIED if meaning is Meaning.DENIED else _refusal(failure.message)
    return Refused(refusal=refusal, message=failure.message or str(failure))


def _refusal(message: str) -> Refusal:
    return next((refusal for text, refusal in REFUSALS if text in message), Refusal.OTHER)
