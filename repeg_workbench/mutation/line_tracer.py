"""Records which lines of the program each test or seed runs, by sys.monitoring: each line costs once."""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

from repeg_workbench.mutation.money_modules import LAYER, module_of
from repeg_workbench.mutation.planting import codes_in, functions_of_program

monitoring: Any = getattr(sys, "monitoring", None)  # absent in 3.11
_TOOL = 4
# Lines by module as a number, whose bit n stands for line n.
LineSet = dict[str, int]


class LineTracer:
    """Which lines have run since `restart`."""

    def __init__(self) -> None:
        if monitoring is None:
            raise RuntimeError("tests are chosen by the lines that they run, which needs Python 3.12 or newer")
        self._modules = {str(path): module_of(path) for path in LAYER.rglob("*.py")}
        self._run: dict[str, set[int]] = {}

    def start(self) -> None:
        """Begin, in every thread."""
        monitoring.use_tool_id(_TOOL, "repeg mutation")
        monitoring.register_callback(_TOOL, monitoring.events.LINE, self._record)
        for file, _, _ in functions_of_program():
            self._run.setdefault(self._modules.get(file, ""), set())
        for function in (each for found in functions_of_program().values() for each in found):
            for code in codes_in(function.__code__):
                if code.co_filename in self._modules:
                    monitoring.set_local_events(_TOOL, code, monitoring.events.LINE)

    def restart(self) -> None:
        """Forget what has run so far."""
        for lines in self._run.values():
            lines.clear()
        monitoring.restart_events()

    def lines(self) -> LineSet:
        """What has run."""
        return {module: sum(1 << line for line in set(lines)) for module, lines in self._run.items() if lines}

    def _record(self, code: CodeType, line: int) -> Any:
        self._run[self._modules[code.co_filename]].add(line)
        return monitoring.DISABLE


def runs_any(lines: LineSet, wanted: dict[str, frozenset[int]]) -> bool:
    """Whether at least one of the wanted lines has run."""
    return any(lines.get(module, 0) >> line & 1 for module, numbers in wanted.items() for line in numbers)
