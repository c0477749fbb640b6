"""The tape: which journal entries are printed, and how."""

from datetime import UTC, datetime, timedelta

from repeg.domain.journal import Entry
from repeg_workbench.simulate.tape import Tape, read

OPEN = datetime(2026, 11, 23, 14, 35, tzinfo=UTC)


def entry(seconds: int, verb: str, detail: str = "", reason: str = "", *, symbol: str = "AAPL") -> Entry:
    return Entry(OPEN + timedelta(seconds=seconds), "core-2026-11-23", symbol, verb, detail, reason)


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


STAY = entry(30, "hold", "189.41", "bid 189.41 × ask 189.44, we stay")
WIDE = entry(60, "hold", "189.41", "bid 189.00 × ask 190.00, wide")
SPENDS = entry(0, "hold", reason="waits for sells, 10000.00 to spend")


def test_a_run_of_holds_is_one_line_at_its_beginning() -> None:
    other = entry(45, "place", "buy 9 @ 61.16", symbol="KO")
    assert read([STAY, other, STAY._replace(at=OPEN + timedelta(seconds=75))]) == (
        "09:35:30  AAPL      hold     189.41                    bid 189.41 × ask 189.44, we stay; "
        "2 holds until 09:36:15\n"
        "09:35:45  KO        place    buy 9 @ 61.16\n"
    )


def test_a_run_of_holds_counts_its_reasons() -> None:
    assert read([STAY, WIDE, STAY, WIDE, STAY]).endswith(
        "bid 189.41 × ask 189.44, we stay; 5 holds until 09:35:30: 3 we stay, 2 wide\n"
    )


def test_the_amount_in_a_reason_makes_no_other_reason() -> None:
    later = SPENDS._replace(reason="waits for sells, 85.60 to spend")
    assert read([SPENDS, later]).endswith("waits for sells, 10000.00 to spend; 2 holds until 09:35:00\n")


def test_a_hold_that_an_operator_should_see_has_its_own_line() -> None:
    unconfirmed = entry(90, "hold", "189.41", "cancel not confirmed yet")._replace(is_abnormal=True)
    lines = read([STAY, unconfirmed, unconfirmed, STAY]).splitlines()
    assert [line[55:] for line in lines] == [
        "bid 189.41 × ask 189.44, we stay",
        "cancel not confirmed yet; 2 holds until 09:36:30",
        "bid 189.41 × ask 189.44, we stay",
    ]


def test_a_follower_is_given_each_reason_of_a_run_once() -> None:
    tape = Tape()
    shown = [tape.see(one) for one in (STAY, STAY, WIDE, STAY, WIDE, SPENDS)]
    assert [line[20:24] for line in shown] == ["hold", "", "hold", "", "", "hold"]


def test_a_hold_at_another_limit_is_printed() -> None:
    assert len(read([STAY, STAY._replace(detail="189.45")]).splitlines()) == 2


def test_a_hold_of_one_symbol_does_not_hide_anothers() -> None:
    ours = entry(30, "hold", reason="no quote", symbol="AAPL")
    theirs = entry(30, "hold", reason="no quote", symbol="KO")
    assert len(read([ours, theirs]).splitlines()) == 2


def test_a_fill_is_printed_and_the_same_hold_after_it_is_not() -> None:
    fill = entry(60, "fill", "10 @ 189.41", "10 of 40")
    assert [line[20:24] for line in read([STAY, fill, STAY]).splitlines()] == ["hold", "fill"]


def test_a_hold_after_a_move_is_printed_again() -> None:
    hold = entry(30, "hold", "189.41", "cancel not confirmed yet")
    move = entry(60, "move", "189.41 → 189.47", "bid rose to 189.46, move 1 of 10")
    assert len(read([hold, move, hold]).splitlines()) == 3


def test_a_reason_of_many_lines_stays_on_one() -> None:
    refused = entry(0, "refused", "other", "<html>\n<body>\r\nBad Gateway")
    assert len(read([refused]).splitlines()) == 1
