"""Bad weather by seed: every fault and every race at once, each with its chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.arming import When
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind, StreamFailure, StreamFault

if TYPE_CHECKING:
    from repeg_workbench.exchange.core import Exchange

_QUOTES: Final = (
    "quote_stale",
    "quote_crossed",
    "quote_locked",
    "quote_wide",
    "quote_without_bid",
    "quote_without_ask",
)
_ORDERS: Final = ("unknown_status", "unknown_asset_class", "null_submitted_at")
_PAGES: Final = (500, 502, 503, 504)
_SILENCE: Final = 30.0
_STUCK: Final = 120.0


def faults() -> list[Fault]:
    """One of each, for the calls where it makes sense."""
    pages = [Fault(kind=kind, status=status) for kind in (Kind.ANSWER_BEFORE, Kind.ANSWER_AFTER) for status in _PAGES]
    quotes = [Fault(kind=Kind.REWRITE, path="/v2/stocks/.*", rewrite=name) for name in _QUOTES]
    orders = [Fault(kind=Kind.REWRITE, path="/v2/orders.*", rewrite=name) for name in _ORDERS]
    return [
        *pages,
        *quotes,
        *orders,
        Fault(kind=Kind.ANSWER_AFTER, status=200),
        Fault(kind=Kind.ANSWER_AFTER, status=200, body=""),
        Fault(kind=Kind.ANSWER_BEFORE, status=429, body={"code": 42910000, "message": "rate limit exceeded"}),
        Fault(kind=Kind.RESET_BEFORE),
        Fault(kind=Kind.RESET_AFTER),
        Fault(kind=Kind.HANG_BEFORE, seconds=_SILENCE),
        Fault(kind=Kind.HANG_AFTER, seconds=_SILENCE),
        Fault(kind=Kind.LATE, seconds=_SILENCE, delay=_SILENCE / 4),
        Fault(kind=Kind.SLOW, seconds=_SILENCE / 10),
    ]


def brew(exchange: Exchange, chance: float) -> None:
    """Arm everything for as long as the exchange lives, each at every opportunity with that chance."""
    when = When(times=None, chance=chance)
    for fault in faults():
        exchange.faults.arm(fault, when)
    for failure in (StreamFailure.DROP, StreamFailure.DUPLICATE, StreamFailure.DISCONNECT):
        exchange.faults.arm_stream(StreamFault(failure=failure), when)
    for race in Race:
        exchange.races.arm(race, seconds=_STUCK, when=when)
