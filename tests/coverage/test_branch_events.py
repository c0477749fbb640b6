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
    (tmp_path / "subject.py").write_text(SUBJECT)
    page = tmp_path / "page.json"
    subprocess.run(
        [sys.executable, "-W", "error", "-c", MEASURE, str(page), *map(str, numbers)],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        check=True,
    )
    (about,) = json.loads(page.read_text())["files"].values()
    assert about["missing_branches"] == missing
