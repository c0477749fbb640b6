"""A seed's journal and ledger as one word; run as a program, it prints the words of the seeds that it is given."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.world import World


def fingerprint(seed: int) -> str:
    """Equal for two runs in which everything happened alike, to the nanosecond."""
    with quietly():
        world = World(seed)
        result = world.run()
    ledger = world.exchange.ledger
    told = repr((result.journal, result.path, ledger.events, ledger.executions, ledger.entries))
    return hashlib.sha256(told.encode()).hexdigest()


def main(seeds: Sequence[str]) -> None:
    """Print a line for each seed."""
    for seed in seeds:
        sys.stdout.write(f"{seed} {fingerprint(int(seed))}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
