"""Errors, named by what the state machine does about them.

RepegError
├── InvalidInput        the run is refused before any order; the message names the field, its value and what is expected
│   ├── InvalidPlan
│   ├── InvalidSettings
│   └── MarketClosed
├── RefusedRun          the input is valid, but the run may not trade: kill switch, fenced epoch, other date, a limit
│   └── BudgetSpent     a budget of orders or dollars is exhausted
├── DuplicateRun        another execution has started this run before
├── BrokerUnavailable   a read failed and nothing is known to have changed; retry
├── BrokerDenied        the broker refuses our keys or our account
│   └── KeysMissing     the stack has no keys yet: its secret still holds the placeholder of the first deploy
├── StoreUnavailable    the table did not answer; retry
│   └── UnreadableRow   a stored row does not fit this release; a retry reads the same row
├── Conflict            a conditional write failed: the row has been changed since it was read
└── StillOpen           the closing step has not yet seen every order of the run closed; retry
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Self


class RepegError(Exception):
    """Any error of this program's own."""


class InvalidInput(RepegError):
    """Invalid user input; nothing has been sent."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        fault = "is missing" if value is None else f"{_shown(value)} is not valid"
        super().__init__(f"{field}: {fault}; expected {expected}")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled with its fields: an error crosses from one process of a simulation to another."""
        return _restored, (type(self), self.field, self.value, self.expected, self.args)

    @classmethod
    def unknown_name(cls, where: str, name: str, value: object, known: Sequence[str]) -> Self:
        """The error for a name that does not exist in `where`, with the closest existing name as a suggestion."""
        close = difflib.get_close_matches(name.lower(), known, n=1)
        expected = f"one of {', '.join(known)}"
        error = cls(f"{where}.{name}", value, expected)
        hint = f"did you mean {close[0]}?" if close else f"expected {expected}"
        error.args = (f"{where}.{name}: unknown name, given {_shown(value)}; {hint}",)
        return error


class InvalidPlan(InvalidInput):
    """The plan cannot be executed as written."""


class InvalidSettings(InvalidInput):
    """A setting is unknown, out of range, or contradicts another."""


class MarketClosed(InvalidInput):
    """There is no core session on the trading date, or it is over."""


class RefusedRun(RepegError):
    """The run may not trade: kill switch, fenced, out of date, or over a limit."""


class BudgetSpent(RefusedRun):
    """A budget has no room for an order: that order is held, the run continues."""


class DuplicateRun(RepegError):
    """Another execution owns this run."""


class BrokerUnavailable(RepegError):
    """A read from the broker failed; nothing has changed."""


class BrokerDenied(RepegError):
    """The broker does not accept our keys, or the account may not trade."""


class KeysMissing(BrokerDenied):
    """The secret still holds the placeholder of the first deploy; nothing was asked of the broker."""


class StoreUnavailable(RepegError):
    """The table did not answer in time; a write may or may not have happened."""


class UnreadableRow(StoreUnavailable):
    """A stored row that this release cannot read."""


class Conflict(RepegError):
    """A conditional write failed: the stored row is newer than ours."""


class StillOpen(RepegError):
    """An order of the run is not confirmed closed yet."""


def _restored(
    kind: type[InvalidInput], field: str, value: object, expected: str, args: tuple[object, ...]
) -> InvalidInput:
    error = kind(field, value, expected)
    error.args = args
    return error


def expectation(message: str) -> str:
    """What a validation message of pydantic's expects, as the end of `expected ...`."""
    return message.removeprefix("Input should be ").removeprefix("Value error, ").removesuffix(".")


def _shown(value: object) -> str:
    """A value as its user wrote it: JSON, but text in single quotes."""
    if value is None or isinstance(value, (bool, int, float, list, tuple, Mapping)):
        text = json.dumps(value, default=str)
    else:
        text = repr(str(value))
    return text if len(text) <= 120 else text[:117] + "..."
