"""How an order ended, in a sentence: what was left of it, when, and what had held it."""

from __future__ import annotations

from datetime import datetime

from repeg.domain.outcome import HoldReason
from repeg_workbench.explain.figures import clock, shares
from repeg_workbench.explain.story import OrderStory

# What the reason of an order's end has after the shares that were filled, in the words of a sentence.
_IN_WORDS = {
    HoldReason.MISSING.words: "the feed had no quote of it",
    HoldReason.ONE_SIDED.words: "one side of its book was empty",
    HoldReason.CROSSED.words: "its book was crossed",
    HoldReason.LOCKED.words: "its book was locked",
    HoldReason.STALE.words: "its quote was too old to trade on",
    HoldReason.HALTED.words: "its trading was halted, as far as its quotes show",
    HoldReason.WIDE.words: "its spread was too wide to trade on",
    HoldReason.THIN.words: "too few shares were displayed to trade on",
    HoldReason.COLLAR.words: "the price was beyond its collar",
    HoldReason.UNFUNDED.words: "there was no cash for it",
    HoldReason.WAITS_FOR_SELLS.words: "it was still waiting for the cash of the run's sells",
    HoldReason.BUDGET.words: "a budget had no room for it",
    HoldReason.SHARES.words: "the broker had reserved its shares for other orders",
    HoldReason.OPPOSITE_ORDER.words: "an open order of the other side stood in its way",
}


def reason_in_words(reason: str) -> str:
    """The reason of an order's end without the shares that stand before it, in words where it is one hold's name."""
    count, colon, rest = reason.partition(": ")
    is_counted = bool(colon) and " of " in count and count.replace(" of ", "").replace(".", "").isdigit()
    said = rest if is_counted else reason
    return _IN_WORDS.get(said, said)


def what_was_left(story: OrderStory, reason: str, at: datetime | None) -> str:
    """What an order that was not filled has left when it ended, and why."""
    order = story.order
    if order is None:
        return ""
    target = plural_shares(shares(order.target))
    left = (
        f"None of its {target} had traded"
        if not order.filled
        else f"{shares(order.remaining)} of its {target} were left"
    )
    when = "" if at is None else f" when it ended at {clock(at)}"
    return f"{left}{when}: {reason_in_words(reason)}."


def plural_shares(number: str) -> str:
    """A number of shares with its noun."""
    return f"{number} share" if number == "1" else f"{number} shares"
