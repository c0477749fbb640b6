"""The virtual time that functions take: what Lambda bills their invocations for."""

from __future__ import annotations

from repeg_workbench.engine.engine import Engine
from repeg_workbench.engine.invocation import Invocation
from repeg_workbench.engine.scheduler import NANOSECONDS


class FunctionTime:
    """The virtual time that the functions of an engine take: what their invocations are billed for."""

    def __init__(self, engine: Engine) -> None:
        self._scheduler = engine.scheduler
        self._ns = 0
        engine.host.after_invoke.append(self._count)

    @property
    def seconds(self) -> int:
        """All seconds so far, rounded up."""
        return -(-self._ns // NANOSECONDS)

    def _count(self, invocation: Invocation) -> None:
        self._ns += self._scheduler.now_ns - invocation.started_ns
