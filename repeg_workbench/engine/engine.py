"""The deployed stack, running in one process and in virtual time."""

# ruff: noqa: TID251 - it seeds the module random
from __future__ import annotations

import gc
import importlib.util
import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from repeg_workbench.engine import surroundings
from repeg_workbench.engine.clock import clock_of
from repeg_workbench.engine.deployment import Stack, deploy
from repeg_workbench.engine.events import status_change
from repeg_workbench.engine.execution import Execution
from repeg_workbench.engine.freed_memory import keep_freed_memory
from repeg_workbench.engine.host import Host
from repeg_workbench.engine.invocation import Function, Invocation
from repeg_workbench.engine.moto_corrections import account, corrections, functions, records, rules
from repeg_workbench.engine.moto_corrections.patches import Patches
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import Scheduler

REGION = "us-east-1"
ACCOUNT = "123456789012"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}

NEW_OBJECTS = 250_000
"""The garbage collector's threshold for new objects while a day is simulated."""


class StuckExecution(RuntimeError):
    """An execution is still running, and no thread or timer can continue it."""


class Engine:
    """Deploys a SAM template and runs its state machines and functions in virtual time.

    `parameters` are the template's; `runtime_environment` is added to the environment of every function. `machine` is
    the logical id of the state machine for `start_execution`, if the template has several.

        with Engine(template=Path("template.yaml"), start=datetime(2025, 1, 2, 14, 20, tzinfo=UTC), seed=7) as engine:
            arn = engine.start_execution({"plan": plan})
            engine.run()
            assert engine.execution(arn).status == "SUCCEEDED"
    """

    def __init__(
        self,
        *,
        template: Path,
        start: datetime,
        seed: int = 0,
        parameters: Mapping[str, str] | None = None,
        runtime_environment: Mapping[str, str] | None = None,
        machine: str | None = None,
        runtime: Callable[[Scheduler], VirtualRuntime] | None = None,
    ) -> None:
        self.scheduler = Scheduler(start)
        self.seed = seed
        self.runtime = runtime(self.scheduler) if runtime else VirtualRuntime(self.scheduler, seed)
        self.host = Host(self.scheduler, dict(runtime_environment or {}))
        self.before_table_call: list[Callable[[str], None]] = []
        self.on_status_change: list[Callable[[Execution], None]] = []
        self._template = template
        self._parameters = dict(parameters or {})
        self._machine = machine
        self._open = ExitStack()
        self._stack: Stack | None = None
        self._events_sent = 0

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    @property
    def stack(self) -> Stack:
        """The deployed stack."""
        if self._stack is None:
            raise RuntimeError("the engine is not open: use it in a with statement")
        return self._stack

    def start_execution(self, input: Mapping[str, Any], name: str | None = None, machine: str | None = None) -> str:  # noqa: A002 - the service's own word
        """Start an execution and return its ARN. Raises Step Functions' own errors for names and inputs."""
        wanted = {} if name is None else {"name": name}
        made = self.client("stepfunctions").start_execution(
            stateMachineArn=self.stack.machine(machine or self._machine), input=json.dumps(input), **wanted
        )
        return str(made["executionArn"])

    def stop_execution(self, arn: str, error: str | None = None, cause: str | None = None) -> None:
        """Stop an execution at once; functions that it has called continue."""
        reasons = {name: text for name, text in (("error", error), ("cause", cause)) if text is not None}
        self.client("stepfunctions").stop_execution(executionArn=arn, **reasons)

    def run(self, until: datetime | None = None) -> None:
        """Advance virtual time until nothing is pending, or to `until`.

        Raises StuckExecution if an execution is still running when nothing is pending; not with `until`.
        """
        self.scheduler.run(until)
        if until is None:
            self._refuse_stuck()

    def execution(self, arn: str) -> Execution:
        """The current state of an execution."""
        return records.read(arn, REGION)

    def executions(self) -> list[Execution]:
        """Every execution of the stack, in order of start."""
        return [self.execution(arn) for arn in records.arns(REGION)]

    def invoke(self, function: str, event: Any) -> Invocation:
        """Call a function by its logical id and wait in virtual time for its end."""
        return self.host.invoke(self.function(function), json.dumps(event))

    def function(self, logical_id: str) -> Function:
        """A deployed function."""
        return self.stack.function(self.stack.physical_id(logical_id))

    def client(self, service: str) -> Any:
        """A boto3 client of the simulated account."""
        return account.client(service, REGION)

    def table_name(self, logical_id: str | None = None) -> str:
        """The name of a table; the logical id may be omitted if there is only one."""
        return self.stack.only("AWS::DynamoDB::Table", logical_id)

    def _begin(self) -> None:
        enter = self._open.enter_context
        enter(surroundings.separated())
        enter(surroundings.with_variables(CREDENTIALS))
        enter(account.simulated(self.seed))
        enter(clock_of(self.scheduler))
        patches = enter(Patches())
        corrections.apply(patches, self.scheduler, self._status_changed, self._table_call)
        enter(_seeded(self.seed))
        self._stack = deploy(self._template, self._parameters, self.client)
        enter(_set_aside())
        functions.apply(patches, self.host, self._stack.source)
        rules.apply(patches, self._call_from_rule)
        self._open.callback(self.scheduler.close)
        self._serve_layers()

    def _serve_layers(self) -> None:
        """Put the layers on the import path and give the engine's runtime to the functions' wiring."""
        for folder in self.stack.layers:
            if str(folder) not in sys.path:
                sys.path.insert(0, str(folder))
        if importlib.util.find_spec("repeg") and importlib.util.find_spec("repeg.wiring"):
            wiring = importlib.import_module("repeg.wiring")
            wiring.use(self.runtime)
            self._open.callback(wiring.use, None)

    def _status_changed(self, execution: Any) -> None:
        record = records.record(execution)
        self._events_sent += 1
        event = status_change(record, execution.state_machine_arn, ACCOUNT, REGION, self._events_sent)
        for listener in self.on_status_change:
            listener(record)
        rules.put_event(event, REGION)

    def _call_from_rule(self, arn: str, payload: str) -> None:
        self.host.invoke_event(self.stack.function(arn), payload)

    def _table_call(self, operation: str) -> None:
        self.scheduler.checkpoint()
        for listener in self.before_table_call:
            listener(operation)

    def _refuse_stuck(self) -> None:
        stuck = [execution for execution in self.executions() if execution.status == "RUNNING"]
        if stuck:
            where = ", ".join(f"{execution.name} in {execution.states[-1:]}" for execution in stuck)
            raise StuckExecution(f"still running at {self.scheduler.now().isoformat()} with nothing pending: {where}")


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the module random, from which the interpreter draws its retries' jitter, and restore it afterwards."""
    before = random.getstate()
    random.seed(f"jitter {seed}")
    try:
        yield
    finally:
        random.setstate(before)


@contextmanager
def _set_aside() -> Iterator[None]:
    """Exempt everything loaded so far from garbage collection, and collect less often.

    A turn makes tens of thousands of objects that its end frees without the collector.
    """
    keep_freed_memory()
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
