"""A state machine's definition as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_SHAPES = {
    "Task": '["{}"]',
    "Pass": '["{}"]',
    "Choice": '{{"{}"}}',
    "Wait": '(["{}"])',
    "Succeed": '(("{}"))',
    "Fail": '(("{}"))',
}


def diagram(definition: dict[str, Any]) -> str:
    """A fenced Mermaid block: solid arrows for the next state, dotted ones for a caught failure."""
    states: dict[str, dict[str, Any]] = definition["States"]
    lines = ["flowchart TD", f"    start((start)) --> {definition['StartAt']}"]
    lines += [f"    {name}{_SHAPES[state['Type']].format(name)}" for name, state in states.items()]
    for name, state in states.items():
        lines += [f"    {name} {arrow}" for arrow in dict.fromkeys(_arrows(state))]
    return "\n".join(["```mermaid", *lines, "```"])


def _arrows(state: dict[str, Any]) -> Iterator[str]:
    if "Next" in state:
        yield f"--> {state['Next']}"
    for choice in state.get("Choices", []):
        yield f'-- "{_label(choice)}" --> {choice["Next"]}'
    if "Default" in state and state["Default"] not in {choice["Next"] for choice in state["Choices"]}:
        yield f'-- "otherwise" --> {state["Default"]}'
    for catch in state.get("Catch", []):
        yield f"-.-> {catch['Next']}"


def _label(choice: dict[str, Any]) -> str:
    """What the choice asks: the value that it compares with, or which variable is present or matches."""
    if "And" in choice:
        return _label(choice["And"][-1])
    name = choice["Variable"].removeprefix("$.")
    if "StringEquals" in choice:
        return str(choice["StringEquals"])
    return f"has {name}" if "IsPresent" in choice else f"{name} matches"
