"""What a weight may trade is bounded by the prices and holdings of its planning, and not by those of minutes ago."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.scripted import ScriptedMarket, ScriptedQuote, ScriptedTrade, trade
from repeg_workbench.exchange.market.scripted import quote as shown
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.units import to_price
from repeg_workbench.faults.judges.record import ServedQuote
from repeg_workbench.faults.planned_runs import PlannedRun
from repeg_workbench.faults.weight_targets import bounds
from tests.builders import MONDAY
from tests.functions.desk import PROMPT, holding

SIDES = "500 @ {} × 500 @ {}"


def _at(time: str) -> int:
    return new_york(MONDAY, time)


def _quoted(time: str, bid: str, ask: str) -> ScriptedQuote:
    return shown(time, f"500 @ {bid}", f"500 @ {ask}")


def bounds_at(
    time: str,
    *events: ScriptedQuote | ScriptedTrade,
    opening: OpeningAccount | None = None,
    served: Sequence[ServedQuote] = (),
) -> tuple[Decimal, Decimal]:
    """The most that half the equity in AAA may buy and sell, if it is planned at a time."""
    market = ScriptedMarket({MONDAY: {"AAA": events}})
    exchange = Exchange(market, lambda: _at(time), PROMPT, opening or holding("10000"), 0)
    exchange.advance()
    planned = PlannedRun({"name": "core", "targets": {"AAA": "0.5"}})
    return bounds(planned, exchange, exchange.now, served)["AAA"]


def test_a_weight_is_bounded_by_the_quote_of_its_planning() -> None:
    bought, sold = bounds_at("09:40", _quoted("09:31", "99.00", "100.00"))
    assert (bought, sold) == (Decimal(0), Decimal(0))
    bought, sold = bounds_at("09:35", _quoted("09:31", "99.00", "100.00"))
    assert bought == (Decimal(5_000) / 99).quantize(Decimal("1e-9"), "ROUND_FLOOR")
    assert sold == 0


def test_a_price_of_minutes_ago_bounds_no_weight() -> None:
    """The price has doubled two minutes before the plan was made."""
    events = (_quoted("09:31", "49.00", "50.00"), _quoted("09:33", "99.00", "100.00"))
    assert bounds_at("09:35", *events) == bounds_at("09:35", events[1])


def test_the_prices_of_the_planning_step_bound_a_weight() -> None:
    """The step may have read its quote up to a minute before it wrote the plan."""
    events = (_quoted("09:31", "49.00", "50.00"), _quoted("09:34:30", "99.00", "100.00"))
    bought, _ = bounds_at("09:35", *events)
    assert bought == (Decimal(5_000) / 49).quantize(Decimal("1e-9"), "ROUND_FLOOR")


def _served(time: str, stamp: str, bid: str, ask: str) -> ServedQuote:
    return ServedQuote(_at(time), 0, "AAA", to_price(Decimal(bid)), 500, to_price(Decimal(ask)), 500, _at(stamp))


def test_an_older_quote_served_once_more_bounds_a_weight() -> None:
    events = (_quoted("09:32", "49.00", "50.00"), _quoted("09:33", "99.00", "100.00"))
    bought, _ = bounds_at("09:35", *events, served=[_served("09:34:30", "09:32", "49.00", "50.00")])
    assert bought == (Decimal(5_000) / 49).quantize(Decimal("1e-9"), "ROUND_FLOOR")


def test_a_quote_served_before_the_step_bounds_no_weight() -> None:
    event = _quoted("09:33", "99.00", "100.00")
    served = [_served("09:33:30", "09:32", "49.00", "50.00")]
    assert bounds_at("09:35", event, served=served) == bounds_at("09:35", event)


def test_a_quote_too_old_for_a_price_bounds_no_weight() -> None:
    event = _quoted("09:39", "99.00", "100.00")
    served = [_served("09:39:30", "09:32", "49.00", "50.00")]
    assert bounds_at("09:40", event, served=served) == bounds_at("09:40", event)


def test_a_holding_whose_quote_was_unusable_may_have_the_brokers_value() -> None:
    """Its last trade was at 150 dollars, and is too old to size with. Ten shares are held beside 10,000 dollars."""
    events = (trade("09:31", "100 @ 150.00"), _quoted("09:39", "99.00", "100.00"))
    for sides, value in ((("0", "100.00"), 1_500), (("100.01", "100.00"), 1_500), (("99.00", "100.00"), 1_000)):
        served = [_served("09:39:40", "09:39:40", *sides)]
        bought, _ = bounds_at("09:40", *events, opening=holding("10000", AAA="10"), served=served)
        assert bought == (Decimal(10_000 + value) / 2 / 99 - 10).quantize(Decimal("1e-9"), "ROUND_FLOOR")


@pytest.mark.parametrize(("before", "worth"), [("150.00", 2_000), ("99.50", 1_005)])
def test_a_trade_while_a_step_reads_moves_the_equity_of_its_weights(before: str, worth: int) -> None:
    """Ten shares, read at the first trade; the equity may be read after the next, at 100 dollars."""
    events = (trade("09:31", f"100 @ {before}"), _quoted("09:34", "99.00", "100.00"), trade("09:34:30", "100 @ 100.00"))
    bought, _ = bounds_at("09:35", *events, opening=holding("10000", AAA="10"))
    assert bought == (Decimal(10_000 + worth) / 2 / 99 - 10).quantize(Decimal("1e-9"), "ROUND_FLOOR")


def test_a_trade_of_minutes_ago_moves_no_equity() -> None:
    events = (trade("09:31", "100 @ 150.00"), trade("09:32", "100 @ 100.00"), _quoted("09:34", "99.00", "100.00"))
    bought, _ = bounds_at("09:35", *events, opening=holding("10000", AAA="10"))
    assert bought == (Decimal(11_000) / 2 / 99 - 10).quantize(Decimal("1e-9"), "ROUND_FLOOR")


def test_a_weight_may_sell_what_is_held_beyond_it() -> None:
    bought, sold = bounds_at("09:35", _quoted("09:34", "99.00", "100.00"), opening=holding("0", AAA="100"))
    assert (bought, sold) == (Decimal(0), Decimal(100) - Decimal("49.5"))


def dollar_bounds(side: str, notional: str, *events: ScriptedQuote, held: str = "") -> tuple[Decimal, Decimal]:
    """The most that an order in dollars may buy and sell, if it is planned at 09:35."""
    opening = holding("10000", AAA=held) if held else holding("10000")
    exchange = Exchange(ScriptedMarket({MONDAY: {"AAA": events}}), lambda: _at("09:35"), PROMPT, opening, 0)
    exchange.advance()
    planned = PlannedRun({"name": "core", "orders": [{"symbol": "AAA", "side": side, "notional": notional}]})
    return bounds(planned, exchange, exchange.now, ())["AAA"]


def test_an_order_in_dollars_is_bounded_in_whole_shares_at_the_lowest_price() -> None:
    event = _quoted("09:33", "99.00", "100.00")
    assert dollar_bounds("buy", "1000", event) == (Decimal(10), Decimal(0))
    assert dollar_bounds("sell", "1000", event, held="40") == (Decimal(0), Decimal(10))
    assert dollar_bounds("sell", "1000", event, held="7.5") == (Decimal(0), Decimal("7.5"))
    assert dollar_bounds("sell", "1000", event, held="10.05") == (Decimal(0), Decimal("10.05"))
    assert dollar_bounds("sell", "1000", event, held="10.2") == (Decimal(0), Decimal(10))


def test_an_order_in_dollars_without_a_fresh_price_may_trade_no_share() -> None:
    assert dollar_bounds("buy", "1000", _quoted("09:25", "99.00", "100.00")) == (Decimal(0), Decimal(0))


def test_a_plan_that_only_buys_may_sell_no_share() -> None:
    event = _quoted("09:33", "99.00", "100.00")
    exchange = Exchange(
        ScriptedMarket({MONDAY: {"AAA": (event,)}}), lambda: _at("09:35"), PROMPT, holding("0", AAA="9"), 0
    )
    exchange.advance()
    plan = {"name": "core", "targets": {"AAA": "0.5"}}
    assert bounds(PlannedRun(plan), exchange, exchange.now, ())["AAA"][1] > 0
    assert bounds(PlannedRun({**plan, "buy_only": True}), exchange, exchange.now, ())["AAA"][1] == 0
