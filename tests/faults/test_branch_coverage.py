"""What the seeds never reach of the money modules: every place has a reason, and every reason a place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repeg_workbench.faults import reliability
from repeg_workbench.faults.branch_coverage import Reached, _reached, measure
from repeg_workbench.faults.branch_coverage_page import (
    coverage_section,
    is_in_the_code,
    places_of,
    reasons,
    unexplained,
)
from repeg_workbench.mutation.money_modules import MONEY_MODULES


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """The published measurement."""
    return dict(reliability.kept()["coverage"])


def test_every_place_that_has_a_reason_is_in_the_code() -> None:
    assert [place for place in reasons() if not is_in_the_code(place)] == []


def test_every_published_place_has_a_reason(published: dict[str, Any]) -> None:
    assert unexplained(published) == []


def test_every_reason_is_of_a_place_that_no_seed_reached(published: dict[str, Any]) -> None:
    assert reasons().keys() - set(places_of(published)) == set()


def test_every_money_module_is_measured_or_named_as_one_that_is_not(published: dict[str, Any]) -> None:
    assert published["modules"].keys() <= set(MONEY_MODULES)
    text = "\n".join(coverage_section(published))
    assert [name for name in MONEY_MODULES if f"`{name}`" not in text] == []
    named = text.partition("Not measured yet: ")[2].partition(".\n")[0]
    assert all(f"`{name}`" in named for name in MONEY_MODULES if name not in published["modules"])


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("domain.tick: from __future__ import annotations", True),
        ("domain.tick: from __future__ import annotations → the end", True),
        ("domain.tick: from __future__ import annotations → no such line", False),
        ("domain.tick: no such line", False),
        ("domain.no_such_module: from __future__ import annotations", False),
    ],
)
def test_a_place_is_in_the_code_by_the_text_of_its_lines(text: str, is_there: bool) -> None:
    assert is_in_the_code(text) is is_there


def test_a_place_without_a_reason_is_found_and_shown_as_such() -> None:
    missing = ("from __future__ import annotations", "a line of yesterday")
    measured = {
        "seeds": 8, "first": 0, "commit": "abc1234", "modules": {"domain.tick": vars(Reached(9, 7, 2, 1, missing))}
    }  # fmt: skip
    assert unexplained(measured) == ["domain.tick: from __future__ import annotations"]
    page = "\n".join(coverage_section(measured))
    assert "Not looked into yet.\n\n- ``domain.tick: from __future__ import annotations``" in page
    assert "Changed since the measurement.\n\n- ``domain.tick: a line of yesterday``" in page


def test_a_branch_is_named_only_between_lines_that_ran(tmp_path: Path) -> None:
    """A branch to or from a line that has not run is that line's."""
    module = tmp_path / "module.py"
    module.write_text("if a:\n    b()\nif c:\n    d()\n")
    about = {
        "summary": {"num_statements": 4, "covered_lines": 3, "num_branches": 4, "covered_branches": 2},
        "missing_lines": [4],
        "missing_branches": [[1, 3], [3, 4], [3, -1]],
    }
    assert _reached(module, about).missing == ("d()", "if a: → if c:", "if c: → the end")


def test_the_seeds_are_measured_with_their_faults() -> None:
    """On this day requests are lost, and orders are sent again."""
    reached = measure(range(10, 11), ["workflow.in_flight"], processes=1)["workflow.in_flight"]
    assert [text for text in reached.missing if '"resend"' in text] == []
