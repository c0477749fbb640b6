"""Generates docs/reliability.md from the measurements in docs/reliability.json."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from repeg_workbench.faults import counted
from repeg_workbench.faults.baselines_page import baselines_section
from repeg_workbench.faults.branch_coverage_page import coverage_section
from repeg_workbench.faults.fault_plan import PortFault
from repeg_workbench.faults.findings_page import faults_of_the_program, findings_section
from repeg_workbench.faults.judges.invariants import INVARIANTS
from repeg_workbench.faults.judges.second import COMMON
from repeg_workbench.faults.markdown import coded, table
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.planted_bugs_page import bugs_section
from repeg_workbench.faults.workload_page import workload_section

DOCS = Path(__file__).parents[2] / "docs"
NUMBERS = DOCS / "reliability.json"
PAGE = DOCS / "reliability.md"

_LIMITS = """\
- The exchange is a simulation. No seed covers behaviour of the real broker that the simulation lacks. [The simulator's
  page](simulator.md) lists what is known of the broker and what is assumed.
- In nine seeds of ten the table is replaced by an in-memory store; both pass the same contract tests. In the tenth the
  deployed adapter works on moto's table, and single calls of the service are throttled, conflict, or lose their answer.
- The state machine is walked by our own code, not run by Step Functions. In `make test`, tests compare the walker
  with an interpreter on hundreds of scripted runs and on whole days.
- A crash happens before or after a call over a port, never between two calls; the code between calls has no lasting
  effect. In one seed of twenty the journal raises an error between two calls.
- Most days are short: under an hour of market and at most four orders. Three in a hundred are whole sessions. Large
  plans are simulated elsewhere, without faults.
- The account's owner does not use margin, and two stacks do not share a margin account: in both cases only the broker
  can prevent a loan. A market order that the network holds up trades at the price of its arrival, which is not judged.
- On a third of the days the steps listen to the broker's streams, which fail in every way that the simulated exchange
  knows, in virtual time: the frames are the exchange's, and there is no socket. An update that its stream delivers is
  excused from a look for a minute after a fault, and while the quota is used up: for 20 s, or by the pages of a list.
- Threads take turns at calls over a port, in virtual time. A data race between two lines of the program does not
  happen.
- Events are handed to a bus in memory. Its rules, the topic and the webhook behind it are tested elsewhere. The
  watchdog looks every five minutes; the deployed one every ten.
- A fault excuses a late ending. A time limit is longer by an outage, and starts anew with a closing step or a pass of
  the watchdog that a fault strikes, with the moment at which the broker finds an order again, or with the session's
  close. The limit for an order in flight is also longer by the time for which every step of its run that was under way
  was frozen. So no seed shows how soon trouble is over while faults go on.
- What a weight may trade is bounded by the exchange's prices and holdings around its planning, not known to the share;
  its arrival may be any quote that passed.
- A line that stays idle is not judged under a limit, or with settings for single symbols. The second judge leaves the
  collar to the first where a fallback or settings for single symbols are set.
- A buy may be given up as `unfunded` if all buys of the day, at the highest prices, might have cost more than was free.
- Why a run failed is judged coarsely: a fault in the last attempt of any of its steps is cause enough, and so are an
  order that the broker hides and a trade by another hand in a symbol of the plan.
- What a line is said to have met when its window closes is compared with its quotes where it names the book, and with
  the record where it names another hand. Cash and refusals are compared only for a line that ended early, or that was
  idle; `no_fill_collar` is not.
- That the loop goes on is judged between its steps: not inside a step that listens, after one that had no answer, or
  before the first.
- A further run of a plan may be refused after a failed one, unless a step of that one's own has closed it without a
  fault. Every symbol of the simulated days trades in fractions.
- Only the invariants listed below are checked. A seed does not show whether a price was good, whether an order moved as
  often as it should, or that a plan's cash reserve was kept. For the rate limit, the pages of a list count as one
  request."""

_FAULTS = tuple(str(fault) for fault in PortFault)


def keep(section: str, measured: Any) -> None:
    """Save one section's numbers and regenerate the page."""
    numbers = {**kept(), section: measured}
    NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n")
    PAGE.write_text(page(kept()))


def kept() -> dict[str, Any]:
    """The saved numbers; empty if there are none."""
    return dict(json.loads(NUMBERS.read_text())) if NUMBERS.exists() else {}


def keep_campaign(campaign: Mapping[str, Any]) -> None:
    """Save a campaign, with the first violation of each kind of a day, and add its seeds to those counted so far."""
    keep("counted", counted.with_campaign(kept().get("counted", []), campaign))
    keep(
        "campaign",
        {**campaign, "failing": {seed: counted.firsts(found) for seed, found in campaign["failing"].items()}},
    )


def keep_bugs(found: Mapping[str, Any]) -> None:
    """Save what has detected each planted bug; the bugs that were not tried keep what was measured before."""
    before = kept().get("planted_bugs", {})
    keep(
        "planted_bugs", {name: found.get(name, before.get(name)) for name in PLANTED_BUGS if name in {*found, *before}}
    )


def page(numbers: Mapping[str, Any]) -> str:
    """The whole page."""
    judges = _JUDGES.format(common=len(COMMON), all=len(INVARIANTS))
    parts = [_HEAD, "## What the simulation cannot show", _LIMITS, "## The two judges", judges]
    if "counted" in numbers:
        parts += _counted_so_far(numbers["counted"])
    if "campaign" in numbers:
        parts += _campaign(numbers["campaign"], numbers.get("counted", []))
    if "workload" in numbers:
        parts += workload_section(numbers["workload"])
    parts += findings_section()
    if "planted_bugs" in numbers:
        parts += bugs_section(numbers["planted_bugs"])
    if "coverage" in numbers:
        parts += coverage_section(numbers["coverage"])
    if "baselines" in numbers:
        parts += baselines_section(numbers["baselines"])
    invariants = [(f"`{name}`", rule, "both" if name in COMMON else "first") for name, rule in INVARIANTS.items()]
    parts += ["## Invariants", _INVARIANTS, table(("Violation", "Invariant", "Judge"), invariants)]
    return "\n\n".join(parts) + "\n"


def _campaign(run: Mapping[str, Any], entries: Sequence[counted.Counted]) -> list[str]:
    injected: Mapping[str, int] = run["injected"]
    strikes = {what: number for what, number in injected.items() if what.partition(" ")[0] in _FAULTS}
    brokers = {what: number for what, number in injected.items() if what.partition(" ")[0] in {"race", "transport"}}
    workflow_faults = {what: number for what, number in injected.items() if what not in strikes.keys() | brokers.keys()}
    rows = [
        ("days", _days(run)),
        ("commit", f"`{run['commit']}`"),
        ("**days with a violation**", f"**{len(run['failing'])}**"),
        ("calls over a port", f"{run['calls']:,}"),
        ("port faults injected", f"{sum(strikes.values()):,}"),
        ("distinct combinations of port fault and call", f"{len(strikes):,}"),
        ("orders at the broker", f"{run['orders']:,}"),
        ("fills", f"{run['fills']:,}"),
        ("time", f"{run['seconds']:,} s on {run['processes']} processes"),
    ]
    return [
        "## The latest campaign", table(("", ""), rows), *_violated(run["failing"]), *counted.run_before(run, entries),
        "### Outcomes", table(("Outcome of a parent order", "Orders"), coded(_counted(run["outcomes"]))),
        table(("Status of an execution", "Executions"), coded(_counted(run["statuses"]))),
        *_policies(run.get("policies", {})),
        "### Port faults by call", _STRUCK, _struck(strikes),
        "### Circumstances and workflow faults",
        table(("Circumstance or fault", "Times"), coded(_counted(workflow_faults))),
        "### Races and transport faults", _BROKERS, table(("", "Times"), coded(_counted(brokers))),
    ]  # fmt: skip


def _violated(failing: Mapping[str, Sequence[str]]) -> list[str]:
    rows = [(seed, ", ".join(f"`{name}`" for name in dict.fromkeys(text.partition(":")[0] for text in found)))
            for seed, found in sorted(failing.items())]  # fmt: skip
    return [table(("Seed", "Violations"), rows), "What each of them was is below, by seed."] if rows else []


def _policies(days: Mapping[str, int]) -> list[str]:
    return [table(("Policy of the day's first deployment", "Days"), coded(_counted(days)))] if days else []


def _days(run: Mapping[str, Any]) -> str:
    return f"{run['seeds']:,}" if run["is_complete"] else f"{run['seeds']:,} of {run['asked']:,}, then cut off"


def _struck(strikes: Mapping[str, int]) -> str:
    calls = sorted({what.partition(" ")[2] for what in strikes})
    rows = [[f"`{call}`", *(strikes.get(f"{fault} {call}", "") for fault in _FAULTS)] for call in calls]
    sums: Counter[str] = Counter()
    for what, number in strikes.items():
        sums[what.partition(" ")[0]] += number
    return table(("Call", *(fault.replace("_", " ") for fault in _FAULTS)), [*rows, ["all", *map(sums.get, _FAULTS)]])


def _counted_so_far(entries: Sequence[counted.Counted]) -> list[str]:
    head = ("Commit", "Seeds", "Days", "Days with a violation")
    violated = [seed for entry in entries for seed in entry["failing"]]
    faults = len(faults_of_the_program(violated))
    text = _COUNTED.format(
        days=counted.number_of(entries), seeds=counted.different(entries), violated=len(violated), faults=faults
    )
    return ["## Days counted so far", text, table(head, counted.rows(entries))]


def _counted(counts: Mapping[str, int]) -> dict[str, str]:
    return {name: f"{number:,}" for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))}


_HEAD = """# Reliability

Generated by `python -m repeg_workbench.faults publish` from `reliability.json`; a test fails if it is out of date.

A seed determines one day: a market, an account, a plan and settings, and the faults. The deployed handlers run
unchanged, on the deployed definition, in virtual time, against the simulated broker; in one seed of ten every request
goes through alpaca-py. [The failure matrix](failure-matrix.md) lists the tests of each kind of failure.

Two judges decide on each day, from what the exchange, the network and the platform have recorded. They share that
record and no code that decides. A day on which they disagree about an invariant that both check is a violation.

    make simulate-faults SEEDS=300                        # seeded days; sets up .venv, to be activated for the rest
    python -m repeg_workbench.faults seeds --first 20000 --seeds 1000 --processes 2
    python -m repeg_workbench.faults show 191             # violations, faults and tape of one seed
    python -m repeg_workbench.faults planted-bugs         # plants each bug and finds what detects it
    python -m repeg_workbench.faults workload             # leaves out each kind of event: does it matter?
    python -m repeg_workbench.faults baselines
    python -m repeg_workbench.faults counted              # days run so far, by commit

Any seeds will do; seeds that have not been run before add evidence. The tally is printed and saved in `out/faults`
every few seconds, so a campaign that is interrupted or killed has counted its days. A seed with a violation leaves a
bundle there, `seed-191-<commit>.json`, with its story and its ledger; `show out/faults/seed-191-<commit>.json` replays
it and reports whether the same happens again. With `--publish` the numbers go into this page."""

_JUDGES = """\
Both read a record of the day that the exchange, the network between program and broker, and the platform have
written: the broker's ledger, the quotes that were served, each request with its times and the answer that came back,
each invocation, execution and fault. Of what the program wrote they read what is itself judged: intents, because each
must precede its order, and the books, reports and published ends, because they must equal the broker's. They also
read the outcome that it gives an order, which the record must bear out; the marks that it stores before a cancel; its
alerts; and whether a step answered that there was nothing for it to do. How many shares a weight, an order in dollars
or the sale of a whole holding comes to is the program's own figure too, as far as the exchange's prices and holdings
allow it.

- The first judge replays the ledger event by event, and checks every invariant below.
- The second looks back at finished lives: each order is an interval of the ledger, and quantities, money, prices,
  window, limits and books follow from the lives and from the documented rules. It checks the {common} of the {all}
  invariants that are marked `both`; on those the two must agree."""

_STRUCK = (
    "A crash kills the function and all its threads. A freeze suspends it for up to two minutes, in one seed of five"
    " for up to ten. A lost request, or its answer, never arrives. A late request arrives up to a minute after the"
    " caller has given it up, in one seed of five up to seven. A refused request is rejected and may be retried. A"
    " stale read returns an older answer."
)

_BROKERS = (
    "A race is an event at the broker that overtakes a request, such as a fill during a cancel. A transport fault is a"
    " failed or faulty answer to alpaca-py, in the seeds that use it."
)

_COUNTED = (
    "{days:,} days of published campaigns, of {seeds:,} different seeds, and each commit at which they were run. "
    "Days with a violation: {violated}, of them {faults} by a fault of the program, the others by a mistake of a "
    "judge or of the simulation, which was mended there. A seed at another commit is another day: the program, the "
    "workload and the judges have changed meanwhile, the judges mostly to be stricter. Campaigns are only ever "
    "added to this table; one that was cut off counts as far as it came, without the days that were under way. "
    "Seed 6910 is missing twice for another reason: a day that took for ever was not counted, and is a violation "
    "now. Other days were run while the program was being changed, and are not counted. [What all of them found]"
    "(#what-the-workload-found) is below, with the mistakes."
)

_INVARIANTS = "Checked over the whole day, and those of endings once it is over, by the judge named:"
