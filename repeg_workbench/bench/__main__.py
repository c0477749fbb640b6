"""Runs every measurement, each in a process of its own so that none is charged with another's memory."""

import subprocess
import sys

MEASUREMENTS = ("engine", "matching", "exchange", "day")


def main() -> int:
    """Run them one after the other; 1 if any of them failed."""
    failed = False
    for name in MEASUREMENTS:
        sys.stdout.write(f"── {name} " + "─" * (76 - len(name)) + "\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", f"repeg_workbench.bench.{name}"]
        failed |= subprocess.run(command, check=False).returncode != 0  # noqa: S603 - our own modules
        sys.stdout.write("\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
