"""Chaos mode: arms every fault and every race at once, each with the same chance."""

from typing import Final

from repeg_workbench.exchange.broker.races import Race, Races
from repeg_workbench.exchange.faults.stream_faults import StreamFailure, StreamFault
from repeg_workbench.exchange.faults.transport_faults import Fault, Faults, Kind
from repeg_workbench.exchange.triggers import When

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


def every_fault() -> list[Fault]:
    """One fault of each kind, each limited to the calls where it makes sense."""
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


def arm_all(faults: Faults, races: Races, chance: float) -> None:
    """Arm every fault and race for the exchange's lifetime; each strikes at every opportunity with that chance."""
    when = When(times=None, chance=chance)
    for fault in every_fault():
        faults.arm(fault, when)
    for failure in (StreamFailure.DROP, StreamFailure.DUPLICATE, StreamFailure.DISCONNECT):
        faults.arm_stream(StreamFault(failure=failure), when)
    for race in Race:
        races.arm(race, seconds=_STUCK, when=when)
