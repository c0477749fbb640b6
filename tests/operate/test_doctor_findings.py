"""`repeg doctor` on stacks and accounts in which something is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operate.operator import URL, Deploy, Operator, checks, rewritten


@pytest.mark.parametrize(
    ("path", "fields", "subject", "verdict", "found"),
    [
        ("/v2/account", {"trading_blocked": True}, "account", "FAIL", "restricted: trading_blocked"),
        ("/v2/account", {"status": "ONBOARDING"}, "account", "FAIL", "restricted: status ONBOARDING"),
        ("/v2/account", {"account_number": "123456789"}, "keys", "FAIL", "TRADING_MODE: 'paper' is not valid"),
        ("/v2/account", {"shorting_enabled": True}, "short sales", "warn", "not forbidden; possible today: True"),
        ("/v2/account", {"multiplier": "2"}, "margin", "ok", "margin 2x; repeg spends no more than the cash"),
        ("/v2/account/configurations", {"suspend_trade": True}, "trading", "FAIL", "suspended by"),
        ("/v2/clock", {"timestamp": "2026-11-23T10:00:09-05:00"}, "clock", "warn", "the broker is"),
        ("/v2/account", {"equity": None}, "account", "FAIL", "an answer that is not understood"),
    ],
)  # fmt: skip
def test_a_fault_of_an_account_is_found(
    operator: Operator, path: str, fields: dict[str, Any], subject: str, verdict: str, found: str
) -> None:
    operator.until("10:00")
    rewritten(operator, path, **fields)
    seen = checks(operator, "--exchange", URL)
    assert seen[subject][0] == verdict
    assert seen[subject][1].startswith(found)


def test_keys_that_the_broker_rejects(operator: Operator) -> None:
    operator.arm("GET", "/v2/account", status=401)
    found = checks(operator)
    assert found["keys"][1].startswith("the broker does not accept this pair")


def test_the_placeholder_of_the_first_deploy(operator: Operator) -> None:
    arn = operator.day.engine.stack.physical_id("BrokerSecret")
    empty = json.dumps({"key_id": "put-yours-here", "secret_key": "x"})
    operator.day.engine.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=empty)
    assert checks(operator)["secret"] == ("FAIL", "it still holds the placeholder of the deploy")
    operator.day.engine.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="no JSON")
    assert checks(operator)["secret"] == ("FAIL", "it holds no key pair")


def test_a_function_deployed_beside_the_machine_is_found(operator: Operator) -> None:
    client, name = operator.day.engine.client("lambda"), operator.day.engine.stack.physical_id("RepegOrders")
    client.update_function_configuration(FunctionName=name, Description="another")
    version = client.publish_version(FunctionName=name)["Version"]
    client.update_alias(FunctionName=name, Name="current", FunctionVersion=version)
    assert checks(operator)["versions"] == ("FAIL", "not the current: RepegOrders")


def test_a_halted_live_stack_that_is_not_armed(deploy: Deploy) -> None:
    operator = deploy(parameters={"TradingMode": "live", "AlarmEmail": "me@example.com"})
    operator.repeg("halt")
    found = checks(operator)
    assert found["kill switch"] == ("warn", "halt_new")
    assert found["arming"] == ("warn", "not armed")
    assert found["keys"][0] == "FAIL"


def test_raised_alarms_and_undelivered_events_are_listed(operator: Operator) -> None:
    engine = operator.day.engine
    engine.client("sqs").send_message(QueueUrl=engine.stack.physical_id("Undelivered"), MessageBody="{}")
    alarm = engine.stack.physical_id("RunFailedAlarm")
    engine.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    found = checks(operator)
    assert found["queue"] == ("warn", "1 undelivered")
    assert found["alarms"] == ("warn", f"raised: {alarm}")
