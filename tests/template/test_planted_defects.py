"""Each planted defect of the template is seen by the test that its table names."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repeg.domain.errors import InvalidSettings
from repeg_workbench.docs import template_defects
from tests.template import stack
from tests.template.planted_defects import DEFECTS, Defect
from tests.template.stack import of_type, statements, translated, written

# The tests read the template through these modules.
READERS = ("stack", "test_template")


def schedule(name: str) -> Any:
    """The properties of a schedule, of the template as it is now."""
    return of_type(written(), "AWS::Scheduler::Schedule")[name]["Properties"]


# The fixtures that the tests take.
FIXTURES: dict[str, Callable[[], Any]] = {
    "allowed": lambda: list(statements(translated())),
    "schedule": lambda: schedule("Schedule"),
    "watch": lambda: schedule("WatchSchedule"),
}


def run(test: str) -> None:
    """Call a test of this folder. Raises what it raises."""
    match = re.fullmatch(r"(\w+)::(\w+)(?:\[(\w+)\])?", test)
    assert match is not None, test
    module, name, argument = match.groups()
    function = getattr(importlib.import_module(f"tests.template.{module}"), name)
    parameters = inspect.signature(function).parameters
    function(*(FIXTURES[each]() if each in FIXTURES else argument for each in parameters))


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.what)
def test_a_planted_defect_is_seen_by_its_test(defect: Defect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = stack.TEMPLATE.read_text()
    assert text.count(defect.text) >= 1, "the text of the defect is not in the template"
    faulty = tmp_path / "template.yaml"
    faulty.write_text(text.replace(defect.text, defect.becomes, 1))
    for module in READERS:
        monkeypatch.setattr(importlib.import_module(f"tests.template.{module}"), "TEMPLATE", faulty)
    if defect.seen_by.startswith("test_alarms"):
        alarms = of_type(written(), "AWS::CloudWatch::Alarm")
        monkeypatch.setattr(importlib.import_module("tests.template.test_alarms"), "ALARMS", alarms)
    with pytest.raises((AssertionError, KeyError, ValueError, InvalidSettings)):
        run(defect.seen_by)


def test_at_least_twenty_defects_are_planted() -> None:
    assert len(DEFECTS) >= 20
    assert len({defect.becomes for defect in DEFECTS if defect.becomes}) == len([d for d in DEFECTS if d.becomes])


def test_the_page_of_planted_defects_is_up_to_date() -> None:
    assert template_defects.PAGE.read_text(encoding="utf-8") == template_defects.page(DEFECTS), "run make docs"
