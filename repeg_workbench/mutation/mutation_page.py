"""The page on mutation, docs/mutation.md, from the results kept in docs/mutation.json and the survivors' reasons."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from repeg_workbench.faults.commit import ROOT, current_commit
from repeg_workbench.faults.markdown import table
from repeg_workbench.mutation.mutants import MutatedModule
from repeg_workbench.mutation.results import KILLED, SAME_CODE, Record, Results

NUMBERS = ROOT / "docs" / "mutation.json"
PAGE = ROOT / "docs" / "mutation.md"
_REASONS = Path(__file__).with_name("survivors.toml")

_LINE = "{:32} {:>7} {:>6} {:>6} {:>7} {:>7} {:>7} {:>7}"
_HEAD_OF_TABLE = ("Module", "Mutants", "Killed by tests", "By seeds alone", "Survive", "Killed")


def reasons() -> dict[str, str]:
    """Why a mutant that survives is no gap in the tests, by its key."""
    return {key: entry["text"] for entry in _entries() for key in entry["mutants"]}


def listed() -> list[str]:
    """The keys that have a reason, as often as they stand in the file."""
    return [key for entry in _entries() for key in entry["mutants"]]


def _entries() -> list[dict[str, Any]]:
    return list(tomllib.loads(_REASONS.read_text(encoding="utf-8")).get("reason", []))


def outdated(modules: Mapping[str, MutatedModule]) -> list[str]:
    """The keys with a reason that no mutant of these modules has any more."""
    keys = {key for module in modules.values() for key in module.mutants}
    return [key for key in reasons() if key.partition(":")[0].startswith(tuple(modules)) and key not in keys]


def summary(results: Results, modules: Mapping[str, MutatedModule]) -> str:
    """A line a module."""
    lines = [_LINE.format("module", "mutants", "tests", "seeds", "survive", "killed", "not run", "CPU s")]
    for name in modules:
        row, cpu = _row(results.of(name)), sum(record.cpu for record in results.of(name))
        lines.append(_LINE.format(name, *row, results.missing(name), f"{cpu:.0f}"))
    return "\n".join([*lines, totals(results, modules)])


def totals(results: Results, modules: Mapping[str, MutatedModule]) -> str:
    """All modules in one line."""
    records = [record for name in modules for record in results.of(name)]
    mutants, by_tests, by_seeds, survive, share = _row(records)
    cpu = sum(record.cpu for record in records)
    return (
        f"{mutants} mutants: {by_tests} killed by tests, {by_seeds} by seeds alone, {survive} survive;"
        f" {share} killed; {cpu:.0f} s CPU"
    )


def keep(results: Results, modules: Mapping[str, MutatedModule]) -> None:
    """Save the results and write the page. A mutant that has not run since its module changed has its former result.

    A module with such results keeps the digest of its former code, so that they are not taken for new ones.
    """
    killers: dict[str, int] = {}
    saved: dict[str, Any] = {}
    for name, module in modules.items():
        records = [record for record in results.with_former(name) if record.verdict != SAME_CODE]
        former_code = {record.digest for record in records if record.key not in results.records}
        saved[name] = {
            "digest": min(former_code, default=module.digest),
            "row": _row(records),
            "cpu": round(sum(record.cpu for record in records), 1),
            "killed": {short(r.key): killers.setdefault(r.by, len(killers)) for r in records if r.verdict == KILLED},
            "survive": {r.key: (r.seeds, r.chosen_from) for r in records if r.verdict != KILLED},
        }
    every = [record for name in modules for record in results.with_former(name)]
    former = sum(record.key not in results.records for record in every)
    not_run = sum(len(module.mutants) for module in modules.values()) - len(every)
    numbers = {
        "commit": current_commit(), "cpu": round(sum(record.cpu for record in every)), "total": _row(every),
        "former": former, "not_run": not_run, "killers": list(killers), "modules": saved,
    }  # fmt: skip
    NUMBERS.write_text(json.dumps(numbers, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept()), encoding="utf-8")


def kept() -> dict[str, Any]:
    """The saved numbers."""
    return dict(json.loads(NUMBERS.read_text(encoding="utf-8")))


def short(key: str) -> str:
    """A mutant's name in the saved numbers."""
    return sha256(key.encode()).hexdigest()[:12]


def page(numbers: Mapping[str, Any]) -> str:
    """The whole page."""
    rows = [(f"`{name}`", *module["row"]) for name, module in numbers["modules"].items() if module["row"][0]]
    total = numbers["total"]
    counts = {name: numbers[name] for name in ("commit", "cpu", "former", "not_run")}
    killed = total[1] + total[2]
    survive = {key: seeds for module in numbers["modules"].values() for key, seeds in module["survive"].items()}
    every = total[0] + numbers["not_run"]
    head = _HEAD.format(
        mutants=total[0], share=total[4], every=every, killed=killed, known=killed / every, survive=len(survive),
        unexplained=len(set(survive) - set(reasons())), **counts,
    )  # fmt: skip
    parts = [head, table(_HEAD_OF_TABLE, [*rows, ("**all**", *total)]), "## Survivors", _survivors(survive)]
    return "\n\n".join([*parts, *_grouped(survive)]) + "\n"


def _grouped(survivors: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    why = reasons()
    for text in dict.fromkeys(why.get(key, "No reason is known yet.") for key in survivors):
        keys = [key for key in survivors if why.get(key, "No reason is known yet.") == text]
        yield "\n".join([f"{text}", "", *(f"- ``{key}`` – {_days(*survivors[key])}" for key in keys)])


def _days(seeds: int, chosen_from: int) -> str:
    """How many days a survivor was run against, or why it was run against none."""
    if not chosen_from:
        return "not run against days"
    return f"{seeds} day{'s' * (seeds != 1)}" if seeds else f"none of {chosen_from} days runs it"


def _survivors(survive: Mapping[str, tuple[int, int]]) -> str:
    """What stands above the list of the survivors: how many of them were run against seeds."""
    tried = [seeds for seeds, chosen_from in survive.values() if chosen_from]
    return _SURVIVORS.format(
        survive=len(survive), seeded=len(tried) - tried.count(0), out_of_reach=tried.count(0),
        untried=len(survive) - len(tried),
    )  # fmt: skip


def _row(records: list[Record]) -> tuple[int, int, int, int, str]:
    """Mutants, killed by tests, killed by seeds alone, survivors, and the share that is killed."""
    counted = [record for record in records if record.verdict != SAME_CODE]
    killed = [record for record in counted if record.verdict == KILLED]
    by_seed = sum(record.is_killed_by_seed for record in killed)
    share = f"{len(killed) / len(counted):.1%}" if counted else "–"
    return len(counted), len(killed) - by_seed, by_seed, len(counted) - len(killed), share


_HEAD = """# Mutation

Generated by `python -m repeg_workbench.mutation publish` from `mutation.json`; a test fails if it is out of date.

A mutant is the program with one small fault, made by rule: a bound moved by one, a comparison turned around, a
condition left out, `and` for `or`, a statement removed, `None` returned, a default instead of an argument, an entry of
a table left out, and the like in the expressions that DynamoDB evaluates. Log lines and messages are not mutated. Every
mutant of the modules that decide on money is run against the fast tests that run its line, and is killed if one of them
fails. One that survives can be run against simulated days with faults as well.

    python -m repeg_workbench.mutation run                     # goes on where it was interrupted
    python -m repeg_workbench.mutation run --seeds 0           # against the tests alone
    python -m repeg_workbench.mutation run --modules limits,placement --processes 2
    python -m repeg_workbench.mutation run --sample 100 --seed 7
    python -m repeg_workbench.mutation table                   # what is known so far
    python -m repeg_workbench.mutation publish

What has been run is kept in `out/mutation`, a line for each mutant. A mutant is run again only if its module has
changed; one that survives, also when a test that runs its line has changed or is new. `make test` runs thirty of those
that are killed, each against the test that has killed it.

Of {every:,} mutants {killed:,} are known to be killed ({known:.1%}), at commit `{commit}`, and {not_run} have not been
run. Of the {mutants:,} that have, in {cpu:,} s of CPU time, {share} are killed; {former:,} of them were last run before
another change of their module. {survive} survive, {unexplained} of them without a reason."""

_SURVIVORS = (
    "Each mutant that survives, with the reason where one is known, and the number of simulated days with faults that"
    " it was run against: days that run its line, and of those the ones that run the least of the program beside it. Of"
    " {survive} survivors {seeded} were run against days; {out_of_reach} are in lines that none of the days looked at"
    " runs; {untried} were not run against days. [Reliability](reliability.md#branches-that-the-seeds-reach) says why"
    " hardly any day reaches some lines."
)
