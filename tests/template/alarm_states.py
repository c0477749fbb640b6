"""Which of the deployed alarms a simulated day would have raised, from the metrics that the day has emitted."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from repeg_workbench.engine.engine import Engine
from repeg_workbench.engine.execution import Execution
from repeg_workbench.engine.invocation import Invocation

Series = tuple[str, str, tuple[tuple[str, str], ...]]
"""A namespace, a metric and its dimensions, sorted."""

STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Maximum": max}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
STATUSES = {"FAILED": "ExecutionsFailed", "ABORTED": "ExecutionsAborted", "TIMED_OUT": "ExecutionsTimedOut"}


@dataclass
class Metrics:
    """The data points of an engine's day: what the functions write, and what Lambda and Step Functions publish."""

    engine: Engine
    points: defaultdict[Series, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def listen(self) -> Metrics:
        """Collect from now on."""
        self.engine.host.after_invoke.append(self._invoked)
        self.engine.on_status_change.append(self._changed)
        return self

    def add(self, namespace: str, name: str, value: float, **dimensions: str) -> None:
        """Add a data point at the present time."""
        series = (namespace, name, tuple(sorted(dimensions.items())))
        self.points[series].append((self.engine.scheduler.now().timestamp(), value))

    def total(self, name: str) -> float:
        """The sum of one of the functions' own metrics, in the stack's series."""
        series = ("repeg", name, (("service", "repeg"), ("stack", "repeg")))
        return sum(value for _, value in self.points[series])

    def _invoked(self, invocation: Invocation) -> None:
        name = invocation.function.name
        took = (self.engine.scheduler.now_ns - invocation.started_ns) / 1_000_000
        self.add("AWS/Lambda", "Invocations", 1, FunctionName=name)
        self.add("AWS/Lambda", "Errors", int(invocation.error is not None), FunctionName=name)
        self.add("AWS/Lambda", "Duration", took, FunctionName=name)
        for line in invocation.log.splitlines():
            if '"_aws"' in line:
                self._written(json.loads(line))

    def _written(self, line: dict[str, Any]) -> None:
        for group in line["_aws"]["CloudWatchMetrics"]:
            dimensions = {name: line[name] for name in group["Dimensions"][0]}
            for metric in group["Metrics"]:
                for value in line[metric["Name"]]:
                    self.add(group["Namespace"], metric["Name"], value, **dimensions)

    def _changed(self, execution: Execution) -> None:
        if execution.status in STATUSES:
            self.add("AWS/States", STATUSES[execution.status], 1, StateMachineArn=self.engine.stack.machine())


def raised(metrics: Metrics) -> set[str]:
    """The logical ids of the alarms that have been raised, one of whose periods so far was past the threshold."""
    alarms = metrics.engine.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    return {alarm["AlarmName"].split("-")[1] for alarm in alarms if _is_raised(alarm, metrics)}


def messages(metrics: Metrics) -> dict[str, str]:
    """What each deployed alarm says, by its logical id."""
    alarms = metrics.engine.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    return {alarm["AlarmName"].split("-")[1]: alarm["AlarmDescription"] for alarm in alarms}


def _is_raised(alarm: dict[str, Any], metrics: Metrics) -> bool:
    queries = alarm.get("Metrics") or [{"Id": "result", "MetricStat": _plain(alarm)}]
    values = {query["Id"]: _by_period(query["MetricStat"], metrics) for query in queries if "MetricStat" in query}
    expression = next((query["Expression"] for query in queries if "Expression" in query), "result")
    period = next(query["MetricStat"]["Period"] for query in queries if "MetricStat" in query)
    now = metrics.engine.scheduler.now().timestamp()
    periods = sorted({at for series in values.values() for at in series})
    if alarm["TreatMissingData"] == "breaching":
        last = now // period
        periods = [last - back for back in range(alarm["EvaluationPeriods"])]
    crosses = COMPARISONS[alarm["ComparisonOperator"]]
    past = [crosses(_value(expression, values, at), float(alarm["Threshold"])) for at in periods]
    return all(past) if alarm["EvaluationPeriods"] > 1 else any(past)


def _plain(alarm: dict[str, Any]) -> dict[str, Any]:
    names = ("Namespace", "MetricName", "Dimensions")
    return {
        "Metric": {name: alarm[name] for name in names},
        "Period": alarm["Period"],
        "Stat": alarm["Statistic"],
    }


def _by_period(stat: dict[str, Any], metrics: Metrics) -> dict[float, float]:
    metric = stat["Metric"]
    dimensions = tuple(sorted((one["Name"], one["Value"]) for one in metric["Dimensions"]))
    periods: defaultdict[float, list[float]] = defaultdict(list)
    for at, value in metrics.points.get((metric["Namespace"], metric["MetricName"], dimensions), []):
        periods[at // stat["Period"]].append(value)
    return {at: STATISTICS[stat["Stat"]](found) for at, found in periods.items()}


def _value(expression: str, values: Mapping[str, Mapping[float, float]], at: float) -> float:
    """The expression in one period; a metric without data is zero, as all functions used here take it."""
    names = {name: series.get(at, 0.0) for name, series in values.items()}
    text = re.sub(r"METRICS\(\)", f"[{', '.join(names)}]", expression)
    functions = {"SUM": sum, "MAX": max, "FILL": lambda value, _: value}
    return float(eval(text, {"__builtins__": {}}, {**functions, **names}))  # noqa: S307 - the template's own text
