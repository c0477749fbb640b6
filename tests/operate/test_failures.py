"""Wrong stack or region, missing permission, no or expired credentials, no network: one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, SSOTokenLoadError  # noqa: TID251

from repeg_workbench.operate.workstation import Workstation
from tests.operate.operator import Operator, RefusingSession, an_operator, answered, denied

COMMANDS = ("status", "runs", "report", "halt", "cancel-all", "resume")


@pytest.fixture(scope="module")
def shared() -> Iterator[Operator]:
    """One stack for all: no command here changes it."""
    with an_operator() as operator:
        yield operator


def failed(operator: Operator, command: str, *arguments: str, session: Any = None) -> str:
    """The one line of a command that could not be carried out, and that has changed nothing."""
    said = operator.repeg(command, *arguments, session=session)
    assert (said.code, said.out, operator.switch()) == (2, "", "active")
    assert said.err.count("\n") == 1
    return said.err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stack_that_does_not_exist(shared: Operator, command: str) -> None:
    assert failed(shared, command, "--stack", "repeg-papre") == (
        "no stack repeg-papre in us-east-1 (there, repeg's stacks are repeg): "
        "give --stack NAME, or set AWS_DEFAULT_REGION to its region\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stack_of_another_region(shared: Operator, command: str) -> None:
    session = RefusingSession(answered("X"), "NoOperation", region="eu-west-1")
    assert "no stack repeg in eu-west-1 (no stack of repeg is there)" in failed(shared, command, session=session)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answered("ExpiredToken"), "the AWS credentials have expired: sign in again (`aws sso login`"),
        (answered("ExpiredTokenException"), "the AWS credentials have expired: sign in again"),
        (SSOTokenLoadError(error_msg="gone"), "the AWS session has ended"),
        (answered("InvalidClientTokenId"), "AWS does not accept these credentials (InvalidClientTokenId)"),
        (answered("AccessDenied"), "you may not call DescribeStacks in us-east-1: ask for that permission"),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS does not answer in us-east-1"),
        (ConnectTimeoutError(endpoint_url="https://x"), "AWS does not answer in us-east-1"),
        (answered("Throttling"), "AWS is busy (DescribeStacks: Throttling): wait a moment and repeat the command"),
    ],
    ids=lambda value: None if isinstance(value, str) else getattr(value, "fmt", str(value))[:40],
)
def test_an_account_that_does_not_let_the_command_in(
    shared: Operator, command: str, error: Exception, expected: str
) -> None:
    assert expected in failed(shared, command, session=RefusingSession(error))


@pytest.mark.parametrize("command", ["runs", "report"])
def test_a_table_that_may_not_be_read(shared: Operator, command: str) -> None:
    assert "you may not call Query in us-east-1" in failed(shared, command, session=denied("Query"))


@pytest.mark.parametrize("operation", ["ListExecutions", "GetSchedule", "ListStackResources"])
def test_a_status_without_a_permission(shared: Operator, operation: str) -> None:
    assert f"you may not call {operation} in us-east-1" in failed(shared, "status", session=denied(operation))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without any configuration of AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def here(operator: Operator, command: str) -> str:
    """The one line of a command with the session that boto3 makes of the environment."""
    at = operator.at
    operator.at = None  # type: ignore[assignment]
    try:
        said = operator.repeg(command)
    finally:
        operator.at = at
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    return said.err


def test_the_region_of_samconfig_where_boto3_finds_none(
    shared: Operator, bare: pytest.MonkeyPatch, folder: Path
) -> None:
    with (folder / "samconfig.toml").open("a") as config:
        config.write('region = "eu-west-1"\n')
    assert Workstation().region == "eu-west-1"
    bare.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert Workstation().region == "us-west-2"


def test_no_region(shared: Operator, bare: pytest.MonkeyPatch) -> None:
    assert here(shared, "status").startswith("no AWS region: set AWS_DEFAULT_REGION")


def test_no_credentials(shared: Operator, bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert here(shared, "halt").startswith("no AWS credentials (Unable to locate credentials): set AWS_PROFILE")


def test_a_profile_that_does_not_exist(shared: Operator, bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_PROFILE", "nobody")
    assert here(shared, "runs").startswith("no AWS credentials (The config profile (nobody) could not be found)")


def test_a_stack_of_another_program(shared: Operator) -> None:
    client = shared.day.engine.client("cloudformation")
    client.create_stack(StackName="other", TemplateBody='{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}')
    said = failed(shared, "halt", "--stack", "other")
    assert "stack other (CREATE_COMPLETE) is no stack of repeg: it has no output RunTableName" in said


@pytest.mark.parametrize("content", ["", "[paper", "[paper.deploy]\n", "[live.deploy.parameters]\nstack_name = 'x'"])
def test_a_configuration_without_a_stack(shared: Operator, folder: Path, content: str) -> None:
    (folder / "samconfig.toml").write_text(content)
    said = failed(shared, "status")
    assert said.startswith("no stack: ")
    assert said.endswith("names none at paper.deploy.parameters.stack_name; give --stack NAME\n")


def test_a_folder_without_a_configuration_uses_the_repositorys(shared: Operator, folder: Path) -> None:
    (folder / "samconfig.toml").unlink()
    assert failed(shared, "status").startswith("no stack repeg-paper in us-east-1")
