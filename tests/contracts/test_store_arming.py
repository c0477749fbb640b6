"""The arming record, on DynamoDB and in memory: a live stack writes no intent without one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, timezone

import pytest
from moto import mock_aws

from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain.arming import LONGEST
from repeg.domain.errors import RefusedRun
from repeg.domain.run import KillSwitch
from repeg.ports import Store
from repeg_workbench.twins.memory_store import MemoryStore
from tests.contracts.tables import TABLE, a_client, create_table
from tests.contracts.words import NOON, RUN_ID, a_run, an_intent, an_order, with_intent

SECOND = timedelta(seconds=1)


@pytest.fixture(params=["memory", "dynamodb on moto"])
def live(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The store of a live stack, of each kind, with a running run of one order."""
    if request.param == "memory":
        yield planned(MemoryStore(needs_arming=True))
        return
    with mock_aws():
        client = a_client()
        create_table(client)
        yield planned(DynamoStore(client, TABLE, pause=lambda seconds: None, needs_arming=True))


def planned(store: Store) -> Store:
    store.claim_run(a_run())
    store.add_orders(RUN_ID, 1, [an_order()])
    return store


def place(store: Store) -> None:
    """Write the first intent of the only order, decided at noon."""
    (order,) = store.orders(RUN_ID)
    intent = an_intent(order, 1)
    assert intent.decided_at == NOON
    store.write_intent(with_intent(order, intent), intent, 1, ())


def test_a_store_has_no_arming_record_by_default(store: Store) -> None:
    assert store.armed_until() is None


def test_an_arming_record_reads_back_and_can_be_taken_back(store: Store) -> None:
    store.set_armed_until(NOON)
    assert store.armed_until() == NOON
    store.set_armed_until(None)
    assert store.armed_until() is None


def test_a_paper_stack_needs_no_arming(store: Store) -> None:
    assert store.is_armed(NOON)
    place(planned(store))


@pytest.mark.parametrize("until", [None, NOON, NOON - SECOND, NOON + LONGEST + SECOND])
def test_a_live_stack_that_is_not_armed_writes_no_intent(live: Store, until: object) -> None:
    live.set_armed_until(until)  # type: ignore[arg-type]
    assert not live.is_armed(NOON)
    with pytest.raises(RefusedRun, match="live trading is not armed"):
        place(live)
    assert (live.orders(RUN_ID), live.intents(RUN_ID)) == ([an_order()], [])


@pytest.mark.parametrize("until", [NOON + SECOND, NOON + LONGEST])
def test_a_live_stack_writes_intents_while_it_is_armed(live: Store, until: object) -> None:
    live.set_armed_until(until)  # type: ignore[arg-type]
    assert live.is_armed(NOON)
    place(live)
    assert len(live.intents(RUN_ID)) == 1


def test_an_arming_in_another_time_zone_expires_at_the_same_instant(live: Store) -> None:
    """Texts of different offsets would not compare like the times that they name."""
    tokyo = timezone(timedelta(hours=9))
    live.set_armed_until(NOON.astimezone(tokyo))
    with pytest.raises(RefusedRun):
        place(live)
    live.set_armed_until((NOON + SECOND).astimezone(tokyo))
    place(live)


def test_a_disarmed_live_stack_writes_no_more_intents(live: Store) -> None:
    live.set_armed_until(NOON + SECOND)
    live.set_armed_until(None)
    with pytest.raises(RefusedRun, match="there is no arming record"):
        place(live)


def test_the_kill_switch_is_named_before_a_missing_arming(live: Store) -> None:
    live.set_kill_switch(KillSwitch.HALT_NEW)
    with pytest.raises(RefusedRun, match="kill switch"):
        place(live)
