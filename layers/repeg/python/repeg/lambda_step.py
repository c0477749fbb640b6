"""The edge of a function: one logger, tracer and metrics, and the decorator that puts them round a step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
# Named here and not by the environment alone: whoever loads this module before a function's variables are there would
# otherwise have every step fail that counts something.
metrics = Metrics(namespace="repeg", service="repeg")
tracer = Tracer()

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def lambda_step(handler: Handler) -> Handler:
    """A handler with structured logs, metrics in its output and a trace that never holds its answer."""

    @functools.wraps(handler)
    def step(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        if "run_id" in event:
            logger.append_keys(run_id=event["run_id"])
        return handler(event, context)

    traced = tracer.capture_lambda_handler(step, capture_response=False, capture_error=False)
    return logger.inject_lambda_context(_measured(traced), clear_state=True)


def _measured(handler: Handler) -> Handler:
    """A handler whose metrics go out with it, also where it fails.

    The library's own decorator warns of a step that has counted nothing; here that is an ordinary step.
    """

    @functools.wraps(handler)
    def measured(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            return handler(event, context)
        finally:
            if metrics.metric_set:
                metrics.flush_metrics()

    return measured


def count(**counts: int) -> None:
    """Emit counts as metrics, named in CamelCase after their keywords; zeros are not worth a data point."""
    for name, value in counts.items():
        if value:
            metrics.add_metric(name=name.title().replace("_", ""), unit=MetricUnit.Count, value=value)
