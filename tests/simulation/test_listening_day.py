"""Whole days that listen, with the deployed machine and functions, and the broker's streams in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from statistics import median

import pytest

from repeg.domain.journal import Entry
from repeg.domain.request_quota import BUCKET_SECONDS
from repeg_workbench.engine.scheduler import EPOCH
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.simulate.simulation import Scenario, opened
from tests.simulation import judge
from tests.simulation.days import DAYS, orders
from tests.simulation.playing import Played, play


def a_day(*lines: str) -> Scenario:
    """The quiet day with another plan, as a stack plays it whose runs listen."""
    (quiet,) = (day for day in DAYS if day.name == "quiet")
    day = replace(quiet, plan=orders("listening", *lines)) if lines else quiet
    scenario = day.scenario()
    settings, parameters = {**scenario.settings, "waiting": "stream"}, {**scenario.parameters, "Waiting": "stream"}
    return replace(scenario, settings=settings, parameters=parameters)


@dataclass
class Seen:
    """The journal's entries."""

    entries: list[Entry]

    def see(self, entry: Entry) -> None:
        """Keep one."""
        self.entries.append(entry)


def lags(exchange: Exchange, entries: Sequence[Entry], symbol: str) -> list[timedelta]:
    """How long after each of a symbol's executions the run has known of it."""
    known = [entry.at for entry in entries if (entry.subject, entry.verb) == (symbol, "fill")]
    done = [EPOCH + timedelta(microseconds=e.at // 1_000) for e in exchange.ledger.executions if e.symbol == symbol]
    return [min(at for at in known if at >= when) - when for when in done]


@pytest.fixture(scope="module")
def quiet() -> Played:
    """The golden day with the demo's orders, listening."""
    return play(a_day())


def test_a_listening_day_settles_with_the_brokers_books(quiet: Played) -> None:
    assert quiet.summary["outcome"] == "settled"
    judge.never_a_share_too_many(quiet.exchange, quiet.orders)
    judge.every_order_was_meant(quiet.exchange, quiet.intents)
    judge.every_order_was_sent_in_the_window(quiet.exchange, quiet.run)
    judge.cash_is_never_negative(quiet.exchange)
    judge.books_are_the_brokers(quiet.exchange, quiet.orders)


def test_a_listening_day_fills_what_a_polling_day_fills(quiet: Played) -> None:
    polling = play(replace(a_day(), settings={**a_day().settings, "waiting": "poll"}))
    filled = [{order.symbol: order.filled for order in played.orders} for played in (quiet, polling)]
    assert filled[0] == filled[1] == {order.symbol: order.target for order in quiet.orders}


def test_a_listening_day_is_the_same_day_each_time(quiet: Played) -> None:
    assert play(a_day()).tape == quiet.tape


@pytest.mark.parametrize("line", ["buy 1000 F", "buy 600 KO", "buy 900 AAPL"])
def test_a_fill_is_known_within_a_second(line: str) -> None:
    """Also one between two steps, where no stream is open: the next step reads all orders once it has connected."""
    found = lags_of(line, per_minute=1_000)
    assert max(found) < timedelta(seconds=1), found
    assert median(lag.total_seconds() for lag in found) < 0.7


def test_a_fill_is_known_once_the_request_quota_allows() -> None:
    """Pieces that fill within a few seconds use up what hints may have of ten seconds of the standard quota. The others
    are read in the next ten, with room left for cancels and for the turn."""
    found = lags_of("buy 900 AAPL", per_minute=200)
    assert timedelta(seconds=1) < max(found) < timedelta(seconds=BUCKET_SECONDS)
    assert median(lag.total_seconds() for lag in found) < 1


def lags_of(line: str, per_minute: int) -> list[timedelta]:
    """The lags of a day with one order, on an account that may send so many requests a minute."""
    seen, symbol = Seen([]), line.rpartition(" ")[2]
    scenario = a_day(line)
    scenario = replace(
        scenario,
        opening=replace(scenario.opening, cash=Decimal(1_000_000)),
        parameters={**scenario.parameters, "RequestsPerMinute": str(per_minute)},
        quirks=replace(scenario.quirks, requests_per_minute=per_minute),
    )
    with opened(scenario, seen.see) as day:
        day.start(scenario.run_id)
        day.run()
        return lags(day.exchange, seen.entries, symbol)
