"""The time of a turn within its run's window."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property

from pydantic import AwareDatetime

from repeg.domain.frozen import Frozen

# The close is near when this many turns are left: one to cross, one to read the result.
LAST_TURNS = 2


class Moment(Frozen):
    """The time of a turn, the end of the run's window, and the period of turns in seconds."""

    now: AwareDatetime
    closes: AwareDatetime
    turn_seconds: int

    def at(self, now: datetime) -> Moment:
        """This moment at another time."""
        return self.model_copy(update={"now": now})

    @cached_property
    def close_is_near(self) -> bool:
        """Whether only the last turns are left."""
        return self.closes - self.now <= timedelta(seconds=LAST_TURNS * self.turn_seconds)

    def is_within(self, minutes: int) -> bool:
        """Whether at most so many minutes of the window are left, or only the last turns."""
        return self.close_is_near or self.closes - self.now <= timedelta(minutes=minutes)
