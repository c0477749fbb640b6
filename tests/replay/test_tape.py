"""The columns of a replay: what a recorded or generated day looks like to a strategy."""

from datetime import date

from repeg_workbench.exchange.market.scripted import ScriptedMarket, halt, quote, trade
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.replay.tape import ReplayTape, replay_tape

DAY = date(2025, 6, 3)


def taped(*events: object) -> ReplayTape:
    day = ScriptedMarket({DAY: {"IBM": events}}).day("IBM", DAY)  # type: ignore[dict-item]
    assert day is not None
    return replay_tape(day)


def test_a_print_meets_the_quote_that_a_row_of_its_time_replaces() -> None:
    tape = taped(
        quote("09:30", "300 @ 189.40", "200 @ 189.44"),
        trade("09:31", "100 @ 189.40"),
        quote("09:31", "200 @ 189.40", "200 @ 189.44"),
    )
    assert tape.print_row.tolist() == [0]
    assert tape.print_side.tolist() == [-1]
    assert tape.tick == 100


def test_prints_off_exchange_are_not_on_the_tape() -> None:
    tape = taped(
        quote("09:30", "300 @ 189.40", "200 @ 189.44"),
        trade("09:31", "100 @ 189.41", venue="D", lit=False),
        trade("09:32", "50 @ 189.44", side=1),
    )
    assert tape.print_size.tolist() == [50]


def test_a_halt_leaves_no_rows_on_the_tape() -> None:
    tape = taped(
        quote("09:30", "300 @ 189.40", "200 @ 189.44"),
        halt("10:00", "10:05"),
        quote("10:01", "100 @ 180.00", "200 @ 189.44"),
        quote("10:06", "100 @ 188.00", None),
    )
    assert tape.ts.tolist() == [new_york(DAY, "09:30"), new_york(DAY, "10:06")]
    assert tape.ask.tolist() == [1_894_400, 0]
