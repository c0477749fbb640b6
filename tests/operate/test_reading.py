"""`repeg status`, `runs` and `report` on the deployed stack."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from repeg_workbench.operate.status import next_firing
from tests.operate.operator import RUN_ID, Deploy, Operator, denied

EVERY_WEEKDAY = "cron(25 9 ? * MON-FRI *)"


def test_the_status_before_the_first_run(operator: Operator) -> None:
    said = operator.repeg("status", "--json")
    assert said.code == 0
    found = said.data
    assert (found["stack"], found["mode"], found["kill_switch"]) == ("repeg", "paper", "active")
    assert (found["smart_execution"], found["policy"]) == (True, "normal")
    assert found["market"] == {
        "source": "broker", "is_open": False, "opens": "2026-11-23T14:30:00Z", "closes": "2026-11-23T21:00:00Z"
    }  # fmt: skip
    assert (found["active_runs"], found["open_orders"], found["last_run"]) == ([], [], None)
    assert found["schedule"]["state"] == "DISABLED"
    assert 0 < found["requests_last_minute"] < found["requests_per_minute"] == 200


def test_the_status_of_a_working_run(operator: Operator) -> None:
    operator.day.start("calls")
    operator.until("09:36:10")
    found = operator.repeg("status", "--json").data
    assert found["executions_running"] == ["calls"]
    assert [(row["run_id"], row["orders"]) for row in found["active_runs"]] == [(RUN_ID, 2)]
    assert [order["symbol"] for order in found["open_orders"]] == ["AAPL", "KO"]
    text = operator.repeg("status").out
    assert "open until 16:00 New York" in text
    assert f"active runs      {RUN_ID} running, 0 of 2 done" in text
    assert "AAPL                buy" in text


def test_the_status_of_a_switched_off_and_scheduled_stack(deploy: Deploy) -> None:
    parameters = {
        "UseSmartLimitExecution": "false", "ScheduleState": "ENABLED", "PlanUri": "s3://plans/a.json",
        "PlanBucket": "plans",
    }  # fmt: skip
    operator = deploy(parameters=parameters)
    operator.until("09:30")
    found = operator.repeg("status", "--json").data
    assert found["smart_execution"] is False
    assert (found["schedule"]["next"], found["schedule"]["is_session"]) == ("2026-11-24T09:25:00-05:00", True)
    assert "next start Tue 2026-11-24 09:25 New York" in operator.repeg("status").out


def test_a_status_without_the_broker_uses_the_calendar_and_says_so(operator: Operator) -> None:
    operator.until("10:00")
    operator.arm("GET")
    said = operator.repeg("status")
    assert said.code == 0
    assert "open until 16:00 New York (by the calendar; the broker was not read)" in said.out
    assert "open orders      not known" in said.out
    assert "problem          the broker:" in said.out


def test_a_status_without_the_function_reads_the_switch_itself(operator: Operator) -> None:
    found = operator.repeg("status", "--json", session=denied("Invoke")).data
    assert found["kill_switch"] == "active"
    assert found["market"]["source"] == "calendar"
    assert found["problems"][0].startswith("the function ServeOperator did not answer: you may not call Invoke")


def test_the_latest_run_is_reported_without_naming_it(operator: Operator) -> None:
    operator.day.start("calls")
    operator.day.run()
    said = operator.repeg("report", "--json")
    assert (said.code, said.data["run_id"], said.data["outcome"]) == (0, RUN_ID, "settled")
    text = operator.repeg("report", RUN_ID).out
    assert "settled, every order has an outcome" in text
    assert "filled           2 of 2 orders, 14587.4 dollars" in text
    row = operator.repeg("runs").out.splitlines()[2].split()
    assert row[:5] == [RUN_ID, "closed", "settled", "2", "of"]


def test_a_run_without_a_report_is_shown_as_far_as_it_is(operator: Operator) -> None:
    operator.day.start("calls")
    operator.until("09:37:40")
    said = operator.repeg("report")
    assert said.code == 1
    assert "has no report yet" in said.out
    assert "KO      sell     100     100" in said.out


def test_a_failed_run_has_exit_code_1(operator: Operator) -> None:
    arn = operator.day.start("calls")
    operator.until("09:36:30")
    operator.day.engine.stop_execution(arn)
    operator.day.run()
    said = operator.repeg("report")
    assert said.code == 1
    assert "failed, Swept: " in said.out
    assert "Swept" in operator.repeg("runs").out


def test_a_run_with_an_unreadable_row_is_listed_as_unreadable(operator: Operator) -> None:
    operator.day.start("calls")
    operator.day.run()
    client, table = operator.day.engine.client("dynamodb"), operator.day.engine.table_name()
    client.update_item(
        TableName=table, Key={"pk": {"S": f"RUN#{RUN_ID}"}, "sk": {"S": "REPORT"}},
        UpdateExpression="SET body = :b", ExpressionAttributeValues={":b": {"S": "{}"}},
    )  # fmt: skip
    (row,) = operator.repeg("runs", "--json").data["runs"]
    assert (row["run_id"], row["outcome"]) == (RUN_ID, "unreadable")


def test_a_run_that_does_not_exist_is_named_with_the_latest(operator: Operator) -> None:
    operator.day.start("calls")
    operator.until("09:26")
    said = operator.repeg("report", "calls-2026-11-20")
    assert (said.code, said.err) == (2, f"no run calls-2026-11-20 in stack repeg; the latest: {RUN_ID}\n")


def test_a_report_without_any_run_says_how_to_start_one(operator: Operator) -> None:
    assert "start one with `repeg start PLAN`" in operator.repeg("report").err
    assert operator.repeg("runs").out == "repeg (paper): 0 runs in 30 days\n"


@pytest.mark.parametrize("days", ["0", "-3", "400"])
def test_a_number_of_days_out_of_range_is_refused(operator: Operator, days: str) -> None:
    assert operator.repeg("runs", "--days", days).code == 2


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23T14:24:59+00:00", "2026-11-23T09:25:00-05:00"),
        ("2026-11-23T14:25:00+00:00", "2026-11-24T09:25:00-05:00"),
        ("2026-11-27T20:00:00+00:00", "2026-11-30T09:25:00-05:00"),
        ("2026-03-06T20:00:00+00:00", "2026-03-09T09:25:00-04:00"),
    ],
)
def test_the_next_start_is_in_the_schedules_own_zone(now: str, expected: str) -> None:
    found = next_firing(EVERY_WEEKDAY, "America/New_York", datetime.fromisoformat(now))
    assert found is not None
    assert found.isoformat() == expected


def test_a_schedule_that_is_not_understood_has_no_next_start() -> None:
    assert next_firing("rate(1 day)", "UTC", datetime(2026, 11, 23, tzinfo=UTC)) is None
