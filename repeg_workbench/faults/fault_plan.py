"""Which fault strikes which call: seeded, a different handful of kinds for every seed, and over after a while."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from repeg_workbench.faults.seeded_days import Day


class Fault(StrEnum):
    """What can happen to one call over a port."""

    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    FREEZE_BEFORE = "freeze_before"
    FREEZE_AFTER = "freeze_after"
    LOST_BEFORE = "lost_before"
    LOST_AFTER = "lost_after"
    LATE = "late"
    REFUSED_FOR_NOW = "refused_for_now"
    STALE = "stale"


class Mishap(StrEnum):
    """What can happen to the workflow as a whole."""

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


SENDS = frozenset({"submit", "replace"})
FOCI = (SENDS, SENDS | {"write_intent", "save_order"}, frozenset({"cancel", "order"}))
FOCUSED_RATE = 0.4
WRITES = frozenset({"submit", "cancel", "replace"})
MOST_FAULTS = 40
LAST_MINUTES = timedelta(seconds=45)


class Swarm:
    """Draws faults for calls. Every seed enables its own few kinds, so that rare pairs are met as often as others."""

    def __init__(self, day: Day, ends: datetime, *, quiet: bool = False) -> None:
        self._chance = Random(f"swarm {day.seed}")
        self._ends = ends
        self.injected: Counter[str] = Counter()
        self.calls = 0
        self._struck = 0
        count = 0 if quiet else self._chance.randint(0, 4)
        self._kinds = self._chance.sample(list(Fault), count)
        self._rate = self._chance.choice((0.002, 0.01, 0.03, 0.1))
        # In some seeds the faults strike the writes alone, and often: that is where orders are lost and doubled.
        self._focus = frozenset[str]() if self._chance.random() < 0.6 else self._chance.choice(FOCI)
        mishaps = 0 if quiet else self._chance.choice((0, 1, 1, 2, 3))
        self.mishaps = frozenset(self._chance.sample(list(Mishap), mishaps))
        if Mishap.DUPLICATE_INVOCATION in self.mishaps:
            # Two at once are dangerous when one of them is slow: it writes down what was true a turn ago.
            self._kinds += [Fault.FREEZE_BEFORE, Fault.FREEZE_AFTER]
            self._rate = max(self._rate, 0.03)

        if Mishap.ABORT in self.mishaps:
            # An abort is worst while an order is on its way: written down, not yet seen by the broker.
            self._kinds += [Fault.FREEZE_BEFORE, Fault.LATE]
            self._focus = SENDS

        self._begins = datetime.min.replace(tzinfo=ends.tzinfo)
        if day.is_chased_to_the_end and not quiet:
            # What is late at the very end arrives when nobody expects an order; nothing may end the day sooner.
            self.mishaps = frozenset()
            self._kinds, self._focus = [Fault.LATE, Fault.LATE, Fault.FREEZE_BEFORE], SENDS
            self._begins = ends - LAST_MINUTES
        elif day.settings.get("use_replace") and self._kinds and self._chance.random() < 0.5:
            # A replace is worst where it is not known whether it was one.
            self._kinds += [Fault.LATE, Fault.LOST_AFTER]

    def draw(self, port: str, name: str, now: datetime) -> Fault | None:
        """The fault of this call, or None; writes are struck more often than reads, for there it hurts."""
        self.calls += 1
        if not self._kinds or not self._begins <= now < self._ends or self._struck >= MOST_FAULTS:
            return None
        if self._chance.random() >= self._likelihood(name):
            return None
        fault = self._chance.choice(self._kinds)
        if not _fits(fault, port, name):
            return None
        self._struck += 1
        self.count(f"{fault} {port}.{name}")
        return fault

    def _likelihood(self, name: str) -> float:
        if name == "replace":
            return FOCUSED_RATE  # there are few of them, and much to go wrong with each
        if self._focus:
            return FOCUSED_RATE if name in self._focus else 0.0
        return self._rate * (3 if _is_write(name) else 1)

    def count(self, what: str) -> None:
        """Count something injected."""
        self.injected[what] += 1

    def within(self, low: float, high: float) -> float:
        """A seeded number of seconds."""
        return self._chance.uniform(low, high)

    def seconds(self, low: int, high: int) -> int:
        """A seeded whole number of seconds."""
        return self._chance.randint(low, high)


def _is_write(name: str) -> bool:
    return name in WRITES or name.startswith(("write", "save", "claim", "book", "add", "take", "set"))


def _fits(fault: Fault, port: str, name: str) -> bool:
    if fault is Fault.LATE:
        return name in WRITES
    if fault is Fault.REFUSED_FOR_NOW:
        return (port == "broker" and name in WRITES) or (port == "store" and _is_write(name))
    if fault is Fault.STALE:
        return name in {"quotes", "open_orders", "order"}
    return True
