"""Why an order was not filled: what held it to its end, and how far the market was from letting it trade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.quote import Quote, Side, age_seconds
from repeg.domain.quote_check import QuoteCheck, hold_reason
from repeg.domain.setting_types import Escalation, Fallback
from repeg_workbench.explain.decided import Decided
from repeg_workbench.explain.endings import what_was_left
from repeg_workbench.explain.figures import clock, dollars, percent, price, shares, span
from repeg_workbench.explain.spent_time import FOR_CASH, spent
from repeg_workbench.explain.story import OrderStory, need_of


def why_not_filled(story: OrderStory) -> str:
    """The answer; empty for an order that was filled. A journal without the order's end says what is known."""
    order = story.order
    if order is None:
        return _never_decided(story)
    if order.remaining <= 0 or order.outcome is Outcome.FILLED:
        return ""
    end = story.end
    if end is None and order.outcome is None:
        known = f"{shares(order.filled)} of {shares(order.target)} were filled"
        return f"{known} as far as the journal goes; its end is missing."
    reason = end.reason if end is not None else order.reason
    held = _held(story)
    detail = _BY_HOLD[held](story) if held in _BY_HOLD else _by_outcome(story)
    left = what_was_left(story, reason, None if end is None else end.at)
    waited = "" if held in CASH else _waited(story)
    return " ".join(filter(None, (left, waited, detail)))


def _waited(story: OrderStory) -> str:
    """That an order waited for cash for most of its time, whatever held it at its end; empty if it did not."""
    parts = spent(story)
    if not parts or parts[0].state != FOR_CASH:
        return ""
    unsold = f": {', '.join(story.unsold)} had not sold" if story.unsold else ""
    return f"For {span(parts[0].length)} it waited for the cash of the run's sells{unsold}."


def _held(story: OrderStory) -> HoldReason | None:
    """What held the order at its end: as stored then, or as last decided where the journal has no such state."""
    order, last = story.order, story.decisions[-1] if story.decisions else None
    is_final = order is not None and order.outcome is not None
    if order is None or last is None or is_final:
        return None if order is None else order.held
    answer = last.answer
    if isinstance(answer, QuoteCheck):
        return order.held if answer.frees else hold_reason(answer.gate, last.quote, last.moment.now)
    return order.held if answer.sends else HoldReason(answer.reason)


def _never_decided(story: OrderStory) -> str:
    planned = story.planned
    if planned is None:
        return ""
    is_untraded = planned.detail == "no trade"
    return (
        f"It was not to be traded: {planned.reason}."
        if is_untraded
        else "It was planned, and no decision on it is in the journal."
    )


def _books(story: OrderStory) -> Iterator[tuple[Decided, Quote]]:
    """The two-sided books that were journalled while there was something left to trade."""
    for decided in story.decisions:
        if decided.quote is not None and decided.has_book and decided.order.remaining > 0:
            yield decided, decided.quote


def _books_since_sent(story: OrderStory) -> Iterator[tuple[Decided, Quote]]:
    """The books since the order's latest child was sent."""
    child = None if story.order is None else story.order.child
    for decided, quote in _books(story):
        if child is None or decided.moment.now >= child.decided_at:
            yield decided, quote


def _wide(story: OrderStory) -> str:
    books = list(_books(story))
    if not books:
        return "No book with two sides is in the journal."
    least, _ = min(books, key=lambda found: found[0].spread_pct)
    most = least.settings.max_spread_pct
    seen = (
        f"The narrowest of {len(books)} journalled books was {percent(least.spread_pct)}, at {clock(least.moment.now)}"
    )
    if least.spread_pct <= most:
        return f"{seen}; its last ones were wider than max_spread_pct={most}.{_fallback(least)}"
    return f"{seen}; max_spread_pct={most} let none through.{_fallback(least)}"


def _fallback(decided: Decided) -> str:
    if decided.settings.fallback is not Fallback.NONE:
        return f" Its fallback was {decided.settings.fallback}, and the journal has no case in which it was due."
    return " With fallback=collar it would have been sent once near the close, at its collar."


def _stale(story: OrderStory) -> str:
    last = story.decisions[-1] if story.decisions else None
    return f"{_aged(story)}{'' if last is None else _fallback(last)}"


def _aged(story: OrderStory) -> str:
    """How old the last quote was, and how old it might have been."""
    aged = [(d, age_seconds(q, d.moment.now)) for d, q in _books(story)]
    known = [(decided, age) for decided, age in aged if age is not None]
    if not known:
        return "No quote with a time stamp is in the journal."
    last, age = known[-1]
    most = last.settings.oldest_quote_seconds
    seen = f"The last journalled quote was {span(timedelta(seconds=float(age)))} old at {clock(last.moment.now)}"
    return f"{seen}; {most} seconds are allowed."


def _thin(story: OrderStory) -> str:
    books = list(_books(story))
    if not books:
        return "No book with two sides is in the journal."
    best, quote = max(books, key=lambda found: found[1].near_size(found[0].side))
    most = shares(quote.near_size(best.side))
    seen = f"The most that the {best.near_name} displayed was {most} shares, at {clock(best.moment.now)}"
    return f"{seen}; min_volume_shares={best.settings.min_volume_shares} or a round lot is wanted.{_fallback(best)}"


def _no_book(story: OrderStory) -> str:
    books = sum(1 for _ in _books(story))
    decided = story.decisions[-1]
    return f"Of {len(story.decisions)} journalled quotes {books} had two sides.{_fallback(decided)}"


def _halted(story: OrderStory) -> str:
    return (
        "A quote unchanged for five minutes is taken for a halt, and nothing is sent into one, not even as a fallback. "
        f"{_aged(story)}"
    )


def _collar(story: OrderStory) -> str:
    order = story.order
    if order is None or order.collar is None or order.arrival is None:
        return ""
    bps = story.decisions[-1].settings.max_slippage_bps.normalize()
    mid = f"the arrival mid {price(order.arrival.mid)}"
    fixed = f"Its collar was {price(order.collar)}, max_slippage_bps={bps:f} from {mid}."
    return f"{fixed} {_nearest(story, order.collar, 'its collar')}"


def _nearest(story: OrderStory, limit: Decimal, name: str) -> str:
    """How near the far side came to a price in the journalled books."""
    order = story.order
    books = [] if order is None else list(_books_since_sent(story))
    if order is None or not books:
        return ""
    best, quote = min(books, key=lambda found: found[1].far(order.side) * order.side.sign)
    far = quote.far(order.side)
    gap = (far - limit) * order.side.sign
    lowest = "lowest ask" if order.side is Side.BUY else "highest bid"
    where = f"{price(gap)} beyond {name}" if gap > 0 else f"within {name}"
    last, shown = books[-1]
    seen = f"Since it was last sent, the {lowest} of {len(books)} journalled books was {price(far)}"
    ends = f"the last was {price(shown.far(order.side))} at {clock(last.moment.now)}"
    return f"{seen} at {clock(best.moment.now)}, {where}; {ends}."


def _cash(story: OrderStory) -> str:
    last = next((each.cash for each in reversed(story.told) if need_of(each.cash, story.symbol) is not None), None)
    need = need_of(last, story.symbol)
    if last is None or need is None:
        return ""
    coming = last.expected_from_sells
    sells = f"the open sells could bring {dollars(coming)}" if coming > 0 else "no open sell was left to bring more"
    return (
        f"Its {shares(need.qty)} shares could cost {dollars(need.cost)} at {price(need.worst_price)} each; "
        f"{dollars(last.spendable)} was there for all buys, and {sells}."
        + (f" Of the run's sells, {', '.join(story.unsold)} had not sold." if story.unsold else "")
    )


def _by_outcome(story: OrderStory) -> str:
    order = story.order
    if order is None:
        return ""
    if order.outcome is Outcome.UNFUNDED:
        return _cash(story)
    if order.outcome is Outcome.PREVIEW:
        return "A preview decides everything and places nothing."
    if order.outcome is Outcome.PARTIAL_DEADLINE:
        return _deadline(story)
    abnormal = [each.entry for each in story.told if each.entry.is_abnormal]
    return f"The last abnormal event, at {clock(abnormal[-1].at)}: {abnormal[-1].reason}." if abnormal else ""


def _deadline(story: OrderStory) -> str:
    """Why an order that nothing held had not traded by the end: where it rested, and what kept it from taking."""
    order, child = story.order, story.order.child if story.order is not None else None
    if order is None or child is None or child.limit is None or not story.decisions:
        return ""
    settings = story.decisions[-1].settings
    kept = ""
    if settings.escalation in {Escalation.NONE, Escalation.MID}:
        kept = f"escalation={settings.escalation} never let it take the far side."
    if order.moves >= settings.max_repegs:
        kept = f"All max_repegs={settings.max_repegs} moves were made by then, so it followed no further. {kept}"
    at = f"It last rested at {price(child.limit)}, sent at {clock(child.decided_at)}"
    nearest = _nearest(story, child.limit, "its limit")
    return " ".join(filter(None, (f"{at}{_at_the_front(story, child.limit)}.", nearest, kept)))


def _at_the_front(story: OrderStory, limit: Decimal) -> str:
    """In how many books since it was sent nobody on its side was in front of it."""
    books = list(_books_since_sent(story))
    if not books:
        return ""
    side, name = books[0][0].side, books[0][0].near_name
    first = sum((quote.near(side) - limit) * side.sign <= 0 for _, quote in books)
    if first == len(books):
        return f"; it was the best {name} of all {len(books)} journalled books since, and nobody traded with it"
    return f"; it was the best {name} in {first} of {len(books)} journalled books since"


CASH = frozenset({HoldReason.UNFUNDED, HoldReason.WAITS_FOR_SELLS})

_BY_HOLD: dict[HoldReason | None, Callable[[OrderStory], str]] = {
    HoldReason.WIDE: _wide,
    HoldReason.STALE: _stale,
    HoldReason.HALTED: _halted,
    HoldReason.THIN: _thin,
    HoldReason.MISSING: _no_book,
    HoldReason.ONE_SIDED: _no_book,
    HoldReason.CROSSED: _no_book,
    HoldReason.LOCKED: _no_book,
    HoldReason.COLLAR: _collar,
    HoldReason.UNFUNDED: _cash,
    HoldReason.WAITS_FOR_SELLS: _cash,
}
