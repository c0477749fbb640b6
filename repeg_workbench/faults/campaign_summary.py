"""What a campaign of seeded days has done, in the lines that its command prints at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from repeg_workbench.faults.campaign import Campaign
from repeg_workbench.faults.tally import Tally


def summary(campaign: Campaign) -> Iterator[str]:
    """How many days and how fast, what they had, how orders and executions ended, and the violated seeds."""
    tally, asked = campaign.tally, len(campaign.seeds)
    seconds = f"{campaign.seconds:.0f} s"
    each = f" ({campaign.seconds / tally.seeds * 1000:.0f} ms each)" if tally.seeds else ""
    end = f"in {seconds}" if campaign.is_complete else f"of {asked}: cut off after {seconds}"
    yield f"seeds       {tally.seeds} {end}{each}"
    yield f"port calls  {tally.calls}"
    yield f"orders      {tally.orders} at the broker, {tally.fills} fills"
    yield f"faults      {tally.injected.total()}"
    yield from (f"  {kind:<24} {number}" for kind, number in sorted(_by_kind(tally).items()))
    yield f"outcomes    {dict(sorted(tally.outcomes.items()))}"
    yield f"executions  {dict(sorted(tally.statuses.items()))}"
    failing = sorted(tally.failing)
    more = " and more" if len(failing) > 20 else ""
    yield f"violations  {tally.violations} on seeds {failing[:20]}{more}"


def _by_kind(tally: Tally) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for what, number in tally.injected.items():
        kinds[what.partition(" ")[0]] += number
    return kinds
