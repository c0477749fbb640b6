"""The fixture that opens and closes desks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.functions.desk import Desk, a_desk


@pytest.fixture
def open_desk() -> Iterator[Callable[..., Desk]]:
    """Opens a desk with the given books; a test may override its options."""
    with ExitStack() as stack:
        yield lambda books, **options: stack.enter_context(a_desk(books, **options))
