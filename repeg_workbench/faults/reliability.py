"""The page of what was measured: docs/reliability.md, made from the numbers that the commands keep beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from repeg_workbench.faults.campaign import Tally
from repeg_workbench.faults.fault_plan import Fault

DOCS = Path(__file__).parents[2] / "docs"
NUMBERS = DOCS / "reliability.json"
PAGE = DOCS / "reliability.md"

# Every name that the checker may call a violation by, and what a day without it means.
INVARIANTS = {
    "more_than_target": "Filled and live shares of an order together never exceed its target.",
    "two_live_children": "An order never has two children at the broker at once.",
    "successor_before_end": "A child arrives only after its predecessor has ended at the broker.",
    "wrong_side": "Nothing is traded on the other side, or in a symbol, that the plan does not name.",
    "no_intent": "Every order that arrives was written down before.",
    "intent_differs": "What arrives has the side, the quantity and the limit that were written down.",
    "intent_changed": "What was written down is never changed.",
    "outside_window": "No order arrives before the opening delay or after the closing margin.",
    "after_kill": "No order is written down after the kill switch was set.",
    "after_close": "No order is written down once the run closes.",
    "not_a_day_order": "Every order is for the day and for the core session.",
    "too_many_orders": "A run sends no more orders than it may.",
    "over_budget": "What orders may still cost and have cost, at their limits, never exceeds the run's budget.",
    "past_the_collar": "No limit is worse than the collar of its order.",
    "no_collar": "No order with a limit arrives without a collar.",
    "off_the_tick": "Every limit is a whole number of ticks.",
    "worse_than_limit": "Nothing is executed at a price worse than its limit.",
    "market_order_not_allowed": "Market orders are sent only where the settings allow them.",
    "cash_negative": "The account's cash never falls below zero.",
    "short": "No position ever falls below zero.",
    "foreign_order_touched": "An order of somebody else in the same account is neither cancelled nor replaced.",
    "too_many_requests": "No sixty seconds hold more requests than the broker allows the account.",
    "payload_too_large": "What a step hands on is at most 8 KB.",
    "history_too_long": "No execution writes more than 20,000 events of history.",
    "left_open": "At the end nothing of ours is open.",
    "orders_without_run": "Nothing is at the broker that no run answers for.",
    "no_report": "Every run has a report.",
    "not_told_once": "How a run ended is told, and told again only under the same id.",
    "no_outcome": "Every order has an outcome.",
    "books_differ": "The executions booked are the broker's, each once, at the broker's price.",
    "filled_differs": "The shares that an order says it filled are those of the ledger.",
    "outcome_untrue": "An order is called filled if and only if the ledger says so.",
}

_BLIND = """\
- The exchange is a simulation. Where the real broker does what the simulation does not, no seed can tell; what is known
  of it, and what is assumed, is written in [the simulator's own page](simulator.md).
- The table is its twin in memory. One contract holds the twin and the real adapter to the same answers, but a fault
  inside the database service itself is not simulated.
- The definition is walked, not interpreted. The walker takes the interpreter's way on hundreds of scripted runs and on
  whole days, tested on every check-in; the service itself is not in the loop.
- A crash falls before or after a call over a port, never in the midst of the code between two calls; that code has no
  effect that outlives it.
- Days are short: under an hour of market, at most four orders, one run. Long days and large plans are simulated
  elsewhere, without faults.
- Only what is listed above is held. A seed says nothing about whether a price was good."""

_FAULTS = tuple(str(fault) for fault in Fault)


def keep(section: str, measured: Any) -> None:
    """Put one section's numbers into the kept ones, and write the page anew."""
    numbers = {**kept(), section: measured}
    NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n")
    PAGE.write_text(page(kept()))


def kept() -> dict[str, Any]:
    """The numbers of the last measurements; empty where there are none."""
    return dict(json.loads(NUMBERS.read_text())) if NUMBERS.exists() else {}


def campaign_numbers(tally: Tally, seconds: float, processes: int) -> dict[str, Any]:
    """A campaign as it is kept."""
    return {
        "seeds": tally.seeds,
        "seconds": round(seconds),
        "processes": processes,
        "calls": tally.calls,
        "orders": tally.orders,
        "fills": tally.fills,
        "injected": dict(tally.injected),
        "outcomes": dict(tally.outcomes),
        "executions": dict(tally.statuses),
        "violations": {str(seed): found for seed, found in tally.failing.items()},
    }


def page(numbers: Mapping[str, Any]) -> str:
    """The whole page."""
    parts = [_HEAD]
    if "campaign" in numbers:
        parts += _campaign(numbers["campaign"])
    if "mutants" in numbers:
        parts += _mutants(numbers["mutants"])
    if "baselines" in numbers:
        parts += _baselines(numbers["baselines"])
    parts += ["## What is held", _HELD, table(("Violation", "What a day without it means"), _coded(INVARIANTS))]
    parts += ["## What this cannot see", _BLIND]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _campaign(run: Mapping[str, Any]) -> list[str]:
    injected: Mapping[str, int] = run["injected"]
    strikes = {what: number for what, number in injected.items() if what.partition(" ")[0] in _FAULTS}
    brokers = {what: number for what, number in injected.items() if what.partition(" ")[0] in {"race", "wire"}}
    mishaps = {what: number for what, number in injected.items() if what not in strikes.keys() | brokers.keys()}
    violations = sum(len(found) for found in run["violations"].values())
    rows = [
        ("days", f"{run['seeds']:,}"),
        ("**violations**", f"**{violations:,}**"),
        ("calls over a port", f"{run['calls']:,}"),
        ("calls struck by a fault", f"{sum(strikes.values()):,}"),
        ("different points struck (fault × call)", f"{len(strikes):,}"),
        ("orders at the broker", f"{run['orders']:,}"),
        ("fills", f"{run['fills']:,}"),
        ("time", f"{run['seconds']:,} s on {run['processes']} processes"),
    ]
    return [
        "## Runs", table(("", ""), rows),
        "### Ends", table(("Outcome of an order", "Orders"), _coded(_counted(run["outcomes"]))),
        table(("End of an execution", "Executions"), _coded(_counted(run["executions"]))),
        "### Faults by the call they struck", _STRUCK, _struck(strikes),
        "### What befell whole runs", table(("Mishap", "Times"), _coded(_counted(mishaps))),
        "### What the broker did of itself", _BROKERS, table(("", "Times"), _coded(_counted(brokers))),
    ]  # fmt: skip


def _struck(strikes: Mapping[str, int]) -> str:
    calls = sorted({what.partition(" ")[2] for what in strikes})
    rows = [[f"`{call}`", *(strikes.get(f"{fault} {call}", "") for fault in _FAULTS)] for call in calls]
    sums: Counter[str] = Counter()
    for what, number in strikes.items():
        sums[what.partition(" ")[0]] += number
    return table(("Call", *(fault.replace("_", " ") for fault in _FAULTS)), [*rows, ["all", *map(sums.get, _FAULTS)]])


def _mutants(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    seen = sum(mutant["seed"] is not None for mutant in found.values())
    rows = [
        (f"`{name}`", told["story"], "never" if told["seed"] is None else told["seed"], f"`{told['invariant']}`")
        for name, told in found.items()
    ]
    head = ("Mutant", "The bug", "First seed", "Seen by")
    return ["## Planted bugs", f"{seen} of {len(found)} are found. {_PLANTED}", table(head, rows)]


def _baselines(measured: Mapping[str, Any]) -> list[str]:
    kinds = list(next(iter(measured["wrong"].values())))
    days = measured["seeds"]
    rows = [(name, *(f"{wrong[kind] / days:.1%}" for kind in kinds)) for name, wrong in measured["wrong"].items()]
    return ["## Two usual executors", _USUAL.format(seeds=days), table(("Days with", *kinds), rows)]


def _counted(counts: Mapping[str, int]) -> dict[str, str]:
    return {name: f"{number:,}" for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))}


def _coded(rows: Mapping[str, object]) -> list[tuple[str, object]]:
    return [(f"`{name}`", meaning) for name, meaning in rows.items()]


_HEAD = """# Reliability

This page is made by `python -m repeg_workbench.faults publish` from `reliability.json`; a test holds the two together.

Every seed is a day: a market, an account, a plan and settings, and a swarm of faults, all drawn from that one number.
The deployed handlers run unchanged, on the deployed definition, in virtual time, against the simulated broker; in one
seed of ten every request goes through alpaca-py. A judge listens to the broker's ledger and to nothing that the program
says of itself. Which failure is held by which test is in [the failure matrix](failure-matrix.md).

    make simulate-faults SEEDS=300                       # what every check-in runs
    python -m repeg_workbench.faults seeds --seeds 10000 --publish
    python -m repeg_workbench.faults mutants --publish
    python -m repeg_workbench.faults baselines --publish
    python -m repeg_workbench.faults show 191                  # one seed's story"""

_STRUCK = (
    "A crash kills the function and all that it started; a freeze holds it for up to two minutes and lets it go on;"
    " lost means that the request, or its answer, never comes; late, that it arrives up to a minute after it was given"
    " up; stale, that an older answer comes once more."
)

_BROKERS = (
    "A race is one that an order lost at the broker; a fault on the wire is what alpaca-py was answered, where it is in"
    " the path."
)

_PLANTED = (
    "Each is put into the program for the length of a day, by replacing names; the first day on which the judge objects"
    " counts."
)

_USUAL = (
    "The same {seeds:,} days and faults of the ports, without aborts, outages and kill switches, for two executors that"
    " are often seen. The first sends again under a new id when it hears nothing, and believes its cancels. The second"
    " confirms its cancels and guards each placement with Powertools' idempotency decorator."
)

_HELD = "At every event of the broker's ledger, and once more when nothing moves any longer:"
