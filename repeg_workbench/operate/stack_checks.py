"""What `repeg doctor` looks at in the account of the stack: table, secret, versions, schedules, alarms. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from pydantic import ValidationError

from repeg.adapters.alpaca.keys import Keys
from repeg.domain.arming import is_armed
from repeg.domain.run import KillSwitch
from repeg_workbench.operate.check import Check, Verdict, alone, judged
from repeg_workbench.operate.stack import ALIAS, SECRET, TABLE, DeployedStack

STEPS = ("OpenRun", "CheckSession", "PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders", "CloseRun")
_PUT_KEYS = "store the account's pair with `repeg keys`"


def check_stack(stack: DeployedStack) -> Iterator[Check]:
    """Every finding about the stack itself."""
    found, is_ok = f"{stack.title} is {stack.status}", stack.status.endswith("_COMPLETE")
    yield judged("stack", found, is_ok=is_ok, to_do="look at the stack's events", otherwise=Verdict.WARN)
    looks = {
        "table": _table, "versions": _versions, "schedule": _schedules, "kill switch": _switch, "queue": _queue,
        "alarms": _alarms, "subscriptions": _subscriptions,
    }  # fmt: skip
    for subject, look in looks.items():
        yield from alone(subject, partial(look, stack), stack.at.region)


def keys_of(stack: DeployedStack) -> tuple[Keys | None, Check]:
    """The pair in the secret, and the finding about it. Raises what Secrets Manager answers."""
    answer = stack.at.client("secretsmanager").get_secret_value(SecretId=stack.outputs[SECRET])
    # The secret's text is in no message: an error of the parser would show it.
    try:
        keys = Keys.model_validate(json.loads(answer["SecretString"]))
    except (ValidationError, ValueError, KeyError):
        return None, Check("secret", Verdict.FAIL, "it holds no key pair", _PUT_KEYS)
    if keys.is_placeholder:
        return None, Check("secret", Verdict.FAIL, "it still holds the placeholder of the deploy", _PUT_KEYS)
    return keys, Check("secret", Verdict.OK, f"it holds a key pair, stored {answer['CreatedDate']:%Y-%m-%d}")


def _table(stack: DeployedStack) -> Iterator[Check]:
    client, name = stack.at.client("dynamodb"), stack.outputs[TABLE]
    described = client.describe_table(TableName=name)["Table"]
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    is_protected = bool(described.get("DeletionProtectionEnabled"))
    found = f"{name} is {described['TableStatus']}; deletion protection {is_protected}, recovery {recovery}"
    is_ok = described["TableStatus"] == "ACTIVE" and is_protected and recovery == "ENABLED"
    yield judged("table", found, is_ok=is_ok, to_do="deploy the stack again", otherwise=Verdict.WARN)


def _versions(stack: DeployedStack) -> Iterator[Check]:
    """The machine calls one version of each function, fixed at its deploy; the alias is at the latest."""
    client = stack.at.client("lambda")
    definition = stack.at.client("stepfunctions").describe_state_machine(stateMachineArn=stack.machine)["definition"]
    current = {
        step: client.get_alias(FunctionName=stack.resource(step), Name=ALIAS)["FunctionVersion"] for step in STEPS
    }
    stale = [step for step in STEPS if f':{stack.resource(step)}:{current[step]}"' not in definition]
    listed = ", ".join(f"{step} {version}" for step, version in current.items())
    found = f"the machine calls the current versions: {listed}" if not stale else f"not the current: {', '.join(stale)}"
    yield judged("versions", found, is_ok=not stale, to_do="deploy the stack again")


def _schedules(stack: DeployedStack) -> Iterator[Check]:
    client = stack.at.client("scheduler")
    for logical_id, subject in (("Schedule", "schedule"), ("WatchSchedule", "watchdog")):
        found = client.get_schedule(Name=stack.resource(logical_id))
        said = f"{found['State']}: {found['ScheduleExpression']} {found['ScheduleExpressionTimezone']}"
        is_ok = logical_id == "Schedule" or found["State"] == "ENABLED"
        yield judged(subject, said, is_ok=is_ok, to_do="enable it: without it nobody notices a dead run")


def _switch(stack: DeployedStack) -> Iterator[Check]:
    switch = stack.store.kill_switch()
    is_ok = switch is KillSwitch.ACTIVE
    yield judged("kill switch", switch.value, is_ok=is_ok, to_do="`repeg resume`", otherwise=Verdict.WARN)
    if stack.mode == "live":
        until = stack.store.armed_until()
        found = "not armed" if until is None else f"armed until {until.isoformat(timespec='seconds')}"
        armed = is_armed(until, stack.at.runtime.now())
        yield judged("arming", found, is_ok=armed, to_do="`repeg arm --until DATE`", otherwise=Verdict.WARN)


def _queue(stack: DeployedStack) -> Iterator[Check]:
    name = "ApproximateNumberOfMessages"
    answer = stack.at.client("sqs").get_queue_attributes(QueueUrl=stack.resource("Undelivered"), AttributeNames=[name])
    waiting = int(answer["Attributes"][name])
    to_do = "read them, do by hand what was not done, then purge the queue"
    yield judged("queue", f"{waiting} undelivered", is_ok=not waiting, to_do=to_do, otherwise=Verdict.WARN)


def _alarms(stack: DeployedStack) -> Iterator[Check]:
    pages = stack.at.client("cloudwatch").get_paginator("describe_alarms")
    found = [one for page in pages.paginate(AlarmNamePrefix=f"{stack.name}-") for one in page["MetricAlarms"]]
    raised = sorted(one["AlarmName"] for one in found if one["StateValue"] == "ALARM")
    said = f"{len(found)} alarms, none is raised" if not raised else f"raised: {', '.join(raised)}"
    yield judged("alarms", said, is_ok=not raised, to_do="docs/alarms.md says what to do", otherwise=Verdict.WARN)


def _subscriptions(stack: DeployedStack) -> Iterator[Check]:
    pages = stack.at.client("sns").get_paginator("list_subscriptions_by_topic")
    topic = stack.outputs["OperatorTopicArn"]
    found = [one for page in pages.paginate(TopicArn=topic) for one in page["Subscriptions"]]
    waiting = [one["Endpoint"] for one in found if one["SubscriptionArn"] == "PendingConfirmation"]
    if not found:
        to_do = "deploy with AlarmEmail, or subscribe to the topic"
        yield Check("subscriptions", Verdict.WARN, "nobody is told of alarms", to_do)
        return
    said = f"{len(found)}, all confirmed" if not waiting else f"not confirmed: {', '.join(waiting)}"
    yield judged("subscriptions", said, is_ok=not waiting, to_do="confirm the message that AWS sent")
