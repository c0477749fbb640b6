"""The days with golden tapes: their markets, plans and settings, and the outcomes of their orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from repeg.domain.plan import parse
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.generated import DEFAULT_UNIVERSE, GeneratedMarket
from repeg_workbench.exchange.market.generated_regimes import Incident
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote, trade
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.plans.files import read_plan
from repeg_workbench.simulate.opening_account import Holdings, opening_account
from repeg_workbench.simulate.simulation import Scenario

SEED = 1
MONDAY = date(2026, 11, 23)
GOLDEN = Path(__file__).parents[1] / "golden"
DEMO = Path(__file__).parents[2] / "repeg_workbench" / "plans" / "demo.json"

NO_HOLDINGS = Holdings()
AS_DOCUMENTED = BrokerQuirks()


@dataclass(frozen=True)
class GoldenDay:
    """A day and its expected outcomes; `outcomes` lists the orders that are not filled."""

    name: str
    plan: Mapping[str, Any]
    day: date = MONDAY
    settings: Mapping[str, Any] = field(default_factory=dict)
    holdings: Holdings = NO_HOLDINGS
    outcomes: Mapping[str, str] = field(default_factory=dict)
    market: Callable[[date], Market] = lambda _: GeneratedMarket(SEED)
    quirks: BrokerQuirks = AS_DOCUMENTED

    @property
    def tape(self) -> Path:
        """The path of its golden tape."""
        return GOLDEN / f"{self.name}.txt"

    def scenario(self) -> Scenario:
        """The day to simulate, with a new market, so that days do not share state."""
        market = self.market(self.day)
        opening = opening_account(parse(self.plan), self.holdings, market, self.day)
        return Scenario(self.plan, market, self.day, opening, self.settings, seed=SEED, quirks=self.quirks)


def orders(name: str, *lines: str) -> dict[str, Any]:
    """A plan from lines such as "buy 150 AAPL"."""
    words = [line.split() for line in lines]
    return {"name": name, "orders": [{"symbol": s, "side": side, "qty": qty} for side, qty, s in words]}


def halted(symbol: str, start: int, length: int) -> Callable[[date], Market]:
    """The generated market with one stock halted from so many seconds after the open, for so many seconds."""
    halt = Incident(start, length)
    universe = [replace(stock, halt=halt) if stock.listing.symbol == symbol else stock for stock in DEFAULT_UNIVERSE]
    return lambda _: GeneratedMarket(SEED, universe)


def scripted(**minutes: Iterable[list[Event]]) -> Callable[[date], Market]:
    """A market of stocks, each scripted minute by minute from the open."""
    scripts = {symbol: [event for events in script for event in events] for symbol, script in minutes.items()}
    return lambda day: ScriptedMarket({day: scripts})


def walk(bid: str, ask: str, ticks: int, *, until: int) -> Iterator[list[Event]]:
    """A book that moves `ticks` per minute, without trades.

    It is quoted once before the open, for the plan's reference price, and then every five seconds.
    """
    yield [quote("09:20", f"500 @ {bid}", f"500 @ {ask}")]
    for minute in range(until):
        shift = minute * ticks * Decimal("0.01")
        shown = f"500 @ {Decimal(bid) + shift}", f"500 @ {Decimal(ask) + shift}"
        yield [quote(_clock(minute, second), *shown) for second in range(0, 60, 5)]


def lifted(bid: str, ask: str, size: int, *, until: int) -> Iterator[list[Event]]:
    """A constant book, and a buyer who takes `size` shares at the ask's venue every minute."""
    for minute, quotes in enumerate(walk(bid, ask, 0, until=until), start=-1):
        yield [*quotes, trade(_clock(minute, 58), f"{size} @ {ask}", side=1)] if minute >= 0 else quotes


def _clock(minute: int, second: int) -> str:
    opened = 9 * 60 + 30 + minute
    return f"{opened // 60:02}:{opened % 60:02}:{second:02}"


PATIENT = {"escalation": "none", "patience_seconds": "23400"}

DAYS = (
    GoldenDay("quiet", read_plan(DEMO).document),
    GoldenDay(
        "violent_open",
        orders("violent", "sell 900 IBM", "sell 300 NFLX", "buy 300 GOOG", "buy 400 CAT", "buy 1500 AIG"),
        settings={"market_open_delay_minutes": "0", "order_monitoring_seconds": "10", "patience_seconds": "60"},
    ),
    GoldenDay(
        "half_day",
        orders("half-day", "sell 1500 KO", "buy 200 AAPL", "buy 100 IBM"),
        day=date(2026, 11, 27),
        settings={**PATIENT, "order_monitoring_seconds": "60", "max_slippage_bps": "20", "max_repegs": "5"},
        outcomes={"AAPL": "partial_deadline", "IBM": "partial_deadline"},
        market=scripted(
            KO=lifted("61.45", "61.46", 300, until=210),
            AAPL=walk("189.40", "189.44", 1, until=210),
            IBM=walk("182.30", "182.36", 0, until=210),
        ),
    ),
    GoldenDay("clocks_forward", orders("spring", "sell 200 MSFT", "buy 300 KO", "buy 100 JNJ"), day=date(2026, 3, 9)),
    GoldenDay("clocks_back", orders("autumn", "sell 200 MSFT", "buy 300 KO", "buy 100 JNJ"), day=date(2026, 11, 2)),
    GoldenDay(
        "one_sided",
        orders("one-sided", "sell 900 LONE", "buy 100 HARD"),
        settings={"market_open_delay_minutes": "75"},
    ),
    GoldenDay(
        "halt",
        orders("halt", "sell 120000 HALT", "buy 50 MSFT"),
        settings={"market_open_delay_minutes": "86", "symbols": {"HALT": PATIENT}},
        outcomes={"HALT": "partial_deadline"},
    ),
    GoldenDay(
        "halted_for_good",
        orders("no-return", "sell 30000 HALT", "buy 50 MSFT"),
        settings={"order_monitoring_seconds": "120", "symbols": {"HALT": PATIENT}},
        market=halted("HALT", start=360, length=23_400),
        outcomes={"HALT": "halted"},
    ),
    GoldenDay(
        "never_narrow",
        orders("wide", "sell 400 RIFT", "sell 100 IBM", "buy 500 KO"),
        settings={"order_monitoring_seconds": "300", "symbols": {"RIFT": {"max_quote_age_seconds": "120"}}},
        outcomes={"RIFT": "held_wide", "KO": "no_fill_collar"},
    ),
    GoldenDay(
        "fallback",
        orders("fallback", "sell 400 RIFT", "buy 100 IBM"),
        settings={"symbols": {"RIFT": {"max_quote_age_seconds": "120", "fallback": "collar"}}},
    ),
    GoldenDay(
        "unfunded",
        orders("unfunded", "buy 10 AAPL", "buy 5 GOOG", "buy 20 KO"),
        holdings=Holdings(cash=Decimal(2_000)),
        outcomes={"GOOG": "unfunded", "KO": "unfunded"},
    ),
    GoldenDay(
        "impatient",
        orders("impatient", "sell 900 KO", "buy 300 AAPL", "buy 500 T"),
        settings={"patience_seconds": "90"},
        market=scripted(
            KO=walk("61.43", "61.47", -1, until=30),
            AAPL=walk("189.40", "189.48", 2, until=30),
            T=lifted("17.42", "17.43", 400, until=30),
        ),
    ),
    GoldenDay(
        "market_orders",
        orders("at-market", "sell 500 AIG", "sell 100 IBM", "buy 100 AAPL", "buy 40 CAT"),
        settings={"use_smart_limit_execution": "false"},
    ),
    GoldenDay(
        "control",
        orders("control", "sell 60 AIG", "sell 20 IBM", "buy 15 AAPL", "buy 20 CAT", "buy 30 KO", "buy 700 T"),
        settings={"control_share": "0.5", "look_seconds": "10"},
        quirks=BrokerQuirks(price_improvement=500),
    ),
)
