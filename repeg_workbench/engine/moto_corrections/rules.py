"""EventBridge rules with functions and topics as targets.

moto delivers to a few kinds of target only, and to functions only from S3 events
(https://github.com/getmoto/moto/pull/5169, https://github.com/getmoto/moto/issues/8451).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.events.models import Rule, events_backends
from moto.events.utils import EventTemplateParser
from moto.sns.models import sns_backends

from repeg_workbench.engine.moto_corrections.patches import Patches

ToFunction = Callable[[str, str], None]


def apply(patches: Patches, to_function: ToFunction) -> None:
    """Deliver events to functions and topics; `to_function` receives a function's ARN and the payload."""

    def send(self: Any, original_event: Any, *how: Any) -> None:
        if self.state != "ENABLED" or not self.event_pattern.matches_event(_dated(original_event)):
            return
        targets, self.targets = self.targets, []
        try:
            for target in targets:
                self.targets = [target]
                if not _send(target, original_event, to_function, self.region_name):
                    original(self, original_event, *how)
        finally:
            self.targets = targets

    original = patches.replace(Rule, "send_to_targets", send)


def put_event(event: dict[str, Any], region: str) -> None:
    """Put an AWS service's event, which PutEvents would refuse, on the default bus."""
    bus = events_backends[DEFAULT_ACCOUNT_ID][region].describe_event_bus("default")
    event_on_bus: Any = {**event, "ingestion-time": event["time"]}
    for rule in bus.rules.values():
        rule.send_to_targets(event_on_bus)


def _send(target: dict[str, Any], event: dict[str, Any], to_function: ToFunction, region: str) -> bool:
    """Send to a function or topic; False for all other targets, which moto handles."""
    service = target["Arn"].split(":")[2]
    if service == "lambda":
        to_function(target["Arn"], _payload(target, event))
    elif service == "sns":
        # Not by a client: a rule delivers on its own, not within the function that has put the event.
        sns_backends[DEFAULT_ACCOUNT_ID][region].publish(message=_payload(target, event), arn=target["Arn"])
    return service in ("lambda", "sns")


def _payload(target: dict[str, Any], event: dict[str, Any]) -> str:
    if "Input" in target:
        return str(target["Input"])
    shown = _dated(event)
    if "InputTransformer" in target:
        rule = target["InputTransformer"]
        merged: Any = {**event, **shown}
        return _filled(rule["InputTemplate"], rule.get("InputPathsMap", {}), merged)
    if "InputPath" in target:
        shown = _at(shown, target["InputPath"])
    return json.dumps(shown)


def _filled(template: str, paths: dict[str, str], event: Any) -> str:
    """A template with its values. moto reads only JSON; a text of several lines, each in quotes, is allowed as well."""
    lines = template.splitlines()
    parts = lines if all(line.startswith('"') and line.endswith('"') for line in lines) else [template]
    return "\n".join(json.dumps(EventTemplateParser.parse(part, paths, event)) for part in parts)


def _dated(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its time in EventBridge's format, without moto's extra field."""
    shown = {key: value for key, value in event.items() if key != "ingestion-time"}
    if not isinstance(event["time"], str):
        shown["time"] = datetime.fromtimestamp(event["time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return shown


def _at(event: Any, path: str) -> Any:
    for step in path.removeprefix("$").strip(".").split("."):
        event = event[step] if step else event
    return event
