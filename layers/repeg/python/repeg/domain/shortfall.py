"""The implementation shortfall of an order against its decision price, and the parts that add up to it.

The decision price is the mid of the book when the run could first trade, also for an order that then waited: for the
cash of sells, or for a book that may be traded on. With it d, with a the mid of the book that the first child was sent
on, with p and m the price of a fill of q shares and the mid at that time, and with l the last mid, a buy's

    shortfall    Σ q (p - d)  +  unfilled (l - d)
    delay        target (a - d)
    timing       Σ q (m - a)
    spread       Σ q (p - m)
    opportunity  unfilled (l - a)

are equal, term by term; a sell's have the other sign. An order of which nothing was sent has a = d.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple, TypeGuard

from repeg.domain.amount import Amount, in_cents, split_in_cents, total
from repeg.domain.broker import Execution
from repeg.domain.decision_price import decision_book
from repeg.domain.frozen import Frozen
from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote

_HUNDREDTH = Decimal("0.01")
_PRICE = Decimal("0.000001")


PARTS = ("delay", "timing", "spread", "unsplit", "opportunity")


class Split(Frozen):
    """A shortfall in its parts: dollars to the cent, positive where we paid. The parts add up to `dollars` exactly.

    `worth` is the target at the decision price, which `bps` are of. `unsplit` is timing and spread together, of the
    fills at whose time no book is known. `quoted` is half the spread of the books at the other fills, times their
    shares; `half_spreads` is how many of these were captured: 1 at the near side, -1 at the far side. A figure that
    cannot be known is None.
    """

    worth: Amount
    dollars: Amount | None
    bps: Amount | None
    delay: Amount
    timing: Amount
    spread: Amount
    unsplit: Amount
    opportunity: Amount | None
    quoted: Amount
    half_spreads: Amount | None


class Shortfall(Split):
    """The shortfall of one order. Prices in dollars; `half_spread` is that of the decision's book.

    `missing` says why a figure is None, and what was left out.
    """

    decision_mid: Amount
    half_spread: Amount
    missing: str = ""


class Seen(NamedTuple):
    """The books of one order: at the decision, when its first child was sent, at each of its fills by the execution's
    id, and the last one."""

    decision: Quote | None
    first_sent: Quote | None
    fills: Mapping[str, Quote]
    last: Quote | None


def seen_books(
    order: ParentOrder,
    executions: Sequence[Execution],
    intents: Sequence[Intent],
    measured: Mapping[str, Quote],
    last: Quote | None,
) -> Seen:
    """The books of an order. At a fill it is the measured one, else the one that the filled child was sent on."""
    by_id = {intent.client_order_id: intent for intent in intents}
    own = [by_id[child.client_order_id] for child in order.children if child.client_order_id in by_id]
    sent_on = {child.broker_id: by_id.get(child.client_order_id) for child in order.children}
    fills: dict[str, Quote] = {}
    for execution in executions:
        intent = sent_on.get(execution.broker_order_id)
        book = measured.get(execution.activity_id, intent.quote if intent is not None else None)
        if has_two_sides(book):
            fills[execution.activity_id] = book
    first = min(own, key=lambda intent: intent.n).quote if own else None
    return Seen(decision_book(order), first, fills, last)


def shortfall_of(order: ParentOrder, executions: Sequence[Execution], seen: Seen) -> Shortfall | None:
    """The shortfall of an order; None without a decision price, as for one whose book never had two sides."""
    decision = seen.decision
    if decision is None:
        return None
    sign, start = order.side.sign, decision.mid
    sent = seen.first_sent.mid if has_two_sides(seen.first_sent) else start
    split = [execution for execution in executions if execution.activity_id in seen.fills]
    unsplit = [execution for execution in executions if execution.activity_id not in seen.fills]
    mids = {key: book.mid for key, book in seen.fills.items()}
    left = order.target - sum((execution.qty for execution in executions), Decimal(0))
    last = seen.last.mid if has_two_sides(seen.last) else None
    known = [
        order.target * (sent - start),
        sum((e.qty * (mids[e.activity_id] - sent) for e in split), Decimal(0)),
        sum((e.qty * (e.price - mids[e.activity_id]) for e in split), Decimal(0)),
        sum((e.qty * (e.price - sent) for e in unsplit), Decimal(0)),
    ]
    if last is not None or not left:
        known.append(left * ((last or sent) - sent))
    parts = split_in_cents([sign * part for part in known])
    quoted = sum((e.qty * seen.fills[e.activity_id].spread / 2 for e in split), Decimal(0))
    return Shortfall(
        **_figures(in_cents(order.target * start), parts, quoted),
        decision_mid=start.quantize(_PRICE),
        half_spread=(decision.spread / 2).quantize(_PRICE),
        missing=_missing(order, unsplit, left, has_last=len(parts) == len(PARTS)),
    )


def summed(orders: Sequence[Split]) -> Split | None:
    """The shortfall of several orders: the sums of their cents. None without orders."""
    if not orders:
        return None
    worth = sum((each.worth for each in orders), Decimal(0))
    parts = [sum((getattr(each, name) for each in orders), Decimal(0)) for name in PARTS[:-1]]
    opportunity = total(each.opportunity for each in orders)
    known = parts if opportunity is None else [*parts, opportunity]
    return Split(**_figures(worth, known, sum((each.quoted for each in orders), Decimal(0))))


def in_bps(dollars: Decimal | None, worth: Decimal) -> Decimal | None:
    """Dollars in basis points of a worth; None if either is not known."""
    return None if dollars is None or not worth else (dollars / worth * 10_000).quantize(_HUNDREDTH)


def has_two_sides(book: Quote | None) -> TypeGuard[Quote]:
    """Whether a book has a mid."""
    return book is not None and 0 < book.bid <= book.ask


def _figures(worth: Decimal, parts: Sequence[Decimal], quoted: Decimal) -> dict[str, Any]:
    """The figures of a shortfall from its parts in cents; without the last part, the opportunity, it is not known."""
    named = dict(zip_longest(PARTS, parts))
    dollars = total(named.values())
    captured = (-parts[2] / quoted).quantize(_HUNDREDTH) if quoted else None
    return {
        **named, "worth": worth, "dollars": dollars, "bps": in_bps(dollars, worth), "quoted": in_cents(quoted),
        "half_spreads": captured,
    }  # fmt: skip


def _missing(order: ParentOrder, unsplit: Sequence[Execution], left: Decimal, *, has_last: bool) -> str:
    """What is not known of an order's shortfall, in words; empty if everything is."""
    booked = order.target - left
    return "; ".join(
        words
        for is_so, words in (
            (not has_last, f"{left} shares are not filled, and no last price of them is known"),
            (bool(unsplit), f"no book is known at {len(unsplit)} of the fills"),
            (booked != order.filled, f"{booked} shares are booked, and the order says {order.filled}"),
        )
        if is_so
    )
