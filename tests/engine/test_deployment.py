"""What is deployed is the template, all of it, or nothing."""

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


def test_everything_in_the_template_exists_after_the_deployment() -> None:
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


def test_the_table_keeps_its_expiry_and_its_recovery() -> None:
    with fixture_stack() as engine:
        client, table = engine.client("dynamodb"), engine.table_name()
        expiry = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
        backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_functions_have_their_layers_their_versions_and_their_aliases() -> None:
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


def test_the_schedule_is_read_back_as_the_scheduler_has_it() -> None:
    with fixture_stack() as engine:
        (schedule,) = engine.schedules()
        fires = schedule.next_after(engine.scheduler.now())
        assert fires is not None
        assert fires.isoformat() == "2025-01-02T14:25:00+00:00"
        assert schedule.input_at(fires) == {"at": "2025-01-02T14:25:00Z"}
        assert schedule.target_arn == engine.stack.machine()


def test_two_deployments_of_one_template_have_the_same_names() -> None:
    names = []
    for _ in range(2):
        with fixture_stack() as engine:
            names.append(engine.stack.resources)
    assert names[0] == names[1]


def test_a_type_that_nobody_makes_stops_the_deployment(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="AWS::Glue::Job"), deploy(tmp_path, {"Job": {"Type": "AWS::Glue::Job"}}):
        pass


@pytest.mark.parametrize(
    ("substitutions", "message"),
    [({}, "missing .'WorkArn'."), ({"WorkArn": "arn", "OldArn": "arn"}, "unused .'OldArn'.")],
)
def test_a_substitution_that_is_missing_or_not_used_stops_the_deployment(
    substitutions: dict[str, str], message: str
) -> None:
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
def test_a_parameter_that_the_template_does_not_allow_is_refused(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(DeploymentError, match=message), fixture_stack(parameters=parameters):
        pass


def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    resources = {"Work": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "nowhere"}}}
    with pytest.raises(DeploymentError, match="CodeUri nowhere does not exist"), deploy(tmp_path, resources):
        pass


def test_a_template_that_sam_cannot_translate_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    properties = {"CodeUri": "work", "Handler": "app.lambda_handler", "Runtime": "python3.13", "Nonsense": 1}
    resources = {"Work": {"Type": "AWS::Serverless::Function", "Properties": properties}}
    with pytest.raises(DeploymentError, match="Nonsense"), deploy(tmp_path, resources):
        pass


def test_an_object_in_the_bucket_changes_with_the_folder_that_it_was_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")  # the translator asks for it
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "app.py").write_text("one = 1", encoding="utf-8")
    properties = {"CodeUri": "work", "Handler": "app.lambda_handler", "Runtime": "python3.13"}
    resources = {"Work": {"Type": "AWS::Serverless::Function", "Properties": properties}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    (tmp_path / "template.yaml").write_text(yaml.safe_dump(template), encoding="utf-8")
    before = set(package(tmp_path / "template.yaml", {}).objects)
    (tmp_path / "work" / "app.py").write_text("one = 2", encoding="utf-8")
    assert before.isdisjoint(package(tmp_path / "template.yaml", {}).objects)


def test_the_stack_says_which_of_several_it_cannot_choose() -> None:
    with fixture_stack() as engine:
        with pytest.raises(LookupError, match="2 resources of type AWS::Lambda::Function"):
            engine.stack.only("AWS::Lambda::Function")
        with pytest.raises(KeyError, match="no resource Nobody"):
            engine.stack.physical_id("Nobody")


def test_the_engine_refuses_any_other_moto() -> None:
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


def test_a_service_that_few_stacks_have_is_imported_for_a_template_that_declares_it() -> None:
    here = str(Path(__file__).parents[2])
    finished = subprocess.run(
        [sys.executable, "-c", EC2.format(here=here)], check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
