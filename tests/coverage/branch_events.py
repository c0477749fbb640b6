"""A pytest plugin: coverage.py measures branches by sys.monitoring on Python 3.12 and 3.13 too.

coverage.py itself does so from 3.14 on, where Python reports the two ways out of a branch as two events. Before that
there is one BRANCH event for both, and coverage.py falls back to a trace function: two to three times the CPU time.
Load this with `-p tests.coverage.branch_events`, before pytest-cov starts. coverage.py is pinned, and
test_branch_events.py fails if a new version no longer works this way.
"""

from __future__ import annotations

import functools
import sys
from types import CodeType
from typing import Any

from coverage import core, env, sysmon

monitoring: Any = getattr(sys, "monitoring", None)  # absent in 3.11


class BranchMonitor(sysmon.SysMonitor):
    """coverage.py's own monitor, fed from BRANCH instead of BRANCH_LEFT and BRANCH_RIGHT."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: dict[tuple[int, int], int] = {}

    def start(self) -> None:
        """Start measuring, in every thread and greenlet of the process."""
        events = monitoring.events
        monitoring.use_tool_id(self.myid, "coverage.py")
        monitoring.set_events(self.myid, events.PY_START)
        register = functools.partial(monitoring.register_callback, self.myid)
        register(events.PY_START, self.sysmon_py_start)
        register(events.PY_RETURN, self.sysmon_py_return)
        register(events.LINE, self.sysmon_line_arcs)
        register(events.BRANCH, self.record_branch)
        monitoring.restart_events()
        self.sysmon_on = True
        for code in self.code_objects:
            monitoring.set_local_events(self.myid, code, self.local_events())

    def stop(self) -> None:
        """Stop measuring. Before 3.14 Python goes on reporting the lines of code that was measured, also to the next
        monitor, which does not know it."""
        if self.sysmon_on:
            monitoring.set_events(self.myid, 0)  # first, or another thread may begin to measure more code meanwhile
            for code in self.code_objects:
                monitoring.set_local_events(self.myid, code, 0)
        super().stop()

    def sysmon_py_start(self, code: CodeType, instruction_offset: int) -> Any:
        """Decide whether a code object is measured. Others are not kept: long runs compile and discard many of them."""
        where = self.should_trace_cache.get(code.co_filename)
        if where is None:
            where = self.should_trace(code.co_filename, sys._getframe(1))
            self.should_trace_cache[code.co_filename] = where
        return super().sysmon_py_start(code, instruction_offset) if where.trace else monitoring.DISABLE

    def local_events(self) -> int:
        """The events of each code object that is measured."""
        events = monitoring.events
        return int(events.LINE | events.PY_RETURN | events.BRANCH)

    def record_branch(self, code: CodeType, offset: int, destination: int) -> Any:
        """Record a way out of a branch. The event is switched off once both ways have been taken."""
        branch = (id(code), offset)
        first = self._taken.setdefault(branch, -1)
        if first == destination:
            return None
        self.sysmon_branch_either(code, offset, destination)
        if first >= 0:
            return monitoring.DISABLE
        self._taken[branch] = destination
        return None


if (3, 12) <= sys.version_info < (3, 14):
    core.SysMonitor = BranchMonitor  # type: ignore[attr-defined]
    env.PYBEHAVIOR.branch_right_left = True
