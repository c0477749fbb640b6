"""A recording that begins at the open is executed, and one that cannot be read is refused by file, line and reason."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from repeg_workbench.exchange.time.calendar import NANOSECONDS, new_york
from tests.simulation.command_line import repeg, write
from tests.simulation.days import orders

DAY = date(2018, 1, 2)
OPEN = new_york(DAY, "09:30")


def recording(folder: Path, first: str = "") -> Path:
    """A book four cents wide from the first instant of the session, quoted each second, with a print each second."""
    quotes, trades = ["ts,bid,bid_size,ask,ask_size"], ["ts,price,size,side"]
    if first:
        quotes.append(first)
    for second in range(3_600):
        at, cents = OPEN + second * NANOSECONDS, 10_000 + second // 60 % 7
        quotes.append(f"{at},{cents / 100:.2f},300,{(cents + 4) / 100:.2f},{300 + second % 2}")
        side = 1 if second % 2 else -1
        trades.append(f"{at + 5},{(cents + (4 if side > 0 else 0)) / 100:.2f},100,{side}")
    (folder / f"XXX-{DAY}.quotes.csv").write_text("\n".join(quotes))
    (folder / f"XXX-{DAY}.trades.csv").write_text("\n".join(trades))
    return folder


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_recording_that_begins_at_the_open_is_executed(tmp_path: Path, side: str) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    plan = write(tmp_path, orders("from-the-open", f"{side} 100 XXX"))
    result = repeg("--plan", plan, "--market", recording(folder), "--date", str(DAY), "--json")
    assert result.exit_code == 0, result.output
    (order,) = json.loads(result.stdout)["orders"]
    assert (order["outcome"], order["filled_qty"]) == ("filled", "100")


def test_an_unreadable_recording_is_refused_by_file_line_and_reason(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    plan = write(tmp_path, orders("unreadable", "buy 100 XXX"))
    result = repeg("--plan", plan, "--market", recording(folder, f"{OPEN - 1},10.00,3x,10.02,300"), "--date", str(DAY))
    assert result.exit_code == 2
    assert f"XXX-{DAY}.quotes.csv, line 2, field bid_size: found 3x" in result.output
