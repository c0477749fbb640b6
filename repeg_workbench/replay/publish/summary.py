"""The page in a few sentences, each with its figures."""

from collections.abc import Iterator

from repeg_workbench.replay.publish.document import Published
from repeg_workbench.replay.publish.protocol import CROSSING_COSTS, GENERATED, IEX, RECORDED
from repeg_workbench.replay.publish.tables import Figures
from repeg_workbench.replay.publish.verdict import OURS, dearer_than_market, losses

_MARKET = "market"


def summary(published: Published) -> Iterator[str]:
    """What a reader who stops after a minute should know."""
    dear, cheap = (published.find(GENERATED, "queue", cost) for cost in (max(CROSSING_COSTS), min(CROSSING_COSTS)))
    ours, best, market = (dear.rows[name] for name in (OURS, dear.best, _MARKET))
    dearer = dearer_than_market(published, GENERATED)
    yield "## In short\n"
    yield (
        f"- On generated days an order costs {_cost(ours)} half-spreads under the policy, {_cost(best)} under the "
        f"cheapest simple rule (`{dear.best}`), and {_cost(market)} as a market order at the displayed price."
    )
    yield (
        f"- For every $100,000 traded that is ${_dollars(ours)}, ${_dollars(best)} and ${_dollars(market)}; "
        f"it takes {ours.seconds:.0f} seconds instead of none."
    )
    yield (
        f"- If market orders cost you only {cheap.crossing_cost} of the half-spread, the policy costs "
        f"{_cost(cheap.rows[OURS])} against {_cost(cheap.rows[_MARKET])}, and costs more in "
        f"{sum(table.crossing_cost == cheap.crossing_cost and table.model == 'queue' for table in dearer)} of the "
        f"{len(published.groups(GENERATED))} regimes."
    )
    groups = [group for prefix in (GENERATED, RECORDED, IEX) for group in published.groups(prefix)]
    found = [loss for prefix in (GENERATED, RECORDED, IEX) for loss in losses(published, prefix)]
    yield (
        f"- It does not always win: in {sum(loss.is_sure for loss in found)} of "
        f"{sum(table.group in groups for table in published.tables)} tables of single regimes and days a simple rule, "
        "chosen in hindsight, is cheaper by more than two standard errors. They come next."
    )
    if published.groups(IEX):
        alone = published.find(IEX, "queue", max(CROSSING_COSTS))
        yield (
            f"- On the free iex feed the policy costs {_cost(alone.rows[OURS])}, the cheapest simple rule "
            f"{_cost(alone.rows[alone.best])} (`{alone.best}`)."
        )
    yield ""


def _cost(row: Figures) -> str:
    return f"{row.cost:.3f} (standard error {row.error:.3f})"


def _dollars(row: Figures) -> str:
    return f"{row.bps * 10:.2f}"
