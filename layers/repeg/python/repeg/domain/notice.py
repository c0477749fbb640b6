"""What an event says to a person: what has happened, what it cost, and what to do."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from repeg.domain.page_address import PageAddress
from repeg.domain.shortfall import PARTS

# Raised when a field of an event changes its meaning or is removed; a new field does not change it.
SCHEMA = 1

RUN_OPENED = "repeg.run.opened"
RUN_SETTLED = "repeg.run.settled"
RUN_FAILED = "repeg.run.failed"
RUN_CORRECTED = "repeg.run.corrected"
RUN_MEASURED = "repeg.run.measured"
ORDER_PLACED = "repeg.order.placed"
ORDER_MOVED = "repeg.order.moved"
ORDER_FILLED = "repeg.order.filled"
ORDER_FINISHED = "repeg.order.finished"
ORDER_HELD = "repeg.order.held"
SWITCH_CHANGED = "repeg.switch.changed"
WATCH = "repeg.watch."

_NOTHING = "Nothing."

_TO_DO = {
    RUN_OPENED: _NOTHING,
    RUN_SETTLED: _NOTHING,
    RUN_FAILED: "Read the run's report, and check the account's open orders and positions.",
    RUN_CORRECTED: "Use the corrected report; the earlier one lacked a late order or fill.",
    RUN_MEASURED: _NOTHING,
    ORDER_PLACED: _NOTHING,
    ORDER_MOVED: _NOTHING,
    ORDER_FILLED: _NOTHING,
    ORDER_FINISHED: _NOTHING,
    ORDER_HELD: "Look at its quote; the setting `fallback` decides what becomes of it near the close.",
    SWITCH_CHANGED: "Run `repeg status` to see what is open; `repeg resume` lets the stack trade again.",
    f"{WATCH}missed_run": "Look at the schedule and its queue, and start the plan by hand.",
    f"{WATCH}stuck_run": "Check that the run's report follows within ten minutes.",
    f"{WATCH}left_open": "Check the broker's open orders and positions.",
    f"{WATCH}order_lost": "Find the order at the broker by its id before the next run.",
    f"{WATCH}books_differ": "Compare the run's report with the broker's fills of that day.",
    f"{WATCH}cash_negative": "Sell or pay in what is owed; the run's report says which sells are not filled.",
    f"{WATCH}unreadable_row": "Compare the broker's fills by hand, and report the row.",
    f"{WATCH}watch_failed": "Read the watchdog's log; its next pass comes in ten minutes.",
}

KINDS = tuple(_TO_DO)
"""Every kind of event."""

PAGED = frozenset({RUN_SETTLED, RUN_FAILED, RUN_CORRECTED, RUN_MEASURED})
"""The kinds after which the run's page is written."""

_NO_PAGES = PageAddress()


def described(
    kind: str, detail: Mapping[str, Any], *, is_live: bool, stack: str, pages: PageAddress = _NO_PAGES
) -> dict[str, Any]:
    """An event's detail with its schema, id, mode and stack, where its run's page is, and in words: `what`, `cost`,
    `to_do`.

    The id is the event's own, or a digest of its contents: an event that is published twice has the same one. A field
    that is missing is left out of the words: an alert must not be lost for a sentence.
    """
    paged = str(detail.get("run_id", "")) if kind in PAGED else ""
    page = {"page": pages.uri(paged)} if paged and pages.uri(paged) else {}
    digest = sha256(json.dumps([kind, detail], default=str, sort_keys=True).encode()).hexdigest()[:16]
    return {
        "schema": SCHEMA,
        "event_id": f"{kind}.{digest}",
        **detail,
        **page,
        "mode": "LIVE" if is_live else "paper",
        "stack": stack,
        "what": _plain(_what(kind, detail)),
        "cost": _plain(_cost(detail if "totals" in detail else detail.get("after", {}))),
        "to_do": _plain(f"{_TO_DO.get(kind, _NOTHING)} {pages.in_words(paged, stack) if page else ''}".strip()),
    }


def _what(kind: str, detail: Mapping[str, Any]) -> str:
    if kind in _SENTENCES:
        return _SENTENCES[kind](defaultdict(lambda: "unknown", detail))
    about = f" ({detail['run_id']})" if detail.get("run_id") else ""
    return f"{kind.removeprefix(WATCH).replace('_', ' ').capitalize()}{about}: {detail.get('reason', 'unknown')}"


def _settled(detail: Mapping[str, Any]) -> str:
    totals = detail.get("totals", {})
    filled, orders = totals.get("orders_filled", "unknown"), totals.get("orders", "unknown")
    return f"Run {detail['run_id']} has settled, with {filled} of {orders} orders filled: {detail['reason']}"


def _terms(detail: Mapping[str, Any]) -> str:
    limit = "the market" if detail["limit"] is None else detail["limit"]
    return f"{detail['side']} {detail['qty']} {detail['symbol']} at {limit}"


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    RUN_OPENED: lambda detail: f"Run {detail['run_id']} has begun, with {detail['orders']} lines in its plan.",
    RUN_SETTLED: _settled,
    RUN_FAILED: lambda detail: f"Run {detail['run_id']} has FAILED ({detail['error']}): {detail['reason']}",
    RUN_CORRECTED: lambda detail: (
        f"The report of run {detail['run_id']} was corrected: {detail.get('after', {}).get('reason')}"
    ),
    RUN_MEASURED: lambda detail: (
        f"The costs and markouts of run {detail['run_id']} are complete, from {detail['reason']}"
    ),
    ORDER_PLACED: lambda detail: (
        f"An order to {_terms(detail)} was sent for run {detail['run_id']}: {detail['reason']}"
    ),
    ORDER_MOVED: lambda detail: (
        f"An order was moved, to {_terms(detail)}, for run {detail['run_id']}: {detail['reason']}"
    ),
    ORDER_FILLED: lambda detail: (
        f"{detail['qty']} {detail['symbol']} filled at {detail['price']} for run {detail['run_id']}: "
        f"{detail['filled']} of {detail['target']} shares to {detail['side']}."
    ),
    ORDER_FINISHED: lambda detail: (
        f"The {detail['side']} order for {detail['symbol']} of run {detail['run_id']} has ended as "
        f"{detail['outcome']}, with {detail['filled']} of {detail['target']} shares filled: {detail['reason']}"
    ),
    ORDER_HELD: lambda detail: (
        f"The {detail['side']} order for {detail['symbol']} of run {detail['run_id']} has been held since "
        f"{detail['held_since']}, with {detail['filled']} of {detail['target']} shares filled: {detail['reason']}"
    ),
    SWITCH_CHANGED: lambda detail: f"The kill switch was {detail['previous']} and is now {detail['switch']}.",
}


def _cost(detail: Mapping[str, Any]) -> str:
    """The cost of a run in words: of what was filled against arrival, and of the whole plan against its decision."""
    totals = detail.get("totals")
    whole = _shortfall(detail.get("costs"))
    if not totals or totals.get("cost_bps") is None:
        return "Nothing was filled, or its cost is not known." + whole
    market = totals.get("market_cost_bps")
    against = "" if market is None else f"; market orders at arrival would have cost {market} bps{_assumed(totals)}"
    return f"{totals['cost_bps']} bps of {totals['filled_notional']} dollars against arrival{against}.{whole}"


def _shortfall(costs: Mapping[str, Any] | None) -> str:
    """What the whole plan has cost against the decision prices, with its parts; empty where that is not known."""
    found = (costs or {}).get("shortfall")
    if not found or found.get("dollars") is None:
        return ""
    parts = ", ".join(f"{name} {found[name]}" for name in PARTS if found.get(name) not in {None, "0"})
    split = f" ({parts})" if parts else ""
    return f" Against the decision prices the plan has cost {found['dollars']} dollars, {found['bps']} bps{split}."


def _assumed(totals: Mapping[str, Any]) -> str:
    """The assumption behind the cost of market orders, where it is not the displayed far side."""
    assumed = totals.get("crossing_cost")
    return "" if assumed in {None, "1"} else f" at {assumed} half-spreads"


def _plain(text: str) -> str:
    """Text that can stand inside a JSON string as it is: EventBridge's templates do not escape what they insert."""
    return " ".join(text.replace("\\", "/").replace('"', "'").split())
