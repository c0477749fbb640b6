"""Runs every benchmark in its own process, so that their memory is measured separately."""

import subprocess
import sys

MEASUREMENTS = (
    "engine", "start", "matching", "exchange", "day", "default_day", "simulate", "replay", "requests", "many_orders",
    "listening",
)  # fmt: skip


def main() -> int:
    """Run the benchmarks one after another; returns 1 if any of them fails."""
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
