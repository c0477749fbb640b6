"""What the commands are given: names, files and code that they can work with, or one line and exit code 2."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NoReturn

import typer

from repeg_workbench.faults import reliability
from repeg_workbench.faults.bundle import Bundle, read_bundle
from repeg_workbench.faults.commit import CODE, current_commit, is_committed
from repeg_workbench.faults.kinds_in_words import IN_WORDS
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS

BAD_INPUT = 2

_TEXTS = (list, "a list of texts")
_BUNDLED: dict[str, tuple[type, str]] = {
    "seed": (int, "a number"), "bug": (str, "a text"), "commit": (str, "a text"),
    "violations": _TEXTS, "story": _TEXTS, "ledger": _TEXTS,
}  # fmt: skip
_BUNDLE = "a bundle of a failing seed, such as out/faults/seed-191-<commit>.json"


def known_bug(option: str, name: str) -> str:
    """The name of a planted bug."""
    return _known(option, name, PLANTED_BUGS, "a planted bug")


def known_kind(option: str, name: str) -> str:
    """The name of a kind of event of the workload."""
    return _known(option, name, IN_WORDS, "a kind of event")


def _known(option: str, name: str, known: Collection[str], what: str) -> str:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "expected one of those in docs/reliability.md"
        refuse(f"{option}: {name!r} is not {what}; {hint}")
    return name


def published_workload(option: str, first: int, count: int) -> dict[str, Any]:
    """The published measurement of the workload, if it is of these seeds."""
    before: dict[str, Any] = reliability.kept().get("workload", {"first": 0, "seeds": 300, "kinds": {}, "commit": ""})
    if (before["first"], before["seeds"]) != (first, count):
        refuse(f"{option}: seeds {first} to {first + count - 1}; expected those of the published kinds:"
               f" --first {before['first']} --seeds {before['seeds']}")  # fmt: skip
    return before


def saved_bundle(path: Path) -> Bundle:
    """A bundle, whose bug still exists."""
    saved = _read(path, f"a seed, such as 191, or {_BUNDLE}")
    if not isinstance(saved, dict) or not _BUNDLED.keys() <= saved.keys():
        refuse(f"{path}: is not a bundle; expected {_BUNDLE}")
    for field, (kind, what) in _BUNDLED.items():
        if not isinstance(saved[field], kind) or not all(isinstance(each, str) for each in _items(saved[field])):
            refuse(f"{path}: {field}: {saved[field]!r:.40} is not {what}; expected {_BUNDLE}")
    if saved["bug"]:
        known_bug(f"{path}: bug", saved["bug"])
    return read_bundle(path)


def saved_tallies(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Tallies of campaigns at a committed state."""
    expected = "the tally of a campaign, such as out/faults/tally-<commit>-0.json"
    tallies = []
    for path in paths:
        tally = _read(path, expected)
        if not isinstance(tally, dict) or not {"commit", "done", "failing"} <= tally.keys():
            refuse(f"{path}: is not a tally; expected {expected}")
        if not is_committed(tally["commit"]):
            refuse(f"{path}: was run at {tally['commit']}; expected a commit, so that anyone can run the same days")
        tallies.append(tally)
    return tallies


def code_to_measure(*, publish: bool, of: Sequence[str] = CODE) -> str:
    """The commit that is being measured. What is to be published is not measured from changes that nobody else has."""
    commit = current_commit(of)
    if publish and not is_committed(commit):
        refuse(f"--publish: the code is {commit}; expected a commit without changes in {', '.join(of)}")
    return commit


def refuse(words: str) -> NoReturn:
    """End the command with one line."""
    typer.echo(words, err=True)
    raise typer.Exit(BAD_INPUT)


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _read(path: Path, expected: str) -> Any:
    try:
        return json.loads(path.read_text())
    except OSError as error:
        refuse(f"{path}: {(error.strerror or str(error)).lower()}; expected {expected}")
    except ValueError:
        refuse(f"{path}: is not JSON; expected {expected}")
