"""Runs the whole conformance suite once for every value of a broker quirk other than its default.

`python -m tests.conformance.every_knob` takes some minutes; with names of quirks it runs only these.
"""

import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

from repeg_workbench.exchange.broker_quirks import BrokerQuirks

HERE = Path(__file__).parent
# Numeric quirks, each with another value; the tests set the other delays themselves.
NUMBERS = ("stream_symbol_limit=none", "stream_connection_limit=2")


def settings() -> Iterator[str]:
    """NAME=VALUE for each value."""
    kinds = get_type_hints(BrokerQuirks)
    for knob in fields(BrokerQuirks):
        kind = kinds[knob.name]
        values = get_args(kind) if get_origin(kind) is Literal else (True, False) if kind is bool else ()
        yield from (f"{knob.name}={value}".lower() for value in values if value != knob.default)
    yield from NUMBERS


def main(names: Collection[str]) -> int:
    """The number of settings under which the suite fails."""
    failed = 0
    for setting in settings():
        if names and setting.partition("=")[0] not in names:
            continue
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", str(HERE), "--knob", setting]
        run = subprocess.run(command, cwd=HERE.parents[1], check=False, capture_output=True, text=True)
        failed += run.returncode != 0
        sys.stdout.write(f"{setting:<42} {run.stdout.splitlines()[-1]}\n")
        if run.returncode:
            sys.stdout.write("".join(f"    {line}\n" for line in run.stdout.splitlines() if line.startswith("FAILED")))
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
