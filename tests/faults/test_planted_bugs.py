"""Planted bugs are what they say: each edit fits the code, and a test that is said to see a bug fails with it."""

from __future__ import annotations

import builtins
import dis
from inspect import Parameter, signature
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any

import pytest

from repeg.adapters.eventbridge import EventsUnavailable
from repeg.domain.errors import StillOpen
from repeg.workflow import closing
from repeg_workbench.faults import campaign
from repeg_workbench.faults.bug_search import Found, search_by_seeds, search_by_tests
from repeg_workbench.faults.campaign import detections, first_failure, run_seed
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.planting import PlantedBug, _plain, planted
from repeg_workbench.faults.records import defects
from tests.template.stack import ROOT

SEEN_BY_TESTS = [name for name, bug in PLANTED_BUGS.items() if bug.seen_by]


@pytest.mark.parametrize("name", PLANTED_BUGS)
def test_a_planted_bug_uses_only_names_that_exist_where_it_is_planted(name: str) -> None:
    """A bug that raises NameError would be detected for the wrong reason."""
    with planted(PLANTED_BUGS[name]):
        for owner, attribute in PLANTED_BUGS[name].places.values():
            found = vars(owner)[attribute]
            if callable(found) or hasattr(found, "fget") or hasattr(found, "__func__"):
                assert not unknown_names(found), name


@pytest.mark.parametrize("name", PLANTED_BUGS)
def test_a_planted_bug_takes_the_arguments_of_what_it_replaces(name: str) -> None:
    """A bug that raises TypeError when it is called would be detected for the wrong reason."""
    places = PLANTED_BUGS[name].places
    before = {key: vars(owner)[attribute] for key, (owner, attribute) in places.items()}
    with planted(PLANTED_BUGS[name]):
        for key, (owner, attribute) in places.items():
            if is_called(before[key]):
                taken = signature(_plain(vars(owner)[attribute]))
                for positional, named in calls_of(_plain(before[key])):
                    taken.bind(*positional, **named)


def test_a_day_on_which_a_bug_raises_a_type_error_is_no_detection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The replacement takes too few arguments, so closing fails and the day has a violation."""
    unfit = PlantedBug("takes no turn", lambda _: {"close": lambda: None}, {"close": (closing, "close_orders")})
    monkeypatch.setitem(PLANTED_BUGS, "unfit", unfit)
    found = run_seed(3, "unfit")
    assert found.violations
    assert found.defects == {"TypeError"}
    assert detections(3, "unfit") == []
    assert first_failure(range(3, 4), "unfit") is None


def test_a_day_that_dies_alike_without_the_bug_is_a_detection(monkeypatch: pytest.MonkeyPatch) -> None:
    days = {"bug": day_with("no_intent: x", "no_intent: y", "idle: z"), None: day_with()}
    monkeypatch.setattr(campaign, "run_seed", lambda _seed, bug=None: days[bug])
    assert detections(1, "bug") == ["no_intent", "idle"]
    days[None] = day_with(defects=frozenset())
    assert detections(1, "bug") == []
    days[None] = day_with("idle: z")
    assert detections(1, "bug") == []


def test_an_error_of_the_program_or_of_the_system_is_no_defect() -> None:
    raised = [StillOpen("left"), EventsUnavailable("bus"), OSError("no space left"), KeyError("n"), TypeError("n")]
    assert defects(raised) == {"KeyError", "TypeError"}


def test_every_bug_is_gone_after_its_block() -> None:
    before = {place: getattr(*place) for bug in PLANTED_BUGS.values() for place in bug.places.values()}
    for bug in PLANTED_BUGS.values():
        with planted(bug):
            pass
    assert all(getattr(*place) is value for place, value in before.items())


def test_every_test_that_sees_a_bug_exists() -> None:
    for name in SEEN_BY_TESTS:
        path, _, test = PLANTED_BUGS[name].seen_by.partition("::")
        assert f"def {test}(" in (ROOT / path).read_text(), name


def test_a_bug_that_only_a_test_can_see_fails_that_test() -> None:
    assert list(search_by_tests(["collars_not_kept"])) == [
        Found("collars_not_kept", test=PLANTED_BUGS["collars_not_kept"].seen_by)
    ]


def test_a_bug_is_found_on_its_first_seed_among_bugs_that_are_not() -> None:
    steps = list(search_by_seeds(["post_before_intent", "no_deadline"], range(1, 4), 1))
    found = {step.name: step for step in steps if isinstance(step, Found)}
    assert found["post_before_intent"] == Found("post_before_intent", 2, "no_intent")
    assert not found["no_deadline"].is_detected
    assert steps[-1] == found["no_deadline"]


def day_with(*violations: str, defects: frozenset[str] = frozenset({"KeyError"})) -> Any:
    """The part of a day's result that the search reads."""
    return SimpleNamespace(violations=list(violations), defects=defects)


def is_called(found: object) -> bool:
    """Whether a name of the program is a function, a method or a static method; not a property or a constant."""
    return not hasattr(found, "fget") and (callable(found) or hasattr(found, "__func__"))


def calls_of(function: FunctionType) -> list[tuple[list[str], dict[str, str]]]:
    """The shortest and the longest way to call a function: its arguments by position, and those by name."""
    parameters = signature(function).parameters.values()
    required = [each for each in parameters if each.default is Parameter.empty]
    return [
        (
            [each.name for each in given if each.kind is Parameter.POSITIONAL_OR_KEYWORD],
            {each.name: each.name for each in given if each.kind is Parameter.KEYWORD_ONLY},
        )
        for given in (required, parameters)
    ]


def unknown_names(function: object) -> set[str]:
    """The global names that a function reads and its module does not have."""
    plain: FunctionType = _plain(function)
    return {
        name for name in globals_of(plain.__code__) if name not in plain.__globals__ and not hasattr(builtins, name)
    }


def globals_of(code: CodeType) -> set[str]:
    """The global names that a code object reads, with those of the functions inside it."""
    read = {str(step.argval) for step in dis.get_instructions(code) if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    return read.union(*(globals_of(const) for const in code.co_consts if isinstance(const, CodeType)))
