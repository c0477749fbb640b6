"""Two interpreters of the deployed definition, with scripted functions in place of the built ones."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Protocol

from repeg.domain.errors import RepegError
from repeg_workbench.engine.engine import Engine
from repeg_workbench.engine.host import Function, Host
from repeg_workbench.engine.scheduler import Scheduler
from tests.statemachine.node import NODE_FOLDER, node
from tests.template.stack import DEFINITION, ROOT, TEMPLATE

Answer = dict[str, Any] | RepegError | timedelta
"""What a function returns, raises, or hangs for."""

START = datetime(2026, 11, 20, 14, 25, 30, tzinfo=UTC)


@dataclass
class Script:
    """The functions' scripted answers and recorded calls."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def begin(self, answers: dict[str, list[Answer]]) -> None:
        """Reset to these answers; each function's are given in order, and the last one repeats."""
        self.answers = {name: list(given) for name, given in answers.items()}
        self.calls = []

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def event_of_last_call(self, name: str) -> dict[str, Any]:
        """The last event of a function."""
        event: dict[str, Any] = [event for called, event in self.calls if called == name][-1]
        return event


@dataclass(frozen=True)
class Ended:
    """An execution that has ended."""

    name: str
    arn: str
    input: Any
    status: str
    error: str
    cause: str


class Interpreter(Protocol):
    """Executes the definition; `executions` are those that have ended so far, in the order of their starts."""

    executions: list[Ended]

    def execute(self, given: Any, script: Script) -> Ended:
        """The execution of an input, after it and its successors have ended."""
        ...


class ScriptedHost(Host):
    """A host whose functions give the script's answers."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler, {})
        self.script = Script()
        self._sleep = scheduler.sleep

    def invoke_event(self, function: Function, payload: str) -> None:
        """Ignore events: no sweep runs here."""

    def _handler(self, function: Function) -> Callable[[Any, Any], Any]:
        name = function.name.split("-")[1]

        def handler(event: Any, _context: Any) -> Any:
            self.script.calls.append((name, event))
            answers = self.script.answers[name]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, RepegError):
                raise answer
            if isinstance(answer, timedelta):
                self._sleep(answer.total_seconds())
            return answer

        return handler


class Moto:
    """moto's interpreter, in the engine that runs the simulated days."""

    def __init__(self, engine: Engine, host: ScriptedHost) -> None:
        self._engine, self._host = engine, host
        self.executions: list[Ended] = []

    def execute(self, given: Any, script: Script) -> Ended:
        self._host.script = script
        arn = self._engine.start_execution(given)
        self._engine.run()
        self.executions = [
            Ended(one.name, one.arn, one.input, one.status, one.error or "", one.cause or "")
            for one in self._engine.executions()
        ]
        return next(one for one in self.executions if one.arn == arn)


class LocalStepFunctions:
    """The npm package aws-local-stepfunctions, in a process that executes one scenario after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.executions: list[Ended] = []

    def execute(self, given: Any, script: Script) -> Ended:
        answers = {name: [_line(answer) for answer in answers] for name, answers in script.answers.items()}
        outcome = self._ask({"at": START.isoformat(), "input": given, "answers": answers})
        script.calls = [(name, event) for name, event in outcome["calls"]]
        ended = [Ended(**one) for one in outcome["executions"]]
        self.executions += ended
        return ended[0]

    def _ask(self, scenario: dict[str, Any]) -> dict[str, Any]:
        written, read = _piped(self._process.stdin), _piped(self._process.stdout)
        written.write(json.dumps(scenario) + "\n")
        written.flush()
        outcome: dict[str, Any] = json.loads(read.readline())
        return outcome


@contextmanager
def moto() -> Iterator[Interpreter]:
    engine = Engine(template=TEMPLATE, start=START, seed=1)
    host = ScriptedHost(engine.scheduler)
    engine.host = host
    with engine:
        yield Moto(engine, host)


@contextmanager
def aws_local_stepfunctions() -> Iterator[Interpreter]:
    command = [node(), str(ROOT / "tests/statemachine/run_machine.mjs"), str(NODE_FOLDER), str(DEFINITION)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield LocalStepFunctions(process)
        _piped(process.stdin).close()


def _line(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, RepegError):
        return {"raise": {"name": type(answer).__name__, "message": str(answer)}}
    if isinstance(answer, timedelta):
        return {"wait": answer.total_seconds()}
    return {"answer": answer}


def _piped(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


INTERPRETERS: Sequence[Callable[[], Any]] = (moto, aws_local_stepfunctions)
