"""What happens to the workflow as a whole on a seed's day: each mishap strikes once, at a moment of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from repeg.domain.run import KillSwitch
from repeg_workbench.exchange.control.chaos import every_fault
from repeg_workbench.exchange.triggers import When
from repeg_workbench.faults.fault_plan import Mishap
from repeg_workbench.faults.walker import TaskFailed

if TYPE_CHECKING:
    from repeg_workbench.faults.world import World

# A late start, before the minutes that are drawn: inside the window, after it, on the next day.
LATENESS = (timedelta(0), timedelta(hours=2), timedelta(days=1))


class Outage(StrEnum):
    """What can be away for a while."""

    BROKER = "broker"
    STORE = "store"
    ROWS = "rows"
    """Rows that another release has written and this one cannot read, until the deploy is taken back."""


# The reads of the store that meet such rows.
ROW_READS = frozenset({"run", "run_of", "runs_on", "orders", "intents"})


class Mishaps:
    """The mishaps of one seed's world."""

    def __init__(self, world: World) -> None:
        self._world, self._scheduler, self._swarm = world, world.scheduler, world.swarm

    def plan(self, given: dict[str, Any]) -> None:
        """Have each of the seed's mishaps happen at a moment of its own."""
        acts: dict[Mishap, Callable[[], None]] = {
            Mishap.DUPLICATE_START: lambda: self._world.start("again", given),
            Mishap.REDRIVE: lambda: self._redrive(given),
            Mishap.KILL_HALT: lambda: self._kill(KillSwitch.HALT_NEW),
            Mishap.KILL_CANCEL: lambda: self._kill(KillSwitch.CANCEL_ALL),
            Mishap.KEYS_ROTATED: self._rotate_keys,
            Mishap.BROKER_OUTAGE: lambda: self._outage(Outage.BROKER),
            Mishap.STORE_OUTAGE: lambda: self._outage(Outage.STORE),
            Mishap.OTHER_RELEASE: lambda: self._outage(Outage.ROWS),
        }
        for mishap in sorted(self._swarm.mishaps & set(acts)):
            self._scheduler.spawn_apart(partial(self._later, acts[mishap], mishap))
        if Mishap.ABORT in self._swarm.mishaps:
            self._scheduler.spawn_apart(self._abort)

    def _abort(self) -> None:
        """Somebody stops the execution, soon after a call to the broker has gone wrong or else at any time."""
        length = (self._world.window.closes - self._world.day.start).total_seconds()
        self._world.broker_port.struck.wait(self._swarm.within(0, 2 * length))
        self._scheduler.sleep(self._swarm.within(0, 3))
        self._swarm.count(Mishap.ABORT)
        for execution in self._world.executions[-1:]:  # there is none yet where the start is late
            self._world.walker.stop(execution)

    def _later(self, act: Callable[[], None], name: Mishap) -> None:
        length = (self._world.window.closes - self._world.day.start).total_seconds()
        self._scheduler.sleep(self._swarm.within(0, length))
        self._swarm.count(name)
        act()

    def _redrive(self, given: dict[str, Any]) -> None:
        """The run's steps once more with their old inputs, after its end or in its midst."""
        state = {"run_id": self._world.run_id, "epoch": 1, "first_turn": 0, "turn": {"turns": 0}}
        for function in ("PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders"):
            with suppress(TaskFailed):
                self._world.invoke_once(function, state)
        self._world.start("redriven", given)

    def _kill(self, state: KillSwitch) -> None:
        self._world.store.set_kill_switch(state)
        self._world.checker.killed_since = self._scheduler.now_ns

    def _rotate_keys(self) -> None:
        keys = dict(self._world.broker.headers)
        self._world.broker.headers["APCA-API-SECRET-KEY"] = "revoked"
        self._scheduler.sleep(self._swarm.within(5, 200))
        self._world.broker.headers.update(keys)

    def _outage(self, name: Outage) -> None:
        self._world.down.add(name)
        self._scheduler.sleep(self._swarm.within(5, 200))
        self._world.down.discard(name)

    def late(self) -> timedelta:
        """How long after its time the schedule starts the run: minutes, hours, or when the day is over."""
        if Mishap.LATE_START not in self._swarm.mishaps:
            return timedelta(0)
        self._swarm.count(Mishap.LATE_START)
        return LATENESS[self._swarm.seconds(0, len(LATENESS) - 1)] + timedelta(seconds=self._swarm.within(0, 600))

    def early(self) -> float:
        """By how many seconds a wait of the service ends too soon."""
        self._swarm.count(Mishap.EARLY_WAKE)
        return self._swarm.within(0, 0.999)

    def brew(self) -> None:
        """The simulator's own faults and races, until the window closes: then all must come to an end."""
        world = self._world
        for race in world.day.races:
            world.exchange.races.arm(race, seconds=world.day.stuck_seconds, when=When(times=None, chance=0.3))
        for fault in every_fault() if world.day.chaos else ():
            world.exchange.faults.arm(fault, When(times=None, chance=world.day.chaos))
        self._scheduler.spawn_apart(self._calm)

    def _calm(self) -> None:
        self._scheduler.sleep_until(self._world.window.closes)
        faults = self._world.exchange.faults
        self._count("wire", ((fault.kind, taken) for fault, _, taken in faults.armed.entries()))
        faults.disarm()

    def count_races(self) -> None:
        """Count the races that orders lost."""
        armed = self._world.exchange.races.armed.entries()
        self._count("race", ((entry.race, taken) for entry, _, taken in armed))

    def _count(self, what: str, taken: Iterable[tuple[str, int]]) -> None:
        for name, times in taken:
            if times:
                self._swarm.injected[f"{what} {name}"] += times
