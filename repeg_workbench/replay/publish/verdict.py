"""What the published numbers say: whether the targets are met, and where a simple rule is cheaper than the policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from repeg_workbench.replay.publish.document import Published
from repeg_workbench.replay.publish.protocol import CROSSING_COSTS, GENERATED, IEX, RECORDED
from repeg_workbench.replay.publish.tables import Table

OURS: Final = "repeg"
LOWER: Final = 0.25
"""By which part the policy is to be below the best simple rule on generated days."""

SURE: Final = 2.0
"""A difference of so many standard errors counts; less is noise."""


@dataclass(frozen=True)
class Target:
    """A target, whether it is met, and the figures that say so."""

    name: str
    is_met: bool
    figures: str


@dataclass(frozen=True)
class Loss:
    """A table in which a simple rule, the cheapest one in hindsight, costs less than the policy."""

    table: Table
    difference: float
    t: float

    @property
    def is_sure(self) -> bool:
        """Whether the difference is larger than its error allows for."""
        return self.t > SURE


def targets(published: Published) -> Iterator[Target]:
    """The targets in order."""
    queue = published.find(GENERATED, "queue", 1.0)
    ours, best = queue.rows[OURS], queue.rows[queue.best]
    yield Target(
        "at least 25 % below the best simple rule on generated days",
        ours.cost <= (1 - LOWER) * best.cost,
        f"{1 - ours.cost / best.cost:.0%} below `{queue.best}`: "
        f"{_cost(queue, OURS)} against {_cost(queue, queue.best)}",
    )
    yield Target("p95 not above that rule's, at 1.0", ours.p95 <= best.p95, f"{ours.p95:.2f} against {best.p95:.2f}")
    costs = [published.find(GENERATED, "queue", cost) for cost in CROSSING_COSTS]
    yield Target(
        "below market orders at every crossing cost, in the mean of the regimes",
        all(table.rows[OURS].versus_market < 0 for table in costs),
        ", ".join(f"{_signed(table.rows[OURS].versus_market)} at {table.crossing_cost}" for table in costs),
    )
    if published.groups(IEX):
        alone = published.find(IEX, "queue", 1.0)
        yield Target(
            "not above the best simple rule on the iex feed, at 1.0",
            alone.rows[OURS].versus_best <= 0,
            f"{_cost(alone, OURS)} against {_cost(alone, alone.best)} (`{alone.best}`), t {_t(alone)}",
        )
    days = published.groups(RECORDED)
    if days:
        table = published.find(days[-1], "queue", 1.0)
        row = table.rows[OURS]
        yield Target(
            f"not above the best simple rule on {days[-1].removeprefix(RECORDED).strip()}, at 1.0",
            row.versus_best <= 0,
            f"{_cost(table, OURS)} against {_cost(table, table.best)} (`{table.best}`), t {_t(table)}",
        )


def losses(published: Published, prefix: str) -> list[Loss]:
    """Where a simple rule is cheaper, in the groups below the prefix: the largest difference first."""
    groups = published.groups(prefix)
    found = [
        Loss(table, row.versus_best, row.versus_best_t)
        for table in published.tables
        if table.group in groups and (row := table.rows[OURS]).versus_best > 0
    ]
    return sorted(found, key=lambda loss: -loss.difference)


def dearer_than_market(published: Published, prefix: str) -> list[Table]:
    """Where market orders at arrival are cheaper than the policy, in the groups below the prefix."""
    groups = published.groups(prefix)
    return [table for table in published.tables if table.group in groups and table.rows[OURS].versus_market > 0]


def _cost(table: Table, name: str) -> str:
    row = table.rows[name]
    return f"{row.cost:.3f} ({row.error:.3f})"


def _t(table: Table) -> str:
    t = table.rows[OURS].versus_best_t
    return f"{t:.1f}" if abs(t) > SURE else f"{t:.1f}: within noise"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
