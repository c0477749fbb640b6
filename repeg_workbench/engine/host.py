"""Runs the stack's functions as Lambda does: loaded once, called with JSON, with timeouts and Lambda's own errors."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any
from uuid import UUID  # noqa: TID251 - of a number

from repeg_workbench.engine import surroundings
from repeg_workbench.engine.invocation import Context, Function, Invocation
from repeg_workbench.engine.scheduler import Killed, Scheduler

__all__ = ["Context", "Function", "Host", "Invocation", "PayloadTooLarge"]

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
RETRIES_OF_EVENTS = (60, 120)


class PayloadTooLarge(ValueError):
    """The request exceeds Lambda's limit."""


class Host:
    """Calls functions. The hooks `before_invoke` and `after_invoke` may inspect, delay, kill or repeat an invocation.

    `before_invoke` runs in the invocation's own thread before the handler; `after_invoke` runs after every invocation,
    failed ones included. Unlike on AWS, concurrent calls of one function share its module.
    """

    def __init__(self, scheduler: Scheduler, environment: dict[str, str]) -> None:
        self.before_invoke: list[Callable[[Invocation], None]] = []
        self.after_invoke: list[Callable[[Invocation], None]] = []
        self.invocations: list[Invocation] = []
        self._scheduler = scheduler
        self._environment = environment
        self._modules: dict[str, ModuleType] = {}
        self._processes: dict[str, dict[str, str]] = {}

    def invoke(self, function: Function, payload: str) -> Invocation:
        """Call a function with JSON and wait for its end; the payload is its answer or Lambda's error, as JSON."""
        if len(payload.encode()) > MAX_PAYLOAD_BYTES:
            raise PayloadTooLarge(f"{function.name}: the request is larger than {MAX_PAYLOAD_BYTES} bytes")
        invocation = self._begin(function, payload)
        # Detached, because the function and its timeout continue even if the caller is killed or gives up.
        self._scheduler.spawn_apart(lambda: self._supervise(invocation)).result()
        return invocation

    def invoke_event(self, function: Function, payload: str) -> None:
        """Call a function asynchronously, as EventBridge does; failures are retried after one and two minutes."""

        def deliver() -> None:
            for pause in (*RETRIES_OF_EVENTS, None):
                if self.invoke(function, payload).error is None or pause is None:
                    return
                self._scheduler.sleep(pause)

        self._scheduler.spawn_apart(deliver)

    def repeat(self, invocation: Invocation) -> None:
        """Deliver the same event a second time, concurrently, as Lambda may; its answer is discarded."""
        again = self._begin(invocation.function, json.dumps(invocation.event))
        self._scheduler.spawn_apart(lambda: self._supervise(again))

    def recycle(self, function_name: str) -> None:
        """Discard a function's process, so that its next call is a cold start."""
        self._modules.pop(function_name, None)
        self._processes.pop(function_name, None)

    def _begin(self, function: Function, payload: str) -> Invocation:
        number = len(self.invocations) + 1
        invocation = Invocation(function, json.loads(payload), str(UUID(int=number)), number, self._scheduler.now_ns)
        self.invocations.append(invocation)
        return invocation

    def _supervise(self, invocation: Invocation) -> None:
        function = invocation.function
        invocation.started_ns = self._scheduler.now_ns
        invocation.thread = thread = self._scheduler.spawn(lambda: self._run(invocation))
        in_time = thread.join(function.timeout)
        if not in_time:
            thread.kill()
            said = f"Task timed out after {function.timeout}.00 seconds"
            _fail(invocation, "Sandbox.Timedout", f"RequestId: {invocation.request_id} Error: {said}")
        elif thread.was_killed:
            said = "Runtime exited with error: signal: killed"
            _fail(invocation, "Runtime.ExitError", f"RequestId: {invocation.request_id} Error: {said}")
        if thread.was_killed:
            self.recycle(function.name)
        for look in self.after_invoke:
            look(invocation)
        invocation.thread = None

    def _run(self, invocation: Invocation) -> None:
        with surroundings.inside(self._process(invocation.function), invocation.written.append):
            for look in self.before_invoke:
                look(invocation)
            try:
                answer = self._handler(invocation.function)(invocation.event, self._context(invocation))
                self._answer(invocation, answer)
            except _Unusable as error:
                _fail(invocation, error.kind, str(error))
            except Killed:
                raise
            except SystemExit as error:
                said = f"RequestId: {invocation.request_id} Error: Runtime exited with error: exit status {error.code}"
                _fail(invocation, "Runtime.ExitError", said)
            except Exception as error:  # noqa: BLE001 - Lambda reports every exception of a handler
                _fail(invocation, type(error).__name__, str(error), _stack(error), invocation.request_id)

    def _answer(self, invocation: Invocation, answer: Any) -> None:
        try:
            payload = json.dumps(answer, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise _Unusable("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
        if len(payload.encode()) > MAX_PAYLOAD_BYTES:
            limit = MAX_PAYLOAD_BYTES
            said = f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
            raise _Unusable("Function.ResponseSizeTooLarge", said)
        invocation.payload = payload

    def _handler(self, function: Function) -> Callable[[Any, Any], Any]:
        module_name, _, name = function.handler.rpartition(".")
        module = self._modules.get(function.name)
        if module is None:
            module = self._modules[function.name] = _load(function, module_name)
        handler: Callable[[Any, Any], Any] | None = getattr(module, name, None)
        if handler is None:
            said = f"Handler '{name}' missing on module '{module_name}'"
            raise _Unusable("Runtime.HandlerNotFound", said)
        return handler

    def _process(self, function: Function) -> dict[str, str]:
        """The environment of the function's process: Lambda's variables, then the template's, then the engine's."""
        if function.name not in self._processes:
            self._processes[function.name] = {
                "AWS_LAMBDA_FUNCTION_NAME": function.name,
                "AWS_LAMBDA_FUNCTION_VERSION": function.version,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_REGION": function.region,
                "AWS_DEFAULT_REGION": function.region,
                # No X-Ray daemon runs here.
                "POWERTOOLS_TRACE_DISABLED": "true",
                "AWS_XRAY_SDK_ENABLED": "false",
                **function.environment,
                **self._environment,
            }
        return self._processes[function.name]

    def _context(self, invocation: Invocation) -> Context:
        function, scheduler = invocation.function, self._scheduler
        ends_ns = invocation.started_ns + function.timeout * 1_000_000_000
        day = scheduler.now().strftime("%Y/%m/%d")
        return Context(
            function_name=function.name,
            function_version=function.version,
            invoked_function_arn=function.arn,
            memory_limit_in_mb=str(function.memory),
            aws_request_id=invocation.request_id,
            log_group_name=f"/aws/lambda/{function.name}",
            log_stream_name=f"{day}/[{function.version}]{invocation.request_id.replace('-', '')}",
            remaining=lambda: max(0, (ends_ns - scheduler.now_ns) // 1_000_000),
        )


class _Unusable(Exception):
    """An error that the Lambda runtime reports, not the handler."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _fail(
    invocation: Invocation, kind: str, message: str, stack: list[str] | None = None, request_id: str | None = None
) -> None:
    report: dict[str, Any] = {"errorMessage": message, "errorType": kind}
    if request_id is not None:
        report["requestId"] = request_id
    if stack is not None:
        report["stackTrace"] = stack
    invocation.error, invocation.payload = kind, json.dumps(report, ensure_ascii=False)


def _stack(error: Exception) -> list[str]:
    """The stack trace below the handler, as the Lambda runtime reports it."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    return traceback.format_list(frames)


def _load(function: Function, module_name: str) -> ModuleType:
    """Import the function's file under a unique name, because every function's module is called `app`."""
    path = function.folder / f"{module_name.replace('.', os.sep)}.py"
    name = f"function_{function.name.replace('-', '_')}_{module_name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.exists():
        raise _Unusable("Runtime.ImportModuleError", f"Unable to import module '{module_name}': No such file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise _Unusable("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    return module
