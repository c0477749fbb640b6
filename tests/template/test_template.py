"""Template checks beyond the linters: schedules, paths, nested time limits and settings."""

from __future__ import annotations

import ast
import json
import re
import zoneinfo
from datetime import date
from typing import Any

import pytest

from repeg.domain.notice import PAGED
from repeg.domain.settings import Settings
from repeg.domain.settings_limits import FIXED
from repeg.domain.settings_sources import ENVIRONMENT_PREFIX, resolve
from repeg_workbench.operate.cron import Cron
from tests.template.stack import (
    FUNCTION,
    ROOT,
    TEMPLATE,
    defaults,
    definition,
    environment,
    functions,
    of_type,
    translated,
    written,
)

FUNCTIONS = sorted(of_type(written(), FUNCTION))


@pytest.fixture(scope="module")
def schedule() -> dict[str, Any]:
    properties: dict[str, Any] = of_type(written(), "AWS::Scheduler::Schedule")["Schedule"]["Properties"]
    return properties


@pytest.fixture(scope="module")
def watch() -> dict[str, Any]:
    properties: dict[str, Any] = of_type(written(), "AWS::Scheduler::Schedule")["WatchSchedule"]["Properties"]
    return properties


def test_the_schedule_fires_five_minutes_before_the_open_on_weekdays(schedule: dict[str, Any]) -> None:
    match = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", schedule["ScheduleExpression"])
    assert match is not None
    minute, hour, day_of_month, month, day_of_week, year = match.groups()
    assert (hour, minute) == ("9", "25")
    assert (month, year) == ("*", "*")
    # One of the two must be a question mark; only this choice excludes weekends.
    assert (day_of_month, day_of_week) == ("?", "MON-FRI")


def test_the_schedule_uses_new_york_time(schedule: dict[str, Any]) -> None:
    assert schedule["ScheduleExpressionTimezone"] == "America/New_York"
    assert schedule["ScheduleExpressionTimezone"] in zoneinfo.available_timezones()


def test_the_schedule_is_disabled_by_default(schedule: dict[str, Any]) -> None:
    assert schedule["State"] == {"Ref": "ScheduleState"}
    assert written()["Parameters"]["ScheduleState"]["Default"] == "DISABLED"


@pytest.mark.parametrize(
    "uri", ['s3://plans/a"b.json', "s3://plans/a\\b.json", "s3://plans/", "s3://p/x y", "https://x/y"]
)
def test_a_plans_address_cannot_break_the_schedules_input(uri: str) -> None:
    pattern = written()["Parameters"]["PlanUri"]["AllowedPattern"]
    assert re.search(pattern, uri) is None
    assert re.search(pattern, "s3://plans/weekly/core_v2.json")


def test_an_enabled_schedule_requires_a_plan() -> None:
    rule = written()["Rules"]["AScheduleNeedsAPlan"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "ScheduleState"}, "ENABLED"]}
    needed = [assertion["Assert"]["Fn::Not"][0]["Fn::Equals"] for assertion in rule["Assertions"]]
    assert needed == [[{"Ref": "PlanUri"}, ""], [{"Ref": "PlanBucket"}, ""]]


def test_a_scheduled_start_is_never_delivered_late(schedule: dict[str, Any]) -> None:
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    retry = schedule["Target"]["RetryPolicy"]
    assert 300 <= retry["MaximumEventAgeInSeconds"] <= 600
    assert retry["MaximumRetryAttempts"] <= 5


def test_a_failed_scheduled_start_goes_to_the_queue(schedule: dict[str, Any]) -> None:
    queue = schedule["Target"]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
    assert queue in of_type(written(), "AWS::SQS::Queue")


def test_the_scheduled_time_placeholder_is_not_escaped(schedule: dict[str, Any]) -> None:
    """If `<` were escaped, the scheduler would not substitute the placeholder."""
    filled = schedule["Target"]["Input"]["Fn::Sub"].replace("${PlanUri}", "s3://plans/core.json")
    assert json.loads(filled.replace("${RunSettings}", defaults(written())["RunSettings"])) == {
        "scheduled_time": "<aws.scheduler.scheduled-time>",
        "plan_uri": "s3://plans/core.json",
        "settings": {},
    }
    (line,) = (line for line in TEMPLATE.read_bytes().splitlines() if b'"settings": ${RunSettings}}' in line)
    assert b'"scheduled_time": "<aws.scheduler.scheduled-time>"' in line
    schedules = of_type(translated(), "AWS::Scheduler::Schedule").values()
    inputs = [resource["Properties"]["Target"]["Input"] for resource in schedules]
    assert all("<aws.scheduler.scheduled-time>" in json.dumps(text) for text in inputs)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_handler_exists(name: str) -> None:
    function = functions()[name]
    module, handler = function["Handler"].split(".")
    source = ROOT / function["CodeUri"] / f"{module}.py"
    defined = [node.name for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)]
    assert handler in defined


def test_the_watch_runs_from_the_open_until_after_the_close(watch: dict[str, Any]) -> None:
    cron = Cron.parse(watch["ScheduleExpression"])
    assert watch["ScheduleExpressionTimezone"] == "America/New_York"
    assert [cron.has_day(date(2026, 11, day)) for day in (20, 21, 22, 23)] == [True, False, False, True]
    assert {(9, 40), (12, 0), (16, 0), (16, 10)} <= set(cron.times())
    assert watch["State"] == "ENABLED"


def test_a_failed_execution_triggers_a_sweep() -> None:
    rule = of_type(translated(), "AWS::Events::Rule")["SweepOrdersExecutionDied"]
    assert rule["Properties"]["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [{"Ref": "ExecutePlan"}], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
    }
    assert rule["Properties"]["Targets"][0]["Arn"] == {"Ref": "SweepOrdersAliascurrent"}


def test_the_end_of_a_run_and_its_measurement_trigger_a_page() -> None:
    rule = of_type(translated(), "AWS::Events::Rule")["WritePageRunEnded"]["Properties"]
    pattern = rule["EventPattern"]
    assert (pattern["source"], pattern["detail"]) == (["repeg"], {"stack": [{"Ref": "AWS::StackName"}]})
    assert set(pattern["detail-type"]) == PAGED
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "WritePageAliascurrent"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["Undelivered", "Arn"]}}


@pytest.mark.parametrize("name", ["SweepOrders", "WatchRuns", "WritePage"])
def test_an_asynchronous_failure_goes_to_the_queue(name: str) -> None:
    assert functions()[name]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"] == {
        "Type": "SQS",
        "Destination": {"Fn::GetAtt": ["Undelivered", "Arn"]},
    }


def test_the_paths_of_the_definition_and_the_layers_exist() -> None:
    (machine,) = of_type(written(), "AWS::Serverless::StateMachine").values()
    assert (ROOT / machine["Properties"]["DefinitionUri"]).is_file()
    for layer in of_type(written(), "AWS::Serverless::LayerVersion").values():
        assert (ROOT / layer["Properties"]["ContentUri"] / "Makefile").is_file()


def test_the_substitutions_match_the_definitions_placeholders() -> None:
    (machine,) = of_type(written(), "AWS::Serverless::StateMachine").values()
    placeholders = set(re.findall(r"\$\{(\w+)\}", json.dumps(definition())))
    assert placeholders == set(machine["Properties"]["DefinitionSubstitutions"])


def test_the_template_sets_every_setting_to_its_default() -> None:
    by_template = environment("OpenRun")
    named = {name.removeprefix(ENVIRONMENT_PREFIX).lower() for name in by_template if ENVIRONMENT_PREFIX in name}
    assert named == set(Settings.model_fields) - FIXED
    assert resolve(by_template, None) == Settings.model_validate({"data_feed": "iex"})
    every = written()["Globals"]["Function"]["Environment"]["Variables"]
    assert every["DATA_FEED"] == {"Ref": "DataFeed"}


def test_only_open_run_receives_the_settings() -> None:
    given = [name for name in FUNCTIONS if any(key.startswith(ENVIRONMENT_PREFIX) for key in environment(name))]
    assert given == ["OpenRun"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_traces_capture_neither_answers_nor_errors(name: str) -> None:
    assert environment(name)["POWERTOOLS_TRACER_CAPTURE_RESPONSE"] == "false"
    assert environment(name)["POWERTOOLS_TRACER_CAPTURE_ERROR"] == "false"


def test_the_table_is_retained_and_protected() -> None:
    (table,) = of_type(written(), "AWS::DynamoDB::Table").values()
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Properties"]["TimeToLiveSpecification"]["AttributeName"] == "expires_at"


def test_logs_expire_and_contain_no_execution_data() -> None:
    groups = of_type(translated(), "AWS::Logs::LogGroup")
    assert all("RetentionInDays" in group["Properties"] for group in groups.values())
    for function in of_type(translated(), "AWS::Lambda::Function").values():
        assert function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] in groups
    (machine,) = of_type(written(), "AWS::Serverless::StateMachine").values()
    assert machine["Properties"]["Logging"]["IncludeExecutionData"] is False
    assert machine["Properties"]["Logging"]["Level"] == "ERROR"


def test_every_parameter_has_a_description_and_a_default() -> None:
    for name, parameter in written()["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, name


def test_every_parameter_belongs_to_a_console_group() -> None:
    groups = written()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for name in group["Parameters"]] == list(written()["Parameters"])


def test_the_sweep_rule_retries_and_keeps_what_it_cannot_deliver() -> None:
    """Without a queue an undelivered event is lost, and with it the sweep of a dead execution."""
    rule = of_type(translated(), "AWS::Events::Rule")["SweepOrdersExecutionDied"]
    (target,) = rule["Properties"]["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["Undelivered", "Arn"]}}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20}


def test_the_rules_may_send_to_the_queue_and_no_other_service_may() -> None:
    (policy,) = of_type(translated(), "AWS::SQS::QueuePolicy").values()
    assert policy["Properties"]["Queues"] == [{"Ref": "Undelivered"}]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Allow", {"Service": "events.amazonaws.com"})
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", {"Fn::GetAtt": ["Undelivered", "Arn"]})
    assert statement["Condition"] == {
        "ArnEquals": {
            "aws:SourceArn": [
                {"Fn::GetAtt": ["SweepOrdersExecutionDied", "Arn"]},
                {"Fn::GetAtt": ["WritePageRunEnded", "Arn"]},
                {"Fn::GetAtt": ["OperatorRule", "Arn"]},
                {"Fn::If": ["HasWebhook", {"Fn::GetAtt": ["WebhookRule", "Arn"]}, {"Ref": "AWS::NoValue"}]},
            ]
        }
    }
