"""Measures every regime of the generated market and writes its page: `python -m repeg_workbench.calibration [DAYS]`.

With `--check` it measures nothing: it fails if the page is older than the market or than its numbers.
"""

import sys

from repeg_workbench.calibration.measure import STOCKS, fingerprint, generated_days, instrument, measured
from repeg_workbench.calibration.page import PAGE, keep, kept, page

_DAYS = 40


def main(arguments: list[str]) -> int:
    """Measure this many days of every regime, or check the page. Returns an exit code."""
    if arguments == ["--check"]:
        return _check()
    seeds = range(int(arguments[0]) if arguments else _DAYS)
    keep({name: measured(generated_days(instrument(name), seeds)) for name in STOCKS})
    sys.stdout.write(f"{PAGE}\n")
    return 0


def _check() -> int:
    numbers = kept()
    if numbers["fingerprint"] == fingerprint() and page(numbers) == PAGE.read_text(encoding="utf-8"):
        return 0
    sys.stderr.write(f"{PAGE} is older than the generated market: run python -m repeg_workbench.calibration\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
