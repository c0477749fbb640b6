"""The three questions about an order: why it was not filled, why at this price, and why so late."""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from repeg.domain.child_order import Rung
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side, format_price
from repeg.domain.setting_types import Escalation
from repeg_workbench.explain.endings import plural_shares, reason_in_words
from repeg_workbench.explain.figures import clock, dollars, plural, price, shares, span
from repeg_workbench.explain.reasons import patience
from repeg_workbench.explain.sized import why_this_size
from repeg_workbench.explain.spent_time import FOR_CASH, in_words, spent
from repeg_workbench.explain.story import OrderStory
from repeg_workbench.explain.unfilled import why_not_filled

SIZE, NOT_FILLED, PRICE, TIME = "Why this size?", "Why was it not filled?", "Why this price?", "Why so late?"

_ZERO, _CENT = Decimal(0), Decimal("0.01")


class Question(NamedTuple):
    """A question with its answer, in sentences."""

    asked: str
    answer: str


def questions(story: OrderStory) -> list[Question]:
    """The questions that arise for an order, answered."""
    asked = (
        (SIZE, why_this_size(story)),
        (NOT_FILLED, why_not_filled(story)),
        (PRICE, why_this_price(story)),
        (TIME, why_so_late(story)),
    )
    return [Question(question, answer) for question, answer in asked if answer]


def headline(story: OrderStory) -> str:
    """The order in a line: what was wanted, what was done, and how it ended."""
    order = story.order
    if order is None:
        planned = story.planned
        said = (planned.detail, planned.reason) if planned is not None else ("", "")
        return f"{story.symbol}: {'; '.join(filter(None, said)) or 'nothing was decided'}"
    done = f"filled {shares(order.filled)}" if order.filled else "nothing filled"
    average = f" @ {price(order.average_price)}" if order.average_price is not None else ""
    end = story.end
    is_told = order.outcome in {None, Outcome.FILLED}
    outcome = "" if is_told else f", {str(order.outcome).replace('_', ' ')}"
    if order.outcome is None and end is not None and order.remaining > 0:
        outcome = f", {reason_in_words(end.reason)},"
    ended = f" at {clock(end.at)}" if end is not None else ""
    is_open = "" if order.outcome is not None or end is not None else "; its end is not in the journal"
    return f"{order.symbol}: {order.side} {shares(order.target)}, {done}{average}{outcome}{ended}{is_open}"


def why_this_price(story: OrderStory) -> str:
    """The average against the arrival, and how each child traded."""
    order, measured = story.order, story.measured
    if order is None or order.average_price is None or order.arrival is None:
        return ""
    arrival = order.arrival
    apart = (order.average_price - arrival.mid) * order.side.sign
    worse = "worse" if apart > 0 else "better"
    bps = abs(apart) / arrival.mid * 10_000
    halves = f", {abs(apart) / (arrival.spread / 2):.2f} half-spreads" if arrival.spread > 0 else ""
    against = (
        f"It paid {price(order.average_price)} a share" if order.side is Side.BUY else
        f"It got {price(order.average_price)} a share"
    )  # fmt: skip
    if apart == 0:
        first = f"{against}, the arrival mid."
    else:
        first = (
            f"{against}, {price(abs(apart))} {worse} than the arrival mid {price(arrival.mid)} ({bps:.1f} bps{halves})."
        )
    split = _split(story, order) if measured is not None else ""
    return " ".join(filter(None, (first, split, _children(order), _collar(order))))


def why_so_late(story: OrderStory) -> str:
    """Where the time went, and by which rule it would have ended earlier."""
    if not story.decisions:
        return ""
    parts = spent(story)
    said = in_words(story)
    if parts and parts[0].state == FOR_CASH:
        return f"{said} {_for_cash(story)}"
    decided = story.decisions[-1]
    if parts and parts[0].state.startswith("without"):
        every = f"every {decided.moment.turn_seconds} seconds"
        return f"{said} Its book is checked in each turn, {every}, until it may be traded on."
    order, settings = story.order, decided.settings
    if order is None or order.first_placed_at is None or settings.trades_at_market:
        return said
    patient = f"it is worked for up to {span(patience(decided))} (patience_seconds={settings.patience_seconds}"
    pieces = "; an order of several pieces has longer" if settings.looks else ""
    return (
        f"{said} By its settings {patient}, policy={settings.policy}{pieces}); {_AFTER_PATIENCE[settings.escalation]}."
    )


_AFTER_PATIENCE = {
    Escalation.NONE: "it never goes further than resting (escalation=none)",
    Escalation.MID: "then the rest goes to the mid and no further (escalation=mid)",
    Escalation.CROSS: "then the rest takes the far side, up to its collar (escalation=cross)",
    Escalation.MARKET: "then the rest takes the far side, near the close at the market (escalation=market)",
}


def _for_cash(story: OrderStory) -> str:
    """What a buy that waits for cash waits for: the run's sells, or what its other orders may leave over."""
    if any(told.cash is not None and told.cash.expected_from_sells > 0 for told in story.told):
        return "Buys wait until the run's sells have brought their cash, the largest first."
    return "No sell of the run was open to bring cash: it waited for what the other buys might leave over."


def _split(story: OrderStory, order: ParentOrder) -> str:
    """What of the cost was the spread at the time of sending, and what the move of the mid since the arrival."""
    trades, arrival = story.trades, order.arrival
    if trades is None or arrival is None:
        return ""
    sent = {intent.client_order_id: intent.quote for intent in trades.intents}
    books = {child.broker_id: sent.get(child.client_order_id) for child in order.children}
    spread = moved = _ZERO
    for each in trades.executions:
        quote = books.get(each.broker_order_id)
        if quote is None or not 0 < quote.bid < quote.ask:
            return ""
        spread += each.qty * order.side.sign * (each.price - quote.mid)
        moved += each.qty * order.side.sign * (quote.mid - arrival.mid)
    if not trades.executions:
        return ""
    amount = dollars(abs(spread)) if abs(spread) >= _CENT else "less than a cent"
    paid = f"{'paid' if spread > 0 else 'earned'} {amount} of spread against the mids it was sent on"
    drift = "against" if moved >= 0 else "in favour of"
    return f"In dollars: it {paid}, and the mid had moved {dollars(abs(moved))} {drift} the order since its arrival."


def _children(order: ParentOrder) -> str:
    """How the shares traded: at rest or taken, by price."""
    done = [child for child in order.children if child.filled > 0]
    parts = [
        f"{plural_shares(shares(sum((child.filled for child in group), _ZERO)))} {words}"
        for words, group in ((words, list(found)) for words, found in groupby(done, lambda child: _words(child.rung)))
    ]
    sent = f"{plural(len(order.children), 'order')} {'was' if len(order.children) == 1 else 'were'} sent"
    return f"{sent}: {', then '.join(parts)}." if parts else ""


def _words(rung: Rung) -> str:
    return {
        Rung.PASSIVE: "traded at rest",
        Rung.TAKE: "took the far side",
        Rung.MID: "traded at the mid",
        Rung.CROSS: "traded up to the collar",
        Rung.MARKET: "went to the market",
    }[rung]


def _collar(order: ParentOrder) -> str:
    return "" if order.collar is None else f"Its collar was {format_price(order.collar)}."
