"""What a hold, a refusal or a rejection makes of an order, and the price of fills of which one is unknown."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from repeg.domain.child_order import Child, ChildState
from repeg.domain.outcome import HoldReason
from tests.builders import NOON, a_child, a_quote, after_noon, an_order

SENT = a_child(state=ChildState.INTENDED)
UNSENT = SENT.refused("no room in the quota", may_pass=True)


@pytest.mark.parametrize(("child", "held", "retry_at", "expected"), [
    (UNSENT, None, None, True),
    (UNSENT, None, NOON, False),
    (UNSENT, HoldReason.BUDGET, None, False),
    (SENT.refused("not tradable", may_pass=False), None, None, False),
    (SENT.model_copy(update={"may_pass": True}), None, None, False),
    (None, None, None, False),
])  # fmt: skip
def test_a_child_that_never_left_is_decided_anew_unless_it_is_held(
    child: Child | None, held: HoldReason | None, retry_at: datetime | None, *, expected: bool
) -> None:
    children = () if child is None else (child,)
    assert an_order(held=held, retry_at=retry_at).model_copy(update={"children": children}).was_not_sent is expected


def test_a_fill_without_a_price_leaves_the_average_unknown() -> None:
    known = a_child(qty="60", filled="60", price="100.01", state=ChildState.FILLED)
    unknown = a_child(qty="40", filled="40", state=ChildState.FILLED, n=2)
    order = an_order().with_child(known)
    assert order.average_price == Decimal("100.01")
    assert order.with_child(unknown).average_price is None


def test_a_rejection_holds_an_order_and_counts_until_a_child_is_worked() -> None:
    twice = an_order().once_rejected().once_rejected()
    assert (twice.rejections, twice.held) == (2, HoldReason.REJECTED)
    assert twice.not_rejected().rejections == 0


@pytest.mark.parametrize(("children", "reason", "since"), [
    ((), HoldReason.THIN, NOON),
    ((), HoldReason.UNFUNDED, NOON),
    ((), HoldReason.COLLAR, None),
    ((a_child(),), HoldReason.UNFUNDED, None),
    ((a_child(),), HoldReason.THIN, NOON),
])  # fmt: skip
def test_another_hold_ends_that_by_the_book_beside_an_open_child(
    children: tuple[Child, ...], reason: HoldReason, since: datetime | None
) -> None:
    order = an_order(held_by_book_since=NOON).model_copy(update={"children": children})
    assert order.on_hold(reason, after_noon(30)).held_by_book_since == since


def test_an_order_that_is_sent_is_held_by_nothing() -> None:
    order = an_order(held=HoldReason.THIN, held_by_book_since=NOON)
    sent = order.placing(a_child(), a_quote(), is_move=False, committed=Decimal(0))
    assert (sent.held, sent.held_by_book_since) == (None, None)
