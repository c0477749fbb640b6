"""Ports between the handlers and the world on which calls take time, get lost, arrive late, and kill their caller."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from repeg.domain.broker import CancelAnswer, Unknown
from repeg.domain.errors import BrokerUnavailable, StoreUnavailable
from repeg_workbench.engine.scheduler import Scheduler, VirtualThread
from repeg_workbench.faults.fault_plan import WRITES, Fault, Swarm

# What the adapter waits for an answer, in seconds, before it calls the outcome unknown.
STALEABLE = frozenset({"quotes", "open_orders", "order"})

TIMEOUT_SECONDS = {"broker": 5.0, "market": 5.0, "store": 2.0, "notifier": 2.0}


@dataclass
class Invocation:
    """One run of one function: the thread that a crash or a freeze strikes, with all that it has started."""

    function: str
    thread: VirtualThread[Any] | None = None
    memory: dict[str, Any] = field(default_factory=dict)


CURRENT: ContextVar[Invocation] = ContextVar("invocation")


class UnreliablePort:
    """Passes every call of a port on, at a cost in virtual time and under the faults of a swarm.

    `outage` says whether the other side is down at this moment for a call of that name.
    """

    def __init__(
        self,
        name: str,
        inner: object,
        scheduler: Scheduler,
        swarm: Swarm,
        latency: tuple[float, float],
        outage: Callable[[str], bool],
    ) -> None:
        self._name = name
        self._inner = inner
        self._scheduler = scheduler
        self._swarm = swarm
        self._latency = latency
        self._outage = outage
        self.last: dict[tuple[str, str], Any] = {}
        self.on_call: list[Callable[[str, tuple[Any, ...]], None]] = []
        self.struck = scheduler.event()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._inner, name)

        def call(*args: Any) -> Any:
            return self._call(name, method, args)

        return call

    def _call(self, name: str, method: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        fault = self._swarm.draw(self._name, name, self._scheduler.now())
        if fault is not None:
            self.struck.set()
        there, back = (self._swarm.within(*self._latency) / 2 for _ in range(2))
        self._strike(fault, Fault.CRASH_BEFORE, Fault.FREEZE_BEFORE)
        self._scheduler.sleep(there)
        if self._outage(name) or fault is Fault.LOST_BEFORE:
            return self._lost(name)
        if fault is Fault.REFUSED_FOR_NOW:
            return self._failed(name, "rate limit exceeded")
        if fault is Fault.LATE:
            return self._arrive_late(name, method, args)
        if fault is Fault.STALE and (name, repr(args)) in self.last:
            return self.last[name, repr(args)]
        # A request whose sender was frozen left when it should have, and arrives when it can.
        answer = self._arrive("late" if fault is Fault.FREEZE_BEFORE else name, name, method, args)
        self._strike(fault, Fault.CRASH_AFTER, Fault.FREEZE_AFTER)
        if fault is Fault.LOST_AFTER:
            return self._lost(name)
        self._scheduler.sleep(back)
        return answer

    def _arrive(self, told: str, name: str, method: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        for listener in self.on_call:
            listener(told, args)
        answer = method(*args)
        if name in STALEABLE:
            self.last[name, repr(args)] = answer
        return answer

    def _strike(self, fault: Fault | None, crash: Fault, freeze: Fault) -> None:
        thread = CURRENT.get().thread
        if fault is crash and thread is not None:
            thread.kill()
            self._scheduler.sleep(0)
        if fault is freeze and thread is not None:
            seconds = self._swarm.within(1, 120)
            thread.pause()
            self._scheduler.spawn_apart(lambda: self._thaw(thread, seconds))
            self._scheduler.sleep(0)

    def _thaw(self, thread: VirtualThread[Any], seconds: float) -> None:
        self._scheduler.sleep(seconds)
        thread.resume()

    def _arrive_late(self, name: str, method: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        seconds = self._swarm.within(1, 59)

        def arrive() -> None:
            self._scheduler.sleep(seconds)
            for listener in self.on_call:
                listener("late", args)
            method(*args)

        self._scheduler.spawn_apart(arrive)
        return self._lost(name)

    def _lost(self, name: str) -> Any:
        self._scheduler.sleep(TIMEOUT_SECONDS[self._name])
        return self._failed(name, "no answer in time")

    def _failed(self, name: str, why: str) -> Any:
        if self._name == "store":
            raise StoreUnavailable(why)
        if name == "cancel":
            return CancelAnswer.UNKNOWN
        if name in WRITES:
            return Unknown(reason=why)
        raise BrokerUnavailable(why)
