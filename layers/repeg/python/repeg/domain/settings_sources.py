"""The settings of a run: the deployment's, from its environment, tightened by the run's input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from repeg.domain.contradictions import Contradiction
from repeg.domain.errors import InvalidSettings, expectation
from repeg.domain.setting_types import Policy, is_off, json_object
from repeg.domain.settings import Settings
from repeg.domain.settings_limits import CONTAINER, FIXED, require_no_looser, require_sound, tightened
from repeg.domain.symbol_settings import USE_SMART, SymbolSettings

ENVIRONMENT_PREFIX = "EXECUTION__"
# Names the settings that an input may change; not set: all of them.
CHANGEABLE = "INPUT_SETTINGS"
ALL = "*"
# The feed that quotes are read from.
DATA_FEED = "DATA_FEED"


def resolve(environment: Mapping[str, str], overrides: Mapping[str, Any] | None) -> Settings:
    """The settings of a run: defaults, then `EXECUTION__<NAME>` of the environment, then the input's own overrides.

    Raises InvalidSettings naming the setting, its value and what it may be. Refused are an unknown name, a value out of
    range, a reckless one, one looser than the deployment's, and one of a setting that an input may not change.
    """
    given = _with_feed(_from_environment(environment), environment)
    deployment = _validated(given)
    if overrides is None:
        require_sound(deployment)
        return deployment
    overrides = _decoded(overrides)
    _require_unfixed("settings", overrides)
    kept = _less_the_other_name(given, overrides, is_at_market=deployment.trades_at_market)
    values = {**kept, **_merged(deployment, overrides)}
    settings = _validated({**values, CONTAINER: tightened(_validated(values), overrides)})
    _require_changeable(environment, overrides)
    require_sound(settings)
    require_no_looser(settings, deployment)
    return settings


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX)
    }
    # An empty template parameter means "not set": CloudFormation cannot pass nothing.
    given = {name: value for name, value in found.items() if value != ""}
    # The template always passes a policy. Beside the other name of market orders, its default says nothing.
    if is_off(given.get(USE_SMART)) and given.get("policy") == Policy.NORMAL:
        del given["policy"]
    return given


def _with_feed(given: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The values, with the deployment's feed of quotes where its variable is set."""
    _require_unfixed("settings", given)
    feed = environment.get(DATA_FEED, "")
    return {**given, "data_feed": feed} if feed else given


def _require_unfixed(where: str, values: Mapping[str, Any]) -> None:
    for name in sorted(FIXED & values.keys()):
        raise InvalidSettings(f"{where}.{name}", values[name], f"no value: it is the deployment's own {DATA_FEED}")


def _decoded(overrides: object) -> dict[str, Any]:
    """The input's values; those of single symbols may be given as JSON in a text, as the environment's are."""
    if not isinstance(overrides, Mapping):
        raise InvalidSettings("settings", overrides, "an object of setting names and values")
    if CONTAINER not in overrides:
        return dict(overrides)
    expected = "an object of symbols with settings, as JSON"
    try:
        symbols = json_object(overrides[CONTAINER])
    except PydanticCustomError:
        raise InvalidSettings(f"settings.{CONTAINER}", overrides[CONTAINER], expected) from None
    if not isinstance(symbols, Mapping):
        raise InvalidSettings(f"settings.{CONTAINER}", overrides[CONTAINER], expected)
    return {**overrides, CONTAINER: symbols}


def _less_the_other_name(given: dict[str, Any], overrides: Mapping[str, Any], *, is_at_market: bool) -> dict[str, Any]:
    """The deployment's values, less its name for market orders where the input uses the other name."""
    if "policy" in overrides:
        superseded = USE_SMART
    elif USE_SMART in overrides and is_off(overrides[USE_SMART]) is not is_at_market:
        superseded = "policy"
    else:
        return given
    return {name: value for name, value in given.items() if name != superseded}


def _merged(deployment: Settings, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides, with the deployment's settings for single symbols under the input's."""
    own = overrides.get(CONTAINER, {})
    merged: dict[Any, Any] = {
        symbol: settings.model_dump(exclude_unset=True) for symbol, settings in deployment.symbols.items()
    }
    for symbol, settings in own.items():
        if isinstance(settings, Mapping):
            given = merged.get(symbol, {})
            kept = _less_the_other_name(given, settings, is_at_market=given.get("policy") is Policy.MARKET)
            merged[symbol] = {**kept, **settings}
        else:
            merged[symbol] = settings
    return {**overrides, CONTAINER: merged}


def _require_changeable(environment: Mapping[str, str], overrides: Mapping[str, Any]) -> None:
    """Refuse a setting that the deployment does not let an input change. Raises InvalidSettings naming it."""
    listed = environment.get(CHANGEABLE, ALL)
    names = [name.strip() for name in listed.split(",") if name.strip()]
    for name in names:
        if name != ALL and name not in Settings.model_fields:
            raise InvalidSettings.unknown_name(CHANGEABLE, name, listed, [ALL, *Settings.model_fields])
    if ALL in names:
        return
    for field, name, value in _changes(overrides):
        if name not in names:
            raise InvalidSettings(
                field, value, f"no value: the deployment's {CHANGEABLE} is {', '.join(names) or 'empty'}"
            )


def _changes(overrides: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Each field that an input sets, the name of its setting, and its value."""
    for name, value in overrides.items():
        if name != CONTAINER:
            yield f"settings.{name}", name, value
    for symbol, own in overrides.get(CONTAINER, {}).items():
        for name, value in own.items():
            yield f"settings.{CONTAINER}.{symbol}.{name}", name, value


def _validated(values: dict[str, Any]) -> Settings:
    unknown = sorted(set(values) - set(Settings.model_fields))
    if unknown:
        raise InvalidSettings.unknown_name("settings", unknown[0], values[unknown[0]], list(Settings.model_fields))
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _refusal(error.errors()[0]) from None


def _refusal(first: ErrorDetails) -> InvalidSettings:
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, Contradiction):
        return InvalidSettings(f"settings.{cause.name}", cause.value, cause.expected)
    field = ".".join(["settings", *(str(part) for part in first["loc"] if part != "[key]")])
    if first["type"] == "extra_forbidden":
        where, _, name = field.rpartition(".")
        return InvalidSettings.unknown_name(where, name, first["input"], list(SymbolSettings.model_fields))
    return InvalidSettings(field, first["input"], expectation(first["msg"]))
