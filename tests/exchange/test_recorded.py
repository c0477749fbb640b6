"""Recordings are read exactly, and invalid ones refused by file, line, field and value."""

import gzip
from datetime import date
from pathlib import Path

import pytest

from repeg_workbench.exchange.market.recorded import RecordedMarket, RecordingError
from repeg_workbench.exchange.market.symbol_day import Listing, SymbolDay
from repeg_workbench.exchange.time.calendar import new_york
from tests.exchange.caller import FRIDAY, a_caller

DAY = date(2018, 1, 2)
TEN = new_york(DAY, "10:00")
QUOTES = f"""ts,bid,bid_size,ask,ask_size,bid_venue,ask_venue
{TEN},158.3900,100,158.5,1800,N,T
{TEN},158.4,200.0,158.500000,1700,N,
{TEN + 5},0,0,0.0001,1,,N
"""
TRADES = f"""ts,price,size,side,venue,lit
{TEN + 1},158.39,100,-1,N,1
{TEN + 2},158.395,7,0,D,0
"""
RECORDING = Path(__file__).parents[2].parent / "shared" / "market"


def folder(path: Path, quotes: str | None = QUOTES, trades: str | None = TRADES) -> Path:
    for kind, text in (("quotes", quotes), ("trades", trades)):
        if text is not None:
            (path / f"XXX-{DAY}.{kind}.csv").write_text(text)
    return path


def read(path: Path) -> SymbolDay:
    day = RecordedMarket(path).day("XXX", DAY)
    assert day is not None
    return day


def test_quotes_are_read_exactly_and_zero_means_no_quote(tmp_path: Path) -> None:
    quotes = read(folder(tmp_path)).quotes
    assert quotes.ts.tolist() == [TEN, TEN, TEN + 5]
    assert quotes.bid.tolist() == [1_583_900, 1_584_000, 0]
    assert quotes.bid_size.tolist() == [100, 200, 0]
    assert quotes.ask.tolist() == [1_585_000, 1_585_000, 1]
    assert quotes.ask_size.tolist() == [1_800, 1_700, 1]
    assert (bytes(quotes.bid_venue), bytes(quotes.ask_venue)) == (b"NN\0", b"T\0N")


def test_trades_are_read_exactly(tmp_path: Path) -> None:
    trades = read(folder(tmp_path)).trades
    assert trades.ts.tolist() == [TEN + 1, TEN + 2]
    assert trades.price.tolist() == [1_583_900, 1_583_950]
    assert (trades.size.tolist(), trades.side.tolist(), trades.lit.tolist()) == ([100, 7], [-1, 0], [True, False])
    assert bytes(trades.venue) == b"ND"


def test_gzip_and_windows_line_ends_are_supported(tmp_path: Path) -> None:
    name = tmp_path / f"XXX-{DAY}.quotes.csv.gz"
    name.write_bytes(gzip.compress(QUOTES.replace("\n", "\r\n").rstrip().encode()))
    assert read(tmp_path).quotes.ask_size.tolist() == [1_800, 1_700, 1]


def test_a_recording_without_a_trades_file_has_no_prints(tmp_path: Path) -> None:
    assert len(read(folder(tmp_path, trades=None)).trades) == 0


def test_the_optional_columns_may_be_missing(tmp_path: Path) -> None:
    quotes = f"ts,bid,bid_size,ask,ask_size\n{TEN},1,2,3,4\n"
    day = read(folder(tmp_path, quotes, f"ts,price,size,venue\n{TEN},2,5,D\n{TEN},2,5,N\n"))
    assert (bytes(day.quotes.bid_venue), day.trades.side.tolist()) == (b"\0", [0, 0])
    assert day.trades.lit.tolist() == [False, True]


def test_columns_may_be_in_any_order(tmp_path: Path) -> None:
    day = read(folder(tmp_path, f"ask,bid,ts,ask_size,bid_size\n11.5,11.25,{TEN},3,4\n", None))
    assert (day.quotes.bid[0], day.quotes.ask[0], day.quotes.bid_size[0]) == (112_500, 115_000, 4)


def test_a_market_has_every_recording_in_the_folder(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "BRK.B-2018-01-03.quotes.csv").write_text(QUOTES)
    (tmp_path / "README.md").write_text("words")
    market = RecordedMarket(tmp_path, [Listing("XXX", "X", fractionable=False)])
    assert (market.symbols(), market.days()) == (("BRK.B", "XXX"), (DAY, date(2018, 1, 3)))
    assert market.day("XXX", date(2018, 1, 3)) is None
    assert market.day("XXX", DAY) is market.day("XXX", DAY)
    listing, other = market.listing("XXX"), market.listing("BRK.B")
    assert listing is not None
    assert other is not None
    assert (listing.fractionable, other.fractionable) == (False, True)
    assert market.listing("AAPL") is None


def test_the_reference_price_is_the_last_print_before_or_the_first_quote(tmp_path: Path) -> None:
    folder(tmp_path)
    later = new_york(date(2018, 1, 3), "10:00")
    (tmp_path / "XXX-2018-01-03.quotes.csv").write_text(f"ts,bid,bid_size,ask,ask_size\n{later},1,2,3,4\n")
    market = RecordedMarket(tmp_path)
    assert market.reference_price("XXX", DAY) == 1_584_450
    assert market.reference_price("XXX", date(2018, 1, 3)) == 1_583_950
    assert market.reference_price("AAPL", DAY) is None


def quoted(*cells: str) -> str:
    return f"ts,bid,bid_size,ask,ask_size,bid_venue,ask_venue\n{TEN},1,2,3,4,N,N\n{','.join(cells)}\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (quoted(str(TEN), "1.23456", "2", "3", "4", "N", "N"), "line 3, field bid: found 1.23456, .* 4 decimals"),
        (quoted(str(TEN), "-1", "2", "3", "4", "N", "N"), "line 3, field bid: found -1, expected 0 or more"),
        (quoted(str(TEN), "1", "-2", "3", "4", "N", "N"), "line 3, field bid_size: found -2, expected 0 or more"),
        (quoted(str(TEN), "1", "2.5", "3", "4", "N", "N"), "line 3, field bid_size: found 2.5, .*whole number"),
        (quoted(str(TEN), "1", "2", "abc", "4", "N", "N"), "line 3, field ask: found abc, expected a number"),
        (quoted(str(TEN), "1", "2", "1e5", "4", "N", "N"), "line 3, field ask: found 1e5, expected a number"),
        (quoted(str(TEN), "1", "2", "1.2.3", "4", "N", "N"), "line 3, field ask: found 1.2.3, expected a number"),
        (quoted(str(TEN), "1", "2", "-", "4", "N", "N"), "line 3, field ask: found -, expected a number"),
        (quoted(str(TEN), "1", "2", "", "4", "N", "N"), "line 3, field ask: found nothing, expected a number"),
        (quoted(str(TEN), "1", "2", "9" * 20, "4", "N", "N"), "line 3, field ask: found 9{20}, expected a number"),
        (quoted(str(TEN), "1", "2", "9" * 15, "4", "N", "N"), "line 3, field ask: found 9{15}, expected a number"),
        (quoted(str(TEN), "1", "2", "3", "4", "NY", "N"), "line 3, field bid_venue: found NY, expected one capital"),
        (quoted(str(TEN - 1), "1", "2", "3", "4", "N", "N"), "line 3, field ts: found .*, expected rows in time order"),
        (quoted("1514903400", "1", "2", "3", "4", "N", "N"), "line 3, field ts: found 1514903400, .* on 2018-01-02"),
        (quoted(str(TEN), "1", "2", "3", "4", "N"), "line 3: found 6 fields, expected 7"),
        (quoted(str(TEN), "1", "2", "3", "4", "N", "N", "N"), "line 3: found 8 fields, expected 7"),
        ("ts,bid,bid_size,ask\n", "line 1: column ask_size is missing"),
        ("ts,bid,bid_size,ask,ask_size,venue\n", "line 1: column 'venue' is unknown"),
        ("ts,bid,bid_size,ask,ask_size,bid\n", "line 1: column 'bid' is unknown or a duplicate"),
        ("ts,bid,bid_size,ask,ask_size\n", "has a header but no quotes"),
        ("", "is empty"),
    ],
)
def test_invalid_quotes_are_refused_by_line_field_and_value(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(RecordingError, match=rf"XXX-2018-01-02\.quotes\.csv.*{complaint}"):
        read(folder(tmp_path, text, None))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (f"{TEN},0,5,1,N,1", "line 2, field price: found 0, expected a price above 0"),
        (f"{TEN},1,-5,1,N,1", "line 2, field size: found -5"),
        (f"{TEN},1,5,2,N,1", "line 2, field side: found 2, expected one of -1, 0, 1"),
        (f"{TEN},1,5,1,n,1", "line 2, field venue: found n"),
        (f"{TEN},1,5,1,N,yes", "line 2, field lit: found yes"),
        (f"{TEN},1,5,1,N,2", "line 2, field lit: found 2, expected one of 0, 1"),
    ],
)
def test_invalid_trades_are_refused_by_line_field_and_value(tmp_path: Path, row: str, complaint: str) -> None:
    with pytest.raises(RecordingError, match=rf"XXX-2018-01-02\.trades\.csv, {complaint}"):
        read(folder(tmp_path, trades=f"ts,price,size,side,venue,lit\n{row}\n"))


def test_a_broken_gzip_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"XXX-{DAY}.quotes.csv.gz").write_bytes(gzip.compress(QUOTES.encode())[:-9])
    with pytest.raises(RecordingError, match=r"quotes\.csv\.gz: cannot be read"):
        read(tmp_path)


def test_trades_without_quotes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"trades\.csv: has no quotes beside it"):
        RecordedMarket(folder(tmp_path, quotes=None))


@pytest.mark.parametrize("name", ["XXX.quotes.csv", "XXX-2018-13-01.quotes.csv", "xxx-2018-01-02.trades.csv.gz"])
def test_a_misnamed_recording_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(QUOTES)
    with pytest.raises(RecordingError, match=r"not named like a recording|is not a date"):
        RecordedMarket(tmp_path)


def test_a_duplicate_recording_is_refused(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / f"XXX-{DAY}.quotes.csv.gz").write_bytes(gzip.compress(QUOTES.encode()))
    with pytest.raises(RecordingError, match="is a duplicate of"):
        RecordedMarket(tmp_path)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="has no recording"):
        RecordedMarket(tmp_path)
    with pytest.raises(RecordingError, match="is not a folder"):
        RecordedMarket(tmp_path / "nowhere")


def test_a_date_without_a_recording_is_refused_with_the_valid_dates(tmp_path: Path) -> None:
    market = RecordedMarket(folder(tmp_path))
    market.require(DAY)
    with pytest.raises(RecordingError, match=r"no recording of 2018-01-05, expected one of 2018-01-02"):
        market.require(date(2018, 1, 5))


@pytest.mark.skipif(not RECORDING.is_dir(), reason="no recording at ../shared/market")
def test_a_real_recording_is_read_completely() -> None:
    market = RecordedMarket(RECORDING)
    counts = [(len(day.quotes), len(day.trades)) for day in map(market.day, ["XXX"] * 2, market.days()) if day]
    assert counts == [(49_536, 39_470), (44_886, 37_793)]


def test_before_its_first_row_a_recording_answers_with_its_reference_price(tmp_path: Path) -> None:
    first = new_york(FRIDAY, "09:30")
    rows = f"ts,bid,bid_size,ask,ask_size\n{first},100.00,300,100.10,200\n"
    (tmp_path / "AAPL-2026-11-20.quotes.csv").write_text(rows)
    caller = a_caller(market=RecordedMarket(tmp_path), at="09:25")
    last = caller.get("/v2/stocks/trades/latest", symbols="AAPL")["trades"]["AAPL"]
    assert (last["p"], last["t"]) == (100.05, "2026-11-19T21:00:00Z")
    assert caller.get("/v2/stocks/quotes/latest", symbols="AAPL")["quotes"] == {}
    assert caller.submit(type="market", limit_price=None)["status"] == "accepted"
    caller.wait_for("09:31")
    assert caller.get("/v2/stocks/trades/latest", symbols="AAPL")["trades"] == {}
