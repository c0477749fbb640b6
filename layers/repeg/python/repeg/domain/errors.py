"""What can go wrong, named by what the state machine does about it.

RepegError
├── InvalidInput        the run is refused before any order; the message names field, value and what would be right
│   ├── InvalidPlan
│   ├── InvalidSettings
│   └── MarketClosed
├── RefusedRun          the input is sound, the world is not: kill switch, fenced epoch, stale date, a limit
│   └── BudgetSpent     a budget of orders or dollars has no room for one more
├── DuplicateRun        this run has been started before, by another execution
├── BrokerUnavailable   a read failed; nothing is known to have changed; try again
├── BrokerDenied        the broker refuses our keys or our account
├── StoreUnavailable    the table did not answer; try again
├── Conflict            a conditional write lost: somebody else has moved this row on
└── StillOpen           the closing step has not yet seen every order of ours closed; try again
"""

from __future__ import annotations


class RepegError(Exception):
    """Any failure that this program names itself."""


class InvalidInput(RepegError):
    """A value that somebody typed, and that must be put right before anything is sent."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        super().__init__(f"{field}: {_shown(value)} is not usable; {expected}")


class InvalidPlan(InvalidInput):
    """The plan cannot be executed as written."""


class InvalidSettings(InvalidInput):
    """A setting is unknown, out of range, or contradicts another."""


class MarketClosed(InvalidInput):
    """There is no core session on the trading date."""


class RefusedRun(RepegError):
    """The run may not trade: kill switch, fenced, stale, over a limit, or not armed."""


class BudgetSpent(RefusedRun):
    """A budget has no room for an order: that order is held, the run goes on."""


class DuplicateRun(RepegError):
    """Another execution owns this run."""


class BrokerUnavailable(RepegError):
    """A read from the broker failed; the world is as it was."""


class BrokerDenied(RepegError):
    """The broker does not accept our keys, or the account may not trade."""


class StoreUnavailable(RepegError):
    """The table did not answer in time; a write may or may not have happened."""


class Conflict(RepegError):
    """A conditional write lost its race; the row on the table is newer than ours."""


class StillOpen(RepegError):
    """An order of ours is not yet confirmed closed."""


def _shown(value: object) -> str:
    text = repr(str(value)) if not isinstance(value, (int, float)) else str(value)
    return text if len(text) <= 120 else text[:117] + "..."
