"""The gate fails for a package whose branch coverage is below its floor."""

from __future__ import annotations

from tests.coverage.floors import FLOORS, ROOT, Measured, below_floor, by_package, package_of

DOMAIN = "layers/repeg/python/repeg/domain"


def test_each_deployed_file_belongs_to_a_package_with_a_floor() -> None:
    deployed = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers" / "repeg").rglob("*.py")]
    assert {package_of(path.relative_to(ROOT).as_posix()) for path in deployed} == set(FLOORS)


def test_a_file_counts_in_the_innermost_package_only() -> None:
    found = by_package([(f"{DOMAIN}/peg.py", Measured(9, 9, 4, 3)), (f"{DOMAIN}/tick.py", Measured(1, 1, 4, 4))])
    assert found[DOMAIN] == Measured(10, 10, 8, 7)
    assert found["layers/repeg/python/repeg"] == Measured()


def test_a_package_below_its_floor_is_named_with_both_figures() -> None:
    found = {DOMAIN: Measured(100, 100, 200, 189)}
    assert below_floor(found, {DOMAIN: 95}) == [f"{DOMAIN}: 94.5 % of branches run, the floor is 95 %"]
    assert below_floor({DOMAIN: Measured(100, 100, 200, 190)}, {DOMAIN: 95}) == []


def test_a_package_that_was_not_measured_is_below_its_floor() -> None:
    assert below_floor(by_package([]), {DOMAIN: 95}) != []
