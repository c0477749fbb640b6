"""The same cases for a port's adapter and for its twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from moto import mock_aws

from repeg.adapters.dynamodb import DynamoStore
from repeg.ports import Store
from tests.contracts.desks import KINDS, Desk, Terms
from tests.contracts.tables import TABLE, a_client, create_table
from workbench.twins.memory_store import MemoryStore


@pytest.fixture(params=["memory", "dynamodb on moto"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
        return
    with mock_aws():
        client = a_client()
        create_table(client)
        yield DynamoStore(client, TABLE, pause=lambda seconds: None)


@pytest.fixture(params=list(KINDS))
def open_desk(request: pytest.FixtureRequest) -> Iterator[Callable[..., Desk]]:
    """Opens a desk of each kind, on terms that a case may change."""
    with ExitStack() as stack:
        yield lambda **terms: stack.enter_context(KINDS[request.param](Terms(**terms)))


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """An ordinary desk at noon."""
    return open_desk()
