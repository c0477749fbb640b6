"""`repeg report --since DATE`: the page of all runs."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from repeg_workbench.cli import app
from repeg_workbench.operate.answer import CANNOT, DONE, UNFINISHED
from repeg_workbench.report.all_runs import all_runs
from repeg_workbench.savings.collect import Collected
from tests.report.day import Worked, entries, stored


def report(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def a_folder(folder: Path) -> Path:
    (folder / "20261123T170000.000000Z-CloseRun-1.jsonl.gz").write_bytes(stored(entries([Worked(), Worked("KO")])))
    return folder


def test_the_page_of_all_runs_has_their_savings(tmp_path: Path) -> None:
    page = tmp_path / "all.html"
    result = report(a_folder(tmp_path), "--since", "2026-11-01", "--page", page, "--json")
    assert result.exit_code == DONE
    found = json.loads(result.stdout)
    # 100 shares each, bought 1.5 cents below the mid, where a market order pays 2.5 above it.
    assert found["total"]["saved"]["dollars"] == "8.00"
    text = page.read_text(encoding="utf-8")
    for said in (
        "$8.00",
        "since 2026-11-01",
        "an interval needs 5 runs",
        "no control order has traded",
        "5 to 9 ticks",
    ):
        assert said in text


def test_runs_before_the_day_are_left_out(tmp_path: Path) -> None:
    result = report(a_folder(tmp_path), "--since", "2026-11-24", "--page", tmp_path / "all.html")
    assert result.exit_code == DONE
    assert "0 runs, 0 orders" in result.stdout
    assert "No run has an order with a known cost." in (tmp_path / "all.html").read_text(encoding="utf-8")


def test_a_date_that_is_none_is_refused(tmp_path: Path) -> None:
    result = report(a_folder(tmp_path), "--since", "yesterday")
    assert result.exit_code == CANNOT
    assert "since: 'yesterday' is not valid; expected a date such as 2026-11-23" in result.stderr


def test_a_journal_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (a_folder(tmp_path) / "20261123T180000.000000Z-CloseRun-2.jsonl.gz").write_bytes(b"nothing")
    result = report(tmp_path, "--since", "2026-11-01", "--page", tmp_path / "all.html")
    assert result.exit_code == UNFINISHED
    assert "it has no header" in result.stdout
    assert "Not everything could be read" in (tmp_path / "all.html").read_text(encoding="utf-8")


def test_market_orders_are_assumed_to_pay_the_displayed_price() -> None:
    runs = all_runs(Collected(), None, "no stack")
    assert (str(runs.saved.half_spreads), runs.is_measured) == ("1", False)
