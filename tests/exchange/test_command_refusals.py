"""What `repeg exchange` cannot serve it says in one line that names option, value and what would be right; exit 2."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from repeg_workbench.cli import app
from repeg_workbench.exchange_command import BAD_INPUT, read_knobs


def refusal(*options: str | Path) -> str:
    """The one line on the error output."""
    result = CliRunner().invoke(app, ["exchange", "--port", "0", *map(str, options)])
    assert (result.exit_code, result.stdout) == (BAD_INPUT, "")
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("port", ["65536", "-1", "http", "80.0", ""])
def test_a_port_that_is_none(port: str) -> None:
    said = f"port: '{port}' is not usable; a port, or 0 for any that is free: a whole number from 0 to 65535"
    assert refusal("--port", port) == said


@pytest.mark.parametrize(
    ("day", "following"),
    [("2026-11-26", "2026-11-27"), ("2026-11-28", "2026-11-30"), ("2026-12-25", "2026-12-28")],
    ids=["Thanksgiving", "Saturday", "Christmas"],
)
def test_a_day_on_which_the_market_is_closed(day: str, following: str) -> None:
    said = f"date: '{day}' is not usable; the market is closed all day; the next trading day is {following}"
    assert refusal("--date", day) == said


@pytest.mark.parametrize("day", ["tomorrow", "2026-02-30", "23.11.2026"])
def test_a_date_that_is_none(day: str) -> None:
    assert refusal("--date", day) == f"date: '{day}' is not usable; a date such as 2026-11-23"


@pytest.mark.parametrize("day", ["1969-12-31", "2030-01-02", "9999-12-30"])
def test_a_date_that_the_calendar_does_not_reach(day: str) -> None:
    said = f"date: '{day}' is not usable; a day in the broker's calendar, 1970-01-01 to 2029-12-31"
    assert refusal("--date", day) == said


@pytest.mark.parametrize("start", ["9:30", "25:00", "half past nine", "09:30:00."])
def test_a_time_that_is_none(start: str) -> None:
    assert refusal("--start", start) == f"start: '{start}' is not usable; a time in New York such as 09:30 or 15:59:30"


@pytest.mark.parametrize("speed", ["-1", "fast", "nan", "inf", "3601"])
def test_a_speed_that_no_clock_runs_at(speed: str) -> None:
    said = f"speed: '{speed}' is not usable; how often as fast as the wall clock: 0 (it stands still) to 3600"
    assert refusal("--speed", speed) == said


@pytest.mark.parametrize("option", ["date", "start", "speed"])
def test_real_time_beside_another_time(option: str) -> None:
    value = {"date": "2026-11-23", "start": "10:00", "speed": "2"}[option]
    said = f"{option}: '{value}' is not usable; with --real-time it is always now; leave one of the two out"
    assert refusal("--real-time", f"--{option}", value) == said


def test_a_market_that_is_no_folder() -> None:
    said = "market: 'nowhere' is not usable; nowhere: is not a folder, expected one with SYMBOL-YYYY-MM-DD.quotes.csv"
    assert refusal("--market", "nowhere").startswith(said)
    assert refusal("--market", "nowhere", "--date", "2026-11-23").startswith(said)


def test_a_market_without_recordings(tmp_path: Path) -> None:
    assert "has no recording, expected SYMBOL-YYYY-MM-DD" in refusal("--market", tmp_path)


def test_a_market_that_was_not_recorded_that_day(tmp_path: Path) -> None:
    recording(tmp_path, "1764081000000000000,100.00,100,100.05,100")
    assert "no recording of 2026-11-23, expected one of 2025-11-25" in refusal(
        "--market", tmp_path, "--date", "2026-11-23"
    )
    assert "expected one of 2025-11-25" in refusal("--market", tmp_path, "--real-time")


def test_a_recording_with_a_bad_row_fails_now_and_not_when_a_client_asks(tmp_path: Path) -> None:
    recording(tmp_path, "1764081000000000000,cheap,100,100.05,100")
    line = refusal("--market", tmp_path)
    assert line.endswith("AAPL-2025-11-25.quotes.csv, line 2, field bid: found cheap, expected a number")


@pytest.mark.parametrize("cash", ["-1", "much", "NaN", "Infinity"])
def test_cash_that_is_none(cash: str) -> None:
    assert refusal("--cash", cash) == f"cash: '{cash}' is not usable; dollars, zero or more, such as 25000"


def test_positions_that_cannot_be(tmp_path: Path) -> None:
    held = tmp_path / "held.json"
    assert "a file that can be read" in refusal("--positions", held)
    held.write_text('{"ZZZZ": "10"}')
    assert refusal("--positions", held).startswith("positions: 'ZZZZ' is not usable; a symbol that has a price: BAC F ")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("seed", "-3", "what everything is drawn from: a whole number from 0 to 9223372036854775807"),
        ("multiplier", "3", "one of 1, 2, 4"),
        ("fill-model", "generous", "one of trade_through, queue, touch, paper"),
        ("chaos", "2", "the chance of each fault at each call, above 0 and at most 1"),
        ("chaos", "0", "the chance of each fault at each call, above 0 and at most 1"),
        ("knob", "ack_dealy=1,2", "NAME=VALUE, where NAME may be ack_delay, "),
        ("knob", "ack_delay=2,1", "0 or more, and of two numbers the lower one first"),
        ("knob", "requests_per_minute=-5", "0 or more, and of two numbers the lower one first"),
        ("knob", "second_cancel=200", "Input should be '422' or '204'"),
        ("knob", "ack_delay=fast", "Input should be a valid tuple"),
        ("knob", "ack_delay", "Input should be a valid tuple"),
        ("knob", "=", "NAME=VALUE, where NAME may be ack_delay, cancel_delay, "),
    ],
)
def test_anything_else_that_cannot_be(option: str, value: str, expected: str) -> None:
    assert refusal(f"--{option}", value).startswith(f"{option}: '{value}' is not usable; {expected}")


def test_knobs_are_read_as_what_they_are() -> None:
    quirks = read_knobs(["requests_per_minute=none", "sip_entitled=true", "list_lag=0,250", "cancel_of_canceled=422"])
    assert (quirks.requests_per_minute, quirks.sip_entitled) == (None, True)
    assert (quirks.list_lag, quirks.cancel_of_canceled) == ((0, 250), "422")


def recording(folder: Path, row: str) -> None:
    """One quote of AAPL on 2025-11-25 at 09:30 in New York."""
    (folder / "AAPL-2025-11-25.quotes.csv").write_text(f"ts,bid,bid_size,ask,ask_size\n{row}\n")
