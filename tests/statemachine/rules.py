"""Rules for the state machine's definition beyond the language; each rule yields its violations."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from repeg.domain import errors
from repeg.domain.next_step import NextStep
from repeg.domain.session import SessionDecision
from repeg.domain.time_limits import TURN_TASK_SECONDS

Definition = Mapping[str, Any]
State = Mapping[str, Any]

LAMBDA = "arn:aws:states:::lambda:invoke"
CLOSING = "CloseRun"
OPENING = "OpenRun"
# Takes as long as the run's settings say.
LISTENING = "RepegOrders"
TERMINAL = {"Succeed", "Fail"}

# Transient errors of the Lambda service, each of which must be retried.
TRANSIENT_LAMBDA_ERRORS = {
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "States.Timeout",
}


def states(definition: Definition) -> dict[str, dict[str, Any]]:
    """The states by name."""
    found: dict[str, dict[str, Any]] = definition["States"]
    return found


def tasks(definition: Definition) -> dict[str, dict[str, Any]]:
    """The states that call a function."""
    return {name: state for name, state in states(definition).items() if state.get("Resource") == LAMBDA}


def targets(state: State) -> list[str]:
    """The possible next states, including those of Choices and Catches."""
    branches = [*state.get("Choices", []), *state.get("Catch", [])]
    ends = [state.get("Next"), state.get("Default"), *(branch.get("Next") for branch in branches)]
    return [end for end in ends if end is not None]


def every_target_exists(definition: Definition) -> Iterator[str]:
    known = states(definition)
    yield from (f"StartAt {definition['StartAt']}" for _ in [0] if definition["StartAt"] not in known)
    for name, state in known.items():
        yield from (f"{name} leads to {target}" for target in targets(state) if target not in known)


def every_state_leads_on_or_ends(definition: Definition) -> Iterator[str]:
    for name, state in states(definition).items():
        if state["Type"] not in TERMINAL and not targets(state):
            yield f"{name} leads nowhere"
        if state["Type"] == "Choice" and "Default" not in state:
            yield f"{name} has no Default"


def every_state_is_reachable(definition: Definition) -> Iterator[str]:
    reached = _reachable(definition, definition["StartAt"], without=())
    yield from sorted(states(definition).keys() - reached)


def every_cycle_waits(definition: Definition) -> Iterator[str]:
    """A cycle without a Wait would loop at full speed and cost after a wrong answer."""
    moving = {name: state for name, state in states(definition).items() if state["Type"] != "Wait"}
    graph = {name: [target for target in targets(state) if target in moving] for name, state in moving.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield " → ".join(reversed(error.args[1]))


def every_end_is_reached_through_closing(definition: Definition) -> Iterator[str]:
    """Once a run is open, every end is reached through CloseRun or a renewal."""
    opened = states(definition)[OPENING]["Next"]
    reached = _reachable(definition, opened, without=(CLOSING, "RunContinued"))
    yield from sorted(name for name in reached if states(definition)[name]["Type"] in TERMINAL)


def every_task_is_bounded(definition: Definition) -> Iterator[str]:
    for name, state in states(definition).items():
        if state["Type"] != "Task":
            continue
        yield from (f"{name} has no {field}" for field in ("Retry", "Catch") if not state.get(field))
        if (name == LISTENING) != (state.get("TimeoutSecondsPath") == "$.step_seconds"):
            yield f"{name} may take as long as {state.get('TimeoutSecondsPath')} says"
        if name != LISTENING and not state.get("TimeoutSeconds"):
            yield f"{name} has no TimeoutSeconds"
        if state.get("TimeoutSeconds", 0) > (120 if name == CLOSING else 60):
            yield f"{name} may take {state['TimeoutSeconds']} s"


def every_task_catches_everything(definition: Definition) -> Iterator[str]:
    for name, state in states(definition).items():
        if state["Type"] != "Task":
            continue
        last = (state.get("Catch") or [{}])[-1]
        if last.get("ErrorEquals") != ["States.ALL"] or last.get("ResultPath") != "$.ending":
            yield f"{name} does not catch everything into $.ending"
        if name not in {OPENING, CLOSING} and last.get("Next") != CLOSING:
            yield f"{name} fails past {CLOSING}"


def states_all_stands_last_and_alone(definition: Definition) -> Iterator[str]:
    for name, state in states(definition).items():
        for field in ("Retry", "Catch"):
            entries = state.get(field, [])
            for position, entry in enumerate(entries):
                named = entry["ErrorEquals"]
                if "States.ALL" in named and (len(named) > 1 or position < len(entries) - 1):
                    yield f"{name}: States.ALL in {field} {position}"


def no_error_is_named_twice(definition: Definition) -> Iterator[str]:
    """The second entry would never match."""
    for name, state in states(definition).items():
        for field in ("Retry", "Catch"):
            named = [error for entry in state.get(field, []) for error in entry["ErrorEquals"]]
            yield from (f"{name}: {error} twice in {field}" for error in sorted(set(named)) if named.count(error) > 1)


def every_retry_is_capped_and_jittered(definition: Definition) -> Iterator[str]:
    """Every retry has jitter and a cap, except StillOpen, which waits for the run's own orders."""
    for name, state in states(definition).items():
        for entry in state.get("Retry", []):
            if entry.get("MaxAttempts") == 0:
                continue
            if entry.get("JitterStrategy") != "FULL" and entry["ErrorEquals"] != ["StillOpen"]:
                yield f"{name}: {entry['ErrorEquals']} without jitter"
            if not entry.get("IntervalSeconds", 1) < entry.get("MaxDelaySeconds", 0) <= 60:
                yield f"{name}: {entry['ErrorEquals']} has no sensible MaxDelaySeconds"
            if entry.get("BackoffRate", 0) < 1 or entry.get("MaxAttempts", 99) > 20:
                yield f"{name}: {entry['ErrorEquals']} without end"


def every_function_retries_transient_errors(definition: Definition) -> Iterator[str]:
    ours = {"BrokerUnavailable", "StoreUnavailable"}
    for name, state in tasks(definition).items():
        retried = {error for entry in state.get("Retry", []) for error in entry["ErrorEquals"]}
        yield from (f"{name}: {error}" for error in sorted((TRANSIENT_LAMBDA_ERRORS | ours) - retried))


def every_named_error_exists(definition: Definition) -> Iterator[str]:
    """A misspelt error name would never match."""
    for name, state in states(definition).items():
        for entry in [*state.get("Retry", []), *state.get("Catch", [])]:
            ours = [error for error in entry["ErrorEquals"] if "." not in error]
            yield from (f"{name}: {error}" for error in ours if not hasattr(errors, error))


def every_task_calls_its_namesake(definition: Definition) -> Iterator[str]:
    for name, state in tasks(definition).items():
        if state["Parameters"]["FunctionName"] != f"${{{name}Arn}}":
            yield f"{name} calls {state['Parameters']['FunctionName']}"
        if name != OPENING and state["Parameters"].get("Payload.$") != "$":
            yield f"{name} does not hand on what it got"


def every_decision_has_its_branch(definition: Definition) -> Iterator[str]:
    for choice, decisions in (("SessionDecision", SessionDecision), ("TurnDecision", NextStep)):
        branches = {branch["StringEquals"] for branch in states(definition)[choice]["Choices"]}
        yield from (f"{choice}: {word}" for word in sorted(branches ^ {member.value for member in decisions}))
        if states(definition)[choice]["Default"] != CLOSING:
            yield f"{choice}: an unknown word does not close the run"


def every_wait_is_for_an_instant(definition: Definition) -> Iterator[str]:
    """A Wait for a duration would drift by the length of the turn."""
    for name, state in states(definition).items():
        if state["Type"] == "Wait" and not state.get("TimestampPath", "").startswith("$."):
            yield name


def every_name_is_a_verb_and_a_noun(definition: Definition) -> Iterator[str]:
    for name, state in states(definition).items():
        if state["Type"] == "Task" and not re.fullmatch(r"[A-Z][a-z]+[A-Z][a-z]+", name):
            yield name


def the_language_is_jsonpath(definition: Definition) -> Iterator[str]:
    if definition.get("QueryLanguage") != "JSONPath":
        yield "QueryLanguage"
    for name, state in states(definition).items():
        yield from (f"{name}.{field}" for field in ("Arguments", "Output", "QueryLanguage") if field in state)


RULES: tuple[Callable[[Definition], Iterator[str]], ...] = (
    every_target_exists,
    every_state_leads_on_or_ends,
    every_state_is_reachable,
    every_cycle_waits,
    every_end_is_reached_through_closing,
    every_task_is_bounded,
    every_task_catches_everything,
    states_all_stands_last_and_alone,
    no_error_is_named_twice,
    every_retry_is_capped_and_jittered,
    every_function_retries_transient_errors,
    every_named_error_exists,
    every_task_calls_its_namesake,
    every_decision_has_its_branch,
    every_wait_is_for_an_instant,
    every_name_is_a_verb_and_a_noun,
    the_language_is_jsonpath,
)


def longest(state: State) -> float:
    """The longest possible duration of a Task in seconds, with every retry exhausted."""
    attempts = 1
    waited = 0.0
    for entry in state["Retry"]:
        attempts += entry["MaxAttempts"]
        waited += sum(
            min(entry["IntervalSeconds"] * entry["BackoffRate"] ** attempt, entry["MaxDelaySeconds"])
            for attempt in range(entry["MaxAttempts"])
        )
    return float(attempts * state.get("TimeoutSeconds", TURN_TASK_SECONDS) + waited)


def _reachable(definition: Definition, start: str, without: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name in found or name in without or name not in states(definition):
            continue
        found.add(name)
        ahead.extend(targets(states(definition)[name]))
    return found
