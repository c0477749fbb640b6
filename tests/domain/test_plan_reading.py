"""Reading plans: unambiguous habits are normalised with a note, and whatever has two readings is refused."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan import OrdersPlan, Plan, TargetsPlan, parse
from repeg.domain.plan_reading.notation import EVERY, Notation, notation_of, written
from repeg.domain.plan_reading.reader import (
    MOST_REFUSALS,
    document_of,
    drafted,
    plan_of,
    read_document,
    read_file,
    refusals,
)
from repeg.domain.plan_reading.shapes import draft_of
from repeg.domain.plan_reading.tickers import is_cash, ticker_of


def read(text: str, source: str = "plan.csv") -> Plan:
    return read_file(text.encode(), source)


def weights(text: str, source: str = "plan.csv") -> dict[str, str]:
    plan = read(text, source)
    assert isinstance(plan, TargetsPlan)
    return {symbol: f"{weight:f}" for symbol, weight in plan.targets.items()}


def orders(text: str, source: str = "plan.csv") -> list[tuple[str, str, str]]:
    plan = read(text, source)
    assert isinstance(plan, OrdersPlan)
    return [(order.symbol, str(order.side), str(order.qty)) for order in plan.orders]


def refusal(text: str, source: str = "plan.csv") -> str:
    with pytest.raises(InvalidPlan) as caught:
        read(text, source)
    return str(caught.value)


# Tickers and cash


@pytest.mark.parametrize(
    ("text", "ticker"),
    [
        ("aapl", "AAPL"), (" AAPL\u00a0", "AAPL"), ('="AAPL"', "AAPL"), ("'AAPL", "AAPL"), ("$aapl", "AAPL"),
        ("BRK-B", "BRK.B"), ("BRK/B", "BRK.B"), ("BRK B", "BRK.B"), ("brk_b", "BRK.B"), ("NYSE:BRK.B", "BRK.B"),
        ("AAPL US Equity", "AAPL"), ("AAPL US", "AAPL"), ("NASDAQ: AAPL", "AAPL"),
        ("BTC-USD", "BTC-USD"), ("ESZ6", "ESZ6"), ("TOOLONG", "TOOLONG"), ("VOD LN Equity", "VOD LN Equity"),
    ],
)  # fmt: skip
def test_a_ticker_is_written_as_the_broker_does(text: str, ticker: str) -> None:
    assert ticker_of(text) == ticker


@pytest.mark.parametrize("word", ["$", "US$", "USD", "cash", "Cash & Cash Investments", "SPAXX**", "CASH BALANCE", "€"])
def test_a_word_for_cash_is_recognised(word: str) -> None:
    assert is_cash(word)
    assert "cash_reserve for cash" in refusal(f'symbol,weight\nAAPL,0.5\n"{word}",0.5\n')


@pytest.mark.parametrize("ticker", ["CASHA", "USDT", "AAPL"])
def test_a_ticker_that_only_begins_like_cash_is_none(ticker: str) -> None:
    assert not is_cash(ticker)


def test_a_table_can_confirm_a_ticker_that_reads_like_cash() -> None:
    assert weights("# confirmed_symbols: CASH\nsymbol,weight\nCASH,0.4\nKO,0.1\n") == {"CASH": "0.4", "KO": "0.1"}


# Numbers


@pytest.mark.parametrize(
    ("text", "digits"),
    [("$5,000.00", "5,000.00"), ("(250.50)", "-250.50"), ("60 %", "60"), ("\u22123", "-3"), ("1'000", "1000"),
     ("1 000,5", "1000,5"), ("12 USD", "12"), ("-$5", "-5"), ("n/a", "n/a")],
)  # fmt: skip
def test_a_number_loses_what_surrounds_it(text: str, digits: str) -> None:
    assert written(text).digits == digits


@pytest.mark.parametrize(
    ("numbers", "left"),
    [(["1,000"], EVERY), (["40", "1,000"], EVERY), (["1,000", "12.5"], {Notation.POINT}), (["0,5"], {Notation.COMMA}),
     (["1,000,000"], {Notation.POINT}), (["1.234,5"], {Notation.COMMA}), (["0.125"], {Notation.POINT}),
     (["1.000"], EVERY)],
)  # fmt: skip
def test_a_file_leaves_the_notations_that_fit_all_of_its_numbers(numbers: list[str], left: set[Notation]) -> None:
    assert notation_of([("row", number) for number in numbers], has_points=False, others=()) == left


def test_a_thousand_is_read_where_the_file_leaves_one_reading() -> None:
    table = 'symbol,side,qty,price\nAAPL,buy,"1,000",{}\n'
    assert orders(table.format("190.25")) == [("AAPL", "buy", "1000")]
    assert orders(table.format('"190,25"')) == [("AAPL", "buy", "1")]
    assert "a number with one reading: this is 1000 or 1" in refusal(table.format("190"))


def test_decimal_points_and_commas_in_one_column_are_refused() -> None:
    assert "row 3, weight: '0,25'" in refusal("symbol;weight\nAAPL;0.35\nKO;0,25\n")


def test_no_digit_is_lost_on_the_way() -> None:
    digits = "0.30000000000000001665"
    assert weights(f"symbol,weight\nAAPL,{digits}\n") == {"AAPL": digits}
    assert weights(f'{{"name": "core", "targets": {{"AAPL": {digits}}}}}') == {"AAPL": digits}
    assert weights(f"{{'AAPL': {digits}}}") == {"AAPL": digits}


# Weights


def test_percent_signs_are_all_or_none() -> None:
    assert weights("symbol,weight\nAAPL,60%\nKO,0\n") == {"AAPL": "0.60", "KO": "0"}
    assert "row 3, weight: '0.4' is not valid; expected a percent sign" in refusal("symbol,weight\nAAPL,60%\nKO,0.4\n")


def test_a_heading_of_percent_with_shares_of_one_is_refused() -> None:
    assert weights("symbol,weight %\nAAPL,60\nKO,30\n") == {"AAPL": "0.60", "KO": "0.30"}
    assert "percent signs at the weights" in refusal("symbol,weight %\nAAPL,0.6\nKO,0.3\n")


def test_labelled_weights_that_add_up_to_a_hundred_are_percent() -> None:
    assert weights("symbol,weight\nAAPL,60\nKO,40\n") == {"AAPL": "0.60", "KO": "0.40"}
    assert "between 0 and 1" in refusal("symbol,weight\nAAPL,60\nKO,30\n")


def test_numbers_that_are_not_called_weights_must_add_up_to_one() -> None:
    assert weights('{"AAPL": 0.6, "KO": 0.3}') == {"AAPL": "0.6", "KO": "0.3"}
    assert "numbers that add up to 1" in refusal('{"AAPL": 60, "KO": 40}')
    assert "numbers that add up to 1" in refusal("symbol,beta\nAAPL,0.5\nKO,0.3\n")


def test_a_symbol_in_two_cases_is_named_with_both_rows() -> None:
    message = refusal("symbol,weight\nBRK-B,0.5\nbrk/b,0.5\n")
    assert "row 3, symbol" in message
    assert "row 2 has it already" in message


# Orders


def test_quantities_without_a_side_need_a_negative_one() -> None:
    assert orders("ticker,shares\nAAPL,40\nKO,-12\n") == [("AAPL", "buy", "40"), ("KO", "sell", "12")]
    assert "side: is missing" in refusal("ticker,shares\nAAPL,40\nKO,12\n")


@pytest.mark.parametrize(
    ("heading", "value"),
    [("LmtPrice", "14.82"), ("TimeInForce", "GTC"), ("OrderType", "STP"), ("SecType", "FUT"), ("Currency", "EUR")],
)
def test_a_column_that_says_how_to_trade_is_not_ignored(heading: str, value: str) -> None:
    assert f"row 2, {heading}: '{value}'" in refusal(f"Symbol,Action,Quantity,{heading}\nAAPL,BUY,1,{value}\n")


def test_an_order_with_weight_and_quantity_is_refused() -> None:
    assert "either weights, or orders by qty" in refusal("symbol,side,qty,weight\nAAPL,buy,1,0.5\n")


def test_all_is_sold_in_any_case() -> None:
    assert orders("symbol,side,qty\nKO,Sell,ALL\n") == [("KO", "sell", "all")]


# Files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_file_may_have_any_usual_encoding(encoding: str) -> None:
    body = "symbol,weight,name\nKO,0.5,Café\n".encode(encoding)
    plan = read_file(body, "plan.csv")
    assert isinstance(plan, TargetsPlan)
    assert plan.targets == {"KO": Decimal("0.5")}
    assert any("was read as" in note for note in plan.notes) is (encoding not in {"utf-8", "utf-8-sig"})


@pytest.mark.parametrize("body", [b"", b"  \n", b"\x00\x01\x02", b"\xff\xfe\x00\x00", b"PK\x03\x04\x00\x00\x81\x8d"])
def test_a_file_that_is_no_text_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidPlan, match=r"plan: 'plan\.xlsx' is not valid"):
        read_file(body, "plan.xlsx")


@pytest.mark.parametrize("text", ["hello", "symbol\nAAPL\n", "a,b\n1,2\n", "name: core\n", "\n,\n"])
def test_a_text_that_is_no_plan_is_refused_with_the_forms(text: str) -> None:
    assert "expected a plan as JSON, or a table whose heading row has symbol and weight" in refusal(text)


def test_yaml_is_refused_where_no_library_reads_it() -> None:
    assert "convert it on the command line, with `repeg plan FILE --json`" in refusal("name: core", "s3://plans/a.yaml")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("My Portfolio (2026).csv", "my-portfolio-20"),
        ("s3://plans/us/core.csv", "core"),
        (r"C:\plans\Core_1.CSV", "core-1"),
    ],
)
def test_a_plan_without_a_name_has_that_of_its_file(source: str, name: str) -> None:
    plan = read("symbol,weight\nKO,0.5\n", source)
    assert (plan.name, plan.notes[-1]) == (name, f"named after its file: {name}")


def test_a_document_without_a_file_needs_a_name() -> None:
    with pytest.raises(InvalidPlan, match="name"):
        read_document({"AAPL": 0.5})


def test_code_in_a_printed_dict_is_not_run() -> None:
    for text in ("{'AAPL': open('x')}", "{'AAPL': (lambda: 1)()}", "dict(AAPL=1)", "{'AAPL': 1 + 1}", "{**{}}"):
        assert "plan: 'plan.csv' is not valid; expected" in refusal(text)


def test_a_name_that_is_printed_twice_is_refused() -> None:
    assert "each name once" in refusal("OrderedDict([('KO', 0.1), ('KO', 0.2)])")
    assert "each name once" in refusal("{'KO': 0.1, 'KO': 0.2}")


# What is told


def test_every_fault_of_a_file_is_listed_with_its_row() -> None:
    text = "symbol,side,qty\nAAPL,buy,40\nKO,hold,1\nTOOLONG,buy,2\nSPY,buy,-1\n"
    found = [str(error) for error in refusals(drafted(text.encode(), "plan.csv"), "plan.csv")]
    assert [message.partition(":")[0] for message in found] == ["row 3, side", "row 4, symbol", "row 5, qty"]
    many = "symbol,side,qty\n" + "KO,hold,1\n" * 50
    assert len(list(refusals(drafted(many.encode(), "plan.csv"), "plan.csv"))) == MOST_REFUSALS


def test_a_document_as_it_is_understood_is_the_same_plan() -> None:
    text = "Ticker;Weight\nbrk-b;12,5%\nKO;20%\n"
    document = json.loads(json.dumps(document_of(drafted(text.encode(), "core.csv"), "core.csv")))
    assert read_document(document) == read(text, "core.csv")
    assert document["targets"] == {"BRK.B": "0.125", "KO": "0.20"}
    assert "symbols as the broker writes them: brk-b as BRK.B" in document["notes"]


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z]{1,5}(\.[A-Z]{1,2})?", fullmatch=True),
        st.decimals(0, "0.2", places=6).map(str)
        | st.sampled_from(["1e-3", "0.100", ".05", "+0.01", "0_1e-2", "-1e-17"]),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_a_plan_that_the_checks_accept_is_read_the_same(weights: dict[str, str]) -> None:
    """The reader may leave out its own part for such a plan."""
    document = {"name": "core", "targets": weights, "cash_reserve": "0"}
    with contextlib.suppress(InvalidPlan):
        strict = parse(document)
        assert plan_of(draft_of(document), None) == strict
        assert read_document(document) == strict


def test_a_plan_in_its_own_form_imports_no_other_reader() -> None:
    code = (
        "import sys; from repeg.domain.plan_reading.reader import read_file; "
        'read_file(b\'{"name": "core", "targets": {"KO": 0.5}}\', \'s3://plans/core.json\'); '
        "print(sorted(name.rpartition('.')[2] for name in sys.modules if 'plan_reading.' in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "['decoding', 'draft', 'reader']"


@pytest.mark.parametrize("notes", ["a", [1], ["a"] * 31])
def test_notes_of_a_document_are_few_texts(notes: Any) -> None:
    with pytest.raises(InvalidPlan, match=r"plan\.notes"):
        read_document({"name": "core", "targets": {"KO": "0.5"}, "notes": notes})
