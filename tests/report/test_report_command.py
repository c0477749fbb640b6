"""`repeg report` of a folder: the page is written, and whatever is wrong with the journal is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from repeg.domain.journal import Entry
from repeg_workbench.cli import app
from repeg_workbench.operate.answer import CANNOT, DONE, UNFINISHED
from repeg_workbench.report.writing import opened
from tests.builders import NOON
from tests.journal.simulated import keep, kept_lines
from tests.report.day import Worked, entries, stored

STEP = "20261123T170000.000000Z-CloseRun-1.jsonl.gz"


def report(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's journal, as it is copied from a bucket."""
    (tmp_path / STEP).write_bytes(stored(entries([Worked(), Worked("KO")])))
    return tmp_path


def test_a_folders_page_is_written_into_it(folder: Path) -> None:
    result = report(folder)
    assert result.exit_code == DONE
    assert "core-2026-11-23: settled, every order has an outcome; filled 2 of 2 orders" in result.stdout
    assert "2 of 2 orders" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_page_goes_where_it_is_asked_to_go(folder: Path, tmp_path: Path) -> None:
    result = report(folder, "--page", tmp_path / "mine.html", "--json")
    assert json.loads(result.stdout)["page"] == str(tmp_path / "mine.html")
    assert (tmp_path / "mine.html").exists()
    assert not (folder / "report.html").exists()


def test_a_simulated_days_folder_has_its_summary_on_the_page(tmp_path: Path) -> None:
    keep(tmp_path, kept_lines(entries([Worked()])))
    totals = {"transitions": 91, "trading_requests": 255, "aws_dollars": "0.004", "states": {"OpenRun": 1}}
    about = {"outcome": "settled", "reason": "done", "market": "a generated day", "notes": ["rounded"]}
    summary = {**about, "totals": totals}
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    assert report(tmp_path).exit_code == DONE
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for said in ("simulated", "255", "$0.004", "OpenRun", "a generated day", "rounded"):
        assert said in page


def test_a_journal_that_was_cut_off_is_shown_and_said(folder: Path) -> None:
    whole = (folder / STEP).read_bytes()
    (folder / STEP).write_bytes(whole[: len(whole) * 2 // 3])
    result = report(folder)
    assert result.exit_code == UNFINISHED
    assert "it was cut off after" in result.stdout
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "The journal is not whole" in page
    assert "KO" in page


def test_a_journal_of_another_version_is_said_and_not_guessed_at(folder: Path) -> None:
    text = gzip.decompress((folder / STEP).read_bytes()).replace(b'{"schema":1', b'{"schema":9', 1)
    (folder / STEP).write_bytes(gzip.compress(text))
    result = report(folder)
    assert result.exit_code == UNFINISHED
    assert "its schema is 9; this release reads 1" in result.stdout
    assert "The journal has no order." in (folder / "report.html").read_text(encoding="utf-8")


def test_an_edited_journal_is_said(tmp_path: Path) -> None:
    lines = kept_lines(entries([Worked()]))
    fill = next(number for number, line in enumerate(lines) if '"verb":"fill"' in line)
    keep(tmp_path, [*lines[:fill], lines[fill].replace("100.01", "99.01"), *lines[fill + 1 :]])
    result = report(tmp_path)
    assert result.exit_code == UNFINISHED
    assert "journal.jsonl: it was edited" in result.stdout
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The journal is not whole" in page
    assert "AAPL" in page


def test_a_broken_summary_is_said(folder: Path) -> None:
    (folder / "summary.json").write_text("{", encoding="utf-8")
    assert "summary.json: it cannot be read" in report(folder).stdout


def test_an_empty_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text("", encoding="utf-8")
    result = report(tmp_path)
    assert result.exit_code == UNFINISHED
    assert "journal.jsonl: it is empty" in result.stdout


def test_a_simulated_journal_that_was_cut_after_a_line_is_said(tmp_path: Path) -> None:
    keep(tmp_path, kept_lines(entries([Worked(), Worked("KO")]))[:-3])
    result = report(tmp_path)
    assert result.exit_code == UNFINISHED
    assert "journal.jsonl: it has no footer: its last entries may be missing" in result.stdout
    assert "KO" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_folder_of_two_runs_is_refused_by_name(folder: Path) -> None:
    other = Entry(NOON, "other-2026-11-24", "KO", "plan", "buy 1", "")
    (folder / f"other-{STEP}").write_bytes(stored([other])[:-1])
    keep(folder, kept_lines([other]))
    result = report(folder)
    assert result.exit_code == CANNOT
    assert "the journals of 2 runs (core-2026-11-23, other-2026-11-24); name one run's folder" in result.stderr


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    result = report(tmp_path)
    assert result.exit_code == CANNOT
    assert f"folder: no *.jsonl.gz and no journal.jsonl in {tmp_path} or below" in result.stderr


def test_a_page_that_cannot_be_written_is_refused(folder: Path) -> None:
    result = report(folder, "--page", folder / "missing" / "page.html")
    assert result.exit_code == CANNOT
    assert "cannot be written (No such file or directory)" in result.stderr


def test_a_stack_beside_a_folder_is_refused(folder: Path) -> None:
    assert "name either a folder or a stack" in report(folder, "--stack", "mine").stderr


def test_a_page_is_opened_by_its_address(tmp_path: Path) -> None:
    shown: list[str] = []

    def show(address: str) -> bool:
        shown.append(address)
        return len(shown) == 1

    assert opened(str(tmp_path / "a page.html"), show) == []
    assert shown[0].startswith("file:///")
    assert shown[0].endswith("a%20page.html")
    assert opened("page.html", show) == ["no browser could be started here; open the file in one"]
    assert opened("page.html", None) == []


def test_two_simulated_days_of_one_run_are_not_read_as_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        keep(tmp_path / name, kept_lines(entries([Worked()])))
    result = report(tmp_path)
    assert result.exit_code == CANNOT
    assert "2 simulated days of the same run" in result.stderr
    explained = CliRunner().invoke(app, ["explain", str(tmp_path)])
    assert explained.exit_code == CANNOT
    assert "2 simulated days of the same run" in explained.stderr
    assert report(tmp_path / "a").exit_code == DONE


def test_a_summary_of_another_run_is_said_and_left_out(tmp_path: Path) -> None:
    keep(tmp_path, kept_lines(entries([Worked()])))
    (tmp_path / "summary.json").write_text(
        json.dumps({"run_id": "other-2026-11-23", "totals": {"transitions": 99_999}})
    )
    report(tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "summary.json: it is of the run other-2026-11-23, and is left out" in page
    assert "99,999" not in page


@pytest.mark.parametrize("detail", ["NaN @ NaN", "Infinity @ 5", "1e30 @ 1e30", "-5 @ 188", "5 @ -188", "a @ b", ""])
def test_a_fill_that_is_none_is_not_drawn(tmp_path: Path, detail: str) -> None:
    """Of a journal without the measurement that has all fills."""
    given = list(entries([Worked(fills=())], is_whole=False))
    keep(tmp_path, kept_lines([*given, given[-1]._replace(verb="fill", detail=detail)]))
    assert report(tmp_path).exit_code in {DONE, UNFINISHED}
    data = (tmp_path / "report.html").read_text(encoding="utf-8").partition('id="data"')[2].partition("</")[0]
    assert [order["fills"] for order in json.loads(data.partition(">")[2])["orders"]] == [[]]
