"""The phases of a rollout in samconfig.toml: paper, live for two symbols, live symbol by symbol, live in full."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.settings import Settings
from repeg.domain.settings_sources import resolve
from tests.template.stack import ROOT, defaults, functions, written

PHASES = ["paper", "live-first", "live-by-symbol", "live"]
LIVE = PHASES[1:]
BUDGETS = ["MaxOrderNotional", "MaxRunNotional", "MaxDayNotional", "MaxRunOrders"]
SAM = ROOT / ".venv-sam" / "bin" / "python"
READ_BY_SAM = (
    "import sys, json; from samcli.cli.types import CfnParameterOverridesType as T; "
    "print(json.dumps(T().convert(tuple(json.load(sys.stdin)), None, None)))"
)


def deployment(phase: str) -> dict[str, Any]:
    """What `sam deploy --config-env` is given in a phase."""
    parameters: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text())[phase]["deploy"]["parameters"]
    return parameters


def overrides(phase: str) -> dict[str, str]:
    """The template's parameters that a phase sets; a value in quotes is escaped."""
    given = (line.split("=", 1) for line in deployment(phase)["parameter_overrides"])
    return {name: json.loads(value) if value.startswith('"') else value for name, value in given}


def parameters(phase: str) -> dict[str, str]:
    """Every parameter of a phase."""
    return {**defaults(written()), **overrides(phase)}


def settings(phase: str) -> Settings:
    """The settings of a scheduled run in a phase."""
    values, variables = parameters(phase), functions()["OpenRun"]["Environment"]["Variables"]
    environment = {
        name: value if isinstance(value, str) else values.get(value["Ref"]) for name, value in variables.items()
    }
    given = {name: value for name, value in environment.items() if value is not None}
    return resolve(given, json.loads(values["RunSettings"]))


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_sets_existing_parameters_to_allowed_values(phase: str) -> None:
    for name, value in overrides(phase).items():
        parameter = written()["Parameters"][name]
        assert value in parameter.get("AllowedValues", [value]), name
        assert re.search(parameter.get("AllowedPattern", ""), value), name
        assert len(value) <= int(parameter.get("MaxLength", 4096)), name
    assert parameters(phase)["ScheduleState"] == "DISABLED"
    assert parameters(phase)["TradingMode"] == ("paper" if phase == "paper" else "live")


@pytest.mark.parametrize("phase", PHASES)
def test_sam_reads_a_phases_parameters_as_they_are_meant(phase: str) -> None:
    if not SAM.exists():
        pytest.skip("the SAM environment is missing: make .venv-sam/.installed")
    given = json.dumps(deployment(phase)["parameter_overrides"])
    read = subprocess.run([SAM, "-c", READ_BY_SAM], input=given, capture_output=True, text=True, check=True).stdout
    assert json.loads(read) == overrides(phase)


def test_every_configured_stage_is_a_phase_and_all_live_ones_share_a_stack() -> None:
    """Otherwise each phase would begin with new keys, a new table and a new switch."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    assert [stage for stage in config if stage not in {"version", "default"}] == PHASES
    assert {deployment(phase)["stack_name"] for phase in LIVE} == {"repeg-live"}
    assert deployment("paper")["stack_name"] == "repeg-paper"


@pytest.mark.parametrize("phase", PHASES)
def test_the_settings_of_a_phase_are_valid(phase: str) -> None:
    assert settings(phase).max_slippage_bps == 50


@pytest.mark.parametrize("phase", LIVE)
def test_every_live_phase_limits_order_run_and_day(phase: str) -> None:
    own = settings(phase)
    assert own.max_order_notional is not None
    assert own.max_run_notional is not None
    assert own.max_day_notional is not None
    assert own.max_run_orders is not None
    assert own.max_order_notional <= own.max_run_notional <= own.max_day_notional


@pytest.mark.parametrize("budget", BUDGETS)
def test_no_budget_shrinks_from_one_live_phase_to_the_next(budget: str) -> None:
    amounts = [Decimal(overrides(phase)[budget]) for phase in LIVE]
    assert amounts == sorted(amounts)
    assert amounts[0] < amounts[-1]


def test_the_first_live_phase_trades_a_short_list_for_small_amounts() -> None:
    own = settings("live-first")
    assert own.allowed_symbols == ("SPY", "KO")
    assert own.max_day_notional == 1_000


def test_the_second_live_phase_works_only_single_symbols_with_limits() -> None:
    own = settings("live-by-symbol")
    assert [own.for_symbol(symbol).trades_at_market for symbol in ("SPY", "AAPL")] == [False, True]


def test_live_in_full_works_every_symbol_with_limit_orders() -> None:
    own = settings("live")
    assert (own.allowed_symbols, own.trades_at_market, own.symbols) == (None, False, {})


def test_no_live_stack_deploys_without_an_alarm_address() -> None:
    """CloudFormation checks it; no phase sets an address, because it would be somebody else's."""
    rule = written()["Rules"]["LiveNeedsAnAlarmAddress"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "TradingMode"}, "live"]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]}
    assert all("AlarmEmail" not in overrides(phase) for phase in PHASES)


def test_no_live_stack_deploys_without_limits() -> None:
    """Overrides on the command line replace those of a phase, and an empty limit is no limit."""
    rule = written()["Rules"]["LiveNeedsLimits"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "TradingMode"}, "live"]}
    needed = {"MaxOrderNotional", "MaxDayNotional"}
    assert [one["Assert"] for one in rule["Assertions"]] == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in ("MaxOrderNotional", "MaxDayNotional")
    ]
    assert all(needed <= set(overrides(phase)) for phase in LIVE)
