"""The parsed and validated options of `repeg simulate`: plan, market, date, settings and account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repeg.domain.errors import InvalidInput
from repeg.domain.setting_types import Feed
from repeg.domain.sizing import symbols_of
from repeg_workbench.command_options import GENERATED, open_market, read_cash, read_date
from repeg_workbench.engine.template import deployed_default
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.plans.files import read_plan
from repeg_workbench.simulate.opening_account import Holdings, opening_account, read_positions
from repeg_workbench.simulate.simulation import TEMPLATE, Scenario

FEEDS = tuple(feed.value for feed in Feed)

AS_IN_LIFE = BrokerQuirks(iex_feed="venue")
"""The broker of a command's day: its feed iex shows the quotes and trades of that venue alone."""


@dataclass(frozen=True)
class Options:
    """The command's options as given; None for omitted ones."""

    plan: Path
    market: str
    date: str
    seed: int
    settings: tuple[str, ...]
    cash: str | None
    positions: Path | None
    feed: str | None = None
    multiplier: int = 1


def scenario(options: Options) -> Scenario:
    """The day described by the options. Raises InvalidInput naming the invalid option or field."""
    document, plan = read_plan(options.plan)
    day = read_date(options.date)
    holdings = Holdings(
        cash=None if options.cash is None else read_cash(options.cash),
        positions=None if options.positions is None else read_positions(options.positions),
    )
    settings = read_settings(options.settings)
    market = open_market(options.market, options.seed, day, [*symbols_of(plan), *(holdings.positions or {})])
    account = replace(opening_account(plan, holdings, market, day), multiplier=options.multiplier)
    is_generated = options.market == GENERATED
    source = f"a generated day, seed {options.seed}" if is_generated else f"a recorded day of {options.market}"
    return Scenario(
        document,
        market,
        day,
        account,
        settings,
        {"DataFeed": read_feed(options.feed)},
        options.seed,
        AS_IN_LIFE,
        source=source,
    )


def read_feed(given: str | None) -> str:
    """The feed of quotes, by default the deployed one. Raises InvalidInput for a word that is no feed."""
    feed = deployed_default(TEMPLATE, "DataFeed") if given is None else given
    if feed not in FEEDS:
        raise InvalidInput("feed", feed, f"one of {', '.join(FEEDS)}")
    return feed


def read_settings(assignments: Iterable[str]) -> dict[str, Any]:
    """NAME=VALUE pairs as a deployment's settings; `symbols.AAPL.NAME=VALUE` is for one symbol. Raises InvalidInput."""
    settings: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not name or not equals:
            raise InvalidInput("set", assignment, "NAME=VALUE, such as max_spread_pct=0.5")
        *groups, last = name.split(".")
        _group(settings, groups, assignment)[last] = value
    return settings


def _group(settings: dict[str, Any], path: list[str], assignment: str) -> dict[str, Any]:
    for name in path:
        inner = settings.setdefault(name, {})
        if not isinstance(inner, dict):
            raise InvalidInput("set", assignment, f"either {name}=… or {name}.…=…, not both")
        settings = inner
    return settings
