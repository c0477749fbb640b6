"""The edge of a function: its logger, tracer and metrics, and the decorator that parses payloads and dumps answers."""

from __future__ import annotations

import functools
import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from repeg.domain.errors import InvalidInput, expectation
from repeg.domain.frozen import Frozen

logger = Logger()
# Set here because the environment may not be loaded when this module is imported.
metrics = Metrics(namespace="repeg", service="repeg")
tracer = Tracer()

# Counts of the step that is running. They are added up here, because the library emits a metric by itself after a
# hundred values, without the dimension of the stack; and under a lock, because orders are worked concurrently.
_counts: Counter[str] = Counter()
_counting = threading.Lock()

# Called when a step has ended: with its function's name, the invocation's id, and the seconds left of its time limit.
Flush = Callable[[str, str, float], None]
_flushes: list[Flush] = []

# Called when a step of a run has ended: with the run's id, its function's name and the seconds that it took.
Use = Callable[[str, str, float], None]
_uses: list[Use] = []

# The functions whose invocations are steps of a run.
_STEPS = frozenset(
    {
        "OpenRun", "CheckSession", "PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders", "CloseRun",
        "SweepOrders",
    }
)  # fmt: skip

Payload = TypeVar("Payload", bound=Frozen)
Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def lambda_step(handler: Callable[[Payload, LambdaContext], Frozen]) -> Handler:
    """A Lambda handler from a step that takes a payload model and returns an answer model.

    The payload's model is the annotation of the handler's first parameter. Adds structured logs, metrics, and a trace
    that never contains the answer. Raises InvalidInput for a payload that does not fit its model.
    """
    payload_model = next(iter(get_type_hints(handler).values()))

    @functools.wraps(handler)
    def step(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        if "run_id" in event:
            logger.append_keys(run_id=event["run_id"])
        return handler(_parsed(payload_model, event), context).model_dump(mode="json")

    traced = tracer.capture_lambda_handler(step, capture_response=False, capture_error=False)
    return logger.inject_lambda_context(_measured(traced), clear_state=True)


def count(metric: str, value: int) -> None:
    """Add to a count, which the end of the step emits as a metric; a zero is not worth a data point."""
    if value:
        with _counting:
            _counts[metric] += value


def measure(metric: str, value: float) -> None:
    """Emit a figure that is not a count, once in a step."""
    metrics.add_metric(name=metric, unit=MetricUnit.NoUnit, value=value)


def flush_at_end(*flushes: Flush) -> None:
    """Call these at the end of every step from now on, also of one that fails, in this order."""
    _flushes[:] = flushes


def use_at_end(*uses: Use) -> None:
    """Call these at the end of every step of a run from now on, also of one that fails."""
    _uses[:] = uses


def flush_now(context: LambdaContext) -> None:
    """Flush the journal and the news; at a step's end before the metrics, because the journal counts what it loses."""
    for flush in _flushes:
        flush(_name(context), context.aws_request_id, context.get_remaining_time_in_millis() / 1_000)


def discard_counts() -> None:
    """Forget what has been counted and not emitted."""
    with _counting:
        _counts.clear()
    metrics.clear_metrics()


def _parsed(model: type[Payload], event: dict[str, Any]) -> Payload:
    try:
        return model.model_validate(event)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(["payload", *map(str, first["loc"])])
        raise InvalidInput(field, first["input"], expectation(first["msg"])) from None


def _measured(handler: Handler) -> Handler:
    """A handler whose metrics are emitted even if it fails.

    The library's own decorator warns about steps without metrics, which are normal here.
    """

    @functools.wraps(handler)
    def measured(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        began, answer = context.get_remaining_time_in_millis(), dict[str, Any]()
        try:
            answer = handler(event, context)
            return answer
        finally:
            flush_now(context)
            _record_use(event, answer, context, began)
            _add_counts()
            if metrics.metric_set:
                # Two stacks of one account would otherwise share a series.
                stack = os.environ.get("STACK_NAME") or "none"  # noqa: TID251 - the edge of a function
                metrics.add_dimension("stack", stack)
                metrics.flush_metrics()

    return measured


def _record_use(event: dict[str, Any], answer: dict[str, Any], context: LambdaContext, began: int) -> None:
    """Record what a step of a run took. OpenRun and the sweep learn in their answer which run it was about; an estimate
    before a start is none."""
    run_id, name = event.get("run_id") or answer.get("run_id"), _name(context)
    if run_id and name in _STEPS and not event.get("estimate"):
        for use in _uses:
            use(str(run_id), name, (began - context.get_remaining_time_in_millis()) / 1_000)


def _name(context: LambdaContext) -> str:
    """The function's logical id: CloudFormation names it by its stack, its logical id and random letters."""
    stack = os.environ.get("STACK_NAME") or ""  # noqa: TID251 - the edge of a function
    return context.function_name.removeprefix(f"{stack}-").partition("-")[0]


def _add_counts() -> None:
    with _counting:
        for name, value in sorted(_counts.items()):
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        _counts.clear()
