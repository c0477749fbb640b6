"""Carries out a seed's workflow faults, each once at a random time, and arms the simulated broker's own faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from repeg.domain.run import KillSwitch
from repeg_workbench.deployment_variables import variables
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.control.chaos import every_fault
from repeg_workbench.exchange.triggers import When
from repeg_workbench.faults.day_parts import draw_settings
from repeg_workbench.faults.fault_plan import KILL_LIFTED, WorkflowFault
from repeg_workbench.faults.judges.start_record import Deployed
from repeg_workbench.faults.table_service import undisturbed
from repeg_workbench.faults.walker import TaskFailed

if TYPE_CHECKING:
    from repeg_workbench.faults.world import World

# A late start, to which random minutes are added: inside the window, after it, on the next day.
LATENESS = (timedelta(0), timedelta(hours=2), timedelta(days=1))

# At a random time most runs have nothing to lose yet, or any more. So half of these faults begin within minutes of the
# first orders, and half of the outages of the bus with the step that closes the run.
AT_FIRST_ORDERS = frozenset(
    {WorkflowFault.BROKER_OUTAGE, WorkflowFault.KEYS_ROTATED, WorkflowFault.KILL_HALT, WorkflowFault.KILL_CANCEL}
)
SOON = tuple(timedelta(seconds=seconds) for seconds in (0, 1, 20, 120))
IS_TIMELY = 0.5

# Seconds that a service is away. A long outage outlasts the silence after which a run counts as stuck.
OUTAGE, LONG_OUTAGE = (5, 200), (200, 1_200)

# Seconds after which the kill switch is set to `active` again, and how often it is.
SWITCHED_OFF, IS_LIFTED = (10, 900), 0.5

# At how many of its opportunities a race strikes. An owner who is to be faster is so at most cancels: there are few.
RACE_CHANCE, OWNERS_CHANCE = 0.3, 0.8


class Outage(StrEnum):
    """A dependency that is unavailable for a while."""

    BROKER = "broker"
    STORE = "store"
    BUS = "bus"
    ROWS = "rows"
    """Another release's rows, unreadable for this one until the deployment is rolled back."""


# The store's reads of such rows.
ROW_READS = frozenset({"run", "runs_on", "orders", "intents", "executions", "books"})


class WorkflowFaults:
    """Carries out the workflow faults of one world."""

    def __init__(self, world: World) -> None:
        self._world, self._scheduler, self._fault_plan = world, world.scheduler, world.fault_plan
        self._deployed = Random(f"deployed {world.day.seed}")
        self._closing = world.scheduler.event()
        world.recorder.on_closing.append(self._closing.set)

    def schedule(self, given: dict[str, Any]) -> None:
        """Schedule each of the seed's workflow faults at a random time."""
        acts: dict[WorkflowFault, Callable[[], None]] = {
            WorkflowFault.DUPLICATE_START: lambda: self._world.stack.start("again", given),
            WorkflowFault.REDRIVE: lambda: self._redrive(given),
            WorkflowFault.KILL_HALT: lambda: self._kill(KillSwitch.HALT_NEW),
            WorkflowFault.KILL_CANCEL: lambda: self._kill(KillSwitch.CANCEL_ALL),
            WorkflowFault.KEYS_ROTATED: self._rotate_keys,
            WorkflowFault.BROKER_OUTAGE: lambda: self._outage(Outage.BROKER),
            WorkflowFault.STORE_OUTAGE: lambda: self._outage(Outage.STORE),
            WorkflowFault.OTHER_RELEASE: lambda: self._outage(Outage.ROWS),
            WorkflowFault.BUS_OUTAGE: lambda: self._outage(Outage.BUS),
            WorkflowFault.DEPLOYED: self._deploy,
        }
        for fault in sorted(self._fault_plan.workflow_faults & set(acts)):
            self._scheduler.spawn_apart(partial(self._later, acts[fault], fault))
        if WorkflowFault.ABORT in self._fault_plan.workflow_faults:
            self._scheduler.spawn_apart(self._abort)

    def _abort(self) -> None:
        """Stop the execution soon after the first fault of a broker call, or at a random time."""
        self._world.stack.broker_port.struck.wait(self._fault_plan.dice("abort").uniform(0, 2 * self._length))
        self._scheduler.sleep(self._fault_plan.dice("abort").uniform(0, 3))
        self._fault_plan.count(WorkflowFault.ABORT)
        for execution in self._world.stack.executions[-1:]:  # empty before a late start
            self._world.stack.walker.stop(execution)

    @property
    def _length(self) -> float:
        """Seconds in which a workflow fault may begin: until minutes after the window where faults go on so long."""
        last = min(self._fault_plan.ends, self._world.window.closes + timedelta(minutes=10))
        return (last - self._world.day.start).total_seconds()

    def _later(self, act: Callable[[], None], name: WorkflowFault) -> None:
        self._wait_to_begin(name)
        self._fault_plan.count(name)
        act()

    def _wait_to_begin(self, name: WorkflowFault) -> None:
        dice = self._fault_plan.dice(name)
        seconds, is_timely = dice.uniform(0, self._length), dice.random() < IS_TIMELY
        if is_timely and name is WorkflowFault.BUS_OUTAGE:
            self._closing.wait()
        elif is_timely and name in AT_FIRST_ORDERS:
            self._scheduler.sleep_until(max(self._world.window.opens, self._world.day.start) + dice.choice(SOON))
        else:
            self._scheduler.sleep(seconds)

    def _redrive(self, given: dict[str, Any]) -> None:
        """Invoke the run's steps again with their old inputs, during the run or after its end."""
        state = {"run_id": self._world.run_id, "epoch": 1, "first_turn": 0, "turn": {"turns": 0}}
        for function in ("PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders"):
            with suppress(TaskFailed):
                self._world.stack.invoke_once(function, state)
        self._world.stack.start("redriven", given)

    def _kill(self, state: KillSwitch) -> None:
        """Set the kill switch, and in half of the cases to `active` again after a while."""
        self._switch(state)
        dice = self._fault_plan.dice(KILL_LIFTED)
        seconds, is_lifted = dice.uniform(*SWITCHED_OFF), dice.random() < IS_LIFTED
        if is_lifted and not self._fault_plan.leaves_out(KILL_LIFTED):
            self._scheduler.sleep(seconds)
            self._fault_plan.count(KILL_LIFTED)
            self._switch(KillSwitch.ACTIVE)

    def _switch(self, state: KillSwitch) -> None:
        with undisturbed():  # whoever sets the switch repeats a call that fails
            self._world.store.set_kill_switch(state)
        self._world.recorder.switched(state, self._world.stack.number)

    def _rotate_keys(self) -> None:
        since, keys = self._scheduler.now_ns, dict(self._world.broker.headers)
        self._world.broker.headers["APCA-API-SECRET-KEY"] = "revoked"
        self._scheduler.sleep(self._fault_plan.dice(WorkflowFault.KEYS_ROTATED).uniform(*OUTAGE))
        self._world.broker.headers.update(keys)
        self._world.recorder.away("keys", since)

    def _outage(self, name: Outage) -> None:
        since = self._scheduler.now_ns
        self._world.down.add(name)
        dice = self._fault_plan.dice(name)
        self._scheduler.sleep(dice.uniform(*(OUTAGE if dice.random() < 0.8 else LONG_OUTAGE)))
        self._world.down.discard(name)
        self._world.recorder.away(name, since)

    def _deploy(self) -> None:
        """Other settings for the runs that start from now on: other orders, other limits, another window."""
        changed = draw_settings(self._deployed, 3, near_open=True) | {"max_run_orders": 1, "allowed_symbols": ["ZZZ"]}
        self._world.stack.variables = {**self._world.stack.variables, **variables(changed)}
        deployed = Deployed(self._scheduler.now_ns, self._world.stack.number, changed)
        self._world.record.starts.deployed.append(deployed)

    def start_delay(self) -> timedelta:
        """How late the schedule starts the run: minutes, hours, or after the day is over."""
        if WorkflowFault.LATE_START not in self._fault_plan.workflow_faults:
            return timedelta(0)
        self._fault_plan.count(WorkflowFault.LATE_START)
        dice = self._fault_plan.dice(WorkflowFault.LATE_START)
        return dice.choice(LATENESS) + timedelta(seconds=dice.uniform(0, 600))

    def wait_shortfall(self) -> float:
        """Seconds by which a Wait state ends too soon."""
        self._fault_plan.count(WorkflowFault.EARLY_WAKE)
        return self._fault_plan.dice(WorkflowFault.EARLY_WAKE).uniform(0, 0.999)

    def arm_broker(self) -> None:
        """Arm the broker's races and transport faults; the faults are disarmed when the window closes."""
        world = self._world
        for race in world.day.races:
            chance = OWNERS_CHANCE if race is Race.CANCELED_FIRST else RACE_CHANCE
            world.exchange.races.arm(race, seconds=world.day.stuck_seconds, when=When(times=None, chance=chance))
        for fault in every_fault() if world.day.chaos else ():
            world.exchange.faults.arm(fault, When(times=None, chance=world.day.chaos))
        world.stream_faults.arm()
        self._scheduler.spawn_apart(self._disarm_broker)

    def _disarm_broker(self) -> None:
        self._scheduler.sleep_until(self._world.window.closes)
        faults = self._world.exchange.faults
        self._count("transport", ((fault.kind, taken) for fault, _, taken in faults.armed.entries()))
        self._world.stream_faults.count()
        faults.disarm()

    def count_races(self) -> None:
        """Count the races that struck."""
        armed = self._world.exchange.races.armed.entries()
        self._count("race", ((entry.race, taken) for entry, _, taken in armed))

    def _count(self, what: str, taken: Iterable[tuple[str, int]]) -> None:
        for name, times in taken:
            if times:
                self._fault_plan.injected[f"{what} {name}"] += times
