"""Measures a day of a hundred orders under the default settings: its turns look several times, until all are done."""

import sys
from collections import Counter
from time import perf_counter, process_time

from repeg_workbench.bench.day import ORDERS, a_day, line, measure, print_figures
from repeg_workbench.simulate.simulation import opened


def main() -> None:
    """Run the day and print its measurements."""
    started, calls = perf_counter(), Counter[str]()
    with opened(a_day({}, runs_away=False)) as day:
        day.engine.before_table_call.append(lambda operation: calls.update([operation]))
        day.start("bench")
        day.run()
        measured = measure(day, calls, perf_counter() - started)
    sys.stdout.write(f"a day of {ORDERS} orders under the default settings, {measured.turns} turns\n")
    line("wall time", f"{measured.seconds:.1f} s")
    line("CPU, imports included", f"{process_time():.1f} s")
    print_figures(measured)


if __name__ == "__main__":
    main()
