"""A hash of a seed's journal and ledger; as a program, prints the hashes of the given seeds."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.world import World


def fingerprint(seed: int) -> str:
    """A hash that is equal for two runs only if all their events are equal, to the nanosecond."""
    with quietly():
        world = World(seed)
        result = world.run()
    ledger = world.exchange.ledger
    events = repr((result.journal, result.path, ledger.events, ledger.executions, ledger.entries))
    return hashlib.sha256(events.encode()).hexdigest()


def main(seeds: Sequence[str]) -> None:
    """Print one line per seed."""
    for seed in seeds:
        sys.stdout.write(f"{seed} {fingerprint(int(seed))}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
