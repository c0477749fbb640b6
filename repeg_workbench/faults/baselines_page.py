"""The section of docs/reliability.md on the baselines: on how many days each of two simple executors errs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repeg_workbench.faults.markdown import table

_DAYS = (
    "Two simple executors on the days of seeds 0 to {last}, measured at commit `{commit}`. The first resends"
    " under a new id after a timeout and does not confirm its cancels. The second confirms its cancels and guards each"
    " placement with Powertools' idempotency decorator, whose retry sends under a new id. An executor that derives the"
    " id from the attempt, as this program does, has not been measured."
)

_LEFT_OUT = (
    "Their days are easier than those of the program. Port faults, races at the broker and duplicate invocations are"
    " the seed's own. Left out are every other workflow fault (aborts, redrives, late starts, outages, kill switches,"
    " throttling, deployments), the account's owner and other programs on the account, and every circumstance: each day"
    " has one run of one plan of whole shares with the settings of the seed's day, in a cash account, and nothing"
    " listens to a stream. Some faults follow others in the seed's draws, so they do not strike at the same moments as"
    " in the program's day. Of what the judges find, the table counts four kinds: an overfill, two open orders of one"
    " line at the same time, a book whose fills are not the broker's, and an order that is still open a quarter of an"
    " hour after the window, or a second before the close if that is earlier."
)


def baselines_section(measured: Mapping[str, Any]) -> list[str]:
    """The section, as paragraphs."""
    kinds = list(next(iter(measured["wrong"].values())))
    days = measured["seeds"]
    rows = [(name, *(_share(wrong[kind], days) for kind in kinds)) for name, wrong in measured["wrong"].items()]
    text = _DAYS.format(last=days - 1, commit=measured["commit"])
    return ["## Two simple executors", text, _LEFT_OUT, table(("Days with", *kinds), rows)]


def _share(wrong: int, days: int) -> str:
    """A share of days, with its standard error in percentage points."""
    share = wrong / days
    return f"{share:.1%} ({(share * (1 - share) / days) ** 0.5 * 100:.1f} points)"
