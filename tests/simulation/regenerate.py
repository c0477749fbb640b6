"""Regenerates golden tapes: python -m tests.simulation.regenerate [name …]. Review them before committing."""

from __future__ import annotations

import sys

from tests.simulation.days import DAYS, GOLDEN
from tests.simulation.playing import play


def regenerate(names: list[str]) -> None:
    """Run the named days, or all of them, and write their tapes."""
    GOLDEN.mkdir(exist_ok=True)
    for day in DAYS:
        if not names or day.name in names:
            day.tape.write_text(play(day.scenario()).tape, encoding="utf-8")
            sys.stdout.write(f"{day.tape}\n")


if __name__ == "__main__":
    regenerate(sys.argv[1:])
