"""A kind of event matters where the same day without it has other acts."""

from __future__ import annotations

import pytest

from repeg_workbench.faults import mattering, reliability
from repeg_workbench.faults.kinds_in_words import IN_WORDS
from repeg_workbench.faults.mattering import KINDS, Acts, Mattering, measure
from repeg_workbench.faults.workload_page import with_kinds, workload_section
from repeg_workbench.faults.world import World

# Days on which another hand cancels, on which a run is aborted, and on which no race is armed.
CANCELLED, ABORTED, UNRACED = 106, 10060, 2


def _acts(seed: int, *without: str) -> str:
    return World(seed, without=frozenset(without)).run().acts


def test_a_day_without_a_cancel_by_another_hand_has_other_orders() -> None:
    assert _acts(CANCELLED, "owner_cancels") != _acts(CANCELLED)


@pytest.mark.parametrize(
    ("seed", "kind"),
    [*((CANCELLED, kind) for kind in ("owner_moves", "abort", "table_conflict", "weights")), (UNRACED, "race")],
)
def test_leaving_out_a_kind_that_a_day_does_not_have_changes_nothing(seed: int, kind: str) -> None:
    assert _acts(seed, kind) == _acts(seed)


def test_every_kind_is_measured_with_the_days_that_have_it() -> None:
    found = {each.kind: each for each in measure([CANCELLED], tries=1)}
    assert list(found) == list(KINDS)
    assert found["owner_cancels"] == Mattering("owner_cancels", drawn=1, tried=1, mattered=1)
    assert found["full_day"] == Mattering("full_day", drawn=0, tried=0, mattered=0)


def test_the_page_has_a_row_for_each_kind() -> None:
    kinds = {kind: {"drawn": 3, "tried": 2, "mattered": 2} for kind in KINDS}
    rows = workload_section({"seeds": 9, "first": 0, "commit": "abc1234", "kinds": kinds})[-1]
    assert all(f"| `{kind}` | {IN_WORDS[kind]} | 3 | 2 of 2 |  |" in rows for kind in KINDS)
    assert list(IN_WORDS) == list(KINDS)
    kinds["race"] = {"drawn": 3, "tried": 7, "mattered": 1, "further": 4}
    rows = workload_section({"seeds": 9, "first": 0, "commit": "abc1234", "kinds": kinds})[-1]
    assert f"| `race` | {IN_WORDS['race']} | 3 | 1 of 7 | 4 |" in rows


def test_a_kind_that_has_not_mattered_is_left_out_of_later_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on every day here, and matters from the sixth on."""

    def acts(seed: int, without: frozenset[str] = frozenset()) -> tuple[Acts, set[str]]:
        return Acts(f"{seed} {bool(without) and seed > 5}", ()), {"race"}

    monkeypatch.setattr(mattering, "_acts", acts)
    (race,) = [each for each in measure(range(3), 2, range(3, 9)) if each.kind == "race"]
    assert race == Mattering("race", drawn=3, tried=6, mattered=1, further=4)
    (race,) = [each for each in measure(range(3), 2, range(3, 5)) if each.kind == "race"]
    assert race == Mattering("race", drawn=3, tried=4, mattered=0, further=2)


def test_a_kind_measured_alone_stands_beside_the_others_with_its_commit() -> None:
    before = {"seeds": 9, "first": 0, "commit": "abc1234", "kinds": {"race": {"drawn": 3, "tried": 2, "mattered": 2}}}
    later = {**before, "commit": "def5678", "kinds": {"abort": {"drawn": 5, "tried": 4, "mattered": 2}}}
    _, text, rows = workload_section(with_kinds(before, later))
    assert "Measured at `abc1234`" in text
    assert text.endswith(" `abort` was measured at `def5678`.")
    assert [name for name in ("race", "abort") if f"| `{name}` |" in rows] == ["race", "abort"]


def test_a_measurement_may_be_of_some_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mattering, "_acts", lambda seed, without=frozenset(): (Acts(f"{seed} {without}", ()), {"race"}))
    assert [each.kind for each in measure(range(3), 2, kinds=["abort", "race"])] == ["abort", "race"]


def test_every_published_kind_exists_and_matters() -> None:
    published = reliability.kept().get("workload", {"kinds": {}})["kinds"]
    assert published.keys() <= set(KINDS)
    assert [kind for kind, each in published.items() if each["tried"] and not each["mattered"]] == []
