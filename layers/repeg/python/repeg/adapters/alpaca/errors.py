"""What a failed request means: by method, status and code first, by the text only where those leave it open."""

from __future__ import annotations

from repeg.adapters.alpaca.http import Failure
from repeg.domain.broker import CancelAnswer, Refusal, Refused, Unknown
from repeg.domain.errors import BrokerDenied, BrokerUnavailable

# Only these are a broker that has read the order and does not take it. Everything else may come from a place that does
# not know what became of the request: 404, 408, 409, 429 and 5xx, a page of a proxy, a body without a known code.
_DEFINITIVE = frozenset(
    {
        (400, 40010000),
        (400, 40010001),
        (403, 40310000),
        (403, 40310100),
        (422, 40010001),
        (422, 42210000),
    }
)
_NOT_FOUND = (404, 40410000)
_NOT_CANCELABLE = (422, 42210000)
_FORBIDDEN = "forbidden"
_IDENTITY_TAKEN = ("client_order_id", "unique")

# Refusals of a replace after which the order was replaced all the same.
_PERHAPS_REPLACED = ("unable to replace order", "already replaced", "client_order_id must be unique")

# Codes are shared by many causes; the texts are the broker's and may change: what matches none is OTHER.
_REFUSAL_OF_TEXT: tuple[tuple[str, Refusal], ...] = (
    ("wash trade", Refusal.OPPOSITE_ORDER),
    ("opposite side", Refusal.OPPOSITE_ORDER),
    ("order is open", Refusal.OPPOSITE_ORDER),
    ("buying power", Refusal.FUNDS),
    ("insufficient balance", Refusal.FUNDS),
    ("insufficient qty", Refusal.SHARES),
    ("sold short", Refusal.SHARES),
    ("allowed to short", Refusal.SHARES),
    ("sub-penny", Refusal.PRICE),
    ("limit price", Refusal.PRICE),
    ("limit_price", Refusal.PRICE),
    ("asset ", Refusal.ASSET),
    ("liquidation only", Refusal.DENIED),
    ("blocked", Refusal.DENIED),
    ("suspended", Refusal.DENIED),
    ("restricted", Refusal.DENIED),
    ("rejected by user request", Refusal.DENIED),
    ("pattern day trading", Refusal.DENIED),
)


def submission(failure: Failure) -> Refused | Unknown:
    """What a failed POST of an order means. An id that is taken is ours, sent before: it has to be looked up."""
    if failure.status == 401 or (failure.status == 403 and _FORBIDDEN in failure.message and failure.code is None):
        return Refused(refusal=Refusal.DENIED, message=failure.message or str(failure))
    is_definitive = (failure.status, failure.code) in _DEFINITIVE
    if not is_definitive or all(word in failure.message for word in _IDENTITY_TAKEN):
        return Unknown(reason=str(failure))
    return Refused(refusal=_refusal(failure.message), message=failure.message or str(failure))


def replacement(failure: Failure) -> Refused | Unknown:
    """What a failed PATCH of an order means; some refusals come although the order has been replaced."""
    if any(text in failure.message for text in _PERHAPS_REPLACED):
        return Unknown(reason=str(failure))
    return submission(failure)


def cancellation(failure: Failure) -> CancelAnswer:
    """What a failed DELETE of an order means."""
    if is_absent(failure):
        return CancelAnswer.NOT_FOUND
    if (failure.status, failure.code) != _NOT_CANCELABLE or "pending replace" in failure.message:
        return CancelAnswer.UNKNOWN
    return CancelAnswer.REQUESTED if "pending cancel" in failure.message else CancelAnswer.NOT_OPEN


def is_absent(failure: Failure) -> bool:
    """Whether the broker itself says that it has no such thing; a proxy's 404 says nothing."""
    return (failure.status, failure.code) == _NOT_FOUND


def unreadable(what: str, failure: Failure) -> BrokerUnavailable | BrokerDenied:
    """What a failed read raises."""
    message = f"{what}: {failure}"
    return BrokerDenied(message) if failure.status in {401, 403} else BrokerUnavailable(message)


def _refusal(message: str) -> Refusal:
    found = (refusal for text, refusal in _REFUSAL_OF_TEXT if text in message)
    return next(found, Refusal.OTHER)
