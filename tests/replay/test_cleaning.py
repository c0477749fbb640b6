"""A recorded day is cleaned by named rules that count, or refused with file, line and reason."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from repeg_workbench.exchange.market.recorded import RecordedMarket, RecordingError
from repeg_workbench.exchange.time.calendar import NANOSECONDS, new_york
from repeg_workbench.replay.cleaning import CleanDay, clean

DAY = date(2018, 1, 2)
OPEN = new_york(DAY, "09:30")
MINUTE = 60 * NANOSECONDS
STEADY = [(minute, "10.00", 100, "10.02", 300) for minute in range(390)]

QuoteRow = tuple[float, str, int, str, int]
TradeRow = tuple[float, str, int]


def cleaned(path: Path, quotes: Sequence[QuoteRow] = STEADY, trades: Sequence[TradeRow] = ()) -> CleanDay:
    rows = [f"{OPEN + int(at * MINUTE)},{bid},{size},{ask},{more}" for at, bid, size, ask, more in quotes]
    (path / f"XXX-{DAY}.quotes.csv").write_text("\n".join(["ts,bid,bid_size,ask,ask_size", *rows]))
    prints = [f"{OPEN + int(at * MINUTE)},{price},{size}" for at, price, size in trades]
    (path / f"XXX-{DAY}.trades.csv").write_text("\n".join(["ts,price,size", *prints]) + "\n")
    day = RecordedMarket(path).day("XXX", DAY)
    assert day is not None
    return clean(day)


def test_a_sound_recording_loses_no_row(tmp_path: Path) -> None:
    day = cleaned(tmp_path, trades=[(1.5, "10.02", 100)])
    assert (len(day.day.quotes), len(day.day.trades)) == (390, 1)
    assert (*day.dropped, day.gaps) == (0, 0, 0, 0, 0, 0, ())


def test_the_last_row_of_a_stamp_is_the_one_in_force(tmp_path: Path) -> None:
    day = cleaned(tmp_path, [*STEADY[:5], (4, "10.01", 100, "10.03", 100), *STEADY[5:]])
    assert day.dropped.superseded_rows == 1
    assert day.day.quotes.bid[4] == 100_100


def test_a_crossed_row_leaves_the_quote_before_in_force(tmp_path: Path) -> None:
    day = cleaned(tmp_path, [*STEADY[:5], (4.5, "10.05", 100, "10.03", 100), *STEADY[5:]])
    assert day.dropped.crossed_rows == 1
    assert (day.day.quotes.bid <= day.day.quotes.ask).all()


def test_a_crossed_row_that_is_superseded_is_counted_once(tmp_path: Path) -> None:
    day = cleaned(tmp_path, [*STEADY[:5], (4.5, "10.05", 1, "10.03", 1), (4.5, "10.00", 1, "10.03", 1), *STEADY[5:]])
    assert (day.dropped.superseded_rows, day.dropped.crossed_rows) == (1, 0)


def test_a_missing_side_is_kept_and_counted(tmp_path: Path) -> None:
    day = cleaned(tmp_path, [*STEADY[:5], (4.5, "10.00", 100, "0", 0), *STEADY[5:]])
    assert (day.dropped.one_sided_rows, len(day.day.quotes)) == (1, 391)


def test_a_print_recorded_twice_counts_once(tmp_path: Path) -> None:
    day = cleaned(tmp_path, trades=[(1, "10.02", 100), (1, "10.02", 100), (1, "10.02", 200)])
    assert (day.dropped.duplicate_prints, day.day.trades.size.tolist()) == (1, [100, 200])


def test_where_one_venue_quotes_lit_prints_of_others_are_dropped(tmp_path: Path) -> None:
    (tmp_path / f"XXX-{DAY}.quotes.csv").write_text(
        f"ts,bid,bid_size,ask,ask_size,bid_venue,ask_venue\n{OPEN},10,100,10.02,100,N,N\n"
    )
    prints = [
        f"{OPEN + at},10.01,{100 + at},0,{venue},{lit}" for at, venue, lit in ((1, "N", 1), (2, "T", 1), (3, "D", 0))
    ]
    (tmp_path / f"XXX-{DAY}.trades.csv").write_text("\n".join(["ts,price,size,side,venue,lit", *prints]))
    day = RecordedMarket(tmp_path).day("XXX", DAY)
    assert day is not None
    kept = clean(day)
    assert (kept.day.trades.size.tolist(), kept.dropped.foreign_prints) == ([101, 103], 1)


def test_silence_of_more_than_five_minutes_is_a_gap(tmp_path: Path) -> None:
    day = cleaned(tmp_path, STEADY[:100] + STEADY[110:])
    assert day.gaps == ((OPEN + 99 * MINUTE, OPEN + 110 * MINUTE),)
    assert day.dropped.gap_seconds == 660


def test_a_recording_that_ends_early_has_a_gap_until_the_close(tmp_path: Path) -> None:
    day = cleaned(tmp_path, STEADY[:60])
    assert day.gaps == ((OPEN + 59 * MINUTE, OPEN + 390 * MINUTE),)


def test_exchanged_bid_and_ask_columns_are_refused(tmp_path: Path) -> None:
    exchanged: list[QuoteRow] = [(minute, "10.02", 100, "10.00", 300) for minute in range(390)]
    with pytest.raises(RecordingError, match=r"XXX-2018-01-02.quotes.csv, line 2: bid above ask in 390 of 390 rows"):
        cleaned(tmp_path, exchanged)


def test_trades_in_cents_beside_quotes_in_dollars_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"trades.csv, line 2, field price: found 1001.00, expected dollars near"):
        cleaned(tmp_path, trades=[(1, "1001", 100), (2, "1001", 100)])


def test_sizes_in_round_lots_beside_prints_in_shares_are_refused(tmp_path: Path) -> None:
    lots: list[QuoteRow] = [(minute, "10.00", 3, "10.02", 5) for minute in range(390)]
    with pytest.raises(
        RecordingError, match=r"quotes.csv, line 2, field bid_size: found 3, .* expected shares, not round"
    ):
        cleaned(tmp_path, lots, [(1, "10.02", 100), (2, "10.02", 200), (3, "10.02", 300)])


def test_a_book_of_a_few_shares_with_prints_of_a_few_is_sound(tmp_path: Path) -> None:
    few: list[QuoteRow] = [(minute, "10.00", 3, "10.02", 5) for minute in range(390)]
    assert len(cleaned(tmp_path, few, [(1, "10.02", 2), (2, "10.02", 5)]).day.quotes) == 390


def test_a_recording_without_a_two_sided_row_is_refused(tmp_path: Path) -> None:
    empty: list[QuoteRow] = [(minute, "10.02", 100, "0", 0) for minute in range(390)]
    with pytest.raises(RecordingError, match="no row has a bid below an ask before the close"):
        cleaned(tmp_path, empty)


def test_two_days_in_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"line 392, field ts: found \d+, expected nanoseconds on 2018-01-02"):
        cleaned(tmp_path, [*STEADY, (24 * 60.0, "10.00", 100, "10.02", 100)])


def test_time_stamps_in_milliseconds_are_refused(tmp_path: Path) -> None:
    (tmp_path / f"XXX-{DAY}.quotes.csv").write_text(f"ts,bid,bid_size,ask,ask_size\n{OPEN // 10**6},10,100,10.02,100\n")
    with pytest.raises(RecordingError, match=r"line 2, field ts: found 1514903400000, expected nanoseconds"):
        RecordedMarket(tmp_path).day("XXX", DAY)
