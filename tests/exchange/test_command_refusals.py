"""`repeg exchange` rejects invalid options with exit code 2 and one line: option, value and the expected value."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from repeg_workbench.cli import STARTING, app
from repeg_workbench.exchange_command import BAD_INPUT, read_knobs


def refusal(*options: str | Path) -> str:
    """The error output's only line."""
    result = CliRunner().invoke(app, ["exchange", "--port", "0", *map(str, options)])
    assert (result.exit_code, result.stdout) == (BAD_INPUT, f"{STARTING}\n")
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("port", ["65536", "-1", "http", "80.0", ""])
def test_an_invalid_port_is_refused(port: str) -> None:
    assert refusal("--port", port) == f"port: '{port}' is not valid; expected a whole number from 0 to 65535"


@pytest.mark.parametrize("host", ["localhost", "", "127.0.0.1:80", "::1", "192.0.2.1"])
def test_an_address_of_another_machine_or_kind_is_refused(host: str) -> None:
    expected = "an IPv4 address of this machine such as 127.0.0.1, or 0.0.0.0 for all of them"
    assert refusal("--host", host) == f"host: '{host}' is not valid; expected {expected}"


@pytest.mark.parametrize(
    ("day", "following"),
    [("2026-11-26", "2026-11-27"), ("2026-11-28", "2026-11-30"), ("2026-12-25", "2026-12-28")],
    ids=["Thanksgiving", "Saturday", "Christmas"],
)
def test_a_day_without_a_session_is_refused(day: str, following: str) -> None:
    assert refusal("--date", day) == f"date: '{day}' is not valid; expected a trading day; the next one is {following}"


@pytest.mark.parametrize("day", ["tomorrow", "2026-02-30", "23.11.2026"])
def test_an_invalid_date_is_refused(day: str) -> None:
    assert refusal("--date", day) == f"date: '{day}' is not valid; expected a date such as 2026-11-23"


@pytest.mark.parametrize("day", ["1969-12-31", "2030-01-02", "9999-12-30"])
def test_a_date_outside_the_calendar_is_refused(day: str) -> None:
    expected = "a day in the broker's calendar, from 1970-01-01 to 2029-12-31"
    assert refusal("--date", day) == f"date: '{day}' is not valid; expected {expected}"


@pytest.mark.parametrize("start", ["9:30", "25:00", "half past nine", "09:30:00."])
def test_an_invalid_start_time_is_refused(start: str) -> None:
    expected = "a time in New York such as 09:30 or 15:59:30"
    assert refusal("--start", start) == f"start: '{start}' is not valid; expected {expected}"


@pytest.mark.parametrize("speed", ["-1", "fast", "nan", "inf", "3601"])
def test_an_invalid_speed_is_refused(speed: str) -> None:
    expected = "a multiple of the wall clock's speed, from 0 (stands still) to 3600"
    assert refusal("--speed", speed) == f"speed: '{speed}' is not valid; expected {expected}"


@pytest.mark.parametrize("option", ["date", "start", "speed"])
def test_real_time_with_another_time_option_is_refused(option: str) -> None:
    value = {"date": "2026-11-23", "start": "10:00", "speed": "2"}[option]
    line = f"{option}: '{value}' is not valid; expected no --{option} together with --real-time"
    assert refusal("--real-time", f"--{option}", value) == line


def test_a_missing_market_folder_is_refused() -> None:
    line = (
        "market: 'nowhere' is not valid; expected a folder of recordings (nowhere: is not a folder, expected one with "
    )
    assert refusal("--market", "nowhere").startswith(line)
    assert refusal("--market", "nowhere", "--date", "2026-11-23").startswith(line)


def test_a_market_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    assert "has no recording, expected SYMBOL-YYYY-MM-DD" in refusal("--market", tmp_path)


def test_a_day_without_a_recording_is_refused(tmp_path: Path) -> None:
    recording(tmp_path, "1764081000000000000,100.00,100,100.05,100")
    assert "no recording of 2026-11-23, expected one of 2025-11-25" in refusal(
        "--market", tmp_path, "--date", "2026-11-23"
    )
    assert "expected one of 2025-11-25" in refusal("--market", tmp_path, "--real-time")


def test_a_recording_with_an_invalid_row_is_refused_at_start_up(tmp_path: Path) -> None:
    recording(tmp_path, "1764081000000000000,cheap,100,100.05,100")
    line = refusal("--market", tmp_path)
    assert line.endswith("AAPL-2025-11-25.quotes.csv, line 2, field bid: found cheap, expected a number)")


@pytest.mark.parametrize("cash", ["-1", "much", "NaN", "Infinity"])
def test_an_invalid_cash_amount_is_refused(cash: str) -> None:
    assert refusal("--cash", cash) == f"cash: '{cash}' is not valid; expected dollars of zero or more, such as 25000"


def test_invalid_positions_are_refused(tmp_path: Path) -> None:
    held = tmp_path / "held.json"
    assert refusal("--positions", held).startswith(f"positions: '{held}' is not valid; expected ")
    held.write_text('{"ZZZZ": "10"}')
    assert refusal("--positions", held).startswith(
        "positions: 'ZZZZ' is not valid; expected a symbol with a price: BAC F "
    )


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("seed", "-3", "a whole number from 0 to 9223372036854775807"),
        ("multiplier", "3", "one of 1, 2, 4"),
        ("fill-model", "generous", "one of trade_through, queue, touch, paper"),
        ("chaos", "2", "a chance above 0 and at most 1"),
        ("chaos", "0", "a chance above 0 and at most 1"),
        ("knob", "ack_dealy=1,2", "NAME=VALUE with a NAME such as ack_delay, "),
        ("knob", "ack_delay=2,1", "0 or more, and the lower of two numbers first"),
        ("knob", "requests_per_minute=-5", "0 or more, and the lower of two numbers first"),
        ("knob", "second_cancel=200", "a value of its type (Input should be '422' or '204')"),
        ("knob", "ack_delay=fast", "a value of its type (Input should be a valid tuple"),
        ("knob", "ack_delay", "a value of its type (Input should be a valid tuple"),
        ("knob", "=", "NAME=VALUE with a NAME such as ack_delay, cancel_delay, "),
    ],
)
def test_any_other_invalid_option_is_refused(option: str, value: str, expected: str) -> None:
    assert refusal(f"--{option}", value).startswith(f"{option}: '{value}' is not valid; expected {expected}")


def test_the_first_line_is_shown_before_the_exchange_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "repeg_workbench.exchange_command", None)
    result = CliRunner().invoke(app, ["exchange"])
    assert (type(result.exception), result.stdout) == (ModuleNotFoundError, f"{STARTING}\n")


def test_knob_options_are_read_as_broker_quirks() -> None:
    quirks = read_knobs(["requests_per_minute=none", "sip_entitled=true", "list_lag=0,250", "cancel_of_canceled=422"])
    assert (quirks.requests_per_minute, quirks.sip_entitled) == (None, True)
    assert (quirks.list_lag, quirks.cancel_of_canceled) == ((0, 250), "422")


def recording(folder: Path, row: str) -> None:
    """One quote of AAPL on 2025-11-25 at 09:30 in New York."""
    (folder / "AAPL-2025-11-25.quotes.csv").write_text(f"ts,bid,bid_size,ask,ask_size\n{row}\n")
