"""What a run uses of AWS and of the broker, and what that costs: an estimate, from what its steps know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from repeg.domain.amount import Amount
from repeg.domain.frozen import Frozen

# An execution's history has so many events for a state of each type, and three transitions are billed for each turn:
# those of its Wait, its Task and its Choice. Retries are not in it: a step does not know of them.
_TASK, _OTHER = 5, 2
_ENDS = 2

# The steps that a Choice follows, and those that come after a Wait. A session is checked before it is waited for.
_CHOICES = ("CheckSession", "RepegOrders", "CloseRun")


class Prices(Frozen):
    """List prices of one region in dollars, as of a date, and the memory of the stack's functions."""

    of: date
    region: str
    transition: Decimal
    gigabyte_second: Decimal
    invocation: Decimal
    gigabytes: Decimal


PRICES = Prices(
    of=date(2026, 11, 22),
    region="us-east-1",
    transition=Decimal("0.000025"),
    gigabyte_second=Decimal("0.0000166667"),
    invocation=Decimal("0.0000002"),
    gigabytes=Decimal("0.5"),
)
"""Standard workflows, Lambda on x86 and its requests; free tiers are not taken off. The table, the journal, logs and
alarms are not in it: docs/operations.md has them."""


class Used(Frozen):
    """What the steps of a run have used so far: invocations by function, the time that they took, and the requests of
    trading and of data that were answered."""

    steps: Mapping[str, int] = {}
    milliseconds: int = 0
    trading_requests: int = 0
    data_requests: int = 0


class Usage(Frozen):
    """The estimate in a report: what was used until the report was written, and its dollars at `prices`, in words."""

    steps: int
    milliseconds: int
    trading_requests: int
    data_requests: int
    transitions: int
    history_events: int
    dollars: Amount
    prices: str


def usage_of(used: Used, prices: Prices = PRICES) -> Usage:
    """The estimate from what the steps have used."""
    tasks = sum(used.steps.values())
    others = _others(used.steps)
    transitions = tasks + others
    return Usage(
        steps=tasks,
        milliseconds=used.milliseconds,
        trading_requests=used.trading_requests,
        data_requests=used.data_requests,
        transitions=transitions,
        history_events=_TASK * tasks + _OTHER * others + _ENDS,
        dollars=dollars(transitions, used.milliseconds, tasks, prices),
        prices=f"list prices of {prices.region} on {prices.of.isoformat()}",
    )


def dollars(transitions: int, milliseconds: int, invocations: int, prices: Prices = PRICES) -> Decimal:
    """What so many transitions and invocations, and so much time of the functions, cost."""
    seconds = Decimal(milliseconds) / 1_000
    whole = transitions * prices.transition + seconds * prices.gigabytes * prices.gigabyte_second
    return (whole + invocations * prices.invocation).quantize(Decimal("0.0001"))


def _others(steps: Mapping[str, int]) -> int:
    """The states beside the tasks: the first Pass and the last Succeed, choices, and waits for session and market."""
    choices = sum(steps.get(name, 0) for name in _CHOICES)
    return 2 + choices + max(0, steps.get("CheckSession", 0) - 1) + steps.get("RepegOrders", 0)
