"""The brake: nothing new under halt_new, nothing at all under cancel_all, nothing where it cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from moto import mock_aws

from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain.errors import RefusedRun, RepegError, StoreUnavailable
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import Intent, ParentOrder
from repeg.domain.run import KillSwitch
from repeg_workbench.twins.memory_store import MemoryStore
from tests.contracts.tables import TABLE, a_client, create_table
from tests.functions.books import AAPL, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, a_plan
from tests.functions.scenes import half_filled, resting
from tests.simulation import judge

BRAKES = [KillSwitch.HALT_NEW, KillSwitch.CANCEL_ALL]


def ready(open_desk: OpenDesk, **options: object) -> Desk:
    """40 AAPL to buy, their book looked at, nothing sent."""
    desk = open_desk({"AAPL": AAPL}, **options)
    desk.begin("buy 40 AAPL")
    desk.validate()
    return desk


def nothing_was_sent(desk: Desk) -> bool:
    return (desk.posts(), desk.at_broker()) == (0, [])


@pytest.mark.parametrize("brake", BRAKES)
def test_under_the_brake_no_order_is_placed(open_desk: OpenDesk, brake: KillSwitch) -> None:
    desk = ready(open_desk)
    desk.store.set_kill_switch(brake)
    assert desk.place()["placed"] == 0
    assert nothing_was_sent(desk)
    assert desk.store.intents(RUN_ID) == []
    assert f"kill switch is {brake}" in desk.journalled("AAPL", "error")[0][1]


@pytest.mark.parametrize("brake", BRAKES)
def test_a_brake_that_is_pulled_while_a_step_is_at_work_stops_that_step(open_desk: OpenDesk, brake: KillSwitch) -> None:
    desk = ready(open_desk)
    desk.broker.line.seconds = 1
    step = desk.scheduler.spawn(desk.place)
    desk.wait(4.5)
    desk.store.set_kill_switch(brake)
    desk.wait(10)
    assert step.result()["placed"] == 0
    assert nothing_was_sent(desk)


@pytest.mark.parametrize("brake", BRAKES)
def test_a_brake_pulled_in_the_midst_of_a_move_leaves_the_order_cancelled_and_sends_no_other(
    open_desk: OpenDesk, brake: KillSwitch
) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    desk.wait_until("09:36:30")
    desk.broker.line.seconds = 0.2
    step = desk.scheduler.spawn(desk.repeg)
    desk.wait(0.7)  # clock, list, book: the cancel is on its way
    desk.store.set_kill_switch(brake)
    desk.wait(10)
    step.result()
    assert (desk.open_at_broker(), desk.posts()) == ([], 1)


@pytest.mark.parametrize("brake", list(KillSwitch))
def test_cancels_go_whatever_the_brake_says(open_desk: OpenDesk, brake: KillSwitch) -> None:
    desk = half_filled(open_desk)
    desk.store.set_kill_switch(brake)
    desk.close()
    judge.nothing_of_ours_is_open(desk.exchange)


def test_released_it_lets_the_waiting_orders_go(open_desk: OpenDesk) -> None:
    desk = ready(open_desk)
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    desk.place()
    assert desk.repeg()["decision"] == "wait"
    desk.store.set_kill_switch(KillSwitch.ACTIVE)
    assert desk.repeg()["decision"] == "validate"
    assert desk.place()["placed"] == 1


class Unreadable(MemoryStore):
    """A store whose brake cannot be read for a while, neither by itself nor in a transaction."""

    is_dark = False

    def kill_switch(self) -> KillSwitch:
        self._ensure_light()
        return super().kill_switch()

    def write_intent(
        self, order: ParentOrder, intent: Intent, epoch: int, budgets: Sequence[BudgetEntry]
    ) -> ParentOrder:
        self._ensure_light()
        return super().write_intent(order, intent, epoch, budgets)

    def _ensure_light(self) -> None:
        if self.is_dark:
            raise StoreUnavailable("no answer in time")


def test_a_brake_that_cannot_be_read_is_pulled(open_desk: OpenDesk) -> None:
    store = Unreadable()
    desk = ready(open_desk, store=store)
    store.is_dark = True
    desk.place()
    assert nothing_was_sent(desk)
    with pytest.raises(StoreUnavailable):
        desk.open(a_plan("buy 40 AAPL") | {"name": "other"}, execution="arn:second")


def test_a_brake_that_cannot_be_read_moves_nothing_and_resends_nothing(open_desk: OpenDesk) -> None:
    store = Unreadable()
    desk = _resting_on(open_desk, store)
    store.is_dark = True
    with pytest.raises(StoreUnavailable):
        desk.turn_at("09:36:30")
    assert (desk.open_at_broker(), desk.posts()) == (["40 AAPL @ 189.41"], 1)


def test_a_brake_that_cannot_be_read_holds_no_cancel_back(open_desk: OpenDesk) -> None:
    store = Unreadable()
    desk = _resting_on(open_desk, store)
    store.is_dark = True
    with pytest.raises(StoreUnavailable):
        desk.close()
    judge.nothing_of_ours_is_open(desk.exchange)
    store.is_dark = False
    assert desk.close()["outcome"] == "settled"


def test_a_word_on_the_table_that_nobody_knows_is_no_permission(open_desk: OpenDesk) -> None:
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


def _resting_on(open_desk: OpenDesk, store: MemoryStore) -> Desk:
    desk = open_desk({"AAPL": book(QUIET, UP)}, store=store)
    desk.begin("buy 40 AAPL")
    desk.place()
    return desk
