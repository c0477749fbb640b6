"""Least privilege: each step has only the permissions it needs, and no key is stored in readable form."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from repeg.adapters.alpaca.keys import PLACEHOLDER
from tests.statemachine.rules import tasks
from tests.template.stack import (
    FUNCTION,
    definition,
    environment,
    functions,
    listed,
    of_type,
    policies,
    statements,
    translated,
    written,
)

SECRET_TYPE = "AWS::SecretsManager::Secret"
FUNCTIONS = sorted(of_type(written(), FUNCTION))

READ = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
WRITE = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"}
TABLE = {"Fn::GetAtt": ["RunTable", "Arn"]}
# A function that may call a further service.
OTHERS = {"WritePage": "states"}
SECRET = {"Fn::Sub": ["${secretArn}", {"secretArn": {"Ref": "BrokerSecret"}}]}


@pytest.fixture(scope="module")
def allowed() -> list[tuple[str, dict[str, Any]]]:
    return list(statements(translated()))


def actions(allowed: list[tuple[str, dict[str, Any]]], role: str) -> set[str]:
    return {action for name, statement in allowed if name == role for action in listed(statement["Action"])}


def test_no_action_is_a_wildcard(allowed: list[tuple[str, dict[str, Any]]]) -> None:
    assert [action for _, statement in allowed for action in listed(statement["Action"]) if "*" in action] == []


def test_only_log_delivery_and_tracing_allow_any_resource(allowed: list[tuple[str, dict[str, Any]]]) -> None:
    starred = {
        action
        for _, statement in allowed
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }
    assert {action.split(":")[0] for action in starred} == {"logs", "xray"}


def test_the_table_allows_no_delete_and_no_scan(allowed: list[tuple[str, dict[str, Any]]]) -> None:
    on_table = {
        action for _, statement in allowed for action in listed(statement["Action"]) if action.startswith("dynamodb:")
    }
    assert on_table == READ | WRITE


def test_the_table_itself_denies_every_delete() -> None:
    """To everybody, whatever a role or a person is allowed: a deleted intent could be sent a second time."""
    (table,) = of_type(translated(), "AWS::DynamoDB::Table").values()
    (statement,) = table["Properties"]["ResourcePolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Resource"]) == ("Deny", "*", "*")
    assert statement["Action"] == ["dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:BatchWriteItem"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_can_access_one_table_and_one_secret(name: str, allowed: list[tuple[str, dict[str, Any]]]) -> None:
    own = [statement for role, statement in allowed if role == f"{name}Role"]
    for statement in own:
        service = listed(statement["Action"])[0].split(":")[0]
        assert service in {"dynamodb", "secretsmanager", "s3", "events", "sqs", *({"states"} & {OTHERS.get(name)})}
        assert service != "dynamodb" or statement["Resource"] == TABLE
        assert service != "secretsmanager" or statement["Resource"] == SECRET
    assert ("secretsmanager:GetSecretValue" in actions(allowed, f"{name}Role")) == (name != "WritePage")
    assert "dynamodb:GetItem" in actions(allowed, f"{name}Role")


def test_only_open_run_may_read_the_plan_bucket(
    allowed: list[tuple[str, dict[str, Any]]],
) -> None:
    readers = [(role, one) for role, one in allowed if "s3:GetObject" in listed(one["Action"])]
    assert [role for role, _ in readers] == ["OpenRunRole", "WritePageRole"]
    assert readers[0][1]["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:s3:::${PlanBucket}/*"}
    (policy,) = (
        policy["PolicyDocument"]["Statement"]
        for policy in translated()["Resources"]["OpenRunRole"]["Properties"]["Policies"]
        if "s3:GetObject" in json.dumps(policy)
    )
    assert [one["Fn::If"][0] for one in policy if "Fn::If" in one] == ["HasPlanBucket"]


def test_only_functions_with_news_may_publish_events(allowed: list[tuple[str, dict[str, Any]]]) -> None:
    publishers = {role for role, one in allowed if "events:PutEvents" in listed(one["Action"])}
    silent = {"CheckSession", "PlanOrders", "ValidateQuotes", "WritePage"}
    assert publishers == {f"{name}Role" for name in FUNCTIONS if name not in silent}


def test_a_step_may_only_add_to_the_journal(allowed: list[tuple[str, dict[str, Any]]]) -> None:
    """It can neither read nor list nor delete what is there. The operator's function decides nothing."""
    writers = {role: one["Resource"] for role, one in allowed if "s3:PutObject" in listed(one["Action"])}
    assert writers.pop("WritePageRole") == {"Fn::Sub": "${JournalBucket.Arn}/reports/*"}
    assert set(writers) == {f"{name}Role" for name in FUNCTIONS if name not in {"ServeOperator", "WritePage"}}
    assert set(map(str, writers.values())) == {str({"Fn::Sub": "${JournalBucket.Arn}/journal/*"})}
    on_buckets = {action for _, one in allowed for action in listed(one["Action"]) if action.startswith("s3:")}
    assert on_buckets == {"s3:PutObject", "s3:GetObject", "s3:ListBucket"}


def test_only_the_function_that_writes_pages_may_read_the_journal(allowed: list[tuple[str, dict[str, Any]]]) -> None:
    listing = [(role, one) for role, one in allowed if "s3:ListBucket" in listed(one["Action"])]
    assert [role for role, _ in listing] == ["WritePageRole"]
    assert listing[0][1]["Condition"] == {"StringLike": {"s3:prefix": "journal/*"}}
    reading = [one["Resource"] for role, one in allowed if role == "WritePageRole" and one["Action"] == "s3:GetObject"]
    assert reading == [{"Fn::Sub": "${JournalBucket.Arn}/journal/*"}]
    assert actions(allowed, "WritePageRole") & (WRITE | {"events:PutEvents", "secretsmanager:GetSecretValue"}) == set()


def test_the_journals_bucket_is_private_encrypted_kept_and_expires() -> None:
    (bucket,) = of_type(written(), "AWS::S3::Bucket").values()
    properties = bucket["Properties"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": "JournalRetentionDays"})
    (policy,) = of_type(written(), "AWS::S3::BucketPolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_only_the_machine_and_the_watch_schedule_invoke_functions(allowed: list[tuple[str, dict[str, Any]]]) -> None:
    called = {role: one["Resource"] for role, one in allowed if "lambda:InvokeFunction" in listed(one["Action"])}
    assert set(called) == {"ScheduleRole", "ExecutePlanRole"}
    assert called["ScheduleRole"] == {"Ref": "WatchRunsAliascurrent"}
    # All versions of each: a running execution still calls the versions of its own deployment.
    assert called["ExecutePlanRole"] == [{"Fn::Sub": f"${{{name}.Arn}}:*"} for name in tasks(definition())]


def test_the_machine_may_start_only_itself(allowed: list[tuple[str, dict[str, Any]]]) -> None:
    started = {role: one["Resource"] for role, one in allowed if "states:StartExecution" in listed(one["Action"])}
    (machine,) = of_type(written(), "AWS::Serverless::StateMachine").values()
    name = machine["Properties"]["Name"]["Fn::Sub"]
    arn = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:" + name
    assert started == {"ScheduleRole": {"Ref": "ExecutePlan"}, "ExecutePlanRole": {"Fn::Sub": arn}}


def test_every_role_that_starts_executions_is_denied_to_redrive_them() -> None:
    """A redrive from the console could start yesterday's plan again. An execution has no policy of its own, so a
    person's rights are for the account to deny (see SECURITY.md)."""
    rights = list(statements(translated(), "Deny"))
    assert [(role, one["Action"], one["Resource"]) for role, one in rights] == [
        ("ScheduleRole", "states:RedriveExecution", "*"),
        ("ExecutePlanRole", "states:RedriveExecution", "*"),
    ]
    starting = {role for role, one in statements(translated()) if "states:StartExecution" in listed(one["Action"])}
    assert starting == {role for role, _ in rights}
    assert "states:RedriveExecution" not in json.dumps([one for _, one in statements(translated())])


@pytest.mark.parametrize("role", ["ScheduleRole", "ExecutePlanRole", "WebhookRole"])
def test_a_role_of_a_service_waits_for_no_other_resource(role: str) -> None:
    """So it is made at once, and is known everywhere by the time that its schedule, machine or rule is made."""
    template = translated()
    named = re.findall(r'"(?:Ref|Fn::GetAtt|Fn::Sub)": \[?"([^"]+)"', json.dumps(template["Resources"][role]))
    assert set(named) <= {"AWS::AccountId"}
    assert role in [name for name, _ in policies(template)]


def test_the_machines_role_may_deliver_logs_before_the_machine_is_made() -> None:
    """Step Functions refuses a machine whose role may not; a policy apart could come too late."""
    (inside,) = translated()["Resources"]["ExecutePlanRole"]["Properties"]["Policies"]
    assert "logs:CreateLogDelivery" in inside["PolicyDocument"]["Statement"][0]["Action"]


@pytest.mark.parametrize("role", ["ScheduleRole", "ExecutePlanRole", "WebhookRole"])
def test_a_service_may_assume_a_role_only_for_this_account(role: str) -> None:
    (trust,) = translated()["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_no_key_is_a_parameter() -> None:
    for name, parameter in written()["Parameters"].items():
        assert not re.search(r"key|secret|token|password", name, re.IGNORECASE), name
        # A webhook's address lets anybody post to it, so it is not shown; it is no key to the broker.
        assert "NoEcho" not in parameter or name == "WebhookUrl", name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_key_is_in_the_environment(name: str) -> None:
    variables = functions()[name]["Environment"]["Variables"]
    suspicious = [key for key in variables if re.search(r"key|secret|token|password", key, re.IGNORECASE)]
    assert suspicious == ["BROKER_SECRET_ARN"]
    assert variables["BROKER_SECRET_ARN"] == {"Ref": "BrokerSecret"}
    assert "BROKER_SECRET_ARN" not in environment(name)


def test_the_secret_starts_as_a_placeholder_and_is_retained() -> None:
    (secret,) = of_type(written(), SECRET_TYPE).values()
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_no_deploy_overwrites_the_keys_in_the_secret() -> None:
    """CloudFormation writes a new value if any part of these properties changes, and a new secret if the logical id or
    the name does. Never change this test together with the template: the next deploy would delete everybody's keys."""
    assert {name: sorted(secret["Properties"]) for name, secret in of_type(written(), SECRET_TYPE).items()} == {
        "BrokerSecret": ["Description", "GenerateSecretString"]
    }
    generated = written()["Resources"]["BrokerSecret"]["Properties"]["GenerateSecretString"]
    assert json.dumps(generated) == (
        '{"SecretStringTemplate": "{\\"key_id\\": \\"put-yours-here\\"}", "GenerateStringKey": "secret_key", '
        '"ExcludePunctuation": true}'
    )
    # By this the functions know that there are no keys yet.
    assert json.loads(generated["SecretStringTemplate"]) == {"key_id": PLACEHOLDER}
