"""Plans: values are read exactly, and invalid plans are refused with the field and the expected value."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan import OrdersPlan, Plan, PlanOrder, TargetsPlan, parse
from repeg.domain.plan_reading.reader import read_file
from repeg.domain.quote import Side


def order(**fields: Any) -> dict[str, Any]:
    return {"symbol": "AAPL", "side": "buy", "qty": "40", **fields}


def orders(*rows: Any) -> dict[str, Any]:
    return {"name": "rebalance", "orders": list(rows)}


def targets(weights: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "core", "targets": weights, **fields}


def parse_text(text: str, source: str) -> Plan:
    return read_file(text.encode(), source)


def test_a_list_of_orders_keeps_its_order() -> None:
    text = '{"name": "rebalance", "orders": [{"symbol": "AAPL", "side": "buy", "qty": "40"}, \
             {"symbol": "BRK.B", "side": "sell", "qty": "all"}]}'
    assert parse_text(text, "plan.json") == OrdersPlan(
        name="rebalance",
        orders=(
            PlanOrder(symbol="AAPL", side=Side.BUY, qty=Decimal(40)),
            PlanOrder(symbol="BRK.B", side=Side.SELL, qty="all"),
        ),
    )


def test_target_weights_may_have_a_reserve_and_a_minimum_trade() -> None:
    plan = parse(targets({"AAPL": "0.30", "KO": "0.20"}, cash_reserve="0.02", min_trade_notional="25"))
    assert plan == TargetsPlan(
        name="core",
        targets={"AAPL": Decimal("0.30"), "KO": Decimal("0.20")},
        cash_reserve=Decimal("0.02"),
        min_trade_notional=Decimal(25),
    )


def test_the_reserve_and_the_minimum_trade_default_to_zero() -> None:
    plan = parse(targets({"AAPL": "1"}))
    assert isinstance(plan, TargetsPlan)
    assert plan.cash_reserve == plan.min_trade_notional == 0


@pytest.mark.parametrize("written", ["7.2273576", "0.1", "100", "0.000000001", "123456789.123456789"])
def test_a_json_number_keeps_every_digit(written: str) -> None:
    quoted = parse_text(json.dumps(orders(order(qty=written))), "plan.json")
    bare = parse_text(json.dumps(orders(order(qty="QTY"))).replace('"QTY"', written), "plan.json")
    assert quoted == bare
    assert isinstance(bare, OrdersPlan)
    assert bare.orders[0].qty == Decimal(written)
    assert f"{bare.orders[0].qty:f}" == written


def test_a_float_in_an_inline_plan_keeps_its_typed_digits() -> None:
    plan = parse(targets({"AAPL": 0.1, "KO": 0.2}))
    assert isinstance(plan, TargetsPlan)
    assert plan.targets == {"AAPL": Decimal("0.1"), "KO": Decimal("0.2")}


def test_a_quantity_with_an_exponent_is_accepted() -> None:
    plan = parse(orders(order(qty="1e3")))
    assert isinstance(plan, OrdersPlan)
    assert str(plan.orders[0].qty) == "1000"


def test_weights_that_sum_to_one_are_allowed() -> None:
    plan = parse(targets({"AAPL": "0.6", "KO": "0.38"}, cash_reserve="0.02"))
    assert isinstance(plan, TargetsPlan)
    assert sum(plan.targets.values()) + plan.cash_reserve == 1


BAD: list[tuple[Any, str, object, str]] = [
    # plan, field, value, part of the expected value
    ("not a plan", "plan", "not a plan", "object"),
    ([], "plan", [], "object"),
    ({"orders": []}, "plan.name", None, "lower-case"),
    ({**orders(order()), "name": "Rebalance"}, "plan.name", "Rebalance", "lower-case"),
    ({**orders(order()), "name": "a-name-of-sixteen"[:16]}, "plan.name", "a-name-of-sixtee", "at most 15"),
    ({**orders(order()), "name": "trailing-"}, "plan.name", "trailing-", "hyphens"),
    ({"name": "core"}, "plan", ["name"], "either orders or targets"),
    ({**orders(order()), "targets": {}}, "plan", ["name", "orders", "targets"], "either orders or targets"),
    (
        {**orders(order()), "cash_reserve": "0.1"},
        "plan.cash_reserve",
        "0.1",
        "one of confirmed_symbols, name, notes, orders",
    ),
    (orders(), "plan.orders", [], "at least one"),
    ({"name": "core", "orders": "AAPL"}, "plan.orders", "AAPL", "list"),
    (orders(*[order()] * 1_001), "plan.orders", 1_001, "at most 1000"),
    (orders("AAPL"), "plan.orders[0]", "AAPL", "object"),
    (orders(order(limit="3")), "plan.orders[0].limit", "3", "one of notional, qty, side, symbol"),
    (orders(order(symbol="aapl")), "plan.orders[0].symbol", "aapl", "ticker"),
    (orders(order(symbol="TOOLONG")), "plan.orders[0].symbol", "TOOLONG", "ticker"),
    (orders(order(symbol=None)), "plan.orders[0].symbol", None, "ticker"),
    (orders({"side": "buy", "qty": 1}), "plan.orders[0].symbol", None, "ticker"),
    (orders(order(side="short")), "plan.orders[0].side", "short", "buy or sell"),
    (orders(order(side=None)), "plan.orders[0].side", None, "buy or sell"),
    (orders(order(side=["buy"])), "plan.orders[0].side", ["buy"], "buy or sell"),
    (orders(order(qty="0")), "plan.orders[0].qty", Decimal(0), "positive"),
    (orders(order(), order(symbol="KO", qty="-5")), "plan.orders[1].qty", Decimal(-5), "positive"),
    (orders(order(qty="all")), "plan.orders[0].qty", "all", "only a sell may say all"),
    (orders(order(qty=None)), "plan.orders[0].qty", None, "positive"),
    (orders(order(qty=True)), "plan.orders[0].qty", True, "positive"),
    (orders(order(qty="forty")), "plan.orders[0].qty", "forty", "positive"),
    (orders(order(qty="NaN")), "plan.orders[0].qty", "NaN", "positive"),
    (orders(order(qty="Infinity")), "plan.orders[0].qty", "Infinity", "positive"),
    (orders(order(qty={})), "plan.orders[0].qty", {}, "positive"),
    (orders(order(qty="1e30")), "plan.orders[0].qty", "1e30", "below"),
    (orders(order(qty="0.0000000001")), "plan.orders[0].qty", Decimal("1E-10"), "at most 9 decimals"),
    (orders(order(), order(side="sell")), "plan.orders[1].symbol", "AAPL", "each symbol once"),
    (orders(order(), order()), "plan.orders[1].symbol", "AAPL", "each symbol once"),
    (targets({}), "plan.targets", 0, "between 1 and 1000"),
    (targets(["AAPL"]), "plan.targets", ["AAPL"], "object"),
    (targets({"aapl": "0.1"}), "plan.targets.aapl", "aapl", "ticker"),
    (targets({"AAPL": "-0.1"}), "plan.targets.AAPL", Decimal("-0.1"), "between 0 and 1"),
    (targets({"AAPL": "30"}), "plan.targets.AAPL", Decimal(30), "between 0 and 1"),
    (targets({"AAPL": "30%"}), "plan.targets.AAPL", "30%", "between 0 and 1"),
    (targets({"AAPL": "0.6", "KO": "0.41"}), "plan.targets", Decimal("1.01"), "at most 1"),
    (targets({"AAPL": "0.6", "KO": "0.400101"}), "plan.targets", Decimal("1.000101"), "at most 1"),
    (targets({"AAPL": "-0.000101"}), "plan.targets.AAPL", Decimal("-0.000101"), "between 0 and 1"),
    (targets({"AAPL": "0.5"}, cash_reserve="-0.000101"), "plan.cash_reserve", Decimal("-0.000101"), "between 0 and 1"),
    (targets({"AAPL": "1"}, confirmed_symbols="CASH"), "plan.confirmed_symbols", "CASH", "a list of tickers"),
    (targets({"AAPL": "1"}, confirmed_symbols=["$CASH"]), "plan.confirmed_symbols[0]", "$CASH", "a ticker"),
    (targets({"AAPL": "1"}, confirmed_symbols=["CASH"]), "plan.confirmed_symbols[0]", "CASH", "a symbol of the plan"),
    (targets({"AAPL": "0.99"}, cash_reserve="0.02"), "plan.targets", Decimal("1.01"), "at most 1"),
    (targets({"AAPL": "0.5"}, cash_reserve="2"), "plan.cash_reserve", Decimal(2), "between 0 and 1"),
    (targets({"AAPL": "0.5"}, min_trade_notional="-1"), "plan.min_trade_notional", Decimal(-1), "zero or more"),
    (targets({"AAPL": "0.5"}, orders_first=True), "plan.orders_first", True, "one of buy_only"),
]


@pytest.mark.parametrize(("raw", "field", "value", "expected"), BAD)
def test_an_invalid_plan_is_refused_with_field_and_expected_value(
    raw: object, field: str, value: object, expected: str
) -> None:
    with pytest.raises(InvalidPlan) as caught:
        parse(raw)
    assert (caught.value.field, caught.value.value) == (field, value)
    assert expected in caught.value.expected
    assert str(caught.value).startswith(f"{field}: ")
    assert expected in str(caught.value)


TOO_DEEP = pytest.param("[" * 100_000, id="too deep")


@pytest.mark.parametrize("text", ["{", "[1", '{"name": "core", "orders": [}', TOO_DEEP])
def test_a_malformed_file_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidPlan, match=r"plan: 'plan\.json' is not valid; expected JSON"):
        parse_text(text, "plan.json")


def test_a_quantity_of_nan_is_refused() -> None:
    with pytest.raises(InvalidPlan, match=r"plan\.orders\[0\]\.qty: 'NaN'"):
        parse_text('{"name": "core", "orders": [{"symbol": "AAPL", "side": "buy", "qty": NaN}]}', "plan.json")


def test_a_duplicate_weight_is_refused() -> None:
    with pytest.raises(InvalidPlan, match=r"AAPL.*once"):
        parse_text('{"name": "core", "targets": {"AAPL": "0.3", "KO": "0.1", "AAPL": "0.2"}}', "plan.json")


def test_a_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(InvalidPlan) as caught:
        parse(orders(order(symbol="A" * 10_000)))
    assert len(str(caught.value)) < 250


def test_a_date_in_a_plan_is_refused() -> None:
    with pytest.raises(InvalidPlan, match=r"plan\.date"):
        parse({**orders(order()), "date": date(2026, 11, 23).isoformat()})


# Words for cash

CASH_LIKE = ["CASH", "USD", "EUR", "GBP", "USDOLLAR", "$CASH", "cash", "CASH_USD", "US Dollar", "CUR:USD", "-CASH-"]


@pytest.mark.parametrize("word", CASH_LIKE)
def test_a_word_for_cash_is_refused_as_a_symbol_with_the_remedy(word: str) -> None:
    for raw, field in (
        (targets({"AAPL": "0.6", word: "0.4"}), f"plan.targets.{word}"),
        (orders(order(symbol=word)), "plan.orders[0].symbol"),
    ):
        with pytest.raises(InvalidPlan, match="cash_reserve for cash; to trade the ticker, name it in") as caught:
            parse(raw)
        assert caught.value.field == field


def test_a_confirmed_ticker_that_reads_like_cash_is_accepted() -> None:
    plan = parse(targets({"CASH": "0.4"}, confirmed_symbols=["CASH"]))
    assert isinstance(plan, TargetsPlan)
    assert (plan.targets, plan.confirmed_symbols) == ({"CASH": Decimal("0.4")}, ("CASH",))
    assert parse({**orders(order(symbol="USD")), "confirmed_symbols": ["USD"]}).confirmed_symbols == ("USD",)


def test_a_ticker_that_only_begins_like_cash_needs_no_confirmation() -> None:
    assert parse(targets({"CASHA": "0.4", "EURN": "0.1"})).notes == ()


# Rounding noise


def test_weights_divided_by_their_sum_are_accepted() -> None:
    """Of 500 portfolios of 20 weights with 17 digits, half add up to a little more than 1."""
    noted = 0
    for seed in range(500):
        raw = [((seed * 7_919 + number * 104_729) % 9_973 + 1) / 9_973 for number in range(20)]
        plan = parse(targets({f"A{chr(65 + i)}": weight / sum(raw) for i, weight in enumerate(raw)}))
        noted += bool(plan.notes)
    assert 100 < noted < 400


def test_an_excess_of_rounding_is_accepted_and_noted() -> None:
    plan = parse(targets({"AAPL": "0.33334", "KO": "0.33333", "SPY": "0.33343"}))
    assert plan.notes == ("weights and cash_reserve add up to 1 and 0.0001, which is taken as rounding",)
    assert parse(targets({"AAPL": "1.0001"})).notes


def test_noise_around_zero_is_zero_and_noted() -> None:
    weights = {"AAPL": "0.5", "KO": "-0.0001", "SPY": "-1e-17", "BAC": "3.2e-9", "T": "0"}
    plan = parse(targets(weights, cash_reserve="-2e-16"))
    assert isinstance(plan, TargetsPlan)
    assert [plan.targets[symbol] for symbol in ("KO", "SPY", "BAC", "T")] == [0, 0, 0, 0]
    assert (plan.targets["AAPL"], plan.cash_reserve) == (Decimal("0.5"), Decimal(0))
    assert plan.notes == ("taken as zero: KO -0.0001, SPY -1e-17, BAC 3.2e-9, cash_reserve -2e-16",)


def test_exact_weights_have_no_note() -> None:
    assert parse(targets({"AAPL": "0.98", "KO": "0"}, cash_reserve="0.02")).notes == ()
