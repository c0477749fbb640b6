"""The generated regimes are held to what was measured on the recorded stocks."""

from functools import lru_cache

import numpy as np
import pytest

from repeg_workbench.calibration.acceptance import COST, PASSIVE, TIMES
from repeg_workbench.calibration.measure import STOCKS, Measured, generated_days, instrument, measured
from repeg_workbench.calibration.recorded import MODELS, RULES, Recorded, recorded

pytestmark = pytest.mark.xdist_group("calibration")

RECORDED = {stock.name: stock for stock in recorded()}
SEEDS = range(1_000, 1_006)
STOCK = pytest.mark.parametrize("name", STOCKS)
CURVES = pytest.mark.parametrize("name", [name for name, stock in RECORDED.items() if stock.tenths])


@lru_cache(None)
def generated(name: str) -> Measured:
    return measured(generated_days(instrument(name), SEEDS), every=120)


def symmetric(column: np.ndarray, middle: float) -> np.ndarray:
    """A curve without its trend: recorded days rise or fall, and generated ones are symmetric on the mean."""
    odd: np.ndarray = (column + 2 * middle - column[::-1]) / 2
    return odd


def frequent(stock: Recorded) -> np.ndarray:
    """The tenths in which a recorded stock was for at least two percent of the time, on both ends."""
    shares = np.array([tenth.share for tenth in stock.tenths])
    both: np.ndarray = np.minimum(shares, shares[::-1]) >= 0.02
    return both


@STOCK
def test_a_regime_costs_the_simple_rules_what_its_stock_did(name: str) -> None:
    for made_row, real_row, model in zip(generated(name).costs, RECORDED[name].costs, MODELS, strict=True):
        for made, real, rule in zip(made_row, real_row, RULES, strict=True):
            room = max(COST, 2 * real.error) + 2 * made.error
            assert abs(made.cost - real.cost) <= room, (model, rule)
            assert abs(made.passive - real.passive) <= PASSIVE, (model, rule)
            assert made.seconds <= TIMES * real.seconds + 2, (model, rule)
            assert real.seconds <= TIMES * made.seconds + 2, (model, rule)


@CURVES
def test_the_imbalance_predicts_the_next_move_as_it_was_recorded(name: str) -> None:
    touch, stock = generated(name).touch, RECORDED[name]
    made = symmetric(touch.tenths[:, 1], 0.5)
    real = symmetric(np.array([tenth.up for tenth in stock.tenths]), 0.5)
    room = 0.05 + 2 * np.maximum(touch.up_error, touch.up_error[::-1])
    assert (np.abs(made - real) <= room)[frequent(stock)].all(), np.round(np.array([made, real]), 3)
    assert made[-3] - made[2] >= 0.1


@CURVES
def test_the_imbalance_has_its_recorded_shares_of_time(name: str) -> None:
    shares = np.array([tenth.share for tenth in RECORDED[name].tenths])
    assert np.abs(generated(name).touch.tenths[:, 0] - shares).max() <= 0.09


@CURVES
def test_the_mid_follows_the_imbalance_as_far_as_recorded(name: str) -> None:
    stock = RECORDED[name]
    for column, room in ((2, 0.1), (3, 0.15), (4, 0.3)):
        made = symmetric(generated(name).touch.tenths[:, column], 0)
        real = symmetric(np.array([tenth[column] for tenth in stock.tenths]), 0)
        assert (np.abs(made - real) <= room)[frequent(stock)].all(), (column, np.round(np.array([made, real]), 3))


@pytest.mark.parametrize("name", ["AMZN", "GOOG"])
def test_the_imbalance_of_a_wide_stock_says_next_to_nothing(name: str) -> None:
    tenths = generated(name).touch.tenths
    common = tenths[:, 0] >= 0.03
    assert tenths[common, 1].min() >= 0.4
    assert tenths[common, 1].max() <= 0.6


@STOCK
def test_the_mid_moves_as_often_as_recorded(name: str) -> None:
    ratio = generated(name).touch.wait / RECORDED[name].wait
    assert 1 / TIMES <= ratio <= TIMES


@STOCK
def test_the_spread_is_as_often_tight_as_recorded(name: str) -> None:
    touch, stock = generated(name).touch, RECORDED[name]
    assert abs(touch.tight - stock.tight) <= 0.02
    assert abs(touch.one_tick - stock.one_tick) <= 0.04
    assert abs(touch.median_spread - stock.median_spread) <= 0.1 * stock.median_spread
