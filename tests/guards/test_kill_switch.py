"""The kill switch: it stops new orders while it is halted or unreadable, and never stops a cancel."""

from __future__ import annotations

from typing import Any

import pytest
from moto import mock_aws

from functions.place_orders.app import place_orders
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain.errors import RefusedRun, RepegError, StoreUnavailable
from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch
from repeg_workbench.twins.memory_store import MemoryStore
from tests.contracts.tables import TABLE, a_client, create_table
from tests.functions.books import AAPL, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, a_plan
from tests.functions.scenes import half_filled, resting
from tests.guards.test_request_budget import rate_limited
from tests.simulation import judge

HALTED = [KillSwitch.HALT_NEW, KillSwitch.CANCEL_ALL]


def ready(open_desk: OpenDesk, **options: object) -> Desk:
    """A validated order to buy 40 AAPL, not yet sent."""
    desk = open_desk({"AAPL": AAPL}, **options)
    desk.begin("buy 40 AAPL")
    desk.validate()
    return desk


def nothing_was_sent(desk: Desk) -> bool:
    return (desk.posts(), desk.at_broker()) == (0, [])


@pytest.mark.parametrize("state", HALTED)
def test_no_order_is_placed_while_the_kill_switch_is_set(open_desk: OpenDesk, state: KillSwitch) -> None:
    desk = ready(open_desk)
    desk.store.set_kill_switch(state)
    assert desk.place().placed == 0
    assert nothing_was_sent(desk)
    assert desk.store.intents(RUN_ID) == []
    assert f"kill switch is {state}" in desk.journalled("AAPL", "error")[0][1]


@pytest.mark.parametrize("state", HALTED)
def test_a_kill_switch_set_during_a_step_stops_that_step(open_desk: OpenDesk, state: KillSwitch) -> None:
    desk = ready(open_desk)
    desk.broker.line.seconds = 1
    step = desk.scheduler.spawn(desk.place)
    desk.wait(4.5)
    desk.store.set_kill_switch(state)
    desk.wait(10)
    assert step.result().placed == 0
    assert nothing_was_sent(desk)


@pytest.mark.parametrize("state", HALTED)
def test_a_kill_switch_set_during_a_move_stops_the_new_order(open_desk: OpenDesk, state: KillSwitch) -> None:
    """The cancel is already in flight, so the order ends cancelled."""
    desk = resting(open_desk, book(QUIET, UP))
    desk.wait_until("09:36:30")
    desk.broker.line.seconds = 0.2
    step = desk.scheduler.spawn(desk.repeg)
    desk.wait(0.7)  # clock, list, quotes: the cancel is in flight
    desk.store.set_kill_switch(state)
    desk.wait(10)
    step.result()
    assert (desk.open_at_broker(), desk.posts()) == ([], 1)


@pytest.mark.parametrize("state", list(KillSwitch))
def test_cancels_are_sent_in_every_kill_switch_state(open_desk: OpenDesk, state: KillSwitch) -> None:
    desk = half_filled(open_desk)
    desk.store.set_kill_switch(state)
    desk.close()
    judge.nothing_of_ours_is_open(desk.exchange)


def test_waiting_orders_are_placed_once_the_kill_switch_is_active(open_desk: OpenDesk) -> None:
    desk = ready(open_desk)
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    desk.place()
    assert desk.repeg().decision == "wait"
    desk.store.set_kill_switch(KillSwitch.ACTIVE)
    assert desk.repeg().decision == "validate"
    assert desk.place().placed == 1


class Unreadable(MemoryStore):
    """A store whose kill switch is temporarily unreadable, both directly and in a transaction."""

    is_down = False

    def kill_switch(self) -> KillSwitch:
        self._raise_if_down()
        return super().kill_switch()

    def write_intent(self, order: ParentOrder, intent: Intent, *rest: Any) -> ParentOrder:
        self._raise_if_down()
        return super().write_intent(order, intent, *rest)

    def _raise_if_down(self) -> None:
        if self.is_down:
            raise StoreUnavailable("no answer in time")


def test_an_unreadable_kill_switch_counts_as_halted(open_desk: OpenDesk) -> None:
    store = Unreadable()
    desk = ready(open_desk, store=store)
    store.is_down = True
    desk.place()
    assert nothing_was_sent(desk)
    with pytest.raises(StoreUnavailable):
        desk.open(a_plan("buy 40 AAPL") | {"name": "other"}, execution="arn:second")


def test_an_unreadable_kill_switch_stops_moves_and_resends(open_desk: OpenDesk) -> None:
    store = Unreadable()
    desk = _resting_on(open_desk, store)
    store.is_down = True
    with pytest.raises(StoreUnavailable):
        desk.turn_at("09:36:30")
    assert (desk.open_at_broker(), desk.posts()) == (["40 AAPL @ 189.41"], 1)


def test_an_unreadable_kill_switch_does_not_stop_cancels(open_desk: OpenDesk) -> None:
    store = Unreadable()
    desk = _resting_on(open_desk, store)
    store.is_down = True
    with pytest.raises(StoreUnavailable):
        desk.close()
    judge.nothing_of_ours_is_open(desk.exchange)
    store.is_down = False
    assert desk.close().outcome == "settled"


def test_an_unknown_kill_switch_value_counts_as_halted(open_desk: OpenDesk) -> None:
    with mock_aws():
        client = a_client()
        create_table(client)
        store = DynamoStore(client, TABLE, pause=lambda seconds: None)
        desk = ready(open_desk, store=store)
        store.set_kill_switch(KillSwitch.HALT_NEW)
        (row,) = [
            item for item in client.scan(TableName=TABLE)["Items"] if item.get("state", {}).get("S") == "halt_new"
        ]
        client.put_item(TableName=TABLE, Item={**row, "state": {"S": "go faster"}})
        desk.place()
        assert nothing_was_sent(desk)
        with pytest.raises((RefusedRun, RepegError)):
            desk.repeg()
        assert nothing_was_sent(desk)


class LateStore(MemoryStore):
    """A store whose answer to an intent comes late, as when the first answer is lost and the SDK asks again with the
    same token: DynamoDB repeats the first answer then, without a look at the kill switch."""

    _desk: Desk | None = None
    _seconds = 0.0

    def answer_late(self, desk: Desk, seconds: float) -> None:
        """Answer so much later from now on."""
        self._desk, self._seconds = desk, seconds

    def write_intent(self, *args: Any, **options: Any) -> ParentOrder:
        """Write, then answer late."""
        saved = super().write_intent(*args, **options)
        if self._desk is not None:
            self._desk.runtime.pause(self._seconds)
        return saved


@pytest.mark.parametrize("seconds", [1.1, 4])
def test_no_order_leaves_after_the_kill_switch_was_set(open_desk: OpenDesk, seconds: float) -> None:
    """It is set a second after the intent was written, and the table answers later than that."""
    store = LateStore()
    desk = ready(open_desk, store=store)
    rate_limited(desk)
    store.answer_late(desk, seconds)
    step = desk.scheduler.spawn(lambda: place_orders(desk.run_id, desk.epoch, desk.turns, desk.ports))
    desk.wait(1)
    assert len(desk.store.intents(desk.run_id)) == 1
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    step.result()
    assert nothing_was_sent(desk)
    assert desk.order().was_not_sent


def _resting_on(open_desk: OpenDesk, store: MemoryStore) -> Desk:
    desk = open_desk({"AAPL": book(QUIET, UP)}, store=store)
    desk.begin("buy 40 AAPL")
    desk.place()
    return desk
