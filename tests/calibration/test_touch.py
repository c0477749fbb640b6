"""What the touch predicts, counted on tapes made by hand."""

import numpy as np
import pytest

from repeg_workbench.calibration.touch import sampled, touch_figures
from repeg_workbench.replay.tape import replay_tape
from tests.replay.hand_made import a_day

OPENED = 0


def test_the_next_move_is_counted_by_the_imbalance() -> None:
    day = a_day([(0, 1000, 900, 1001, 100), (400.25, 1001, 300, 1002, 700), (23_000, 999, 100, 1000, 100)])
    samples = sampled(replay_tape(day), OPENED)
    first = int(samples.tenth[0])
    assert (first, bool(samples.up[0]), samples.wait[0]) == (9, True, 100.25)
    later = 200
    assert (int(samples.tenth[later]), bool(samples.up[later])) == (3, False)
    figures = touch_figures([samples])
    assert figures.tenths[9, 1] == 1.0
    assert figures.tenths[3, 1] == 0.0
    assert figures.one_tick == 1.0


def test_a_move_is_measured_in_half_spreads_of_the_moment() -> None:
    day = a_day([(0, 1000, 100, 1004, 100), (500.5, 1003, 100, 1005, 100), (23_000, 999, 100, 1000, 100)])
    samples = sampled(replay_tape(day), OPENED)
    before, long_before = 500 - 300, 470 - 300
    assert samples.moves[:, before].tolist() == [1.0, 1.0, 1.0]
    assert samples.moves[:, long_before].tolist() == [0.0, 0.0, 0.0]
    assert samples.moves[:, long_before + 1].tolist() == [0.0, 0.0, 1.0]


def test_a_spread_is_tight_against_its_last_five_minutes() -> None:
    day = a_day([(0, 1000, 100, 1009, 100), (1_000, 1000, 100, 1003, 100), (1_100, 1000, 100, 1009, 100)])
    assert touch_figures([sampled(replay_tape(day), OPENED)]).tight == pytest.approx(5 / 1_110, rel=0.01)


def test_an_error_counts_blocks_and_not_seconds() -> None:
    rows = [(float(at), 1000 + at // 900 % 2, 100, 1001 + at // 900 % 2, 100) for at in range(0, 23_400, 900)]
    figures = touch_figures([sampled(replay_tape(a_day(rows)), OPENED)])
    assert figures.up_error[5] > 5 * np.sqrt(0.25 / 22_500)
