"""Probes: one row of the conformance list, what is expected of the broker, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.operate.conformance.bench import Bench, Delay

_DEFAULTS = BrokerQuirks()


class Outcome(StrEnum):
    """As the simulated exchange does by default, otherwise by a knob, otherwise altogether, or not seen."""

    SAME = "same"
    KNOB = "knob"
    DIFFERS = "DIFFERS"
    UNSEEN = "unseen"


@dataclass(frozen=True)
class Seen:
    """What a probe saw. `knobs` make the simulated exchange behave so, such as `pdt_fields=true`."""

    found: str
    outcome: Outcome
    knobs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """A row's number, what is expected, when it can be seen, and how to see it."""

    row: int
    expected: str
    look: Callable[[Bench], Seen]
    needs_session: bool = False


PROBES: list[Probe] = []


def probe(row: int, expected: str, *, needs_session: bool = False) -> Callable[[Callable[[Bench], Seen]], Any]:
    """Register a probe."""

    def register(look: Callable[[Bench], Seen]) -> Callable[[Bench], Seen]:
        PROBES.append(Probe(row, expected, look, needs_session))
        return look

    return register


def plain(found: str, *, is_expected: bool) -> Seen:
    """What a row without a knob showed."""
    return Seen(found, Outcome.SAME if is_expected else Outcome.DIFFERS)


def chosen(name: str, value: object, found: str) -> Seen:
    """A knob's value as seen."""
    if value == getattr(_DEFAULTS, name):
        return Seen(found, Outcome.SAME)
    return Seen(found, Outcome.KNOB, (f"{name}={_word(value)}",))


def timed(name: str, delay: Delay | None, what: str) -> Seen:
    """A delay as measured against a knob's range: another one is named only if the two cannot be reconciled."""
    if delay is None:
        return Seen(f"{what} was not seen in the time allowed", Outcome.DIFFERS)
    low, high = getattr(_DEFAULTS, name)
    found = f"{what} after {delay.low} to {delay.high} ms"
    if delay.low <= high and delay.high >= low:
        return Seen(found, Outcome.SAME)
    return Seen(found, Outcome.KNOB, (f"{name}={delay.low},{delay.high}",))


def unseen(why: str) -> Seen:
    """Nothing can be said about a row here."""
    return Seen(why, Outcome.UNSEEN)


def _word(value: object) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


KNOBS = frozenset(field.name for field in fields(BrokerQuirks))
