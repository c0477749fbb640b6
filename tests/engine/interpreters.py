"""moto with a chosen set of corrections, to test that each is still needed and that it works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from repeg_workbench.engine import surroundings
from repeg_workbench.engine.clock import clock_of
from repeg_workbench.engine.engine import CREDENTIALS, REGION
from repeg_workbench.engine.moto_corrections import account, corrections, threads
from repeg_workbench.engine.moto_corrections.patches import Patches
from repeg_workbench.engine.scheduler import Scheduler
from tests.engine.stacks import START

Correct = Callable[[Patches, Scheduler], Any]


@dataclass
class Interpreter:
    """An empty account and its scheduler."""

    scheduler: Scheduler

    def client(self, service: str) -> Any:
        """A client of the account."""
        return account.client(service, REGION)

    def start(self, definition: dict[str, Any], given: Any = None, name: str = "run") -> str:
        """Create a state machine and start it; returns the execution's ARN."""
        states = self.client("stepfunctions")
        role = f"arn:aws:iam::{'1' * 12}:role/machine"
        machine = states.create_state_machine(name=f"machine-{name}", definition=json.dumps(definition), roleArn=role)
        started = states.start_execution(
            stateMachineArn=machine["stateMachineArn"], name=name, input=json.dumps({} if given is None else given)
        )
        return str(started["executionArn"])

    def run(self, definition: dict[str, Any], given: Any = None) -> dict[str, Any]:
        """Run a state machine to its end; returns the answer of DescribeExecution."""
        arn = self.start(definition, given)
        self.scheduler.run()
        described: dict[str, Any] = self.client("stepfunctions").describe_execution(executionArn=arn)
        return described

    @property
    def seconds(self) -> float:
        """Virtual seconds since the start."""
        return (self.scheduler.now() - START) / timedelta(seconds=1)


@contextmanager
def moto(*chosen: Correct) -> Iterator[Interpreter]:
    """moto on virtual threads with the chosen corrections alone."""
    scheduler = Scheduler(START)
    with ExitStack() as opened:
        opened.enter_context(surroundings.with_variables(CREDENTIALS))
        opened.enter_context(account.simulated(1))
        opened.enter_context(clock_of(scheduler))
        patches = opened.enter_context(Patches())
        threads.apply(patches, scheduler)
        for correct in chosen:
            correct(patches, scheduler)
        opened.callback(scheduler.close)
        yield Interpreter(scheduler)


def everything(patches: Patches, scheduler: Scheduler) -> None:
    """All corrections."""
    corrections.apply(patches, scheduler, lambda execution: None, lambda operation: None)
