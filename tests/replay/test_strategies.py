"""Every strategy does on a hand-made tape what its description says."""

import pytest

from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.plans import Plan, ours, strategies
from repeg_workbench.replay.side_tape import consolidated
from repeg_workbench.replay.state import SECOND, State, Task
from repeg_workbench.replay.walk import work
from tests.replay.hand_made import QuoteRow, a_day, dearer, paid, seconds, tape_of, worked

PLANS = strategies(300)
# Four ticks wide, 300 shares on both sides, for ten minutes.
QUIET: list[QuoteRow] = [(0, 1000, 300, 1004, 300), (2000, 1000, 300, 1004, 300)]
PINNED: list[QuoteRow] = [(0, 1000, 300, 1001, 300), (2000, 1000, 300, 1001, 300)]


def rising(at: float) -> list[QuoteRow]:
    """The quiet book moves up by two cents at a second."""
    return [QUIET[0], (at, 1002, 300, 1006, 300), (2000, 1002, 300, 1006, 300)]


@pytest.mark.parametrize(
    ("name", "price", "second", "sent"),
    [
        ("market", 1004, 1.1, 1),
        ("guarded_market", 1004, 1.1 + 300, 1),
        ("join", 1004, 301.1, 2),
        ("inside", 1004, 301.1, 2),
        ("mid", 1004, 301.1, 2),
        ("plus_tick_10", 1004, 301.1, 2),
        ("chaser", 1004, 301.1, 2),
        ("ladder", 1004, 226.3, 3),
        ("mid_far_patient", 1004, 121.3, 2),
        ("mid_far_urgent", 1004, 16.3, 2),
    ],
)
def test_an_order_that_never_fills_crosses_when_its_time_is_up(name: str, price: int, second: float, sent: int) -> None:
    state = worked(PLANS[name], a_day(QUIET))
    assert (paid(state), seconds(state)) == (price, second)
    assert (state.tally.taken, state.sent) == (100, sent)


def test_the_guarded_market_takes_a_narrow_spread_at_once() -> None:
    # A tick of ten dollars is 0.1 %, so only a price of thirty dollars has a spread under 0.05 %.
    day = a_day([(0, 3000, 300, 3001, 300), (2000, 3000, 300, 3001, 300)])
    assert seconds(worked(PLANS["guarded_market"], day)) == 1.1


@pytest.mark.parametrize(
    ("name", "limit"), [("join", 1000), ("inside", 1001), ("mid", 1002), ("plus_tick_3", 1001), ("ladder", 1002)]
)
def test_a_seller_through_the_limit_fills_an_order_where_it_rests(name: str, limit: int) -> None:
    assert paid(worked(PLANS[name], a_day(QUIET, [(2, limit - 1, 100, -1)]))) == limit
    at_limit = worked(PLANS[name], a_day(QUIET, [(2, limit, 100, -1)]), model=Model.TRADE_THROUGH)
    assert at_limit.tally.rested == 0


def test_bid_plus_a_tick_takes_where_the_spread_is_one_tick() -> None:
    assert worked(PLANS["plus_tick_10"], a_day(PINNED)).tally.taken == 100
    assert seconds(worked(PLANS["plus_tick_10"], a_day(PINNED))) == 1.1


@pytest.mark.parametrize(("name", "limit"), [("join", 1002), ("inside", 1003), ("mid", 1004)])
def test_a_peer_follows_a_rise_at_its_next_look(name: str, limit: int) -> None:
    # It looks at 31 s; its order is gone at 31.1 s and back at 31.3 s.
    day = a_day(rising(20), [(31.2, limit - 1, 100, -1), (32, limit - 1, 100, -1)])
    state = worked(PLANS[name], day)
    assert (paid(state), seconds(state), state.sent) == (limit, 32, 2)


def test_a_threshold_keeps_bid_plus_a_tick_where_it_is() -> None:
    # Ten dollars and a cent: a tenth of a percent is a cent, and the bid is a cent above the limit.
    assert worked(PLANS["plus_tick_10"], a_day(rising(20))).sent == 2
    steep = a_day([QUIET[0], (20, 1003, 300, 1007, 300), (2000, 1003, 300, 1007, 300)])
    assert worked(PLANS["plus_tick_10"], steep).sent == 3


def test_moves_that_are_used_up_leave_an_order_behind() -> None:
    stairs = [(30.0 * step, 1000 + 3 * step, 300, 1004 + 3 * step, 300) for step in range(11)]
    day = a_day([*stairs, (2000, 1030, 300, 1034, 300)])
    assert worked(PLANS["plus_tick_3"], day).moves == 3
    assert worked(PLANS["plus_tick_5"], day).moves == 5


def test_the_chaser_looks_every_second() -> None:
    state = worked(PLANS["chaser"], a_day(rising(20.5), [(22, 1001, 100, -1)]))
    assert (paid(state), seconds(state)) == (1002, 22)


def test_the_time_weighted_order_takes_a_fifth_at_a_time() -> None:
    state = worked(PLANS["twap"], a_day(rising(100)))
    assert (paid(state), state.sent) == (1_005.2, 5)
    assert seconds(state) == 241.1


def test_a_sell_pays_the_mirror_image_of_a_buy() -> None:
    down = a_day([(0, 1000, 300, 1004, 300), (20, 998, 300, 1002, 300), (2000, 998, 300, 1002, 300)])
    assert paid(worked(PLANS["inside"], down, side=-1)) == -998
    assert paid(worked(PLANS["inside"], a_day(rising(20)))) == 1006


def worked_dear(
    plan: Plan, day: SymbolDay, *, shares: int = 100, model: Model = Model.QUEUE, arrival: float = 1
) -> State:
    """An order on the day ninety dollars up."""
    return worked(plan, dearer(day), shares=shares, model=model, arrival=arrival)


def paid_dear(state: State) -> float:
    """Cents per share, ninety dollars down again."""
    return paid(state) - 9_000


class TestOurs:
    """The policy with a look every two seconds."""

    plan = ours(300)

    def test_the_policy_rests_a_tick_inside_and_then_takes_the_far_touch(self) -> None:
        state = worked_dear(self.plan, a_day(QUIET))
        assert (paid_dear(state), state.sent, state.tally.taken) == (1004, 2, 100)
        assert seconds(state) == 301.3

    def test_the_policy_follows_others_only_after_thirty_seconds(self) -> None:
        day = a_day(rising(2), [(33.5, 1002, 50, -1)])
        state = worked_dear(self.plan, day)
        assert (state.tally.rested, state.sent) == (50, 3)
        early = a_day(rising(2), [(31, 1002, 50, -1)])
        assert worked_dear(self.plan, early).tally.rested == 0

    def test_our_own_quote_hides_the_others_until_the_ask_comes_near(self) -> None:
        # Alone at 10.01, it takes the others to be three ticks below the ask, and finds them at 9.96 once it is gone.
        falling: list[QuoteRow] = [QUIET[0], (10, 996, 300, 1002, 300), (2000, 996, 300, 1002, 300)]
        state = worked_dear(self.plan, a_day(falling, [(12, 996, 100, -1)]))
        assert (paid_dear(state), state.sent) == (997, 2)

    def test_an_odd_lot_that_is_not_displayed_sees_the_others_and_retreats(self) -> None:
        falling: list[QuoteRow] = [QUIET[0], (10, 996, 300, 1002, 300), (2000, 996, 300, 1002, 300)]
        state = worked_dear(self.plan, a_day(falling, [(12, 996, 100, -1)]), model=Model.ODD_LOT)
        assert paid_dear(state) == 997

    def test_imbalance_towards_us_takes_in_a_one_tick_name(self) -> None:
        day = a_day([(0, 1000, 800, 1001, 200), (2000, 1000, 800, 1001, 200)])
        assert (paid_dear(worked_dear(self.plan, day)), seconds(worked_dear(self.plan, day))) == (
            1001,
            1.1,
        )

    def test_imbalance_against_us_steps_back_a_tick(self) -> None:
        day = a_day([(0, 1000, 200, 1001, 800), (2000, 1000, 200, 1001, 800)], [(2, 998, 100, -1)])
        assert paid_dear(worked_dear(self.plan, day)) == 999

    def test_imbalance_means_nothing_where_the_spread_is_usually_wide(self) -> None:
        day = a_day([(0, 1000, 800, 1004, 200), (2000, 1000, 800, 1004, 200)])
        assert seconds(worked_dear(self.plan, day)) > 300

    def test_a_spread_a_third_of_the_usual_is_taken(self) -> None:
        rows: list[QuoteRow] = [(0, 1000, 300, 1006, 300), (400, 1004, 300, 1006, 300), (2000, 1004, 300, 1006, 300)]
        tight = worked_dear(ours(300, seeded=300), a_day(rows), arrival=400.5)
        assert (paid_dear(tight), seconds(tight)) == (1006, 400.6)
        assert seconds(worked_dear(ours(300, seeded=0), a_day(rows), arrival=400.5)) > 700

    def test_a_large_order_is_worked_in_pieces_of_the_displayed_size(self) -> None:
        day = a_day(QUIET, [(at, 999, 10_000, -1) for at in range(2, 300)])
        state = worked_dear(self.plan, day, shares=1_000)
        assert (state.tally.rested, state.sent) == (1_000, 4)

    def test_the_next_piece_is_sent_a_look_after_the_read_that_shows_the_fill(self) -> None:
        # The first piece is filled after two seconds, and read as filled at the look seven seconds after its arrival.
        day = a_day(QUIET, [(2, 999, 300, -1), (8.9, 999, 300, -1), (9.2, 999, 300, -1)])
        state = worked_dear(self.plan, day, shares=600)
        assert (state.tally.rested, seconds(state), state.sent) == (600, 9.2, 2)

    def test_the_policy_acts_on_no_quote_older_than_ten_seconds(self) -> None:
        rows: list[QuoteRow] = [(0, 10_000, 800, 10_001, 200), (20, 10_000, 800, 10_001, 200)]
        state = worked(self.plan, a_day([*rows, (2000, 10_000, 800, 10_001, 200)]), arrival=11.5)
        assert (seconds(state), paid(state)) == (21.6, 10_001)

    def test_the_policy_does_not_act_on_a_side_below_a_round_lot(self) -> None:
        rows: list[QuoteRow] = [(0, 1000, 99, 1004, 300), (20, 1000, 100, 1004, 300), (2000, 1000, 100, 1004, 300)]
        state = worked_dear(self.plan, a_day(rows, [(19, 990, 100, -1), (22, 990, 100, -1)]))
        assert (paid_dear(state), seconds(state)) == (1001, 22)

    def test_the_policy_takes_once_its_moves_are_made_and_others_improve_again(self) -> None:
        climbing = [(40.0 * step, 1000 + 2 * step, 300, 1004 + 2 * step, 300) for step in range(30)]
        state = worked_dear(ours(1_800), a_day(climbing))
        assert (state.moves, state.tally.taken) == (10, 100)
        assert 400 < seconds(state) < 500

    def test_a_price_beyond_the_collar_is_not_paid(self) -> None:
        high: list[QuoteRow] = [QUIET[0], (20, 1060, 300, 1064, 300), (2000, 1060, 300, 1064, 300)]
        state = worked_dear(self.plan, a_day(high, [(500, 1051, 100, -1)]))
        # Fifty basis points from a mid of 100.02.
        assert paid_dear(state) == 1052


def test_the_original_rule_goes_to_the_mid_and_then_across() -> None:
    state = worked_dear(PLANS["anchor"], a_day(QUIET))
    assert (paid_dear(state), seconds(state), state.sent) == (1004, 331.3, 3)


def test_an_order_sees_no_quote_from_after_its_look() -> None:
    """The tape after the fill may be anything."""
    plan, task = PLANS["inside"], Task(SECOND, 100, SECOND // 10, int(Model.QUEUE), 100, 100, 0)
    first = [(0.0, 1000, 300, 1004, 300), (5.0, 990, 300, 994, 300)]

    def filled(day: SymbolDay) -> tuple[int, int]:
        tally = work(consolidated(tape_of(day)), task, plan).tally
        return tally.paid, tally.at

    assert filled(a_day(first)) == filled(a_day([*first, (6, 2000, 1, 2100, 1)]))
