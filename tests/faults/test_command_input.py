"""The commands refuse what they cannot work with in one line, with exit code 2; a violation is exit code 1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from repeg_workbench.faults import __main__ as command
from repeg_workbench.faults import command_input, reliability
from repeg_workbench.faults.campaign import run_bundled
from repeg_workbench.faults.commit import is_committed

# The first seed on which a day shows an order that is sent before its intent is written, and the bug.
DETECTS, BUG = 2, "post_before_intent"

BUNDLE = "a bundle of a failing seed, such as out/faults/seed-191-<commit>.json"
TALLY = "the tally of a campaign, such as out/faults/tally-<commit>-0.json"


@pytest.fixture(autouse=True)
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is published here does not change the page."""
    monkeypatch.setattr(reliability, "NUMBERS", tmp_path / "numbers.json")
    monkeypatch.setattr(reliability, "PAGE", tmp_path / "page.md")


def run(*words: object) -> Result:
    """A command's exit code and output."""
    return CliRunner().invoke(command.app, [str(word) for word in words])


def refused(*words: object) -> str:
    """The one line with which a command refuses its input."""
    found = run(*words)
    assert found.exit_code == 2, found.output
    assert found.output.count("\n") == 1
    return found.output.strip()


def test_a_seed_with_a_violation_is_shown_with_exit_code_one() -> None:
    found = run("show", DETECTS, "--bug", BUG)
    assert (found.exit_code, "violated  no_intent" in found.output) == (1, True)


def test_a_seed_without_a_violation_is_shown_with_exit_code_zero() -> None:
    found = run("show", DETECTS)
    assert (found.exit_code, found.output.startswith(f"seed {DETECTS}: ")) == (0, True)
    assert found.output.endswith("\nno violation\n")


@pytest.mark.parametrize("words", [("show", "2", "--bug"), ("planted-bugs", "--only")])
def test_an_unknown_bug_is_refused_with_the_closest_one(words: tuple[str, ...]) -> None:
    assert refused(*words, "post_before_intnt") == (
        f"{words[-1]}: 'post_before_intnt' is not a planted bug; did you mean post_before_intent?"
    )
    assert refused(*words, "zzz") == (
        f"{words[-1]}: 'zzz' is not a planted bug; expected one of those in docs/reliability.md"
    )


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    assert refused("show", path) == f"{path}: no such file or directory; expected a seed, such as 191, or {BUNDLE}"
    assert refused("publish", path) == f"{path}: no such file or directory; expected {TALLY}"


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.json"
    path.write_text("seed 191")
    assert refused("show", path) == f"{path}: is not JSON; expected a seed, such as 191, or {BUNDLE}"


@pytest.mark.parametrize(("field", "value", "words"), [
    ("seed", "191", "'191' is not a number"),
    ("commit", 5, "5 is not a text"),
    ("violations", 3, "3 is not a list of texts"),
    ("ledger", [1], "[1] is not a list of texts"),
])  # fmt: skip
def test_a_bundle_with_another_kind_of_value_is_refused(field: str, value: object, words: str, tmp_path: Path) -> None:
    whole = {"seed": 191, "bug": "", "commit": "abc", "violations": [], "story": [], "ledger": []}
    path = tmp_path / "seed-191-abc.json"
    path.write_text(json.dumps({**whole, field: value}))
    assert refused("show", path) == f"{path}: {field}: {words}; expected {BUNDLE}"


@pytest.mark.parametrize("words", [
    ("seeds", "--processes", -1), ("planted-bugs", "--processes", -1), ("coverage", "--processes", -1),
    ("baselines", "--seeds", 0), ("seeds", "--first", -1), ("seeds", "--seeds", 0),
])  # fmt: skip
def test_a_number_that_is_too_small_is_refused(words: tuple[object, ...]) -> None:
    found = run(*words)
    assert (found.exit_code, str(words[1]) in found.output) == (2, True)


@pytest.mark.parametrize("written", [{"done": [[0, 3]], "failing": {}, "commit": "abc"}, [], "191"])
def test_a_tally_or_any_other_file_is_not_taken_for_a_bundle(written: object, tmp_path: Path) -> None:
    path = tmp_path / "tally-abc-0.json"
    path.write_text(json.dumps(written))
    assert refused("show", path) == f"{path}: is not a bundle; expected {BUNDLE}"


def test_a_bundle_is_not_taken_for_a_tally(tmp_path: Path) -> None:
    path = run_bundled(DETECTS, BUG).save(tmp_path)
    assert refused("publish", path) == f"{path}: is not a tally; expected {TALLY}"


def test_a_bundle_of_a_bug_that_is_gone_is_refused(tmp_path: Path) -> None:
    path = run_bundled(DETECTS, BUG).save(tmp_path)
    path.write_text(path.read_text().replace(f'"bug": "{BUG}"', '"bug": "zzz"'))
    assert refused("show", path).startswith(f"{path}: bug: 'zzz' is not a planted bug; ")


def test_a_kind_that_does_not_exist_is_refused() -> None:
    assert refused("workload", "--only", "race,kill_halte") == (
        "--only: 'kill_halte' is not a kind of event; did you mean kill_halt?"
    )


def test_a_kind_of_other_seeds_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_input, "current_commit", lambda _of: "0123456789")
    assert refused("workload", "--only", "race", "--first", "7", "--seeds", "3", "--publish") == (
        "--only: seeds 7 to 9; expected those of the published kinds: --first 0 --seeds 300"
    )


def test_a_bug_beside_a_bundle_is_refused(tmp_path: Path) -> None:
    path = run_bundled(DETECTS, BUG).save(tmp_path)
    assert refused("show", path, "--bug", BUG).startswith(f"--bug: '{BUG}' is given with a bundle")


@pytest.mark.parametrize("name", ["seeds", "planted-bugs", "baselines", "workload", "coverage"])
@pytest.mark.parametrize("commit", ["0123456789+", "unknown"])
def test_a_measurement_of_uncommitted_code_is_not_published(
    name: str, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_input, "current_commit", lambda _of: commit)
    assert refused(name, "--publish").startswith(f"--publish: the code is {commit}; expected a commit without changes")
    assert not is_committed(commit)


def test_a_tally_of_uncommitted_code_is_not_published(tmp_path: Path) -> None:
    path = tmp_path / "tally-abc+-0.json"
    path.write_text(json.dumps({"done": [[0, 3]], "failing": {}, "commit": "abc+"}))
    assert refused("publish", path) == (
        f"{path}: was run at abc+; expected a commit, so that anyone can run the same days"
    )
