"""The tape: which journal entries are printed, and how."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from repeg.domain.child_order import Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.journal import Entry
from repeg_workbench.simulate.tape import read

OPEN = datetime(2026, 11, 23, 14, 35, tzinfo=UTC)


def entry(seconds: int, verb: str, detail: str = "", reason: str = "", *, symbol: str = "AAPL", why: str = "") -> Entry:
    answer = (
        Decision(verb=Action.HOLD, reason=why, because=reason, rung=Rung.PASSIVE, limit=Decimal(1)) if why else None
    )
    return Entry(OPEN + timedelta(seconds=seconds), "core-2026-11-23", symbol, verb, detail, reason, answer=answer)


def test_a_tape_line_has_new_york_time_and_four_columns() -> None:
    place = entry(0, "place", "buy 40 @ 189.41", "bid 189.40 × ask 189.44, improve by a tick")
    wait = entry(-600, "wait", "until 09:35", "opens 09:30, the first 5 minutes are not ours", symbol="session")
    assert read([wait, place]) == (
        "09:25:00  session   wait     until 09:35               opens 09:30, the first 5 minutes are not ours\n"
        "09:35:00  AAPL      place    buy 40 @ 189.41           bid 189.40 × ask 189.44, improve by a tick\n"
    )


def test_the_tape_shows_new_york_time_after_a_clock_change() -> None:
    summer = Entry(datetime(2026, 10, 30, 13, 35, tzinfo=UTC), "r", "session", "trade")
    winter = Entry(datetime(2026, 11, 2, 14, 35, tzinfo=UTC), "r", "session", "trade")
    assert [line[:8] for line in read([summer, winter]).splitlines()] == ["09:35:00", "09:35:00"]


def test_a_repeated_hold_is_printed_once() -> None:
    holds = [
        entry(30, "hold", "189.41", "bid 189.41, we are on top", why="near"),
        entry(60, "hold", "189.41", "bid 189.43, not far enough", why="near"),
        entry(90, "hold", "189.41", "bid 189.41, we are on top", why="near"),
    ]
    assert len(read(holds).splitlines()) == 1


def test_a_hold_for_another_reason_is_printed() -> None:
    near = entry(30, "hold", "189.41", "bid 189.41, we are on top", why="near")
    wide = entry(60, "hold", "189.41", "bid 189.00 × ask 190.00, wide", why="wide")
    assert len(read([near, wide, near]).splitlines()) == 3


def test_a_hold_at_another_limit_is_printed() -> None:
    first = entry(30, "hold", "189.41", "bid 189.41, we are on top", why="near")
    later = entry(60, "hold", "189.45", "bid 189.45, we are on top", why="near")
    assert len(read([first, later]).splitlines()) == 2


def test_a_hold_of_one_symbol_does_not_hide_anothers() -> None:
    ours = entry(30, "hold", reason="no quote", symbol="AAPL")
    theirs = entry(30, "hold", reason="no quote", symbol="KO")
    assert len(read([ours, theirs]).splitlines()) == 2


def test_a_fill_is_printed_and_the_same_hold_after_it_is_not() -> None:
    hold = entry(30, "hold", "189.41", "bid 189.41, we are on top", why="near")
    fill = entry(60, "fill", "10 @ 189.41", "10 of 40")
    assert [line[20:24] for line in read([hold, fill, hold]).splitlines()] == ["hold", "fill"]


def test_a_hold_after_a_move_is_printed_again() -> None:
    hold = entry(30, "hold", "189.41", "cancel not confirmed yet")
    move = entry(60, "move", "189.41 → 189.47", "bid rose to 189.46, move 1 of 10")
    assert len(read([hold, move, hold]).splitlines()) == 3


def test_a_reason_of_many_lines_stays_on_one() -> None:
    refused = entry(0, "refused", "other", "<html>\n<body>\r\nBad Gateway")
    assert len(read([refused]).splitlines()) == 1
