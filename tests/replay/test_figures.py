"""Means and clustered standard errors, on numbers that can be checked by hand."""

import math

import numpy as np
import pytest

from repeg_workbench.replay.figures import BLOCK, Estimate, equal_weight, estimate


def test_values_of_one_quarter_of_an_hour_are_one_observation() -> None:
    values = np.array([1.0, 1.0, 3.0, 3.0])
    together = estimate(values, np.array([0, 1, BLOCK, BLOCK + 1]))
    # Two clusters, at 1 and 3: a mean of 2 with an error of 1.
    assert [together.mean, together.error] == pytest.approx([2, 1])
    apart = estimate(values, np.arange(4) * BLOCK)
    assert apart.error == pytest.approx(np.std(values, ddof=1) / 2)


def test_the_t_value_is_the_mean_in_standard_errors() -> None:
    assert Estimate(-0.3, 0.1).t == pytest.approx(-3)
    assert Estimate(0.0, 0.0).t == 0


def test_an_estimate_of_no_values_is_not_a_number() -> None:
    assert math.isnan(estimate(np.empty(0), np.empty(0, np.int64)).mean)


def test_symbol_days_weigh_the_same_however_many_orders_they_have() -> None:
    total = equal_weight([Estimate(1.0, 0.3), Estimate(0.0, 0.4)])
    assert [total.mean, total.error] == pytest.approx([0.5, 0.25])
