"""Settings: defaults, their sources, and refusals by name."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from repeg.domain.errors import InvalidSettings
from repeg.domain.setting_types import Escalation, Fallback, FundBuysFrom, Policy, Waiting
from repeg.domain.settings import Settings
from repeg.domain.settings_sources import resolve
from repeg.domain.symbol_settings import STORED, SymbolSettings
from repeg_workbench.deployment_variables import variables


def refusal(overrides: Any, environment: dict[str, str] | None = None) -> InvalidSettings:
    with pytest.raises(InvalidSettings) as caught:
        resolve(environment or {}, overrides)
    return caught.value


def test_the_defaults_are_the_documented_values() -> None:
    assert resolve({}, None).model_dump() == {
        "use_smart_limit_execution": True,
        "policy": Policy.NORMAL,
        "waiting": Waiting.POLL,
        "listen_seconds": 290,
        "look_seconds": 2,
        "follow_after_seconds": 30,
        "imbalance_cross": Decimal("0.7"),
        "tight_share": Decimal("0.334"),
        "crossing_cost": Decimal("1.0"),
        "use_async_execution": True,
        "hurry_sells": False,
        "fund_buys_from": FundBuysFrom.CASH,
        "use_replace": False,
        "market_open_delay_minutes": 5,
        "max_spread_pct": Decimal("0.25"),
        "min_volume_shares": 100,
        "repeg_threshold_pct": Decimal("0.1"),
        "order_monitoring_seconds": 30,
        "tick_size": Decimal("0.01"),
        "max_repegs": 10,
        "patience_seconds": 300,
        "close_margin_minutes": 5,
        "max_quote_age_seconds": 10,
        "max_slippage_bps": Decimal(50),
        "escalation": Escalation.CROSS,
        "fallback": Fallback.NONE,
        "fallback_minutes": 5,
        "max_order_notional": None,
        "max_run_notional": None,
        "max_day_notional": None,
        "max_run_orders": None,
        "max_attempts": 100,
        "control_share": Decimal(0),
        "control_max_notional": Decimal(5_000),
        "allowed_symbols": None,
        "data_feed": None,
        "symbols": {},
    }


def test_a_runs_settings_override_the_environment_and_the_defaults() -> None:
    environment = {"EXECUTION__MAX_REPEGS": "3", "EXECUTION__PATIENCE_SECONDS": "120", "PATH": "/usr/bin"}
    settings = resolve(environment, {"patience_seconds": 60})
    assert (settings.max_repegs, settings.patience_seconds) == (3, 60)


def test_an_empty_variable_counts_as_unset() -> None:
    assert resolve({"EXECUTION__MAX_ORDER_NOTIONAL": ""}, None) == Settings()


def test_environment_variables_are_parsed_from_text() -> None:
    settings = resolve(
        {
            "EXECUTION__USE_ASYNC_EXECUTION": "false",
            "EXECUTION__MAX_SPREAD_PCT": "0.30",
            "EXECUTION__ESCALATION": "market",
        },
        None,
    )
    assert (settings.use_async_execution, settings.escalation) == (False, Escalation.MARKET)
    assert settings.max_spread_pct == Decimal("0.30")


def test_a_json_number_keeps_its_written_digits() -> None:
    assert resolve({}, {"max_spread_pct": 0.1}).max_spread_pct == Decimal("0.1")


@pytest.mark.parametrize(
    ("overrides", "field", "value"),
    [
        ({"max_spread": "0.25"}, "settings.max_spread", "0.25"),
        ({"MAX_REPEGS": 3}, "settings.MAX_REPEGS", 3),
        ({"symbols": {"BAC": {"max_spread": 1}}}, "settings.symbols.BAC.max_spread", 1),
        ({"symbols": {"BAC": {"order_monitoring_seconds": 60}}}, "settings.symbols.BAC.order_monitoring_seconds", 60),
        ({"symbols": {"BAC": {"use_async_execution": False}}}, "settings.symbols.BAC.use_async_execution", False),
        ({"symbols": {"bac": {"max_repegs": 1}}}, "settings.symbols.bac", "bac"),
    ],
)
def test_an_unknown_setting_is_refused_by_name(overrides: dict[str, Any], field: str, value: object) -> None:
    error = refusal(overrides)
    assert (error.field, error.value) == (field, value)


def test_a_misspelt_variable_is_refused_by_name() -> None:
    assert refusal(None, {"EXECUTION__MAX_REPEG": "3"}).field == "settings.max_repeg"


def test_a_run_wide_setting_is_refused_under_symbols() -> None:
    error = refusal({"symbols": {"BAC": {"market_open_delay_minutes": 0}}})
    assert error.expected == f"one of {', '.join(SymbolSettings.model_fields)}"


OUT_OF_RANGE: list[tuple[str, object]] = [
    ("use_smart_limit_execution", "perhaps"),
    ("use_async_execution", 2),
    ("market_open_delay_minutes", -1),
    ("market_open_delay_minutes", 181),
    ("max_spread_pct", "0"),
    ("max_spread_pct", "100.1"),
    ("max_spread_pct", "NaN"),
    ("min_volume_shares", -1),
    ("min_volume_shares", 0.5),
    ("repeg_threshold_pct", "-0.1"),
    ("repeg_threshold_pct", "Infinity"),
    ("order_monitoring_seconds", 0),
    ("order_monitoring_seconds", 23_401),
    ("crossing_cost", "-0.1"),
    ("crossing_cost", "2.1"),
    ("crossing_cost", "NaN"),
    ("tick_size", "0"),
    ("tick_size", "0.025"),  # half of these steps would be sub-penny prices
    ("tick_size", "1.01"),  # a step above a dollar could round a price to zero
    ("max_repegs", -1),
    ("max_repegs", "ten"),
    ("patience_seconds", None),
    ("max_repegs", True),
    ("close_margin_minutes", 181),
    ("max_quote_age_seconds", 0),
    ("max_slippage_bps", "-1"),
    ("max_slippage_bps", "10000"),  # a sell collar of zero
    ("escalation", "panic"),
    ("fallback", "cross"),
    ("fallback_minutes", 0),
    ("fallback_minutes", 181),
    ("fallback_minutes", True),
    ("max_order_notional", "0"),
    ("max_run_notional", "a lot"),
    ("max_day_notional", "0"),
    ("max_day_notional", "Infinity"),
    ("max_run_orders", 0),
    ("max_run_orders", True),
    ("max_attempts", 0),
    ("max_attempts", 100_001),
    ("symbols", "BAC"),
]


@pytest.mark.parametrize(("name", "value"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: object) -> None:
    error = refusal({name: value})
    assert (error.field, error.value) == (f"settings.{name}", value)
    assert error.expected
    assert str(error).startswith(f"settings.{name}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, bad) for name, bad in OUT_OF_RANGE if name in SymbolSettings.model_fields and bad is not None],
)
def test_a_symbols_values_have_the_same_ranges(name: str, value: object) -> None:
    error = refusal({"symbols": {"BAC": {name: value}}})
    assert (error.field, error.value) == (f"settings.symbols.BAC.{name}", value)


def test_a_symbols_settings_are_a_subset_of_the_runs() -> None:
    assert set(SymbolSettings.model_fields) < set(Settings.model_fields)


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"market_open_delay_minutes": 180, "close_margin_minutes": 30}, "settings.close_margin_minutes"),
        ({"patience_seconds": 29}, "settings.patience_seconds"),
        ({"order_monitoring_seconds": 301}, "settings.patience_seconds"),
        ({"max_order_notional": "1001", "max_run_notional": "1000"}, "settings.max_order_notional"),
        ({"symbols": {"BAC": {"patience_seconds": 29}}}, "settings.symbols.BAC.patience_seconds"),
        ({"fallback": "market"}, "settings.fallback"),
        ({"fallback": "market", "escalation": "mid"}, "settings.fallback"),
        ({"symbols": {"BAC": {"fallback": "market"}}}, "settings.symbols.BAC.fallback"),
        (
            {"max_run_notional": "1000", "symbols": {"BAC": {"max_order_notional": "1001"}}},
            "settings.symbols.BAC.max_order_notional",
        ),
    ],
)
def test_contradictory_settings_are_refused_by_name(overrides: dict[str, Any], field: str) -> None:
    error = refusal(overrides)
    assert error.field == field
    assert error.field.rsplit(".", 1)[1] in str(error)


@pytest.mark.parametrize(
    "overrides",
    [
        {"market_open_delay_minutes": 180, "close_margin_minutes": 29},
        {"patience_seconds": 30},
        {"max_order_notional": "1000", "max_run_notional": "1000"},
        {"tick_size": "1.00"},
        {"fallback": "market", "escalation": "market"},
        {"fallback": "market", "use_smart_limit_execution": False},
        {"fallback": "collar", "escalation": "none"},
        {"fallback_minutes": 180},
        {"max_slippage_bps": "0", "repeg_threshold_pct": "0", "min_volume_shares": 0, "max_repegs": 0},
    ],
)
def test_the_bounds_of_the_ranges_are_allowed(overrides: dict[str, Any]) -> None:
    assert resolve(variables(overrides), None) != Settings()


def test_an_unknown_fallback_of_a_stored_run_counts_as_none() -> None:
    stored = {"fallback": "auction", "symbols": {"KO": {"fallback": "auction"}}}
    settings = Settings.model_validate(stored, context=STORED)
    assert (settings.fallback, settings.for_symbol("KO").fallback) == (Fallback.NONE, Fallback.NONE)


def test_a_run_stored_before_there_were_policies_keeps_the_original_rule() -> None:
    stored = Settings().model_dump(mode="json", exclude={"policy"})
    assert Settings.model_validate(stored, context=STORED).policy is Policy.ANCHOR
    stored["use_smart_limit_execution"] = False
    assert Settings.model_validate(stored, context=STORED).trades_at_market
    assert Settings.model_validate({"symbols": {"KO": {}}}, context=STORED).for_symbol("KO").policy is Policy.ANCHOR


def test_an_unknown_way_of_waiting_of_a_stored_run_counts_as_polling() -> None:
    assert Settings.model_validate({"waiting": "queue"}, context=STORED).waiting is Waiting.POLL


@pytest.mark.parametrize("listed", [["AAPL", "BRK.B"], "AAPL, BRK.B", "AAPL,BRK.B"])
def test_an_allow_list_is_a_list_or_comma_separated_text(listed: object) -> None:
    assert resolve({}, {"allowed_symbols": listed}).allowed_symbols == ("AAPL", "BRK.B")


def test_an_allow_list_and_an_amount_are_read_from_the_environment() -> None:
    environment = {"EXECUTION__ALLOWED_SYMBOLS": "AAPL,KO", "EXECUTION__MAX_DAY_NOTIONAL": "50000.50"}
    settings = resolve(environment, None)
    assert (settings.allowed_symbols, settings.max_day_notional) == (("AAPL", "KO"), Decimal("50000.50"))


@pytest.mark.parametrize(
    ("listed", "where"), [("AAPL,aapl", "1"), ("AAPL,", "1"), (["KO", "KO Inc."], "1"), ([3], "0")]
)
def test_an_invalid_ticker_in_an_allow_list_is_refused_by_index(listed: object, where: str) -> None:
    assert refusal({"allowed_symbols": listed}).field == f"settings.allowed_symbols.{where}"


@pytest.mark.parametrize("overrides", ["fast", ["max_repegs"], 3])
def test_settings_other_than_an_object_are_refused(overrides: object) -> None:
    assert refusal(overrides).field == "settings"


def test_a_symbols_overrides_apply_to_that_symbol_only() -> None:
    symbols = {"BRK.B": {"max_spread_pct": "1.5", "escalation": "none"}}
    settings = resolve(variables({"max_repegs": 4, "symbols": symbols}), None)
    own = settings.for_symbol("BRK.B")
    assert (own.max_spread_pct, own.escalation, own.max_repegs) == (Decimal("1.5"), Escalation.NONE, 4)
    assert settings.for_symbol("KO") == settings


def test_resolved_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().max_repegs = 11  # type: ignore[misc]


def test_settings_survive_a_json_round_trip() -> None:
    settings = resolve({}, {"max_spread_pct": "0.20", "symbols": {"BAC": {"max_slippage_bps": "12.5"}}})
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_an_invalid_input_error_survives_pickling() -> None:
    """Worker processes of a simulation hand their errors to the parent."""
    error = refusal({"max_spread": "0.25"})
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copy), copy.field, copy.value, str(copy)) == (type(error), error.field, error.value, str(error))


def test_smart_execution_can_be_turned_on_for_single_symbols() -> None:
    own = resolve(
        variables({"use_smart_limit_execution": False}), {"symbols": {"KO": {"use_smart_limit_execution": True}}}
    )
    assert [own.for_symbol(symbol).trades_at_market for symbol in ("KO", "BAC")] == [False, True]


@pytest.mark.parametrize("policy", ["anchor", "normal"])
def test_smart_execution_can_be_turned_off_for_single_symbols(policy: str) -> None:
    """Whatever the run's policy: a symbol's market orders follow none."""
    symbols = {"KO": {"use_smart_limit_execution": False}}
    own = resolve(variables({"policy": policy, "symbols": symbols}), None)
    assert [own.for_symbol(symbol).trades_at_market for symbol in ("KO", "BAC")] == [True, False]
    assert not own.for_symbol("KO").looks
