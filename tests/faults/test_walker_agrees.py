"""The walker takes the interpreter's path through the deployed state machine, whatever the functions answer."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from repeg_workbench.engine.engine import Engine
from repeg_workbench.engine.execution import Execution
from repeg_workbench.engine.host import Function, Host
from repeg_workbench.engine.scheduler import Scheduler
from repeg_workbench.faults import walker
from tests.faults.scripted_steps import START, Hang, Script, StepFailed, run_of
from tests.template.stack import DEFINITION, TEMPLATE

SEEDS = range(240)


@dataclass(frozen=True)
class Walk:
    """The observable result of an execution."""

    name: str
    path: tuple[str, ...]
    status: str
    error: str
    cause: str
    output: Any
    transitions: int
    events: int


class Scripts:
    """The scripts of many runs, looked up by a step's payload."""

    def __init__(self, seeds: range) -> None:
        self.by_run = {script.run_id: script for script in map(Script, seeds)}

    def answer(self, function: str, payload: dict[str, Any]) -> dict[str, Any] | StepFailed | Hang:
        """The next answer of a function."""
        return self.by_run[run_of(payload)].answer(function)


class ScriptedHost(Host):
    """A host that returns scripted answers instead of running functions."""

    def __init__(self, scheduler: Scheduler, scripts: Scripts) -> None:
        super().__init__(scheduler, {})
        self._scripts = scripts

    def invoke(self, function: Function, payload: str) -> Any:
        """One answer in Lambda's form."""
        invocation = self._begin(function, payload)
        answer = self._scripts.answer(function.name.split("-")[1], invocation.event)
        if isinstance(answer, Hang):
            self._scheduler.sleep(answer.seconds)
        elif isinstance(answer, StepFailed):
            invocation.error = answer.error
            invocation.payload = _cause(answer)
        else:
            invocation.payload = json.dumps(answer, ensure_ascii=False)
        return invocation

    def invoke_event(self, function: Function, payload: str) -> None:
        """Ignore events: no sweep runs here."""


@pytest.fixture(scope="module")
def parsed_once() -> Iterator[None]:
    """Cache the interpreter's parse of the definition, which takes a tenth of a second per execution."""
    with pytest.MonkeyPatch.context() as patch:
        parse = functools.lru_cache(AmazonStateLanguageParser.parse)
        patch.setattr(AmazonStateLanguageParser, "parse", staticmethod(parse))
        yield


@pytest.fixture(scope="module")
def interpreted(parsed_once: None) -> dict[str, Walk]:
    scripts = Scripts(SEEDS)
    engine = Engine(template=TEMPLATE, start=START, seed=1)
    engine.host = ScriptedHost(engine.scheduler, scripts)
    with engine:
        for name, script in scripts.by_run.items():
            engine.start_execution(script.input, name)
        engine.run()
        return {execution.name: _seen(execution) for execution in engine.executions()}


@pytest.fixture(scope="module")
def walked() -> dict[str, Walk]:
    scripts = Scripts(SEEDS)
    scheduler = Scheduler(START)
    executions: dict[str, walker.Execution] = {}

    def invoke(function: str, payload: dict[str, Any]) -> dict[str, Any]:
        answer = scripts.answer(function, payload)
        if isinstance(answer, Hang):
            scheduler.sleep(answer.seconds)
            return {}
        if isinstance(answer, StepFailed):
            raise walker.TaskFailed(answer.error, _cause(answer))
        return answer

    def start(name: str, given: dict[str, Any]) -> None:
        if name in executions:
            raise walker.TaskFailed("StepFunctions.ExecutionAlreadyExistsException", name)
        executions[name] = machine.start(name, given)

    machine = walker.Walker(json.loads(DEFINITION.read_text()), scheduler, 1, invoke, start)
    for name, script in scripts.by_run.items():
        start(name, script.input)
    scheduler.run()
    return {
        e.name: Walk(e.name, tuple(e.path), e.status, e.error, e.cause, _normalised(e.output), e.transitions, e.events)
        for e in executions.values()
    }


def test_walker_and_interpreter_run_the_same_executions(interpreted: dict[str, Walk], walked: dict[str, Walk]) -> None:
    assert walked.keys() == interpreted.keys()
    assert len(walked) > len(SEEDS)


def test_walker_and_interpreter_take_the_same_path(interpreted: dict[str, Walk], walked: dict[str, Walk]) -> None:
    differing = [(interpreted[name], walked[name]) for name in interpreted if interpreted[name] != walked.get(name)]
    assert not differing, "\n\n".join(f"{one}\n{other}" for one, other in differing[:3])


def test_the_scripts_visit_every_state(interpreted: dict[str, Walk]) -> None:
    states = {state for walk in interpreted.values() for state in walk.path}
    assert states == set(json.loads(DEFINITION.read_text())["States"])


def _seen(e: Execution) -> Walk:
    error, cause = e.error or "", e.cause or ""
    return Walk(e.name, tuple(e.states), e.status, error, cause, _normalised(e.output), e.transitions, e.events)


def _cause(failed: StepFailed) -> str:
    """Lambda's answer for a function that raised, as Step Functions passes it on."""
    return json.dumps({"errorMessage": failed.sentence, "errorType": failed.error}, separators=(",", ":"))


def _normalised(output: Any) -> Any:
    """An output whose execution ARN is reduced to the execution's name."""
    if isinstance(output, dict) and "execution" in output:
        return {**output, "execution": output["execution"].rpartition(":")[2]}
    return output
