"""A stack, and an operator in a folder whose samconfig.toml names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.operate.operator import STACK, Deploy, Operator, an_operator


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the commands run in."""
    (tmp_path / "samconfig.toml").write_text(f'[paper.deploy.parameters]\nstack_name = "{STACK}"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def deploy() -> Iterator[Deploy]:
    """Deploys the stack with options of the test's own."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(an_operator(**options))


@pytest.fixture
def operator(deploy: Deploy) -> Operator:
    """The stack as deployed, at 09:25."""
    return deploy()
