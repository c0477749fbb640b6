"""`repeg halt`, `cancel-all` and `resume`: never refused for a stack, and what is open is read back from the broker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from repeg_workbench.engine.invocation import Invocation
from tests.operate.operator import RUN_ID, Operator, RefusingSession, answered, denied


@pytest.fixture
def working(operator: Operator) -> Operator:
    """Both orders rest at the broker, at 09:36:10."""
    operator.day.start("calls")
    operator.until("09:36:10")
    assert operator.open_orders() == ["AAPL", "KO"]
    return operator


def one(said: Any) -> dict[str, Any]:
    (stack,) = said.data["stacks"]
    found: dict[str, Any] = stack
    return found


def test_a_halt_names_the_orders_that_stay_open(working: Operator) -> None:
    said = working.repeg("halt")
    assert (said.code, working.switch()) == (0, "halt_new")
    assert "repeg (paper): the kill switch was active and is now halt_new" in said.out
    assert "still open: 2 orders" in said.out
    assert f"active runs: {RUN_ID}" in said.out
    assert working.open_orders() == ["AAPL", "KO"]


def test_a_halted_run_goes_on_after_a_resume(working: Operator) -> None:
    working.repeg("halt")
    working.until("09:40")
    posts = len(working.day.exchange.account.orders.by_id)
    working.until("10:00")
    assert len(working.day.exchange.account.orders.by_id) == posts
    said = working.repeg("resume")
    assert "the kill switch was halt_new and is now active" in said.out
    working.day.run()
    assert working.repeg("report").code == 0


def test_cancel_all_leaves_nothing_open_and_the_run_closes(working: Operator) -> None:
    said = working.repeg("cancel-all")
    assert (said.code, working.open_orders()) == (0, [])
    assert "cancelled: 2 orders\nstill open: nothing\n" in said.out
    working.until("09:38")
    (run,) = working.repeg("runs", "--json").data["runs"]
    assert (run["state"], run["outcome"]) == ("closed", "settled")


def test_the_same_command_twice_is_safe(working: Operator) -> None:
    working.repeg("cancel-all")
    said = working.repeg("cancel-all")
    assert said.code == 0
    assert "the kill switch was cancel_all already" in said.out


@pytest.mark.parametrize(("command", "switch"), [("halt", "halt_new"), ("cancel-all", "cancel_all")])
def test_a_stack_without_any_run_is_halted_all_the_same(operator: Operator, command: str, switch: str) -> None:
    said = operator.repeg(command)
    assert (said.code, operator.switch()) == (0, switch)
    assert "active runs: none" in said.out


@pytest.mark.parametrize("command", ["halt", "cancel-all"])
def test_the_switch_is_set_although_the_broker_is_down(working: Operator, command: str) -> None:
    working.arm("GET")
    said = working.repeg(command)
    assert said.code == 1
    assert working.switch() != "active"
    assert "still open: not known" in said.out
    assert "problem: the broker: " in said.out


def test_cancel_all_reports_an_order_that_will_not_close(working: Operator) -> None:
    working.arm("DELETE")
    said = working.repeg("cancel-all")
    assert said.code == 1
    assert "still open: 2 orders" in said.out


def test_the_switch_is_set_although_the_function_may_not_be_called(working: Operator) -> None:
    said = working.repeg("halt", session=denied("Invoke"))
    assert (said.code, working.switch()) == (1, "halt_new")
    assert "problem: the function ServeOperator did not answer: you may not call Invoke in us-east-1" in said.out


def test_the_function_sets_the_switch_where_the_table_is_denied(working: Operator) -> None:
    said = working.repeg("cancel-all", session=denied("PutItem", "GetItem", "Query"))
    assert (said.code, working.switch(), working.open_orders()) == (0, "cancel_all", [])
    assert "the kill switch could not be written from here: you may not call" in said.out
    assert "active runs: not known" in said.out


def test_a_switch_that_nothing_can_set_is_no_success(working: Operator) -> None:
    said = working.repeg("halt", session=denied("PutItem", "Invoke"))
    assert (said.code, working.switch()) == (2, "active")
    assert "the kill switch is NOT set to halt_new; it is active" in said.out


def test_a_misspelt_switch_is_repaired_by_a_command(working: Operator) -> None:
    """Written by hand, for instance: it halts the stack, and no run can read it."""
    row = {"pk": {"S": "ACCOUNT"}, "sk": {"S": "KILL"}, "state": {"S": "halt"}}
    working.day.engine.client("dynamodb").put_item(TableName=working.day.engine.table_name(), Item=row)
    said = working.repeg("halt")
    assert (said.code, working.switch()) == (0, "halt_new")
    assert "the kill switch was unknown and is now halt_new" in said.out


def test_the_answer_as_json(working: Operator) -> None:
    found = one(working.repeg("halt", "--json"))
    assert (found["stack"], found["before"], found["switch"], found["is_set"]) == ("repeg", "active", "halt_new", True)
    assert [order["symbol"] for order in found["broker"]["orders"]] == ["AAPL", "KO"]
    assert found["active"] == [RUN_ID]


def second_stack(operator: Operator, name: str = "a-second") -> str:
    """Another stack of the account, as an older release would leave it: with its table, and no function to ask."""
    outputs = {name: {"Value": "x"} for name in ("ExecutePlanArn", "BrokerSecretArn")}
    key = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": key,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        },
    }  # fmt: skip
    template = {
        "Resources": {"RunTable": table},
        "Outputs": {**outputs, "RunTableName": {"Value": {"Ref": "RunTable"}}},
    }
    client = operator.day.engine.client("cloudformation")
    client.create_stack(StackName=name, TemplateBody=json.dumps(template))
    (described,) = client.describe_stacks(StackName=name)["Stacks"]
    return next(str(one["OutputValue"]) for one in described["Outputs"] if one["OutputKey"] == "RunTableName")


def test_every_stack_of_the_region_is_halted(working: Operator) -> None:
    """One that cannot be asked does not keep the others from it."""
    table = second_stack(working)
    said = working.repeg("cancel-all", "--all-stacks")
    assert said.code == 1
    assert (working.switch(), working.open_orders()) == ("cancel_all", [])
    key = {"pk": {"S": "ACCOUNT"}, "sk": {"S": "KILL"}}
    row = working.day.engine.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    assert row["state"] == {"S": "cancel_all"}
    assert "a-second (paper): the kill switch was active and is now cancel_all" in said.out
    assert "stack a-second has no ServeOperator: it is of an older release" in said.out


def test_every_switch_is_set_before_the_first_stack_cancels(working: Operator) -> None:
    """The cancels of one stack may take minutes."""
    table = second_stack(working, "z-last")
    seen: list[Any] = []

    def look(invocation: Invocation) -> None:
        key = {"pk": {"S": "ACCOUNT"}, "sk": {"S": "KILL"}}
        seen.append(working.day.engine.client("dynamodb").get_item(TableName=table, Key=key).get("Item", {}))

    working.day.engine.host.before_invoke.append(look)
    working.repeg("cancel-all", "--all-stacks")
    assert seen[0]["state"] == {"S": "cancel_all"}


@pytest.mark.parametrize("command", ["halt", "cancel-all", "resume", "disarm"])
def test_a_switch_of_several_stacks_needs_the_name_of_one(operator: Operator, command: str) -> None:
    second_stack(operator)
    said = operator.repeg(command)
    assert (said.code, operator.switch()) == (2, "active")
    assert said.err.startswith(
        "nothing was done: us-east-1 has several stacks of repeg (a-second, repeg); give --stack"
    )
    assert operator.repeg(command, "--stack", "repeg").code == 0


def test_a_switch_is_set_by_who_may_not_list_the_stacks(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> list[object]:
        raise answered("AccessDenied")

    second_stack(operator)
    monkeypatch.setattr("repeg_workbench.operate.stack.all_stacks", refuse)
    assert operator.repeg("halt").code == 0
    assert operator.switch() == "halt_new"


def test_all_stacks_and_one_stack_contradict_each_other(operator: Operator) -> None:
    said = operator.repeg("halt", "--all-stacks", "--stack", "repeg")
    assert (said.code, operator.switch()) == (2, "active")
    assert said.err == "--all-stacks is for every stack of the region: leave out --stack\n"


def test_all_stacks_of_an_empty_region_is_an_error(operator: Operator) -> None:

    session = RefusingSession(answered("X"), "NoOperation", region="eu-west-1")
    said = operator.repeg("halt", "--all-stacks", session=session)
    assert (said.code, operator.switch()) == (2, "active")
    assert "no stack of repeg is in eu-west-1" in said.err
