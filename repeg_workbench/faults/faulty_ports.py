"""Ports with injected faults: calls take time, get lost, arrive late, or kill or freeze their caller."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from repeg.adapters.eventbridge import EventsUnavailable
from repeg.domain.broker import CancelAnswer, Unknown
from repeg.domain.errors import BrokerUnavailable, StoreUnavailable
from repeg_workbench.engine.scheduler import Scheduler, VirtualThread
from repeg_workbench.faults.fault_plan import WRITES, FaultPlan, PortFault

# Reads that may return an older answer.
STALEABLE = frozenset({"quotes", "open_orders", "order", "executions", "account", "positions"})

# Seconds that an older answer about the account may lag. A margin account does not lag: with old cash a run would
# borrow, and only the broker could prevent it.
LAGGING, MOST_LAG = frozenset({"account", "positions"}), 30

# Seconds that an adapter waits for an answer before it calls the outcome unknown.
TIMEOUT_SECONDS = {"broker": 5.0, "market": 5.0, "store": 2.0, "notifier": 2.0}


@dataclass(eq=False)
class Invocation:
    """One invocation of a function. A crash or freeze strikes its thread and every thread it has started."""

    function: str
    thread: VirtualThread[Any] | None = None
    memory: dict[str, Any] = field(default_factory=dict)


CURRENT: ContextVar[Invocation] = ContextVar("invocation")


class CallWatcher(Protocol):
    """What records the calls over a port: when they leave the program, reach their service, and are answered."""

    def struck(self) -> None: ...
    def left(self, name: str, args: tuple[Any, ...]) -> int: ...
    def returned(self, since: int) -> None: ...
    def thawed(self, since: int) -> None: ...
    def arrived(self, port: str, sent: int) -> None: ...
    def carried_out(self, name: str, args: tuple[Any, ...]) -> None: ...
    def failed(self, service: Any, name: str, args: tuple[Any, ...]) -> None: ...
    def answered(self, name: str, args: tuple[Any, ...], answer: Any, sent: int) -> None: ...
    def repeated(self, quotes: Any) -> None: ...


class UnreliablePort:
    """Forwards the calls of a port, adding virtual latency and the faults of a fault plan.

    `outage` returns whether the service behind the port is down for a call of that name.
    """

    def __init__(
        self,
        name: str,
        inner: object,
        scheduler: Scheduler,
        fault_plan: FaultPlan,
        latency: tuple[float, float],
        outage: Callable[[str], bool],
        watcher: CallWatcher,
        *,
        may_lag: bool = False,
    ) -> None:
        self._name = name
        self._inner = inner
        self._scheduler = scheduler
        self._fault_plan = fault_plan
        self._latency = latency
        self._outage = outage
        self._watcher = watcher
        self._may_lag = may_lag
        self.last: dict[tuple[str, str], Any] = {}
        self._read_at: dict[tuple[str, str], datetime] = {}
        self.struck = scheduler.event()

    def to(self, inner: object) -> UnreliablePort:
        """A port to another object for the same service: the same faults, and the same older answers."""
        other = object.__new__(UnreliablePort)
        vars(other).update(vars(self), _inner=inner)
        return other

    def for_account(self, number: str) -> UnreliablePort:  # noqa: ARG002 - a seed has one account
        """Itself, with its faults."""
        return self

    def account_number(self) -> str:
        """The account's number, known without a request."""
        number: str = getattr(self._inner, "account_number")()  # noqa: B009 - the port behind is of any kind
        return number

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._inner, name)

        def call(*args: Any) -> Any:
            since = self._scheduler.now_ns
            try:
                return self._call(name, method, args)
            finally:
                self._watcher.returned(since)

        return call

    def _call(self, name: str, method: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        fault = self._fault_plan.draw(self._name, name, self._scheduler.now())
        sent = self._watcher.left(name, args)
        if fault is not None:
            self.struck.set()
            self._watcher.struck()
        there, back = (self._fault_plan.within(*self._latency) / 2 for _ in range(2))
        self._strike(fault, PortFault.CRASH_BEFORE, PortFault.FREEZE_BEFORE)
        self._scheduler.sleep(there)
        if self._outage(name) or fault is PortFault.LOST_BEFORE:
            return self._lost(name)
        if fault is PortFault.REFUSED_FOR_NOW:
            return self._failed(name, "rate limit exceeded")
        if fault is PortFault.LATE:
            return self._arrive_late(name, method, args, sent)
        if fault is PortFault.STALE and self._may_repeat(name, args):
            return self._answer_again(name, args, sent)
        answer = self._arrive(name, method, args, sent)
        self._strike(fault, PortFault.CRASH_AFTER, PortFault.FREEZE_AFTER)
        if fault is PortFault.LOST_AFTER:
            return self._lost(name)
        self._scheduler.sleep(back)
        self._watcher.answered(name, args, answer, sent)
        return answer

    def _arrive(self, name: str, method: Callable[..., Any], args: tuple[Any, ...], sent: int) -> Any:
        self._watcher.arrived(self._name, sent)
        try:
            answer = method(*args)
        except BaseException:  # also the end of a step that is killed while it waits for the table's answer
            self._watcher.failed(self._inner, name, args)
            raise
        self._watcher.carried_out(name, args)
        if name in STALEABLE:
            self.last[name, repr(args)] = answer
            self._read_at[name, repr(args)] = self._scheduler.now()
        return answer

    def _may_repeat(self, name: str, args: tuple[Any, ...]) -> bool:
        """Whether there is an older answer that the service may give again."""
        read_at = self._read_at.get((name, repr(args)))
        if read_at is None or name not in LAGGING:
            return read_at is not None
        return self._may_lag and (self._scheduler.now() - read_at).total_seconds() <= MOST_LAG

    def _answer_again(self, name: str, args: tuple[Any, ...], sent: int) -> Any:
        answer = self.last[name, repr(args)]
        if name == "quotes":
            self._watcher.repeated(answer)
        self._watcher.answered(name, args, answer, sent)
        return answer

    def _strike(self, fault: PortFault | None, crash: PortFault, freeze: PortFault) -> None:
        thread = CURRENT.get().thread
        if fault is crash and thread is not None:
            thread.kill()
            self._scheduler.sleep(0)
        if fault is freeze and thread is not None:
            seconds = self._fault_plan.dice("freeze").uniform(*self._fault_plan.freeze)
            since = self._scheduler.now_ns
            thread.pause()
            self._scheduler.spawn_apart(lambda: self._thaw(thread, seconds))
            try:
                self._scheduler.sleep(0)
            finally:
                self._watcher.thawed(since)

    def _thaw(self, thread: VirtualThread[Any], seconds: float) -> None:
        self._scheduler.sleep(seconds)
        thread.resume()

    def _arrive_late(self, name: str, method: Callable[..., Any], args: tuple[Any, ...], sent: int) -> Any:
        seconds = self._fault_plan.dice("late").uniform(*self._fault_plan.lateness)

        def arrive() -> None:
            self._scheduler.sleep(seconds)
            self._watcher.arrived(self._name, sent)
            method(*args)

        self._scheduler.spawn_apart(arrive)
        return self._lost(name)

    def _lost(self, name: str) -> Any:
        self._watcher.struck()
        self._scheduler.sleep(TIMEOUT_SECONDS[self._name])
        return self._failed(name, "no answer in time")

    def _failed(self, name: str, why: str) -> Any:
        if self._name == "store":
            raise StoreUnavailable(why)
        if self._name == "notifier":
            raise EventsUnavailable(why)
        if name == "cancel":
            return CancelAnswer.UNKNOWN
        if name in WRITES:
            return Unknown(reason=why)
        raise BrokerUnavailable(why)
