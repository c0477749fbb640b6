"""Fixtures: the steps' desk, and a store of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from repeg.adapters.dynamodb.store import DynamoStore
from repeg.ports import Store
from repeg_workbench.twins.memory_store import MemoryStore
from tests.contracts.tables import TABLE, a_client, create_table
from tests.functions.conftest import open_desk

__all__ = ["open_desk"]


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
