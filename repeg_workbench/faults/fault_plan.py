"""The faults of one seed: which calls over a port fail and how, and what happens to the workflow as a whole.

A *port fault* affects one call over a port. A *workflow fault* affects the run. Transport faults, broker quirks and
races are the simulated broker's own and live in `repeg_workbench.exchange`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from repeg_workbench.faults.seeded_days import Day
from repeg_workbench.faults.varied_listening import listens


class PortFault(StrEnum):
    """A fault of one call over a port."""

    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    FREEZE_BEFORE = "freeze_before"
    FREEZE_AFTER = "freeze_after"
    LOST_BEFORE = "lost_before"
    LOST_AFTER = "lost_after"
    LATE = "late"
    REFUSED_FOR_NOW = "refused_for_now"
    STALE = "stale"


class WorkflowFault(StrEnum):
    """A fault of the workflow as a whole."""

    DUPLICATE_START = "duplicate_start"
    DUPLICATE_INVOCATION = "duplicate_invocation"
    THROTTLED = "throttled"
    ABORT = "abort"
    LOST_EVENT = "lost_event"
    REDRIVE = "redrive"
    KILL_HALT = "kill_halt"
    KILL_CANCEL = "kill_cancel"
    KEYS_ROTATED = "keys_rotated"
    BROKER_OUTAGE = "broker_outage"
    STORE_OUTAGE = "store_outage"
    EARLY_WAKE = "early_wake"
    LATE_START = "late_start"
    OTHER_RELEASE = "other_release"
    BUS_OUTAGE = "bus_outage"
    DEPLOYED = "deployed"
    """A deployment of changed settings; the runs that are open keep theirs."""


# The kill switch is set to `active` again: follows one that was set, and is not drawn by itself.
KILL_LIFTED = "kill_lifted"

SENDS = frozenset({"submit", "replace"})
FOCI = (SENDS, SENDS | {"write_intent", "save_order"}, frozenset({"cancel", "order"}))
FOCUSED_RATE = 0.4
WRITES = frozenset({"submit", "cancel", "replace"})
MOST_FAULTS = 40
LAST_MINUTES = timedelta(seconds=45)

# In some seeds the faults go on while the run closes, or until after the session.
AFTER_THE_WINDOW = (timedelta(minutes=10), timedelta(hours=4))
GOES_ON = 0.3

# Seconds that a late request is on its way and that a frozen function sleeps. The program's own limits are a minute for
# the one and two minutes for the other; in some seeds both are longer.
USUAL_LATENESS, USUAL_FREEZE = (1, 59), (1, 120)
LONG_LATENESS, LONG_FREEZE = (30, 400), (60, 600)
# A step that polls is ended by its own limit, and its freeze with it. One that listens has a limit of eleven minutes:
# its usual freeze is as short as the other's is made, or such a day would do nothing else.
LISTENING_FREEZE = (1, 50)
IS_LONG = 0.2


class FaultPlan:
    """Draws faults for calls. Each seed enables a few kinds, so that rare combinations are tested as often as others.

    Faults strike until `ends`, in some seeds longer, and never after `last`.
    `workflow_faults` are the seed's workflow faults; `workflow_faults.py` carries them out.
    """

    def __init__(
        self, day: Day, ends: datetime, last: datetime, *, quiet: bool = False, without: frozenset[str] = frozenset()
    ) -> None:
        self.is_quiet, self._without, self._seed = quiet, without, day.seed
        self._dice: dict[str, Random] = {}
        self._chance = Random(f"swarm {day.seed}")  # another text would change every published seed
        length = Random(f"length {day.seed}")
        goes_on = length.random() < GOES_ON and not day.is_chased_to_the_end
        self._ends = min(ends + length.choice(AFTER_THE_WINDOW), last) if goes_on else ends
        is_long = length.random() < IS_LONG and not day.is_chased_to_the_end
        self.lateness, self.freeze = (LONG_LATENESS, LONG_FREEZE) if is_long else (USUAL_LATENESS, USUAL_FREEZE)
        if listens(day) and self.freeze == USUAL_FREEZE:
            self.freeze = LISTENING_FREEZE
        self.injected: Counter[str] = Counter()
        self.on_strike: list[Callable[[], None]] = []
        self.calls = 0
        self._struck = 0
        count = 0 if quiet else self._chance.randint(0, 4)
        self._kinds = self._chance.sample(list(PortFault), count)
        self._rate = self._chance.choice((0.002, 0.01, 0.03, 0.1))
        # In some seeds faults strike only writes, and often: there orders are lost or sent twice.
        self._focus = frozenset[str]() if self._chance.random() < 0.6 else self._chance.choice(FOCI)
        count = 0 if quiet else self._chance.choice((0, 1, 1, 2, 3))
        self.workflow_faults = frozenset(self._chance.sample(list(WorkflowFault), count))
        self._suit_workflow_faults()
        self._begins = datetime.min.replace(tzinfo=ends.tzinfo)
        if day.is_chased_to_the_end and not quiet:
            # A request sent just before the close arrives after it; no workflow fault may end the day sooner.
            self.workflow_faults = frozenset()
            self._kinds, self._focus = [PortFault.LATE, PortFault.LATE, PortFault.FREEZE_BEFORE], SENDS
            self._begins = ends - LAST_MINUTES
        elif day.settings.get("use_replace") and self._kinds and self._chance.random() < 0.5:
            # A replace is worst when its outcome is unknown.
            self._kinds += [PortFault.LATE, PortFault.LOST_AFTER]
        self.workflow_faults -= without

    def _suit_workflow_faults(self) -> None:
        """Add the faults of ports with which the seed's workflow faults are worst."""
        if WorkflowFault.DUPLICATE_INVOCATION in self.workflow_faults:
            # Concurrent invocations are dangerous when one is slow: it writes what was true one turn earlier.
            self._kinds += [PortFault.FREEZE_BEFORE, PortFault.FREEZE_AFTER]
            self._rate = max(self._rate, 0.03)
        if WorkflowFault.LOST_EVENT in self.workflow_faults:
            # The event of an execution that has closed its run itself is not missed.
            self.workflow_faults |= {WorkflowFault.ABORT}
        if WorkflowFault.ABORT in self.workflow_faults:
            # An abort is worst while an order is in flight: its intent is written, the broker has not seen it.
            self._kinds += [PortFault.FREEZE_BEFORE, PortFault.LATE]
            self._focus = SENDS

    @property
    def ends(self) -> datetime:
        """When the last fault may strike."""
        return self._ends

    def draw(self, port: str, name: str, now: datetime) -> PortFault | None:
        """The fault of this call, or None. Writes are struck more often than reads."""
        self.calls += 1
        if not self._kinds or not self._begins <= now < self._ends or self._struck >= MOST_FAULTS:
            return None
        if self._chance.random() >= self._likelihood(name):
            return None
        fault = self._chance.choice(self._kinds)
        if not _fits(fault, port, name) or fault in self._without:
            return None
        self._struck += 1
        self.count(f"{fault} {port}.{name}")
        return fault

    def _likelihood(self, name: str) -> float:
        if name == "replace":
            return FOCUSED_RATE  # replaces are rare, and many things can go wrong with one
        if self._focus:
            return FOCUSED_RATE if name in self._focus else 0.0
        return self._rate * (3 if _is_write(name) else 1)

    def dice(self, name: str) -> Random:
        """Dice of one kind of fault, so that a day without it is otherwise the same."""
        return self._dice.setdefault(name, Random(f"{name} {self._seed}"))

    def leaves_out(self, kind: str) -> bool:
        """Whether a kind of fault is left out of this day."""
        return kind in self._without

    def count(self, what: str) -> None:
        """Count one injected fault."""
        self.injected[what] += 1

    def strike(self, what: str) -> None:
        """Count one injected fault that strikes the running invocation."""
        self.count(what)
        for listener in self.on_strike:
            listener()

    def within(self, low: float, high: float) -> float:
        """A seeded number of seconds."""
        return self._chance.uniform(low, high)

    def seconds(self, low: int, high: int) -> int:
        """A seeded whole number of seconds."""
        return self._chance.randint(low, high)


def _is_write(name: str) -> bool:
    return (
        name in WRITES or name == "publish" or name.startswith(("write", "save", "claim", "book", "add", "take", "set"))
    )


def _fits(fault: PortFault, port: str, name: str) -> bool:
    if fault is PortFault.LATE:
        return name in WRITES
    if fault is PortFault.REFUSED_FOR_NOW:
        return (port == "broker" and name in WRITES) or (port in {"store", "notifier"} and _is_write(name))
    if fault is PortFault.STALE:
        return name in {"quotes", "open_orders", "order", "executions", "account", "positions"}
    return True
