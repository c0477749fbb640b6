"""The plugin reports exactly the branches that have been taken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.coverage.floors import ROOT

SUBJECT = """
def sign(number):
    if number < 0:
        return "-"
    for _ in range(number):
        pass
    return "+" if number else ""

def count(number):
    for each in range(number):
        yield each
"""

MEASURE = """
import sys
import tests.coverage.branch_events
from coverage import Coverage
from threading import Thread
from greenlet import greenlet

measured = Coverage(branch=True, include=["*/subject.py"], data_file=None, config_file=False)
measured.set_option("run:core", "sysmon")
with measured.collect():
    from subject import sign
    for number in map(int, sys.argv[2:]):
        greenlet(sign).switch(number)
        thread = Thread(target=sign, args=(number,))
        thread.start()
        thread.join()
measured.json_report(outfile=sys.argv[1])
"""

PAUSE = """
import sys
import tests.coverage.branch_events
from coverage import Coverage

def begin():
    measured = Coverage(branch=True, include=["*/subject.py"], data_file=None, config_file=False)
    measured.set_option("run:core", "sysmon")
    measured.start()
    return measured

measured = begin()
from subject import count, sign
suspended, _ = count(2), list(count(0))
next(suspended)
sign(0)
measured.stop()
sign(-1)
measured.start()
assert list(suspended) == [1]
sign(0)
inner = begin()
sign(-1)
inner.stop()
sign(2)
measured.stop()
measured.json_report(outfile=sys.argv[1])
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in Python 3.12")
@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ((-1, 2), []),
        ((-1,), [[3, 5], [5, 6], [5, 7]]),
        ((1, 2), [[3, 4]]),
        ((0,), [[3, 4], [5, 6]]),
    ],
)
def test_a_branch_that_was_not_taken_is_reported_missing(
    tmp_path: Path, numbers: tuple[int, ...], missing: list[list[int]]
) -> None:
    assert missing_branches(tmp_path, MEASURE, *map(str, numbers)) == [*missing, [10, -9], [10, 11]]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in Python 3.12")
def test_a_pause_is_not_measured_and_what_follows_it_is(tmp_path: Path) -> None:
    """A test that is marked no_cover is a pause, and so is one that measures something itself. A generator may begin
    before it and end after it."""
    assert missing_branches(tmp_path, PAUSE) == [[3, 4]]


def missing_branches(folder: Path, program: str, *arguments: str) -> list[list[int]]:
    """The branches that are reported as not taken by a program that measures."""
    (folder / "subject.py").write_text(SUBJECT)
    page = folder / "page.json"
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(page), *arguments],
        cwd=folder,
        env={"PYTHONPATH": f"{ROOT}:{folder}"},
        check=True,
    )
    (about,) = json.loads(page.read_text())["files"].values()
    return list(about["missing_branches"])
