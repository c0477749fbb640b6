"""Means and differences with intervals that allow for orders of one run being alike."""

from __future__ import annotations

from decimal import Decimal
from random import Random  # noqa: TID251 - seeded
from statistics import NormalDist

import pytest

from repeg.domain.clustered import FEWEST_RUNS, Mean, Sample, difference_of, mean_of, student


def sample(*values: str, runs: int = 0) -> list[Sample]:
    """Values of a run each, or of so many runs in turn."""
    return [Sample(f"run-{n % runs if runs else n}", Decimal(value)) for n, value in enumerate(values)]


def known(mean: Mean | None) -> Mean:
    assert mean is not None
    return mean


def test_a_mean_of_independent_orders_has_the_usual_error() -> None:
    """Five values with a standard deviation of 2 and a mean of 4: t of four degrees of freedom is 2.776."""
    mean = known(mean_of(sample("2", "3", "3", "5", "7")))
    assert (mean.value, mean.orders, mean.runs) == (Decimal(4), 5, 5)
    assert mean.error is not None
    assert mean.low is not None
    assert float(mean.error) == pytest.approx(2 / 5**0.5)
    assert float(mean.low) == pytest.approx(4 - 2.776 * 2 / 5**0.5)


def test_orders_of_one_run_count_as_little_more_than_one() -> None:
    alone = known(mean_of(sample("1", "2", "3", "4", "5", "6")))
    tripled = known(mean_of(sample(*["1", "2", "3", "4", "5", "6"] * 3, runs=6)))
    assert tripled.value == alone.value
    assert tripled.error == pytest.approx(alone.error)


def test_a_weighted_mean_counts_what_weighs_more() -> None:
    weighted = [Sample("a", Decimal(1), Decimal(3)), Sample("b", Decimal(5), Decimal(1))]
    assert known(mean_of(weighted)).value == Decimal(2)


def test_a_difference_is_the_first_less_the_second() -> None:
    difference = known(difference_of(sample("3", "5", "4", "4", "4"), sample("1", "1", "1", "1", "1")))
    assert difference.value == 3
    assert difference.is_certain


@pytest.mark.parametrize("runs", [1, FEWEST_RUNS - 1])
def test_a_mean_of_few_runs_has_no_interval(runs: int) -> None:
    mean = known(mean_of(sample(*["1", "2", "3", "4"] * 5, runs=runs)))
    assert (mean.error, mean.low, mean.high, mean.is_certain, mean.orders_for(Decimal(1))) == (
        None, None, None, False, None,
    )  # fmt: skip


def test_a_difference_has_the_runs_of_its_smaller_arm() -> None:
    few, many = sample("1", "2", runs=2), sample(*["3", "4"] * 10)
    assert known(difference_of(few, many)).error is None


def test_a_mean_of_nothing_is_not_a_number() -> None:
    assert mean_of([]) is None
    assert difference_of(sample("1"), []) is None
    assert mean_of([Sample("a", Decimal(1), Decimal(0))]) is None


def test_values_without_scatter_have_an_interval_of_no_width() -> None:
    mean = known(mean_of(sample(*["0.4"] * 6)))
    assert (mean.low, mean.high) == (Decimal("0.4"), Decimal("0.4"))
    assert mean.orders_for(Decimal("0.25")) == 0


def test_the_needed_orders_grow_with_the_square_of_the_error() -> None:
    mean = Mean(value=Decimal("0.1"), orders=100, runs=20, error=Decimal("0.1"))
    assert mean.orders_for(Decimal("0.1")) == 786  # 100 * 2.802 ** 2, rounded up
    assert mean.orders_for(Decimal("0.05")) == 3_141
    assert mean.orders_for(Decimal(0)) is None
    assert mean.orders_for(Decimal("0.0001")) is None


@pytest.mark.parametrize(("degrees", "t"), [(4, "2.776"), (35, "2.042"), (5_000, "1.962")])
def test_students_t_is_never_below_its_own_degrees(degrees: int, t: str) -> None:
    assert student(degrees) == Decimal(t)


def test_too_few_degrees_of_freedom_have_no_t() -> None:
    with pytest.raises(ValueError, match="3 degrees"):
        student(3)


def test_an_interval_covers_the_truth_in_about_95_of_100_accounts() -> None:
    """Four orders in each of fifteen runs share half of their variance: errors without clusters would be short."""
    chance, covered = Random(11), 0
    for _ in range(400):
        orders = []
        for run in range(15):
            common = NormalDist(0, 1).inv_cdf(chance.random())
            orders += [Sample(f"{run}", Decimal(common + NormalDist(0, 1).inv_cdf(chance.random()))) for _ in range(4)]
        mean = known(mean_of(orders))
        assert mean.low is not None
        assert mean.high is not None
        covered += mean.low <= 0 <= mean.high
    assert 368 <= covered <= 392
