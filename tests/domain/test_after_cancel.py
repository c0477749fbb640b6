"""What follows a cancel: a quote that still shows the cancelled order is not the market, and a rise is a move up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.after_cancel import as_shown, is_still_shown, successor
from repeg.domain.child_order import ChildState, Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.quote import Side
from tests.builders import a_child, a_quote, an_order, settings_with

NORMAL = settings_with(policy="normal")


def a_decision(verb: Action, reason: str, limit: str) -> Decision:
    rung = Rung.TAKE if verb is Action.CROSS else Rung.PASSIVE
    return Decision(verb=verb, reason=reason, because="", rung=rung, limit=Decimal(limit))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (("100.01", "300"), ("100.01", "300"), True),  # alone, and nothing has changed
        (("100.01", "300"), ("100.00", "900"), False),  # the others, who were hidden
        (("100.01", "300"), ("100.01", "100"), False),  # others have joined since
        (("100.01", "800"), ("100.01", "500"), False),  # the others who had joined
        (("100.01", "800"), ("100.01", "700"), True),
        (("100.02", "800"), ("100.01", "300"), False),  # the child was behind the best price
    ],
)
@pytest.mark.parametrize("side", Side)
def test_a_quote_with_half_of_the_child_or_more_still_shows_it(
    side: Side, before: tuple[str, str], after: tuple[str, str], expected: bool
) -> None:
    child = a_child("100.01", qty="400", filled="100", state=ChildState.CANCELED)
    near, far = ("bid", "ask") if side is Side.BUY else ("ask", "bid")
    first, second = (
        a_quote().model_copy(
            update={near: Decimal(price), f"{near}_size": Decimal(size), far: Decimal(101 if side is Side.BUY else 99)}
        )
        for price, size in (before, after)
    )
    assert is_still_shown(child, first, second, side) is expected


def test_an_order_that_the_quote_still_shows_is_decided_on_as_if_open() -> None:
    order = an_order(Side.BUY, "300", a_child("100.01", qty="300", state=ChildState.CANCELED))
    quote = a_quote("100.01", "100.10", bid_size="300")
    assert as_shown(order, quote, quote).open_child is not None
    assert as_shown(order, quote, a_quote("100.00", "100.10", bid_size="300")) is order
    assert as_shown(order, quote, None) is order


@pytest.mark.parametrize(
    ("first", "second", "moves", "expected"),
    [
        (("move", "retreat", "99.98"), ("place", "improve", "100.03"), 0, ("move", "follow", "100.03")),
        (("cross", "tight", "100.10"), ("place", "improve", "100.03"), 0, ("move", "follow", "100.03")),
        (("move", "retreat", "99.98"), ("place", "improve", "100.03"), 10, ("move", "stay", "100.01")),
        (("move", "retreat", "99.98"), ("place", "improve", "99.99"), 10, ("move", "retreat", "99.99")),
        (("move", "follow", "100.03"), ("place", "improve", "99.99"), 0, ("move", "retreat", "99.99")),
        (("move", "step_back", "100.00"), ("hold", "near", "100.01"), 0, ("move", "stay", "100.01")),
        (("cross", "tight", "100.10"), ("place", "join", "100.00"), 0, ("place", "join", "100.00")),
        (("move", "retreat", "99.98"), ("cross", "tight", "100.03"), 0, ("cross", "tight", "100.03")),
    ],
)
def test_a_successor_that_is_higher_is_counted_as_a_move_up(
    first: tuple[str, str, str], second: tuple[str, str, str], moves: int, expected: tuple[str, str, str]
) -> None:
    order = an_order(Side.BUY, "300", a_child("100.01", state=ChildState.CANCELED), moves=moves)
    made, again = (a_decision(Action(verb), reason, limit) for verb, reason, limit in (first, second))
    decision = successor(order, made, again, NORMAL)
    assert (decision.verb, decision.reason, str(decision.limit)) == expected
    assert decision.is_counted is (decision.reason == "follow")
