"""What is published of the estimates: how often their bounds have held on days that they were not fitted to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from repeg.domain.expected_cost import SPREADS
from repeg_workbench.replay.estimates.table import Table

ROOT: Final = Path(__file__).parents[3]
NUMBERS: Final = ROOT / "docs" / "cost-estimate.json"
MODULE: Final = ROOT / "layers" / "repeg" / "python" / "repeg" / "domain" / "cost_table.py"

LEAST, MOST = 0.75, 0.85
"""The share of orders whose cost is to be within bounds of eight in ten."""

_COMMAND: Final = "python -m repeg_workbench.replay.estimates"


@dataclass(frozen=True)
class Coverage:
    """Of how many orders, or baskets of orders, the cost was within its bounds, on judging days."""

    feed: str
    what: str
    orders: int
    share: float

    @property
    def is_met(self) -> bool:
        """Whether the share is as promised."""
        return LEAST <= self.share <= MOST


@dataclass(frozen=True)
class Judged:
    """On which days the tables were judged: the seed of their market, the first and last date, and at which commit."""

    seed: int
    first: str
    last: str
    commit: str


@dataclass(frozen=True)
class Calibration:
    """Of which rules and market the tables are, how many days they were fitted to and judged on, what was found, the
    tables by feed, and on which days they were judged."""

    fingerprint: str
    tuning_days: int
    judging_days: int
    found: tuple[Coverage, ...]
    tables: Mapping[str, Table]
    judged: Judged

    def text(self) -> str:
        """The file."""
        return json.dumps(asdict(self), indent=1) + "\n"


def kept() -> Calibration | None:
    """The saved numbers; None before the first measurement."""
    return read(json.loads(NUMBERS.read_text(encoding="utf-8"))) if NUMBERS.exists() else None


def read(document: Mapping[str, Any]) -> Calibration:
    """The numbers that a document has."""
    found = tuple(Coverage(**each) for each in document["found"])
    tables = {
        feed: tuple(tuple((mean, low, high, moved) for mean, low, high, moved in row) for row in table)
        for feed, table in document["tables"].items()
    }
    judged = Judged(**document["judged"])
    return Calibration(
        document["fingerprint"], document["tuning_days"], document["judging_days"], found, tables, judged
    )  # fmt: skip


def spread_name(number: int) -> str:
    """A class of spreads in words."""
    if number == len(SPREADS):
        return f"spread over {SPREADS[-1]} ticks"
    low, high = (SPREADS[number - 1] + 1 if number else 1), SPREADS[number]
    return f"spread of {high} tick{'s' if high > 1 else ''}" if low == high else f"spread of {low} to {high} ticks"


def section(calibration: Calibration) -> Iterator[str]:
    """The section of docs/execution-quality.md."""
    judged = calibration.judged
    yield "## The estimate before a run\n"
    yield (
        f"`repeg preview` gives each order an expected cost with bounds that are to hold eight times in ten. They come "
        f"from a table of {calibration.tuning_days} symbol-days of the tuning seed, by feed, spread and size, in units "
        f"of the half-spread and of the mid's movement in the last five minutes. Here is how often they held on "
        f"{calibration.judging_days} other symbol-days, which nobody had looked at before: of seed {judged.seed}, from "
        f"{judged.first} to {judged.last}, measured once, at {judged.commit}. `{_COMMAND}` measures it; a test fails "
        f"if the table is older than the rules or the market. A basket is one order of each regime at about the same "
        f"time, each of the same worth; the regimes move independently of each other, so a market that moves as one "
        f"makes the bounds of a real rebalance wider than these.\n"
    )
    yield "| feed | | orders | within the bounds | 75 to 85 % |"
    yield "|---|---|---|---|---|"
    for each in calibration.found:
        met = "met" if each.is_met else "**missed**"
        yield f"| {each.feed} | {each.what} | {each.orders:,} | {each.share:.1%} | {met} |"
    yield ""
