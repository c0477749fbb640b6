"""The section of docs/reliability.md on what the seeds run of the modules that decide on money."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from repeg_workbench.faults.branch_coverage import ARROW, THE_END, Reached
from repeg_workbench.faults.markdown import table
from repeg_workbench.mutation.money_modules import MONEY_MODULES, path_of

_REASONS = Path(__file__).with_name("never_reached.toml")

_TEXT = (
    "What {seeds:,} seeds run of the modules that decide on money, by themselves and without any test, at commit "
    "`{commit}` (`python -m repeg_workbench.faults coverage`). Lines include those of declarations. The last column"
    " is of branches, and of lines in a module that has none. Listed are every line that no seed has run, and every"
    " branch that none has taken between lines that ran, with the reason."
)
_CHANGED = "Changed since the measurement."
_UNKNOWN = "Not looked into yet."


def is_in_the_code(place: str) -> bool:
    """Whether a module still has a place's line, and for a branch the line where it leads."""
    module, _, text = place.partition(": ")
    path = path_of(module)
    lines = {line.strip() for line in path.read_text(encoding="utf-8").splitlines()} if path.exists() else set()
    return all(part in lines | {THE_END} for part in text.split(ARROW))


def places_of(measured: Mapping[str, Any]) -> list[str]:
    """The places that a published measurement names as never reached."""
    return [f"{name}: {text}" for name, module in measured["modules"].items() for text in module["missing"]]


def unexplained(measured: Mapping[str, Any]) -> list[str]:
    """The places that a measurement names and the code still has, without a reason."""
    return [place for place in places_of(measured) if place not in reasons() and is_in_the_code(place)]


def reasons() -> dict[str, str]:
    """Why no seed reaches a line or a branch, by module and text."""
    listed = tomllib.loads(_REASONS.read_text(encoding="utf-8")).get("reason", [])
    return {place: entry["text"] for entry in listed for place in entry["places"]}


def as_json(reached: Mapping[str, Reached], seeds: range, commit: str) -> dict[str, Any]:
    """A measurement as JSON."""
    modules = {name: {**vars(module), "missing": list(module.missing)} for name, module in reached.items()}
    return {"seeds": len(seeds), "first": seeds.start, "commit": commit, "modules": modules}


def coverage_section(measured: Mapping[str, Any]) -> list[str]:
    """The section, as paragraphs."""
    modules = {name: Reached(**module) for name, module in measured["modules"].items()}
    rows = [
        (
            f"`{name}`",
            f"{each.lines_run} of {each.lines}",
            f"{each.branches_run} of {each.branches}",
            f"{each.percent:.1f}%",
        )
        for name, each in modules.items()
    ]
    total = [sum(figures) for figures in zip(*(row_of(each) for each in modules.values()), strict=True)]
    rows.append(
        ("**all**", f"{total[0]} of {total[1]}", f"{total[2]} of {total[3]}", f"{100 * total[2] / total[3]:.1f}%")
    )
    return [
        "## Branches that the seeds reach",
        _TEXT.format(seeds=measured["seeds"], commit=measured["commit"]),
        table(("Module", "Lines run", "Branches taken", "Branches"), rows),
        *_not_measured(modules),
        *_grouped(places_of(measured)),
    ]


def _not_measured(modules: Container[str]) -> list[str]:
    """The money modules that a measurement does not have: they came after it."""
    missing = [f"`{name}`" for name in MONEY_MODULES if name not in modules]
    return [f"Not measured yet: {', '.join(missing)}."] if missing else []


def row_of(each: Reached) -> tuple[int, int, int, int]:
    """A module's lines run, lines, branches taken and branches."""
    return each.lines_run, each.lines, each.branches_run, each.branches


def _grouped(missing: Sequence[str]) -> Iterator[str]:
    known = reasons()
    why = {place: known.get(place, _UNKNOWN if is_in_the_code(place) else _CHANGED) for place in missing}
    for text in dict.fromkeys(why.values()):
        yield "\n".join([text, "", *(f"- ``{place}``" for place, reason in why.items() if reason == text)])
