"""The orders of a page: from what was measured of them when the run closed, or from the last that the journal has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from repeg.domain.run_page.page import Circumstances, OrderOnPage
from repeg.domain.run_page.reading import amount_of, fields_of, instant_of, list_of, price_of, text_of
from repeg.domain.run_page.record import QUIET, Fill, Look, OrderRecord, arrival_of

# So many looks a page has at most, shared by its orders: each takes about 40 bytes.
MOST_LOOKS = 60_000
FEWEST_FOR_AN_ORDER = 60
MOST_FOR_AN_ORDER = 2_000

_NOTHING = Decimal(0)
_CENT, _PRICE = Decimal("0.01"), Decimal("0.000001")


def orders_of(records: Sequence[OrderRecord], known: Circumstances) -> tuple[OrderOnPage, ...]:
    """Every order, with as many of its looks as a page has room for."""
    room = min(MOST_FOR_AN_ORDER, max(FEWEST_FOR_AN_ORDER, MOST_LOOKS // max(1, len(records))))
    return tuple(_order(record, known, room) for record in records)


def _order(record: OrderRecord, known: Circumstances, room: int) -> OrderOnPage:
    state, measured = record.state, record.measured
    planned_side, _, planned = record.planned.partition(" ")
    bid, ask, arrived_at = arrival_of(record)
    outcome, reason = known.outcomes.get(record.symbol, ("", ""))
    cost = None if measured is None or measured.is_preview else measured
    filled = sum((fill.qty for fill in record.fills), _NOTHING)
    looks = thinned(record.looks, room)
    return OrderOnPage(
        symbol=record.symbol,
        side=text_of(state.get("side")) or planned_side,
        target=amount_of(state.get("target")) or amount_of(planned),
        filled=filled,
        average=_average(record.fills, filled),
        arrival_bid=bid,
        arrival_ask=ask,
        arrived_at=arrived_at,
        collar=price_of(state.get("collar")),
        notional=None if cost is None else cost.notional.quantize(_CENT),
        cost=_rounded(None if cost is None else cost.cost),
        cost_bps=_rounded(None if cost is None else cost.cost_bps),
        cost_half_spreads=_rounded(None if cost is None else cost.cost_half_spreads),
        market=None if cost is None or cost.cost is None else cost.target * cost.half_spread,
        spread_ticks=None if cost is None else cost.spread_ticks,
        children=len(list_of(state.get("children"))),
        outcome=text_of(state.get("outcome")) or outcome or ("" if measured else _outcome_in_words(record)),
        reason=text_of(state.get("reason")) or reason or record.ended or _last_reason(record.looks),
        note=text_of(state.get("note")),
        seconds=_seconds(instant_of(state.get("first_placed_at")), record.fills),
        looks=looks,
        fills=tuple(record.fills),
        left_out=len(record.looks) - len(looks),
    )


def thinned(looks: Sequence[Look], room: int) -> tuple[Look, ...]:
    """The looks that an order has room for: every act if there is room, and others evenly spread, with the first and
    the last."""
    if len(looks) <= room:
        return tuple(looks)
    acts = sum(look.verb not in QUIET for look in looks)
    if acts >= room:
        return (*looks[: -1 : -(-len(looks) // room)], looks[-1])
    every = max(2, -(-(len(looks) - acts) // max(1, room - acts)))
    kept, holds = list[Look](), 0
    for number, look in enumerate(looks):
        if look.verb in QUIET and number < len(looks) - 1:
            holds += 1
            if holds % every != 1:
                continue
        kept.append(look)
    return tuple(kept)


def _outcome_in_words(record: OrderRecord) -> str:
    return "" if not record.ended else "filled" if record.ended == "filled" else "ended"


def _last_reason(looks: Iterable[Look]) -> str:
    """Why the order last did what it did: all that a journal that was cut off has of its end."""
    reasons = [look.reason for look in looks if look.reason]
    return f"last seen: {reasons[-1]}" if reasons else ""


def _average(fills: Sequence[Fill], filled: Decimal) -> Decimal | None:
    paid = sum((fill.qty * fill.price for fill in fills), _NOTHING)
    return (paid / filled).quantize(_PRICE) if filled else None


def _seconds(placed_at: datetime | None, fills: Sequence[Fill]) -> Decimal | None:
    """From the first placement to the last fill."""
    if placed_at is None or not fills:
        return None
    took = max(fill.at for fill in fills) - placed_at
    return Decimal(took // timedelta(milliseconds=100)) / 10


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(_CENT) + 0


def has_preview(records: Iterable[OrderRecord]) -> bool:
    """Whether the orders were decided and never sent."""
    return any(fields_of(record.state).get("outcome") == "preview" for record in records)
