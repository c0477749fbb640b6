"""Registers the profiles of hypothesis: no check depends on how fast a machine is.

`make quick` draws few examples for each property: `pytest --hypothesis-profile quick`.
"""

import gc

import pytest
from hypothesis import HealthCheck, settings

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("untimed", UNTIMED)
settings.register_profile("quick", UNTIMED, derandomize=True, database=None, max_examples=20)
settings.load_profile("untimed")

# Simulated days are many objects that live long, and looking through them for garbage takes a part of the time.
gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a fixture of their module run one after the other on one worker, which makes it once."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("xdist_group") is None:
            file, shared = item.nodeid.partition("::")[0], _shared_by_module(item)
            if file.startswith("tests/replay/"):
                item.add_marker(pytest.mark.xdist_group("compiled"))  # the compiler takes as long as the tests
            elif shared:
                item.add_marker(pytest.mark.xdist_group(f"{file}:{shared}"))


def _shared_by_module(item: pytest.Function) -> str:
    """The fixtures of a test that its module makes once for each of their parameters; empty without one."""
    known = item._fixtureinfo.name2fixturedefs
    names = sorted(name for name in item.fixturenames if any(each.scope == "module" for each in known.get(name, ())))
    indices = item.callspec.indices if hasattr(item, "callspec") else {}
    return " ".join(f"{name}{indices.get(name, '')}" for name in names)
