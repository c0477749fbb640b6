"""Measures every regime of the generated market and writes its page: `python -m repeg_workbench.calibration [DAYS]`."""

import sys

from repeg_workbench.calibration.measure import STOCKS, generated_days, instrument, measured
from repeg_workbench.calibration.page import PAGE, keep

_DAYS = 40


def main(arguments: list[str]) -> None:
    """Measure this many days of every regime."""
    seeds = range(int(arguments[0]) if arguments else _DAYS)
    keep({name: measured(generated_days(instrument(name), seeds)) for name in STOCKS})
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
