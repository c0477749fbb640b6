"""How many shares a sell may be placed for: what is held now, read again after five seconds."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.outcome import HoldReason
from repeg.workflow.sellable import Holdings, current_holdings, limit_to_holdings, sellable_quantities
from repeg.workflow.turn import Turn, begin_turn
from tests.functions.books import KO
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding

KNOWN = Decimal(7)


def selling(open_desk: OpenDesk) -> tuple[Desk, Turn]:
    """A run that sells all 100 KO."""
    desk = open_desk({"KO": KO}, opening=holding(KO="100"))
    desk.begin("sell all KO")
    return desk, begin_turn(RUN_ID, desk.ports)


@pytest.mark.parametrize(
    ("held", "qty", "scaled"),
    [("100", "100", []), ("200", "100", []), ("99.5", "99.5", [("100 → 99.5", "only 99.5 are still held")]),
     ("1", "1", [("100 → 1", "only 1 are still held")])],
)  # fmt: skip
def test_a_sell_is_placed_for_what_is_held(
    open_desk: OpenDesk, held: str, qty: str, scaled: list[tuple[str, str]]
) -> None:
    desk, turn = selling(open_desk)
    found = sellable_quantities(turn, [desk.order("KO")], Holdings({"KO": Decimal(held)}, turn.now))
    assert (found, desk.journalled("KO", "scale")) == ({"KO": Decimal(qty)}, scaled)


@pytest.mark.parametrize("held", [{}, {"KO": Decimal(0)}, {"KO": Decimal(-5)}])
def test_a_sell_of_what_is_not_held_is_on_hold(open_desk: OpenDesk, held: dict[str, Decimal]) -> None:
    desk, turn = selling(open_desk)
    known = Holdings(held, turn.now)
    assert limit_to_holdings(turn, desk.order("KO"), Decimal(100), known) == Decimal(0)
    assert sellable_quantities(turn, [desk.order("KO")], known) == {"KO": Decimal(0)}
    assert desk.order("KO").held is HoldReason.NOT_HELD
    assert known.of("MSFT") == Decimal(0)


@pytest.mark.parametrize(("seconds", "shares"), [(5, KNOWN), (5.001, Decimal(100))])
def test_holdings_older_than_five_seconds_are_read_again(open_desk: OpenDesk, seconds: float, shares: Decimal) -> None:
    desk, turn = selling(open_desk)
    known = Holdings({"KO": KNOWN}, desk.runtime.now() - timedelta(seconds=seconds))
    assert current_holdings(turn, known).of("KO") == shares


def test_unknown_holdings_are_read(open_desk: OpenDesk) -> None:
    _, turn = selling(open_desk)
    assert current_holdings(turn, None).of("KO") == Decimal(100)
