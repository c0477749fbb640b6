"""Planted bugs are what they say: each edit fits the code, and a test that is said to see a bug fails with it."""

from __future__ import annotations

import builtins
import dis
from types import CodeType, FunctionType

import pytest

from repeg_workbench.faults.bug_search import Found, search_by_seeds, search_by_tests
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.planting import _plain, planted
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
