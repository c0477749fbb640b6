"""Invariants of pegging decisions in any market."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from repeg.domain import tick
from repeg.domain.child_order import Rung
from repeg.domain.decision import Action
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import decide
from repeg.domain.pricing import collar
from repeg.domain.quote import Quote, Side
from repeg.domain.setting_types import Escalation
from repeg.domain.settings import Settings
from tests.builders import MONDAY, a_moment, after_noon, an_order, settings_with
from tests.domain.desk import act, displayed
from tests.domain.markets import ON_GRID, SIDES, books, further, is_on_grid, worse_by

CENT = Decimal("0.01")

SETTINGS = st.builds(
    lambda escalation, moves, patience, threshold, slippage: settings_with(
        escalation=escalation,
        max_repegs=moves,
        patience_seconds=patience,
        repeg_threshold_pct=threshold,
        max_slippage_bps=slippage,
        max_spread_pct=100,
    ),
    escalation=st.sampled_from(Escalation),
    moves=st.integers(0, 5),
    patience=st.sampled_from([30, 90, 10_000]),
    threshold=st.sampled_from(["0", "0.1", "1"]),
    slippage=st.sampled_from([0, 50, 5_000]),
)


@st.composite
def moving_books(draw: st.DrawFn) -> list[Quote]:
    """A symbol's book over up to a dozen turns, with moves of a few ticks and occasional jumps."""
    bid, path = draw(ON_GRID), []
    for _ in range(draw(st.integers(2, 12))):
        bid = draw(st.sampled_from([bid, bid, further(bid, 1), further(bid, 40), max(bid / 2, Decimal("0.0002"))]))
        bid = tick.round_down(bid, MONDAY)
        path.append(draw(books()).model_copy(update={"bid": bid, "ask": further(bid, draw(st.integers(1, 12)))}))
    return path


def arrived(side: Side, quote: Quote, settings: Settings) -> ParentOrder:
    worst = collar(side, quote, settings.max_slippage_bps, MONDAY, settings.tick_size)
    return an_order(side, arrival=quote, collar=worst)


@given(SIDES, moving_books(), SETTINGS)
def test_every_limit_sent_is_valid_and_more_aggressive_than_the_last(
    side: Side, path: list[Quote], settings: Settings
) -> None:
    """Valid means on the tick and inside the collar."""
    order = arrived(side, path[0], settings)
    for turn, others in enumerate(path):
        now = after_noon(30 * turn)
        decision = decide(order, displayed(others, order, now), a_moment(now), settings)
        if decision.sends and decision.limit is not None:
            assert is_on_grid(decision.limit)
            assert order.collar is not None
            assert worse_by(side, decision.limit, order.collar) <= 0
            if order.open_child is not None and order.open_child.limit is not None:
                assert worse_by(side, decision.limit, order.open_child.limit) > 0
        order = act(order, decision, now)


@given(SIDES, moving_books(), SETTINGS)
def test_only_a_decision_to_cross_reaches_the_far_side(side: Side, path: list[Quote], settings: Settings) -> None:
    order = arrived(side, path[0], settings)
    for turn, others in enumerate(path):
        now = after_noon(30 * turn)
        quote = displayed(others, order, now)
        decision = decide(order, quote, a_moment(now), settings)
        if decision.verb in {Action.PLACE, Action.MOVE}:
            assert decision.limit is not None
            assert worse_by(side, quote.far(side), decision.limit) > 0
        if decision.rung is Rung.MARKET:
            assert settings.escalation is Escalation.MARKET
        order = act(order, decision, now)


@given(SIDES, moving_books(), SETTINGS)
def test_a_passive_order_never_pegs_to_itself(side: Side, path: list[Quote], settings: Settings) -> None:
    """Its limit is at most a tick better than the best other order, although the quote includes our own."""
    order = arrived(side, path[0], settings)
    for turn, others in enumerate(path):
        now = after_noon(30 * turn)
        decision = decide(order, displayed(others, order, now), a_moment(now), settings)
        if decision.sends and decision.rung is Rung.PASSIVE and decision.limit is not None:
            near = others.near(side)
            best = tick.above(near, MONDAY) if side is Side.BUY else tick.below(near, MONDAY)
            assert worse_by(side, decision.limit, best) <= 0
        order = act(order, decision, now)


@given(SIDES, books().filter(lambda book: book.spread <= book.mid), st.integers(2, 9))
def test_an_order_in_an_unchanging_market_never_outbids_itself(side: Side, others: Quote, turns: int) -> None:
    settings = settings_with(max_spread_pct=100, min_volume_shares=500)
    order, verbs = arrived(side, others, settings), []
    for turn in range(turns):
        now = after_noon(30 * turn)
        decision = decide(order, displayed(others, order, now), a_moment(now), settings)
        verbs.append(decision.verb)
        order = act(order, decision, now)
    assert verbs == [Action.PLACE] + [Action.HOLD] * (turns - 1)


@given(SIDES, moving_books(), SETTINGS)
def test_moves_never_exceed_max_repegs(side: Side, path: list[Quote], settings: Settings) -> None:
    order, followed = arrived(side, path[0], settings), 0
    for turn, others in enumerate(path):
        now = after_noon(30 * turn)
        decision = decide(order, displayed(others, order, now), a_moment(now), settings)
        followed += decision.reason == "near_moved"
        order = act(order, decision, now)
    assert followed <= settings.max_repegs
