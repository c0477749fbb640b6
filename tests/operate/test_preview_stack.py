"""`repeg preview PLAN --stack NAME`: what the stack's own OpenRun would trade, and every way in which it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repeg_workbench.operate.answer import CANNOT, DONE
from tests.operate.operator import PLAN, STACK, Operator, Said, an_operator, denied


@pytest.fixture(scope="module")
def at_work() -> Iterator[Operator]:
    """The stack at 09:36 with a plan in its bucket, for tests that leave everything as it is."""
    with an_operator(parameters={"PlanBucket": "plans"}) as operator:
        s3 = operator.day.engine.client("s3")
        s3.create_bucket(Bucket="plans")
        s3.put_object(Bucket="plans", Key="one.json", Body=json.dumps(PLAN).encode())
        operator.until("09:36")
        yield operator


@pytest.fixture
def plan(folder: Path) -> Path:
    return write(folder, PLAN)


def write(folder: Path, plan: Any) -> Path:
    path = folder / "plan.json"
    path.write_text(plan if isinstance(plan, str) else json.dumps(plan))
    return path


def buys(symbol: str, qty: str) -> dict[str, Any]:
    return {"name": "calls", "orders": [{"symbol": symbol, "side": "buy", "qty": qty}]}


def previewed(operator: Operator, *arguments: str | Path, session: Any = None) -> Said:
    return operator.repeg("preview", *arguments, "--stack", STACK, session=session)


def traces(operator: Operator) -> tuple[list[Any], list[Any], list[str]]:
    """What a preview must not leave: executions, orders at the broker, rows of runs."""
    runs = operator.repeg("runs", "--json").data["runs"]
    return operator.day.engine.executions(), list(operator.day.exchange.account.orders.by_id), runs


def test_a_stack_says_what_it_would_trade_and_does_nothing(at_work: Operator, plan: Path) -> None:
    said = previewed(at_work, plan)
    assert said.code == DONE, said.err
    lines = said.out.splitlines()
    assert lines[0].endswith("would trade 2 of 2 lines, from 09:35 to 15:55 New York, policy normal")
    rows = [line.split() for line in lines]
    assert [row[:6] for row in rows if row[:1] in (["AAPL"], ["KO"])] == [
        ["AAPL", "buy", "40", "189.43", "7,577.20", "0"], ["KO", "sell", "100", "70.11", "7,011.00", "100"]
    ]  # fmt: skip
    assert "Cash: 10,000.00 now; sells bring 7,011.00, buys cost 7,577.20; 9,433.80 after" in said.out
    assert "(assumed: no control order has traded)" in said.out
    assert said.out.rstrip().endswith("Nothing was claimed, written or sent.")
    assert traces(at_work) == ([], [], [])


def test_a_preview_as_json_is_the_estimate_of_the_stack(at_work: Operator, plan: Path) -> None:
    estimate = previewed(at_work, plan, "--json").data
    assert [(each["symbol"], each["side"], each["qty"]) for each in estimate["orders"]] == [
        ("AAPL", "buy", "40"), ("KO", "sell", "100")
    ]  # fmt: skip
    assert (estimate["preview"], estimate["is_sized_now"]) == (True, True)


def test_a_setting_is_the_inputs(at_work: Operator, plan: Path) -> None:
    """Half the collar, half of what it allows beyond the mid."""
    usual, halved = (
        float(previewed(at_work, plan, "--set", f"max_slippage_bps={bps}", "--json").data["at_worst"])
        for bps in (50, 25)
    )
    assert halved == pytest.approx(usual / 2, rel=0.01)


@pytest.mark.parametrize(
    ("content", "arguments", "expected"),
    [
        ("{", (), "plan: "),
        (buys("NONE", "1"), (), "plan.orders[0].symbol: 'NONE' is not valid; expected a symbol that the broker lists"),
        (buys("AAPL", "-1"), (), "plan.orders[0].qty: '-1' is not valid"),
        (
            {"name": "calls", "orders": [{"symbol": "KO", "side": "sell", "qty": "101"}]}, (),
            "plan.orders[0].qty: '101' is not valid; expected at most the 100 KO held and free",
        ),
        (PLAN, ("--set", "max_spread=1"), "settings.max_spread: unknown name, given '1'; did you mean"),
        (PLAN, ("--set", "max_slippage_bps"), "set: 'max_slippage_bps' is not valid; expected NAME=VALUE"),
        (PLAN, ("--set", "max_slippage_bps=60"), "settings.max_slippage_bps: "),
        (PLAN, ("--cash", "5000"), "--market, --date, --seed, --cash and --positions describe a simulated day"),
        (PLAN, ("--date", "2026-11-24"), "--market, --date, --seed, --cash and --positions describe a simulated day"),
        (PLAN, ("--feed", "sip"), "--feed is given beside --stack: a stack has its own feed"),
        (PLAN, ("--local-keys",), "give one of --local-keys, --stack: a plan is previewed in one place"),
    ],
)  # fmt: skip
def test_a_preview_that_is_refused_says_why_in_a_line(
    at_work: Operator, folder: Path, content: Any, arguments: tuple[str, ...], expected: str
) -> None:
    said = previewed(at_work, write(folder, content), *arguments)
    assert (said.code, said.out) == (CANNOT, "")
    assert said.err.startswith(expected)
    assert said.err.count("\n") == 1
    assert traces(at_work) == ([], [], [])


def test_a_file_and_a_stack_that_do_not_exist_are_named(at_work: Operator, plan: Path) -> None:
    assert previewed(at_work, "nothing.json").err.startswith("plan: 'nothing.json' is not valid; expected a file")
    said = at_work.repeg("preview", plan, "--stack", "other")
    assert (said.code, said.out) == (CANNOT, "")
    assert said.err.startswith("no stack other in us-east-1 (there, repeg's stacks are repeg)")


def test_a_preview_without_a_permission_names_it(at_work: Operator, plan: Path) -> None:
    said = previewed(at_work, plan, session=denied("Invoke"))
    assert (said.code, said.out) == (CANNOT, "")
    assert "you may not call Invoke in us-east-1" in said.err


def test_journals_that_may_not_be_read_leave_the_cost_assumed(at_work: Operator, plan: Path) -> None:
    said = previewed(at_work, plan, session=denied("ListObjectsV2"))
    assert said.code == DONE
    assert "(assumed: the journals cannot be read: ClientError)" in said.out


def test_a_plan_in_a_bucket_is_read_by_its_stack(at_work: Operator) -> None:
    found = previewed(at_work, "s3://plans/one.json", "--json").data["orders"]
    assert [each["symbol"] for each in found] == ["AAPL", "KO"]
    assert previewed(at_work, "s3://plans/other.json").err.startswith("plan_uri: ")
    elsewhere = at_work.repeg("preview", "s3://plans/one.json")
    assert elsewhere.err == "plan: s3://plans/one.json is in S3; its stack reads it, which --stack names\n"
