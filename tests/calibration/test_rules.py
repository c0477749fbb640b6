"""Four simple rules on tapes made by hand, and on a recording where there is one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from repeg_workbench.calibration.recorded import MODELS, RULES, Cell, recorded
from repeg_workbench.calibration.rules import Worked, cells, compiled_work_all, wanted_price, work, worked
from repeg_workbench.exchange.market.recorded import RecordedMarket
from repeg_workbench.exchange.time.calendar import NANOSECONDS as SECOND
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.tape import replay_tape
from tests.replay.hand_made import a_day, tape_of

pytestmark = pytest.mark.xdist_group("calibration")

RECORDINGS = Path(__file__).parents[3] / "shared" / "market"
ANCHOR, JOIN, MID, INSIDE = range(4)
TICK = 100


def test_each_rule_rests_at_its_own_price() -> None:
    near, far = 10_000, 10_500
    prices = [wanted_price(rule, near, far, TICK, 0) for rule in range(4)]
    assert prices == [10_100, 10_000, 10_200, 10_100]
    assert wanted_price(INSIDE, near, near + TICK, TICK, 0) == near


def test_the_anchor_follows_when_the_bid_is_a_tenth_of_a_percent_away() -> None:
    assert wanted_price(ANCHOR, 100_000, 100_500, TICK, 100_000) == 100_000
    assert wanted_price(ANCHOR, 100_100, 100_500, TICK, 100_000) == 100_200


def test_an_anchor_in_a_one_tick_book_takes_the_offer_at_once() -> None:
    tape = tape_of(a_day([(0, 1000, 500, 1001, 500)]))
    tally = work(tape, SECOND, ANCHOR, Model.QUEUE, TICK)
    assert (tally.rested, tally.taken, tally.paid) == (0, 100, 100 * 100_100)
    assert tally.at == SECOND + SECOND // 10


def test_a_joined_order_waits_for_the_queue_ahead_of_it() -> None:
    day = a_day([(0, 1000, 300, 1004, 500)], [(5, 1000, 300, -1), (9, 1000, 100, -1)])
    first, second = (work(tape_of(day), SECOND, JOIN, model, TICK).at for model in (Model.TOUCH, Model.QUEUE))
    assert (first, second) == (5 * SECOND, 9 * SECOND)


def test_an_order_that_nothing_fills_crosses_after_five_minutes() -> None:
    tally = work(tape_of(a_day([(0, 1000, 300, 1004, 500)])), SECOND, JOIN, Model.TOUCH, TICK)
    assert (tally.taken, tally.at) == (100, 301 * SECOND + SECOND // 10)


def test_a_joined_order_follows_the_bid_at_the_next_look() -> None:
    day = a_day([(0, 1000, 300, 1004, 500), (20, 1002, 300, 1006, 500)], [(40, 1002, 400, -1)])
    tally = work(tape_of(day), SECOND, JOIN, Model.QUEUE, TICK)
    assert (tally.rested, tally.paid, tally.at) == (100, 100 * 100_200, 40 * SECOND)


def test_the_compiled_rules_do_what_the_plain_ones_do() -> None:
    dice = np.random.Generator(np.random.PCG64(1))
    bids = 1000 + np.cumsum(dice.integers(-1, 2, 400))
    quotes = [(float(at), int(bid), 300, int(bid + dice.integers(1, 6)), 200) for at, bid in enumerate(bids)]
    prints = [(at + 0.5, bid, int(dice.integers(1, 400)), -1) for at, bid, *_ in quotes[::3]]
    tape, arrivals = tape_of(a_day(quotes, prints)), np.arange(5, 80, 15) * SECOND
    compiled = compiled_work_all(tape, arrivals, np.arange(3), TICK)
    for number, arrival in enumerate(arrivals):
        for model in range(3):
            for rule in range(4):
                tally = work(tape, int(arrival), rule, model, TICK)
                expected = [tally.paid / 100, tally.rested / 100, (tally.at - arrival) / SECOND]
                assert compiled[number, model, rule].tolist() == expected


def test_costs_are_in_mean_half_spreads_with_errors_by_quarter_of_an_hour() -> None:
    results = np.zeros((4, 2, 3, 4, 3))
    results[:, :, :, :, 0] = np.array([100, 100, 300, 300])[:, None, None, None]
    day = Worked(np.array([50.0, 150.0, 100.0, 100.0]), np.array([0, 0, 1, 1]), results)
    cell = cells([day])[0][0]
    assert cell._replace(error=round(cell.error, 4)) == Cell(2.0, 0.7071, 0.0, 0.0)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings beside the repository")
def test_the_recorded_stock_costs_what_was_recorded() -> None:
    market, days = RecordedMarket(RECORDINGS), []
    for day in market.days():
        found = market.day("XXX", day)
        assert found is not None
        quoted = found.trades.where(found.trades.venue == ord("N"))
        days.append(worked(replay_tape(replace(found, trades=quoted)), new_york(day, "09:30"), 60, 0))
    stock = next(each for each in recorded() if each.name == "XXX")
    for made_row, real_row, model in zip(cells(days), stock.costs, MODELS, strict=True):
        for made, real, rule in zip(made_row, real_row, RULES, strict=True):
            assert abs(made.cost - real.cost) <= 0.12, (model, rule)
            assert abs(made.passive - real.passive) <= 0.01, (model, rule)
            assert abs(made.seconds - real.seconds) <= 5, (model, rule)
