"""An execution's way through the state machine, from its history: its states, and the events of each visit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# A turn, and a wait for the window: how often they are repeated depends on the market and the time of day.
_LOOPS = (
    ("WaitForMarket", "RepegOrders", "TurnDecision", "ValidateQuotes", "PlaceOrders"),
    ("WaitForMarket", "RepegOrders", "TurnDecision"),
    ("WaitForSession", "CheckSession", "SessionDecision"),
)


@dataclass(frozen=True)
class Walk:
    """The states in order, the events of each state's visits as sorted distinct counts, and all events.

    `shapes` maps a state to texts such as `LambdaFunctionScheduled 1, …`, one for each different kind of visit.
    """

    status: str
    states: tuple[str, ...]
    shapes: Mapping[str, tuple[str, ...]]
    events: int

    @property
    def path(self) -> tuple[str, ...]:
        """The states, with every loop removed that may be repeated."""
        path = list(self.states)
        for loop in _LOOPS:
            path = _without(path, loop)
        return tuple(path)


def read_walk(client: Any, arn: str) -> Walk:
    """The walk of an execution, over all pages of its history."""
    status = client.describe_execution(executionArn=arn)["status"]
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return walk_of((event for page in pages for event in page["events"]), status)


def walk_of(events: Iterable[Mapping[str, Any]], status: str) -> Walk:
    """The walk of a history."""
    states: list[str] = []
    shapes: dict[str, set[str]] = {}
    visit: list[str] = []
    count = 0
    for event in events:
        count += 1
        kind = str(event["type"])
        if kind.endswith("StateEntered"):
            states.append(str(event["stateEnteredEventDetails"]["name"]))
            visit = []
        visit.append(kind)
        if kind.endswith("StateExited"):
            shapes.setdefault(states[-1], set()).add(", ".join(visit))
    return Walk(status, tuple(states), {state: tuple(sorted(found)) for state, found in shapes.items()}, count)


def differences(local: Walk, deployed: Walk) -> list[str]:
    """How the deployed walk differs from the local one, in words; empty if it does not."""
    found: list[str] = []
    if deployed.status != local.status:
        found.append(f"it ended as {deployed.status}, locally as {local.status}")
    if deployed.path != local.path:
        found.append(f"its states are {' → '.join(deployed.path)}; locally {' → '.join(local.path)}")
    for state in sorted(set(local.shapes) & set(deployed.shapes)):
        extra = set(deployed.shapes[state]) - set(local.shapes[state])
        if extra:
            found.append(f"the events of {state} are {'; '.join(sorted(extra))}; locally {local.shapes[state][0]}")
    expected = sum(_events(local, state) for state in deployed.states if state in local.shapes)
    counted = sum(_events(deployed, state) for state in deployed.states)
    if not found and expected != counted:
        found.append(f"its visits have {counted} events; locally {expected}")
    return found


def _events(walk: Walk, state: str) -> int:
    shapes = walk.shapes.get(state, ())
    return len(shapes[0].split(", ")) if shapes else 0


def _without(path: list[str], loop: tuple[str, ...]) -> list[str]:
    left: list[str] = []
    at = 0
    while at < len(path):
        if tuple(path[at : at + len(loop)]) == loop:
            at += len(loop)
        else:
            left.append(path[at])
            at += 1
    return left
