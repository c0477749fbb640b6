"""An input tightens the deployment's limits and never loosens them; reckless values are refused by name."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.errors import InvalidSettings
from repeg.domain.quote import HALT_AGE_SECONDS
from repeg.domain.setting_types import Escalation, Fallback, Policy
from repeg.domain.settings import Settings
from repeg.domain.settings_limits import CONTAINER, FIXED, LIMITS, OLDEST_QUOTE_SECONDS, PREFERENCES
from repeg.domain.settings_sources import resolve
from repeg_workbench.deployment_variables import variables


def refusal(overrides: dict[str, Any], **deployment: Any) -> InvalidSettings:
    with pytest.raises(InvalidSettings) as caught:
        resolve(variables(deployment), overrides)
    return caught.value


def of(symbol: str = "BAC", **own: Any) -> dict[str, Any]:
    return {"symbols": {symbol: own}}


def test_every_setting_is_a_limit_or_a_preference() -> None:
    assert {CONTAINER, *LIMITS, *PREFERENCES, *FIXED} == set(Settings.model_fields)
    assert not PREFERENCES & set(LIMITS) | FIXED & {*PREFERENCES, *LIMITS}


# The deployment's value, then one that is tighter and one that is looser.
SIDES: list[tuple[str, object, object, object]] = [
    ("use_smart_limit_execution", False, True, None),
    ("use_smart_limit_execution", True, True, False),
    ("policy", "anchor", "normal", "market"),
    ("waiting", "poll", "poll", "stream"),
    ("listen_seconds", 290, 30, 291),
    ("market_open_delay_minutes", 5, 6, 4),
    ("close_margin_minutes", 5, 6, 4),
    ("max_spread_pct", "0.25", "0.24", "0.26"),
    ("min_volume_shares", 100, 101, 99),
    ("max_quote_age_seconds", 10, 9, 11),
    ("max_slippage_bps", "50", "49.9", "50.1"),
    ("escalation", "mid", "none", "cross"),
    ("escalation", "cross", "mid", "market"),
    ("fallback", "none", "none", "collar"),
    ("fallback_minutes", 5, 4, 6),
    ("max_order_notional", "1000", "999", "1001"),
    ("max_run_notional", "1000", "999", "1001"),
    ("max_day_notional", "1000", "999", "1001"),
    ("max_run_orders", 5, 4, 6),
    ("max_attempts", 50, 49, 51),
    ("control_share", "0.1", "0", "0.2"),
    ("control_max_notional", "1000", "999", "1001"),
    ("fund_buys_from", "cash", "cash", "buying_power"),
    ("allowed_symbols", ["AAPL", "KO"], ["KO"], ["KO", "BAC"]),
]
UNLIMITED = ["max_order_notional", "max_run_notional", "max_day_notional", "max_run_orders", "allowed_symbols"]


@pytest.mark.parametrize(("name", "bound", "tighter", "looser"), SIDES)
def test_an_input_may_tighten_a_limit_and_not_loosen_it(
    name: str, bound: object, tighter: object, looser: object
) -> None:
    deployment = variables({name: bound})
    changed = resolve(deployment, {name: tighter})
    assert getattr(changed, name) == getattr(Settings.model_validate({name: tighter}), name)
    assert resolve(deployment, {name: bound}) == resolve(deployment, None)
    if looser is not None:
        error = refusal({name: looser}, **{name: bound})
        assert error.field == f"settings.{name}"
        assert "in the deployment: an input may tighten a limit and never loosen it" in str(error)


def test_a_fallback_goes_from_none_over_collar_to_market() -> None:
    market = {"escalation": "market", "fallback": "market"}
    assert refusal({"fallback": "market"}, escalation="market", fallback="collar").field == "settings.fallback"
    assert resolve(variables(market), {"fallback": "collar"}).fallback is Fallback.COLLAR
    assert resolve(variables(market), {"symbols": {"KO": {"fallback": "none"}}}).for_symbol("KO").fallback == "none"
    error = refusal({"symbols": {"KO": {"fallback": "collar"}}})
    assert (error.field, error.value) == ("settings.symbols.KO.fallback", "collar")


def test_every_limit_is_tested_in_both_directions() -> None:
    assert {name for name, _, _, looser in SIDES if looser is not None} == set(LIMITS)


@pytest.mark.parametrize("name", UNLIMITED)
def test_an_input_cannot_remove_a_limit_of_the_deployment(name: str) -> None:
    bound = {"allowed_symbols": "AAPL,KO"}.get(name, "1000")
    error = refusal({name: None}, **{name: bound})
    assert (error.field, error.value) == (f"settings.{name}", None)
    assert bound.replace(",", ", ") in error.expected


@pytest.mark.parametrize("name", UNLIMITED)
def test_an_input_may_set_a_limit_that_the_deployment_lacks(name: str) -> None:
    given = ["KO"] if name == "allowed_symbols" else 1000
    assert getattr(resolve({}, {name: given}), name) is not None


def test_a_default_is_a_bound_like_a_configured_value() -> None:
    error = refusal({"max_slippage_bps": "9999"})
    assert str(error).startswith("settings.max_slippage_bps: '9999' is not valid; expected at most ")


@pytest.mark.parametrize("name", sorted(PREFERENCES))
def test_an_input_may_choose_a_preference_freely(name: str) -> None:
    values = {
        "use_async_execution": False, "use_replace": True, "repeg_threshold_pct": "5", "order_monitoring_seconds": 300,
        "tick_size": "0.05", "max_repegs": 40, "patience_seconds": 3_600, "follow_after_seconds": 5, "look_seconds": 1,
        "imbalance_cross": "0.9", "tight_share": "0", "crossing_cost": "0.5", "hurry_sells": True}  # fmt: skip
    assert resolve({}, {name: values[name]}) != Settings()


def test_market_orders_may_be_chosen_only_where_the_ladder_ends_in_them() -> None:
    at_market = resolve(variables({"escalation": "market"}), {"use_smart_limit_execution": False})
    assert not at_market.use_smart_limit_execution
    assert refusal({"use_smart_limit_execution": False}).field == "settings.use_smart_limit_execution"


# The feed


@pytest.mark.parametrize("feed", ["iex", "sip"])
def test_a_run_keeps_the_deployments_feed(feed: str) -> None:
    assert resolve({"DATA_FEED": feed}, {"max_repegs": 3}).data_feed == feed
    assert resolve({}, None).data_feed is None


def test_a_feed_cannot_be_set_as_a_setting() -> None:
    for environment, given in (({"EXECUTION__DATA_FEED": "sip"}, None), ({"DATA_FEED": "iex"}, {"data_feed": "sip"})):
        with pytest.raises(InvalidSettings, match="the deployment's own DATA_FEED") as caught:
            resolve(environment, given)
        assert (caught.value.field, caught.value.value) == ("settings.data_feed", "sip")


# The two names of market orders


@pytest.mark.parametrize(
    "deployment",
    [
        {"use_smart_limit_execution": False},
        {"use_smart_limit_execution": "off", "policy": "normal"},
        {"use_smart_limit_execution": False, "policy": "market"},
        {"policy": "market"},
    ],
)
def test_a_deployment_may_use_either_name_of_market_orders(deployment: dict[str, Any]) -> None:
    """The template always passes a policy, so its default beside the other name is no contradiction."""
    settings = resolve(variables(deployment), None)
    assert (settings.policy, settings.trades_at_market, settings.looks) == (Policy.MARKET, True, False)


@pytest.mark.parametrize("policy", ["anchor", "patient", "urgent"])
def test_a_deployment_that_contradicts_itself_is_refused(policy: str) -> None:
    with pytest.raises(InvalidSettings, match="which means policy=market") as caught:
        resolve(variables({"use_smart_limit_execution": False, "policy": policy}), None)
    assert (caught.value.field, caught.value.value) == ("settings.policy", policy)


def test_an_input_that_contradicts_itself_is_refused() -> None:
    given = {"use_smart_limit_execution": False, "policy": "normal"}
    error = refusal(given, escalation="market", policy="normal")
    assert (error.field, error.value) == ("settings.policy", "normal")
    both = {"KO": {"use_smart_limit_execution": False, "policy": "anchor"}}
    assert refusal({"symbols": both}, escalation="market").field == "settings.symbols.KO.policy"


@pytest.mark.parametrize(
    ("deployment", "given", "policy"),
    [
        ({"policy": "patient", "escalation": "market"}, {"use_smart_limit_execution": False}, Policy.MARKET),
        ({"use_smart_limit_execution": False}, {"policy": "urgent"}, Policy.URGENT),
        ({"policy": "market", "use_smart_limit_execution": False}, {"use_smart_limit_execution": True}, Policy.NORMAL),
        ({"policy": "anchor"}, {"use_smart_limit_execution": True}, Policy.ANCHOR),
    ],
)
def test_an_input_replaces_the_deployments_name(
    deployment: dict[str, Any], given: dict[str, Any], policy: Policy
) -> None:
    settings = resolve(variables(deployment), given)
    assert (settings.policy, settings.use_smart_limit_execution) == (policy, policy is not Policy.MARKET)


@pytest.mark.parametrize(
    ("deployment", "given", "policies"),
    [
        ({"use_smart_limit_execution": False}, {}, (Policy.MARKET, Policy.MARKET)),
        ({"use_smart_limit_execution": False}, {"policy": "anchor"}, (Policy.ANCHOR, Policy.MARKET)),
        ({"policy": "market"}, {"use_smart_limit_execution": True}, (Policy.NORMAL, Policy.MARKET)),
        ({"escalation": "market"}, {"use_smart_limit_execution": False}, (Policy.MARKET, Policy.NORMAL)),
        ({"escalation": "market"}, {"policy": "market"}, (Policy.MARKET, Policy.NORMAL)),
        ({**of("KO", policy="market")}, {"use_smart_limit_execution": True}, (Policy.NORMAL, Policy.NORMAL)),
        ({**of("KO", use_smart_limit_execution=False)}, {"policy": "urgent"}, (Policy.URGENT, Policy.NORMAL)),
    ],
)
def test_a_symbol_may_use_either_name_of_market_orders(
    deployment: dict[str, Any], given: dict[str, Any], policies: tuple[Policy, Policy]
) -> None:
    settings = resolve(variables(deployment), of("KO", **given))
    assert tuple(settings.for_symbol(symbol).policy for symbol in ("KO", "BAC")) == policies
    assert [settings.for_symbol(s).trades_at_market for s in ("KO", "BAC")] == [p is Policy.MARKET for p in policies]


@pytest.mark.parametrize("escalation", ["none", "mid"])
@pytest.mark.parametrize("named", [{"policy": "market"}, {"use_smart_limit_execution": False}])
def test_market_orders_that_the_ladder_forbids_are_refused(named: dict[str, Any], escalation: str) -> None:
    with pytest.raises(InvalidSettings, match=f"escalation={escalation} permits no market order") as caught:
        resolve(variables({**named, "escalation": escalation}), None)
    assert caught.value.field == f"settings.{next(iter(named))}"


# Settings of single symbols


@pytest.mark.parametrize(
    ("name", "looser"),
    [("max_spread_pct", "0.5"), ("min_volume_shares", 0), ("max_quote_age_seconds", 60), ("max_slippage_bps", 51),
     ("escalation", "market")],
)  # fmt: skip
def test_a_symbols_limit_is_bounded_by_the_deployments(name: str, looser: object) -> None:
    assert refusal({"symbols": {"BAC": {name: looser}}}).field == f"settings.symbols.BAC.{name}"


def test_a_symbols_own_bound_in_the_deployment_holds() -> None:
    deployment = of(max_order_notional="500", max_spread_pct="1")
    assert refusal(of(max_order_notional="501"), **deployment).field == "settings.symbols.BAC.max_order_notional"
    assert refusal(of(max_order_notional=None), **deployment).field == "settings.symbols.BAC.max_order_notional"
    assert resolve(variables(deployment), of(max_spread_pct="0.9")).for_symbol("BAC").max_order_notional == 500


@pytest.mark.parametrize(
    ("name", "all_symbols", "one_symbol", "tighter"),
    [("max_order_notional", "1000", "5000", "500"), ("max_spread_pct", "0.5", "2", "0.2"),
     ("min_volume_shares", 100, 10, 200), ("max_slippage_bps", "50", "150", "20"), ("fallback_minutes", 5, 10, 3),
     ("escalation", "mid", "cross", "none")],
)  # fmt: skip
def test_an_inputs_limit_also_tightens_a_symbols_looser_one(
    name: str, all_symbols: object, one_symbol: Any, tighter: object
) -> None:
    deployment = variables({name: all_symbols, **of(**{name: one_symbol})})
    settings = resolve(deployment, {name: tighter})
    assert str(getattr(settings.for_symbol("BAC"), name)) == str(tighter)
    # The input names the symbol itself: the deployment's bound for that symbol is the only one.
    named = resolve(deployment, {name: tighter, **of(**{name: one_symbol})})
    assert str(getattr(named.for_symbol("BAC"), name)) == str(one_symbol)


def test_an_inputs_limit_leaves_a_symbols_tighter_one_as_it_is() -> None:
    deployment = variables({"max_order_notional": "1000", **of(max_order_notional="300")})
    assert resolve(deployment, {"max_order_notional": "500"}).for_symbol("BAC").max_order_notional == 300


def test_an_inputs_policy_leaves_a_symbols_own() -> None:
    deployment = variables({"escalation": "market", "max_spread_pct": "1", **of(policy="market")})
    assert resolve(deployment, {"policy": "patient"}).for_symbol("BAC").policy is Policy.MARKET


def test_an_input_keeps_the_deployments_settings_of_other_symbols() -> None:
    settings = resolve(variables(of("BAC", max_order_notional="500")), of("KO", max_repegs=1))
    assert settings.for_symbol("BAC").max_order_notional == 500
    assert settings.for_symbol("KO").max_repegs == 1


def test_a_deployment_sets_symbols_as_json() -> None:
    settings = resolve({"EXECUTION__SYMBOLS": json.dumps({"BRK.B": {"max_spread_pct": 0.1}})}, None)
    assert str(settings.for_symbol("BRK.B").max_spread_pct) == "0.1"


@pytest.mark.parametrize("text", ["BAC", "{", "[]", '{"BAC": 3}'])
def test_symbols_that_are_no_json_object_are_refused(text: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        resolve({"EXECUTION__SYMBOLS": text}, None)
    assert caught.value.field.startswith("settings.symbols")


LIMITED = of("AAPL", max_order_notional="1000", max_slippage_bps="5", escalation="none")


@pytest.mark.parametrize("symbols", [{}, {"KO": {"max_repegs": 1}}, {"AAPL": {"tight_share": "0.1"}}])
def test_an_inputs_symbols_as_json_keep_the_deployments_limits(symbols: dict[str, Any]) -> None:
    as_text = resolve(variables(LIMITED), {"symbols": json.dumps(symbols)})
    assert as_text == resolve(variables(LIMITED), {"symbols": symbols})
    own = as_text.for_symbol("AAPL")
    assert (own.max_order_notional, own.max_slippage_bps) == (Decimal(1000), Decimal(5))
    assert own.escalation is Escalation.NONE


def test_an_inputs_symbols_as_json_may_not_loosen_a_limit() -> None:
    overrides = {"max_order_notional": "900", "symbols": '{"AAPL": {"max_slippage_bps": 6}}'}
    assert refusal(overrides, **LIMITED).field == "settings.symbols.AAPL.max_slippage_bps"


@pytest.mark.parametrize("symbols", ["AAPL", "{", "[]", "", 3, None, ["AAPL"], '{"AAPL": 3}', {"AAPL": "{}"}])
@pytest.mark.parametrize("listed", ["*", "max_repegs"])
def test_an_inputs_symbols_that_are_no_object_are_refused(symbols: object, listed: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        resolve({**variables(LIMITED), "INPUT_SETTINGS": listed}, {"max_repegs": 1, "symbols": symbols})
    assert caught.value.field.startswith("settings.symbols")


@pytest.mark.parametrize("symbols", [{"AAPL": {"max_repegs": 1}}, '{"AAPL": {"max_repegs": 1}}'])
def test_an_unlisted_setting_of_a_symbol_is_refused_in_any_form(symbols: object) -> None:
    with pytest.raises(InvalidSettings, match="INPUT_SETTINGS") as caught:
        resolve({"INPUT_SETTINGS": "patience_seconds"}, {"symbols": symbols})
    assert caught.value.field == "settings.symbols.AAPL.max_repegs"


# Which settings an input may change


@pytest.mark.parametrize("listed", ["max_slippage_bps", " max_slippage_bps , max_repegs", "*"])
def test_an_input_may_change_a_listed_setting(listed: str) -> None:
    assert resolve({"INPUT_SETTINGS": listed}, {"max_slippage_bps": 40}).max_slippage_bps == 40
    own = resolve({"INPUT_SETTINGS": listed}, of(max_slippage_bps=40)).for_symbol("BAC")
    assert own.max_slippage_bps == 40


@pytest.mark.parametrize("listed", ["", "max_repegs"])
def test_an_input_may_not_change_an_unlisted_setting(listed: str) -> None:
    for overrides, field in (
        ({"max_slippage_bps": 40}, "settings.max_slippage_bps"),
        (of(max_slippage_bps=40), "settings.symbols.BAC.max_slippage_bps"),
    ):
        with pytest.raises(InvalidSettings, match="INPUT_SETTINGS") as caught:
            resolve({"INPUT_SETTINGS": listed}, overrides)
        assert caught.value.field == field


def test_an_unknown_name_among_the_changeable_settings_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="did you mean max_repegs"):
        resolve({"INPUT_SETTINGS": "max_repeg"}, {"max_repegs": 1})


# Reckless values

RECKLESS: list[tuple[dict[str, Any], str]] = [
    ({"max_slippage_bps": 2_001}, "max_slippage_bps"),
    ({"max_spread_pct": "20.1"}, "max_spread_pct"),
    ({"max_spread_pct": "5.1", "escalation": "market"}, "max_spread_pct"),
    ({"max_spread_pct": "5.1", "use_smart_limit_execution": False}, "max_spread_pct"),
    ({"max_attempts": 13}, "max_attempts"),
    ({"max_attempts": 12, "policy": "anchor"}, "max_attempts"),
    ({"max_attempts": 13, "escalation": "market", "policy": "anchor"}, "max_attempts"),
    ({"max_repegs": 97}, "max_attempts"),
    ({"max_quote_age_seconds": 300}, "max_quote_age_seconds"),
    ({"max_run_orders": 0}, "max_run_orders"),
]


@pytest.mark.parametrize(("values", "name"), RECKLESS)
def test_reckless_values_are_refused_by_name(values: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        resolve(variables(values), None)
    assert caught.value.field == f"settings.{name}"


@pytest.mark.parametrize(
    ("own", "name"),
    [
        ({"max_slippage_bps": 2_001}, "max_slippage_bps"),
        ({"max_spread_pct": 6, "escalation": "market"}, "max_spread_pct"),
        ({"max_repegs": 97}, "max_attempts"),
    ],
)
def test_reckless_values_of_a_symbol_are_refused_by_name(own: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        resolve(variables(of(**own)), None)
    assert caught.value.field == f"settings.symbols.BAC.{name}"


@pytest.mark.parametrize(
    "values",
    [
        {"max_slippage_bps": 2_000, "max_spread_pct": 20},
        {"max_spread_pct": 5, "escalation": "market"},
        {"max_attempts": 14},
        {"max_attempts": 13, "policy": "anchor"},
        {"max_attempts": 4, "max_repegs": 0, "escalation": "none"},
        {"max_attempts": 1, "max_repegs": 0, "escalation": "none", "policy": "anchor"},
        {"max_quote_age_seconds": 299},
    ],
)
def test_the_widest_accepted_values_are_accepted(values: dict[str, Any]) -> None:
    assert resolve(variables(values), None) != Settings()


def test_the_oldest_accepted_quote_is_younger_than_a_halt() -> None:
    assert OLDEST_QUOTE_SECONDS == HALT_AGE_SECONDS


def test_a_stored_run_with_reckless_settings_stays_readable() -> None:
    stored = Settings(max_slippage_bps=9_000, max_spread_pct=100, escalation=Escalation.MARKET)  # type: ignore[arg-type]
    assert Settings.model_validate_json(stored.model_dump_json()) == stored
