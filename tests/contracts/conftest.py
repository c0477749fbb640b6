"""Fixtures that run each contract test against a port's adapter and its in-memory twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256

import pytest
from moto import mock_aws

from repeg.adapters.dynamodb.store import DynamoStore
from repeg.adapters.runtime import SystemRuntime
from repeg.ports import Store
from repeg_workbench.twins.memory_store import MemoryStore
from tests.contracts.desks import KINDS, Desk, Terms
from tests.contracts.ministack import ABSENT, command, running
from tests.contracts.tables import TABLE, a_client, create_table


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The emulator's address; tests that need it are skipped if it is not installed."""
    program = command()
    if program is None:
        pytest.skip(ABSENT)
    with running(program, tmp_path_factory.mktemp("ministack")) as address:
        yield address


@pytest.fixture
def ministack_store(ministack: str, request: pytest.FixtureRequest) -> DynamoStore:
    """A store on an empty table in the emulator, for multi-threaded tests."""
    client = a_client(ministack)
    name = f"{TABLE}-{sha256(request.node.nodeid.encode()).hexdigest()[:16]}"
    create_table(client, name)
    return DynamoStore(client, name, pause=SystemRuntime().pause)


@pytest.fixture(params=["memory", "dynamodb on moto", "dynamodb on ministack"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "dynamodb on ministack":
        yield request.getfixturevalue("ministack_store")
    else:
        with mock_aws():
            client = a_client()
            create_table(client)
            yield DynamoStore(client, TABLE, pause=lambda seconds: None)


@pytest.fixture(params=list(KINDS))
def open_desk(request: pytest.FixtureRequest) -> Iterator[Callable[..., Desk]]:
    """Opens a desk of each kind; a test may override the terms."""
    with ExitStack() as stack:
        yield lambda **terms: stack.enter_context(KINDS[request.param](Terms(**terms)))


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """An ordinary desk at noon."""
    return open_desk()
