"""Deployment creates every resource of a template, or fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from repeg_workbench.engine.engine import Engine
from repeg_workbench.engine.moto_corrections import WrongMoto, check_version
from repeg_workbench.engine.moto_corrections.resources import DeploymentError, definition_with
from repeg_workbench.engine.template import package
from tests.engine.stacks import START, fixture_stack


def deploy(folder: Path, resources: dict[str, Any]) -> Engine:
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    (folder / "template.yaml").write_text(yaml.safe_dump(template), encoding="utf-8")
    return Engine(template=folder / "template.yaml", start=START)


def test_every_resource_of_the_template_is_deployed() -> None:
    with fixture_stack() as engine:
        kinds = {kind for kind, _ in engine.stack.resources.values()}
        assert {
            "AWS::Scheduler::Schedule",
            "AWS::SecretsManager::Secret",
            "AWS::CloudWatch::Alarm",
            "AWS::Lambda::Alias",
            "AWS::Lambda::Version",
            "AWS::Logs::QueryDefinition",
            "AWS::StepFunctions::StateMachine",
        } <= kinds
        secret = engine.client("secretsmanager").get_secret_value(SecretId=engine.stack.outputs["SecretArn"])
        kept = json.loads(secret["SecretString"])
        assert kept["key_id"] == "yours"
        assert kept["secret_key"].isalnum()
        (alarm,) = engine.client("cloudwatch").describe_alarms()["MetricAlarms"]
        assert alarm["AlarmActions"] == [engine.stack.physical_id("Topic")]


def test_the_table_keeps_time_to_live_and_point_in_time_recovery() -> None:
    with fixture_stack() as engine:
        client, table = engine.client("dynamodb"), engine.table_name()
        expiry = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
        backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_functions_have_their_layers_versions_and_aliases() -> None:
    with fixture_stack() as engine:
        client, name = engine.client("lambda"), engine.stack.physical_id("Advance")
        latest = client.get_function_configuration(FunctionName=name)
        (layer,) = [physical for kind, physical in engine.stack.resources.values() if kind.endswith("LayerVersion")]
        assert [attached["Arn"] for attached in latest["Layers"]] == [layer]
        assert client.get_alias(FunctionName=name, Name="current")["FunctionVersion"] == "1"
        machine = engine.client("stepfunctions").describe_state_machine(stateMachineArn=engine.stack.machine())
        assert f":function:{name}:1" in machine["definition"]
        assert engine.stack.function(name).version == "$LATEST"
        assert engine.stack.function(f"{latest['FunctionArn']}:1").version == "1"


def test_the_schedule_is_deployed_with_its_time_target_and_input() -> None:
    with fixture_stack() as engine:
        client = engine.client("scheduler")
        (summary,) = client.list_schedules()["Schedules"]
        schedule = client.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
        assert schedule["ScheduleExpression"] == "cron(25 9 ? * MON-FRI *)"
        assert schedule["ScheduleExpressionTimezone"] == "America/New_York"
        assert schedule["State"] == "ENABLED"
        assert schedule["Target"]["Arn"] == engine.stack.machine()
        assert json.loads(schedule["Target"]["Input"]) == {"at": "<aws.scheduler.scheduled-time>"}


def test_two_deployments_of_one_template_have_the_same_names() -> None:
    names = []
    for _ in range(2):
        with fixture_stack() as engine:
            names.append(engine.stack.resources)
    assert names[0] == names[1]


def test_an_unsupported_resource_type_stops_the_deployment(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="AWS::Glue::Job"), deploy(tmp_path, {"Job": {"Type": "AWS::Glue::Job"}}):
        pass


@pytest.mark.parametrize(
    ("substitutions", "message"),
    [({}, "missing .'WorkArn'."), ({"WorkArn": "arn", "OldArn": "arn"}, "unused .'OldArn'.")],
)
def test_a_missing_or_unused_substitution_stops_the_deployment(substitutions: dict[str, str], message: str) -> None:
    with pytest.raises(DeploymentError, match=message):
        definition_with('{"Resource": "${WorkArn}"}', substitutions)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Color": "red"}, "no parameter Color"),
        ({"Colour": "green"}, "Colour is green, not one of red, blue"),
        ({"Cap": "much"}, "Cap is much, which does not match"),
        ({"Seconds": "0"}, "Seconds is 0, not between 1 and 3600"),
        ({"Seconds": "soon"}, "Seconds is soon, not between"),
    ],
)
def test_a_parameter_outside_its_constraints_is_refused(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(DeploymentError, match=message), fixture_stack(parameters=parameters):
        pass


def test_a_missing_local_path_is_refused(tmp_path: Path) -> None:
    resources = {"Work": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "nowhere"}}}
    with pytest.raises(DeploymentError, match="CodeUri: no file or folder nowhere"), deploy(tmp_path, resources):
        pass


def test_an_untranslatable_template_is_refused_with_sams_reason(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    properties = {"CodeUri": "work", "Handler": "app.lambda_handler", "Runtime": "python3.13", "Nonsense": 1}
    resources = {"Work": {"Type": "AWS::Serverless::Function", "Properties": properties}}
    with pytest.raises(DeploymentError, match="Nonsense"), deploy(tmp_path, resources):
        pass


def test_an_object_key_changes_with_its_source_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")  # the translator requires it
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "app.py").write_text("one = 1", encoding="utf-8")
    properties = {"CodeUri": "work", "Handler": "app.lambda_handler", "Runtime": "python3.13"}
    resources = {"Work": {"Type": "AWS::Serverless::Function", "Properties": properties}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    (tmp_path / "template.yaml").write_text(yaml.safe_dump(template), encoding="utf-8")
    before = set(package(tmp_path / "template.yaml", {}).objects)
    (tmp_path / "work" / "app.py").write_text("one = 2", encoding="utf-8")
    assert before.isdisjoint(package(tmp_path / "template.yaml", {}).objects)


def test_an_ambiguous_resource_is_an_error() -> None:
    with fixture_stack() as engine:
        with pytest.raises(LookupError, match="2 resources of type AWS::Lambda::Function"):
            engine.stack.only("AWS::Lambda::Function")
        with pytest.raises(KeyError, match="no resource Missing"):
            engine.stack.physical_id("Missing")


def test_the_engine_refuses_another_version_of_moto() -> None:
    with pytest.raises(WrongMoto, match=r"5\.2\.6 is installed"):
        check_version("5.2.6")


EC2 = """
import sys
sys.path.insert(0, {here!r})
from repeg_workbench.engine.moto_corrections import cloudformation
assert "moto.ec2.models" not in sys.modules
assert cloudformation.unknown_types({{"Resources": {{"Net": {{"Type": "AWS::EC2::VPC"}}}}}}) == []
from moto.cloudformation import parsing
from moto.ec2.models import ec2_backends
assert parsing.ec2_models.ec2_backends is ec2_backends
"""


def test_a_rare_service_is_imported_when_a_template_declares_it() -> None:
    here = str(Path(__file__).parents[2])
    finished = subprocess.run(
        [sys.executable, "-c", EC2.format(here=here)], check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
