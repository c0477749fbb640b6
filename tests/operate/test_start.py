"""`repeg start`: estimated by the deployed code, refused in OpenRun's words, confirmed, and started once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError  # noqa: TID251

from repeg_workbench.operate.start import LARGEST_INLINE
from tests.builders import MONDAY
from tests.operate.control_orders import keep_control_orders
from tests.operate.operator import PLAN, RUN_ID, Deploy, Operator, RefusingSession, denied


@pytest.fixture
def plan(folder: Path) -> Path:
    return write(folder, PLAN)


def write(folder: Path, plan: Any) -> Path:
    path = folder / "plan.json"
    path.write_text(plan if isinstance(plan, str) else json.dumps(plan))
    return path


def executions(operator: Operator) -> list[str]:
    return [execution.name for execution in operator.day.engine.executions()]


def buys(symbol: str, qty: str) -> dict[str, Any]:
    return {"name": "calls", "orders": [{"symbol": symbol, "side": "buy", "qty": qty}]}


def test_a_start_shows_the_estimate_asks_and_starts(operator: Operator, plan: Path) -> None:
    operator.until("09:36")
    said = operator.repeg("start", plan)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("repeg (paper), account PA")
    assert lines[0].endswith(f": run {RUN_ID}, orders from 09:35 to 15:55 New York, policy normal")
    *sizing, expected, low, _, high, crossing, worst = lines[2].split()
    assert [*sizing, crossing, worst] == ["AAPL", "buy", "40", "189.43", "7,577.20", "1.20", "37.89"]
    assert float(low) < float(expected) < float(high)
    assert lines[4].startswith("Expected cost against the mid now: ")
    assert lines[5] == (
        "14,588.20 dollars in all. Market orders now would cost 2.20 dollars, 1.5 bps at 1 half-spreads "
        "(assumed: no control order has traded). "
        "The most that the collar allows: 72.95 dollars, 50.0 bps."
    )
    assert operator.asked == ["Start this run in repeg (paper)?"]
    name = f"{RUN_ID}-143600"
    assert lines[6] == f"started {name}: run {RUN_ID}; follow it with `repeg watch {RUN_ID}`"
    assert executions(operator) == [name]
    operator.day.run()
    assert operator.repeg("report", "--json").data["run_id"] == RUN_ID


def test_the_estimate_counts_with_the_accounts_own_cost_of_taking(operator: Operator, plan: Path) -> None:
    keep_control_orders(operator, "100.045")
    operator.until("09:36")
    said = operator.repeg("start", plan)
    assert "at 0.8 half-spreads (measured with 30 control orders)" in said.out


def test_a_declined_start_starts_nothing(operator: Operator, plan: Path) -> None:
    operator.at = replace(operator.at, confirm=lambda _: False)
    said = operator.repeg("start", plan)
    assert (said.code, executions(operator)) == (1, [])
    assert said.out.endswith("not started; nothing has changed\n")


def test_a_start_without_a_question(operator: Operator, plan: Path) -> None:
    said = operator.repeg("start", plan, "--yes", "--json")
    assert (said.code, operator.asked) == (0, [])
    assert said.data["run_id"] == RUN_ID
    assert said.data["execution"].endswith(said.data["run_id"] + "-142500")
    assert [order["symbol"] for order in said.data["estimate"]["orders"]] == ["AAPL", "KO"]


def test_json_without_yes_is_refused(operator: Operator, plan: Path) -> None:
    said = operator.repeg("start", plan, "--json")
    assert (said.code, executions(operator)) == (2, [])
    assert said.err == "--json asks no question: add --yes to start, or leave out --json\n"


def test_a_preview_is_named_by_the_run_that_it_becomes(operator: Operator, plan: Path) -> None:
    said = operator.repeg("start", plan, "--preview", "--yes", "--json")
    operator.until("09:36")
    (run,) = operator.repeg("runs", "--json").data["runs"]
    assert run["run_id"] == said.data["run_id"]
    assert (run["preview"], operator.open_orders()) == (True, [])
    assert executions(operator) == [f"calls-{MONDAY}-preview-142500"]


def test_a_further_run_has_its_number_and_settings(operator: Operator, plan: Path) -> None:
    said = operator.repeg("start", plan, "--run-number", "2", "--set", "max_slippage_bps=25", "--yes", "--json")
    assert said.data["run_id"] == f"{RUN_ID}-r2"
    operator.until("09:26")
    run = operator.day.ports.store.run(f"{RUN_ID}-r2")
    assert run is not None
    assert run.settings.max_slippage_bps == 25


def test_a_second_start_is_refused_and_the_first_goes_on(operator: Operator, plan: Path) -> None:
    operator.repeg("start", plan, "--yes")
    operator.until("09:26")
    said = operator.repeg("start", plan, "--yes")
    assert (said.code, len(executions(operator))) == (2, 1)
    assert said.err.startswith(f"run {RUN_ID} belongs to arn:")
    assert said.err.endswith("it is not started twice, follow it with `repeg watch`\n")


def test_two_starts_in_one_second_are_one_execution(operator: Operator, plan: Path) -> None:
    """The claim is not made before the machine has run, so the second estimate passes."""
    names = {operator.repeg("start", plan, "--yes", "--json").data["execution"] for _ in range(2)}
    assert len(names) == len(executions(operator)) == 1


@pytest.mark.parametrize(
    ("content", "arguments", "expected"),
    [
        ("{", (), "plan: "),
        ({"name": "calls", "orders": []}, (), "plan.orders: "),
        (buys("AAPL", "-1"), (), "plan.orders[0].qty: '-1' is not valid"),
        (buys("NONE", "1"), (), "plan.orders[0].symbol: 'NONE' is not valid"),
        (buys("AAPL", "1"), ("--run-number", "0"), "input.run_number: 0 is not valid; expected a whole number"),
        (buys("AAPL", "1"), ("--set", "max_spread=1"), "settings.max_spread: unknown name, given '1'; did you mean"),
        (buys("AAPL", "1"), ("--set", "max_slippage_bps"), "set: 'max_slippage_bps' is not valid"),
        (buys("AAPL", "1"), ("--set", "max_slippage_bps=60"), "settings.max_slippage_bps: "),
    ],
)  # fmt: skip
def test_a_start_that_open_run_would_refuse(
    operator: Operator, folder: Path, content: Any, arguments: tuple[str, ...], expected: str
) -> None:
    said = operator.repeg("start", write(folder, content), "--yes", *arguments)
    assert (said.code, said.out, executions(operator)) == (2, "", [])
    assert said.err.startswith(expected)
    assert said.err.count("\n") == 1


def test_the_refusal_is_open_runs_own(operator: Operator, folder: Path) -> None:
    wrong = buys("NONE", "1")
    said = operator.repeg("start", write(folder, wrong), "--yes")
    operator.day.engine.start_execution({"plan": wrong}, "by-hand")
    operator.until("09:26")
    assert said.err.strip() == operator.day.engine.executions()[0].cause


def test_a_plan_that_does_not_exist(operator: Operator) -> None:
    assert operator.repeg("start", "nothing.json").err.startswith("plan: 'nothing.json' is not valid; expected a file")


def test_a_halted_stack_refuses_a_start(operator: Operator, plan: Path) -> None:
    operator.repeg("halt")
    said = operator.repeg("start", plan, "--yes")
    assert (said.code, executions(operator)) == (2, [])
    assert said.err == "the kill switch is halt_new; set it to active before starting a run\n"


def test_a_refused_estimate_raises_no_alarm(operator: Operator, plan: Path) -> None:
    operator.repeg("halt")
    operator.repeg("start", plan, "--yes")
    written = "".join("".join(one.written) for one in operator.day.engine.host.invocations)
    assert "RunsRefused" not in written


def test_a_start_after_the_window_is_refused(operator: Operator, plan: Path) -> None:
    operator.until("15:56")
    assert operator.repeg("start", plan, "--yes").err.startswith("start time: ")


@pytest.mark.parametrize("operation", ["Invoke", "StartExecution"])
def test_a_start_without_a_permission(operator: Operator, plan: Path, operation: str) -> None:
    said = operator.repeg("start", plan, "--yes", session=denied(operation))
    assert (said.code, executions(operator)) == (2, [])
    assert f"you may not call {operation} in us-east-1" in said.err


def test_a_start_without_an_answer_may_be_repeated(operator: Operator, plan: Path) -> None:
    lost = RefusingSession(ReadTimeoutError(endpoint_url="https://states"), "StartExecution")
    assert "AWS does not answer in us-east-1" in operator.repeg("start", plan, "--yes", session=lost).err
    assert operator.repeg("start", plan, "--yes").code == 0


def test_a_large_plan_is_uploaded_to_the_stacks_bucket(deploy: Deploy, folder: Path) -> None:
    operator = deploy(parameters={"PlanBucket": "plans"})
    operator.day.engine.client("s3").create_bucket(Bucket="plans")
    said = operator.repeg("start", write(folder, spread_out()), "--yes", "--json")
    assert (said.code, said.data["run_id"]) == (0, RUN_ID)
    arn = said.data["execution"]
    given = json.loads(operator.day.engine.client("stepfunctions").describe_execution(executionArn=arn)["input"])
    assert given["plan_uri"].startswith("s3://plans/started/")
    operator.until("09:26")
    assert operator.day.ports.store.run(RUN_ID) is not None


def test_a_large_plan_needs_a_bucket(operator: Operator, folder: Path) -> None:
    said = operator.repeg("start", write(folder, spread_out()), "--yes")
    assert (said.code, executions(operator)) == (2, [])
    assert "more than an execution's input may hold; deploy with PlanBucket set" in said.err


def spread_out() -> dict[str, Any]:
    """A plan whose one quantity is written with very many zeros."""
    return buys("AAPL", "1." + "0" * LARGEST_INLINE)


def test_a_plan_in_the_bucket_is_estimated_and_started(deploy: Deploy) -> None:
    operator = deploy(parameters={"PlanBucket": "plans"})
    s3 = operator.day.engine.client("s3")
    s3.create_bucket(Bucket="plans")
    s3.put_object(Bucket="plans", Key="a.json", Body=json.dumps(PLAN))
    said = operator.repeg("start", "s3://plans/a.json", "--yes", "--json")
    assert (said.code, said.data["run_id"]) == (0, RUN_ID)
    assert operator.repeg("start", "s3://plans/none.json", "--yes").err.startswith("plan_uri: 's3://plans/none.json'")
