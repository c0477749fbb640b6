"""Other settings for a journal's decisions: as typed, checked, and applied to the settings that each was made with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from repeg.domain.errors import InvalidInput
from repeg.domain.settings import Settings
from repeg.domain.settings_limits import CONTAINER
from repeg.domain.settings_sources import DATA_FEED, resolve
from repeg.domain.symbol_settings import STORED, USE_SMART
from repeg_workbench.deployment_variables import variables
from repeg_workbench.simulate.request import read_settings

# Settings that say when a run looks: a journal has decisions only of the times at which the run did look.
WHEN_IT_LOOKS = frozenset({"order_monitoring_seconds", "look_seconds", "waiting", "listen_seconds"})

# Settings that no journalled decision reads, with what reads them.
NOT_DECIDED: Mapping[str, str] = {
    "use_replace": "it says how a move is sent, not which one",
    "use_async_execution": "it says how many symbols are worked at a time",
    "crossing_cost": "only the report reads it",
    "hurry_sells": "whether a buy waited is no input of a sell's decision",
    "max_run_orders": "budgets are counted when an order is written, from all orders of the run",
    "max_day_notional": "budgets are counted when an order is written, from all runs of the day",
}


@dataclass(frozen=True)
class Changes:
    """The assignments as typed, for the run and for single symbols. None at all is a replay."""

    run: Mapping[str, Any] = field(default_factory=dict)
    symbols: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """The assignments as they could be typed again."""
        own = [f"{CONTAINER}.{s}.{name}={value}" for s, found in self.symbols.items() for name, value in found.items()]
        return ", ".join([*(f"{name}={value}" for name, value in self.run.items()), *own])

    @property
    def names(self) -> frozenset[str]:
        """The names of all settings that are changed."""
        return frozenset(self.run).union(*self.symbols.values())

    def of(self, symbol: str) -> dict[str, Any]:
        """What is changed for one symbol."""
        return {**self.run, **self.symbols.get(symbol, {})}

    def applied(self, settings: Settings, symbol: str) -> Settings:
        """A decision's settings with the changes. A symbol's own setting stays above the run's."""
        own = settings.symbols.get(symbol)
        kept = set() if own is None else own.model_dump(exclude_none=True).keys()
        changed = {name: value for name, value in self.run.items() if name not in kept}
        changed |= self.symbols.get(symbol, {})
        return settings if not changed else _with(settings, changed)


def read_changes(assignments: tuple[str, ...], base: Settings, symbols: list[str]) -> Changes:
    """The assignments of `--set`, checked like a deployment's settings on top of those of the run.

    Raises InvalidInput that names the setting, its value and what it may be, or a symbol that the run does not have.
    """
    given = read_settings(assignments)
    own = given.pop(CONTAINER, {})
    if not isinstance(own, Mapping):
        raise InvalidInput("set", f"{CONTAINER}={own}", f"{CONTAINER}.AAPL.NAME=VALUE")
    for symbol, values in own.items():
        if symbol not in symbols:
            raise InvalidInput(f"set.{CONTAINER}", symbol, f"a symbol of the run: {', '.join(symbols)}")
        if not isinstance(values, Mapping):
            raise InvalidInput(f"set.{CONTAINER}.{symbol}", values, f"{CONTAINER}.{symbol}.NAME=VALUE")
    changes = Changes(given, own)
    _require_valid(changes, base)
    return changes


def remarks(changes: Changes) -> Iterator[str]:
    """What a reader has to know of these changes, in sentences."""
    for name in sorted(changes.names & WHEN_IT_LOOKS):
        yield (
            f"{name} also says when the run looks. The journal has the books of the times at which it did look, and "
            "only those decisions are made again."
        )
    for name in sorted(changes.names & NOT_DECIDED.keys()):
        yield f"{name} changes no decision here: {NOT_DECIDED[name]}."


def _require_valid(changes: Changes, base: Settings) -> None:
    """Check the changes with every rule for a deployment's settings."""
    stored = base.model_dump(mode="json", exclude={"data_feed"})
    values = {name: value for name, value in stored.items() if value is not None}
    merged = _less_the_other_name(values, changes.run) | dict(changes.run)
    known = dict(merged.get(CONTAINER, {}))
    merged[CONTAINER] = {s: {k: v for k, v in known[s].items() if v is not None} for s in known}
    for symbol, own in changes.symbols.items():
        merged[CONTAINER][symbol] = {**merged[CONTAINER].get(symbol, {}), **own}
    feed = {DATA_FEED: str(base.data_feed)} if base.data_feed else {}
    resolve({**variables(merged), **feed}, None)


def _with(settings: Settings, changed: Mapping[str, Any]) -> Settings:
    values = _less_the_other_name(settings.model_dump(), changed) | dict(changed)
    return Settings.model_validate(values, context=STORED)


def _less_the_other_name(values: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """The values, less the other name for market orders where one of the two is changed."""
    other = {"policy": USE_SMART, USE_SMART: "policy"}
    dropped = {other[name] for name in other if name in changed}
    return {name: value for name, value in values.items() if name not in dropped}
