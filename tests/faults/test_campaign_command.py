"""The campaign's command: what it has counted is printed and saved at every moment, also when it is cut off."""

from __future__ import annotations

import builtins
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from repeg_workbench.faults import campaign
from repeg_workbench.faults.bundle import read_bundle
from repeg_workbench.faults.campaign import QUIET, run_bundled
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.planting import Edit, edited, planted
from repeg_workbench.faults.world import World
from tests.template.stack import ROOT

# More seeds than any test waits for.
MANY = 100_000
PROGRESS = re.compile(r"([1-9][\d,]*) of [\d,]+ seeds, \d+ violations")
PATIENCE = 60
# The first seed on which a day shows an order that is sent before its intent is written.
DETECTS = 2

pytestmark = pytest.mark.xdist_group("campaign")


@contextmanager
def command(*words: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m repeg_workbench.faults` as the leader of its own process group."""
    with subprocess.Popen(
        [sys.executable, "-m", "repeg_workbench.faults", *words],
        cwd=ROOT,
        env={**QUIET, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/repeg/python'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def finished(*words: str) -> tuple[int, str]:
    """The exit code and the output of a command."""
    with command(*words) as process:
        output, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, output


def seeds_after_progress(process: subprocess.Popen[str]) -> int:
    """Wait for the first line of progress that counts a seed; returns how many it counts."""
    assert process.stdout is not None
    for line in process.stdout:
        found = PROGRESS.match(line)
        if found:
            return int(found[1].replace(",", ""))
    raise AssertionError("the command ended without progress")


def tally_in(folder: Path) -> dict[str, Any]:
    """The one tally that is kept in a folder."""
    (file,) = folder.glob("tally-*.json")
    return dict(json.loads(file.read_text()))


def test_a_campaign_runs_the_seeds_asked_for_and_keeps_its_tally(tmp_path: Path) -> None:
    code, output = finished("seeds", "--first", "40", "--seeds", "3", "--processes", "2", "--out", str(tmp_path))
    assert code == 0, output
    assert "seeds       3 in" in output
    tally = tally_in(tmp_path)
    assert (tally["done"], tally["seeds"], tally["is_complete"]) == ([[40, 43]], 3, True)
    assert tally["calls"] > 0
    assert len(tally["commit"]) >= 7


def test_a_further_campaign_from_a_seed_on_leaves_the_earlier_tally(tmp_path: Path) -> None:
    for name in ("tally-abc-40.json", "tally-abc-40-2.json", "tally-abc-40-3.json"):
        kept = campaign.Campaign(range(40, 43), 1, tmp_path, commit="abc")
        assert kept.file == tmp_path / name
        kept.file.write_text("{}")
        assert kept.file == tmp_path / name


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_campaign_prints_and_keeps_what_it_has(tmp_path: Path, ending: signal.Signals) -> None:
    with command("seeds", "--seeds", str(MANY), "--processes", "1", "--out", str(tmp_path)) as process:
        counted = seeds_after_progress(process)
        os.killpg(process.pid, ending) if ending is signal.SIGINT else process.send_signal(ending)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert f"of {MANY}: cut off after" in output
    tally = tally_in(tmp_path)
    assert tally["seeds"] >= counted
    assert not tally["is_complete"]
    assert output.endswith(f"interrupted; {tally['seeds']} days are kept in {next(tmp_path.glob('tally-*.json'))}\n")


def test_a_killed_campaign_has_kept_its_tally_and_leaves_no_worker(tmp_path: Path) -> None:
    with command("seeds", "--seeds", str(MANY), "--processes", "2", "--out", str(tmp_path)) as process:
        counted = seeds_after_progress(process)
        process.kill()
        process.communicate(timeout=PATIENCE)  # the output ends only when every worker has ended
    assert process.returncode == -signal.SIGKILL
    assert tally_in(tmp_path)["seeds"] >= counted


def test_a_bundle_is_replayed_with_the_same_violations_and_ledger(tmp_path: Path) -> None:
    path = run_bundled(DETECTS, "post_before_intent").save(tmp_path)
    bundle = read_bundle(path)
    assert bundle.violations
    assert bundle.ledger
    assert f"seed {DETECTS}: " in bundle.story
    code, output = finished("show", str(path))
    assert code == 0, output
    assert output.endswith("replayed: the same violations and the same ledger\n")
    assert bundle.violations[0] in output


def test_a_bundle_of_another_day_is_not_taken_for_the_same(tmp_path: Path) -> None:
    path = run_bundled(DETECTS, "post_before_intent").save(tmp_path)
    path.write_text(path.read_text().replace(f'"seed": {DETECTS},', '"seed": 1,'))
    code, output = finished("show", str(path))
    assert code == 1
    assert "not the day of the bundle, which was made at commit" in output


def test_a_day_that_cannot_be_run_is_a_failing_one(tmp_path: Path) -> None:
    broken = edited("the simulation raises", Edit(World, "run", "return self._run()", "return 1 / 0"))
    with planted(broken):
        tally = campaign._run_one((1, tmp_path))
    assert tally.failing == {1: ["day_not_run: ZeroDivisionError: division by zero"]}
    assert tally.seeds == 1


@pytest.mark.parametrize("endless", ["while True: self.record", "self.scheduler.spawn_apart(endless).join()"])
def test_a_day_without_an_end_is_a_failing_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endless: str) -> None:
    monkeypatch.setattr(campaign, "MOST_SECONDS", 0.2)
    monkeypatch.setattr(builtins, "endless", lambda: all(iter(lambda: 1, 0)), raising=False)
    with planted(edited("the day has no end", Edit(World, "run", "return self._run()", endless))):
        tally = campaign._run_one((1, tmp_path))
    assert tally.failing == {1: ["day_not_run: TookTooLong: no end within 0.2 seconds"]}


def test_a_failing_seed_of_a_campaign_leaves_a_bundle(tmp_path: Path) -> None:
    with planted(PLANTED_BUGS["post_before_intent"]):
        tally = campaign._run_one((DETECTS, tmp_path))
    (path,) = tmp_path.glob(f"seed-{DETECTS}-*.json")
    assert read_bundle(path).violations == tuple(tally.failing[DETECTS])
