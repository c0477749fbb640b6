"""Two stacks, each with its own table, on one account: neither touches the other's orders."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from functions.close_run.app import close_run
from functions.open_run.app import open_run
from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.sweep_orders.app import sweep_orders
from functions.validate_quotes.app import validate_quotes
from functions.watch_runs.app import watch_runs
from repeg.domain.order_ids import parse_order_id, stack_tag
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.run_health import Finding
from repeg.ports import Ports
from repeg_workbench.twins.memory_store import MemoryStore
from tests.functions.books import KO, QUIET, book
from tests.functions.desk import EXECUTION, PREFIX, RUN_ID, Desk, OpenDesk, a_plan, holding

SECOND = stack_tag("repeg-second")


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """The first stack's desk, with 40 AAPL resting, and books until the close."""
    desk = open_desk({"AAPL": book(QUIET, until="16:00"), "KO": KO})
    desk.begin("buy 40 AAPL")
    desk.place()
    return desk


def second_stack(desk: Desk) -> Ports:
    """The second stack's ports: its own table, on the same account, with 50 KO resting in a run of the same name."""
    ports = replace(desk.ports, store=MemoryStore(), tag=SECOND)
    open_run({"plan": a_plan("buy 50 KO")}, f"{EXECUTION}-of-the-second", {}, ports)
    plan_orders(RUN_ID, 1, ports)
    validate_quotes(RUN_ID, 1, ports)
    place_orders(RUN_ID, 1, 0, ports)
    return ports


def open_ids(desk: Desk) -> list[str]:
    """The client order ids of the account's open orders."""
    return sorted(order.client_order_id for order in desk.exchange.account.orders.open.values())


def test_two_stacks_may_run_plans_of_one_name_on_one_account(desk: Desk) -> None:
    second_stack(desk)
    assert sorted(desk.open_at_broker()) == ["40 AAPL @ 189.41", "50 KO @ 60.41"]
    tags = {parsed.tag for parsed in map(parse_order_id, open_ids(desk)) if parsed}
    assert tags == {desk.ports.tag, SECOND}


def test_the_watchdog_leaves_another_stacks_orders_alone(desk: Desk) -> None:
    ports = replace(desk.ports, store=MemoryStore(), tag=SECOND)
    for time in ("09:40", "12:00", "15:59"):
        desk.wait_until(time)
        assert watch_runs(ports, expect_run=False).alerts == []
        assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


def test_ending_a_run_leaves_another_stacks_orders_alone(desk: Desk) -> None:
    ports = second_stack(desk)
    assert close_run(RUN_ID, 1, 0, None, ports).outcome == "settled"
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert desk.sweep().outcome == "swept"
    assert desk.open_at_broker() == []


def test_a_sweep_leaves_another_stacks_orders_alone(desk: Desk) -> None:
    ports = second_stack(desk)
    assert desk.sweep().outcome == "swept"
    assert desk.open_at_broker() == ["50 KO @ 60.41"]
    assert sweep_orders(EXECUTION, "ABORTED", ports).outcome == "nothing"


def test_an_order_named_like_ours_by_its_owner_is_not_ours(desk: Desk) -> None:
    """`rp-hello` used to be an alert, and cancelled, in every pass."""
    desk.submit("rp-hello")
    desk.submit(f"{PREFIX}hello")
    assert desk.watch() == []
    assert {"rp-hello", f"{PREFIX}hello"} < set(open_ids(desk))


def test_an_orphaned_order_of_the_previous_release_belongs_to_its_table(desk: Desk) -> None:
    """Its id names no stack: only the stack that has the run in its table may cancel it."""
    legacy = "rp-old-2026-11-23.AAPL.b.1"
    desk.submit(legacy)
    assert desk.watch() == []
    old = desk.run.model_copy(
        update={"run_id": "old-2026-11-23", "owner": "arn:old", "id_prefix": "", "is_planned": False}
    )
    desk.store.claim_run(old)
    desk.sweep("arn:old")
    desk.submit("rp-old-2026-11-23.AAPL.b.2")
    desk.wait_until("15:59")
    desk.repeg()
    left = [alert.run_id for alert in desk.watch() if alert.finding is Finding.LEFT_OPEN]
    assert "old-2026-11-23" in left
    assert legacy not in open_ids(desk)


# Two stacks, one symbol


def weights_of_the_second(desk: Desk, weight: str) -> ParentOrder:
    """The order of a plan of one weight, of the second stack."""
    ports = replace(desk.ports, store=MemoryStore(), tag=SECOND)
    open_run({"plan": {"name": "core", "targets": {"AAPL": weight}}}, f"{EXECUTION}-of-the-second", {}, ports)
    plan_orders(RUN_ID, 1, ports)
    (order,) = ports.store.orders(RUN_ID)
    return order


def test_a_weight_that_another_stack_is_trading_is_not_sized(open_desk: OpenDesk) -> None:
    """14,992 shares are to be bought, and 750 of them are shown."""
    desk = open_desk({"AAPL": book("09:20 300 @ 20.00 × 300 @ 20.02")}, opening=holding("1000000"))
    desk.open({"name": "core", "targets": {"AAPL": "0.30"}}, policy="normal")
    plan_orders(RUN_ID, 1, desk.ports)
    desk.place()
    assert (desk.order().target, desk.open_at_broker()) == (Decimal(14_992), ["750 AAPL @ 20.01"])
    order = weights_of_the_second(desk, "0.30")
    assert (order.target, order.outcome) == (Decimal(0), Outcome.NOT_SIZED)
    assert order.reason == f"another stack is trading it, and how far is not known: {PREFIX}AAPL.b.1"


def test_an_exit_is_sized_although_another_stack_trades(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)}, opening=holding(AAPL="100"))
    desk.begin("sell 40 AAPL")
    desk.place()
    order = weights_of_the_second(desk, "0")
    assert (order.side, order.target) == (Side.SELL, Decimal(60))


def test_a_weight_is_sized_beside_an_order_with_the_stacks_former_tag(desk: Desk) -> None:
    """The run's own row says that the order is this stack's: its target counts."""
    ports = replace(desk.ports, tag=SECOND)
    given = {"plan": {"name": "tilt", "targets": {"AAPL": "0.10"}}}
    run_id = open_run(given, f"{EXECUTION}-tilt", {}, ports).run_id
    plan_orders(run_id, 1, ports)
    (order,) = ports.store.orders(run_id)
    assert (order.target, order.note) == (Decimal(12), f"counted as filled: buy 40 by run {RUN_ID}")


# One tag, two tables: a stack that was created anew, or one tag in 46,656


@pytest.mark.parametrize(("plan", "words"), [("buy 100 AAPL", "its quantity is 40, not 100"), ("buy 40 AAPL", "")])
def test_another_stacks_order_under_our_id_is_not_adopted(open_desk: OpenDesk, plan: str, words: str) -> None:
    """The morning's order of 40 is filled. The stack's second run of that name must neither book nor repeat it."""
    desk = open_desk({"AAPL": book(QUIET, prints=("09:36:20 40 @ 189.41 sold",), until="16:00")})
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.wait_until("13:00")
    desk.use_store(MemoryStore())
    desk.begin(plan)
    desk.place()
    desk.turn_at("13:00:30")
    desk.wait_until("13:03")
    assert (desk.close().outcome, desk.row()["outcome"], desk.row()["filled_qty"]) == ("failed", "unknown", "0")
    taken = f"another order has the id {PREFIX}AAPL.b.1 at the broker: "
    assert taken + (words or "it was submitted at 2026-11-23T14:36:00+00:00") in desk.report["reason"]
    assert (str(desk.bought().normalize()), desk.posts()) == ("4E+1", 2)


def test_another_stacks_open_order_under_our_id_is_left_open(desk: Desk) -> None:
    desk.use_store(MemoryStore())
    desk.wait_until("09:37")
    desk.begin("buy 100 AAPL", min_volume_shares=1)
    desk.place()
    desk.turn_at("09:37:30")
    desk.wait_until("09:40")
    assert desk.close().outcome == "failed"
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


def test_orders_of_a_run_from_before_the_tag_changed_stay_ours(desk: Desk) -> None:
    """The tag was made of the stack's name once. A run's own row says what its ids begin with."""
    upgraded = replace(desk.ports, tag=SECOND)
    assert sweep_orders(EXECUTION, "ABORTED", upgraded).outcome == "swept"
    assert desk.open_at_broker() == []
    desk.submit(f"{PREFIX}AAPL.b.9")
    assert [str(alert.finding) for alert in watch_runs(upgraded, expect_run=False).alerts] == ["left_open"]
    desk.wait(1)
    assert desk.open_at_broker() == []
