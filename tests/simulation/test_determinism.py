"""A seed gives the same day, byte for byte, in another process and over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from repeg_workbench.simulate.simulation import Wire
from tests.simulation.days import DAYS
from tests.simulation.playing import play

ROOT = Path(__file__).parents[2]


def simulate(out: Path, hash_seed: str) -> dict[str, bytes]:
    """The files written by a simulation in another process."""
    command = [sys.executable, "-c", "from repeg_workbench.cli import app; app()", "simulate", "--out", str(out)]
    paths = os.pathsep.join(str(path) for path in (ROOT, ROOT / "layers" / "repeg" / "python"))
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}
    subprocess.run(command, cwd=out.parent, env=environment, check=True, capture_output=True)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_a_process_with_another_hash_seed_writes_the_same_files(tmp_path: Path) -> None:
    first, second = (simulate(tmp_path / name, name) for name in ("1", "4242"))
    assert sorted(first) == ["journal.jsonl", "report.html", "summary.json", "tape.txt"]
    assert first == second


@pytest.mark.parametrize("name", ["quiet", "impatient"])
def test_a_day_over_http_has_the_same_tape(name: str) -> None:
    (day,) = (day for day in DAYS if day.name == name)
    over_http = play(replace(day.scenario(), wire=Wire.HTTP))
    assert over_http.tape == day.tape.read_text(encoding="utf-8")
