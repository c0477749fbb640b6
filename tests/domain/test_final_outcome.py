"""The final outcome and reason of each order when its run closes."""

from __future__ import annotations

import pytest

from repeg.domain.child_order import ChildState
from repeg.domain.final_outcome import corrected, outcome_of
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import QuoteVerdict, Side
from repeg.domain.run import KillSwitch
from tests.builders import a_child, an_order

PARTLY = a_child(filled="40", price="100.01", state=ChildState.CANCELED)
FULLY = a_child(filled="100", price="100.01", state=ChildState.FILLED)


def final(order: ParentOrder, kill: KillSwitch = KillSwitch.ACTIVE) -> tuple[Outcome, str]:
    return outcome_of(order, kill)


@pytest.mark.parametrize(
    ("held", "outcome", "reason"),
    [
        ("", Outcome.PARTIAL_DEADLINE, "40 of 100: the window closed"),
        ("wide", Outcome.HELD_WIDE, "40 of 100: wide"),
        ("thin", Outcome.HELD_THIN, "40 of 100: thin"),
        ("stale", Outcome.HELD_STALE, "40 of 100: stale"),
        ("missing", Outcome.HELD_STALE, "40 of 100: missing"),
        ("one_sided", Outcome.HELD_STALE, "40 of 100: one sided"),
        ("crossed", Outcome.HELD_STALE, "40 of 100: crossed"),
        ("locked", Outcome.HELD_STALE, "40 of 100: locked"),
        ("halted", Outcome.HALTED, "40 of 100: halted"),
        ("collar", Outcome.NO_FILL_COLLAR, "40 of 100: collar"),
        ("unfunded", Outcome.UNFUNDED, "40 of 100: unfunded"),
        ("waits_for_sells", Outcome.UNFUNDED, "40 of 100: waits for sells"),
        ("rejected", Outcome.REJECTED, "40 of 100: rejected"),
        ("shares", Outcome.REJECTED, "40 of 100: shares"),
        ("opposite_order", Outcome.REJECTED, "40 of 100: opposite order"),
    ],
)
def test_an_unfilled_remainder_is_reported_by_its_last_hold(held: str, outcome: Outcome, reason: str) -> None:
    assert final(an_order(Side.BUY, "100", PARTLY, held=held)) == (outcome, reason)


def test_every_quote_verdict_maps_to_an_outcome() -> None:
    for answer in set(QuoteVerdict) - {QuoteVerdict.OK}:
        assert final(an_order(held=str(answer)))[0] is not Outcome.PARTIAL_DEADLINE


def test_a_filled_order_is_filled_despite_holds_and_the_kill_switch() -> None:
    filled = an_order(Side.BUY, "100", FULLY, held="wide")
    assert final(filled, KillSwitch.CANCEL_ALL) == (Outcome.FILLED, "filled")


@pytest.mark.parametrize("state", [ChildState.INTENDED, ChildState.UNKNOWN])
def test_an_unresolved_order_is_reported_as_unknown(state: ChildState) -> None:
    lost = an_order(Side.BUY, "100", PARTLY, a_child(n=2, state=state), held="wide")
    assert final(lost, KillSwitch.CANCEL_ALL)[0] is Outcome.UNKNOWN


@pytest.mark.parametrize("kill", [KillSwitch.HALT_NEW, KillSwitch.CANCEL_ALL])
def test_an_order_stopped_by_the_kill_switch_is_reported_as_killed(kill: KillSwitch) -> None:
    assert final(an_order(Side.BUY, "100", PARTLY, held="wide"), kill) == (Outcome.KILLED, f"the kill switch is {kill}")


def test_a_late_fill_that_completes_an_order_makes_it_filled() -> None:
    ended = an_order(Side.BUY, "100", PARTLY).done(Outcome.PARTIAL_DEADLINE, "40 of 100: the window closed")
    after = corrected(ended, ended.with_child(FULLY))
    assert (after.outcome, after.reason) == (Outcome.FILLED, "100 of 100, read again after the run's end")


def test_every_outcome_is_reachable() -> None:
    """But `preview`, of an order that was decided and not placed, `no_trade` and `not_sized`, of lines without an
    order, and `ended_by_unknown_hand`, which the cancelled order's report gives at once."""
    reached = {
        final(an_order(Side.BUY, "100", FULLY))[0],
        final(an_order(Side.BUY, "100", a_child(state=ChildState.UNKNOWN)))[0],
        final(an_order(), KillSwitch.HALT_NEW)[0],
        *(final(an_order(held=held))[0] for held in ("", "wide", "stale", "thin", "collar", "halted", "unfunded")),
        final(an_order(held="rejected"))[0],
        final(an_order(held="owner"))[0],
    }
    assert reached == set(Outcome) - {
        Outcome.PREVIEW,
        Outcome.NO_TRADE,
        Outcome.NOT_SIZED,
        Outcome.ENDED_BY_UNKNOWN_HAND,
    }
