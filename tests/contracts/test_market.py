"""The Market port's contract."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.quote import Quote
from repeg.domain.sizing_price import Trade
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from tests.contracts.desks import THURSDAY, Desk, a_market

OpenDesk = Callable[..., Desk]


def test_a_quote_carries_exact_sizes_and_its_own_timestamp(desk: Desk) -> None:
    assert desk.market.quotes(["AAPL"]) == {
        "AAPL": Quote(
            symbol="AAPL",
            bid=Decimal("189.40"),
            bid_size=Decimal(300),
            ask=Decimal("189.44"),
            ask_size=Decimal(200),
            at=datetime(2026, 3, 5, 14, 30, tzinfo=UTC),
        )
    }


def test_prices_below_a_dollar_keep_four_decimals(desk: Desk) -> None:
    quote = desk.market.quotes(["PNY"])["PNY"]
    assert (quote.bid, quote.ask) == (Decimal("0.8512"), Decimal("0.8515"))


def test_an_empty_side_of_the_book_has_price_zero(desk: Desk) -> None:
    quote = desk.market.quotes(["KO"])["KO"]
    assert (quote.bid, quote.ask, quote.ask_size) == (Decimal("60.40"), Decimal(0), Decimal(0))


def test_a_symbol_unknown_to_the_feed_is_absent(desk: Desk) -> None:
    assert desk.market.quotes(["ZZZZ", "AAPL"]).keys() == {"AAPL"}
    assert desk.market.last_trades(["ZZZZ", "AAPL"]).keys() == {"AAPL"}


def test_a_last_trade_carries_its_price_and_its_time(desk: Desk) -> None:
    at = datetime(2026, 3, 5, 14, 31, tzinfo=UTC)
    assert desk.market.last_trades(["AAPL"]) == {"AAPL": Trade(price=Decimal("189.42"), at=at)}


def test_a_symbol_without_trades_has_no_last_trade(desk: Desk) -> None:
    assert desk.market.last_trades(["KO", "F"]).keys() == {"F"}


def test_an_empty_list_of_symbols_sends_no_request(desk: Desk) -> None:
    desk.exchange.gate.keys.clear()
    assert desk.market.quotes([]) == {}


def test_a_malformed_symbol_does_not_affect_other_symbols_quotes(desk: Desk) -> None:
    assert desk.market.quotes(["AAPL", "not a symbol!", "F", "PNY", "KO"]).keys() == {"AAPL", "F", "PNY", "KO"}


def test_symbols_beyond_one_request_all_have_quotes(desk: Desk) -> None:
    symbols = set(a_market(THURSDAY).symbols())
    assert len(symbols) > 100
    assert desk.market.quotes(symbols).keys() == symbols


def test_quotes_come_from_the_configured_feed(open_desk: OpenDesk) -> None:
    with pytest.raises(BrokerDenied, match="subscription"):
        open_desk(feed="sip").market.quotes(["AAPL"])
    assert open_desk(feed="sip", quirks=BrokerQuirks(sip_entitled=True)).market.quotes(["AAPL"]).keys() == {"AAPL"}


def test_an_unknown_feed_raises(open_desk: OpenDesk) -> None:
    with pytest.raises(BrokerUnavailable, match="feed"):
        open_desk(feed="nonsense").market.quotes(["AAPL", "F"])


def test_a_rate_limited_quote_request_is_unavailable(open_desk: OpenDesk) -> None:
    desk = open_desk(quirks=BrokerQuirks(data_requests_per_minute=1))
    desk.market.quotes(["AAPL"])
    with pytest.raises(BrokerUnavailable, match="429"):
        desk.market.quotes(["AAPL"])


def test_past_quotes_are_those_of_the_time_asked_for_oldest_first(desk: Desk) -> None:
    desk.go_to(THURSDAY, "12:31")
    now = datetime(2026, 3, 5, 17, 31, tzinfo=UTC)
    found = desk.market.past_quotes(["AAPL", "F", "ZZZZ"], now - timedelta(hours=4), now)
    assert {symbol: [quote.bid for quote in quotes] for symbol, quotes in found.items()} == {
        "AAPL": [Decimal("189.40"), Decimal("189.36")],
        "F": [Decimal("12.10")],
    }
    assert found["AAPL"][1].at == datetime(2026, 3, 5, 17, 30, tzinfo=UTC)
    assert list(desk.market.past_quotes(["AAPL", "F"], now - timedelta(minutes=5), now)) == ["AAPL"]


def test_past_quotes_of_no_symbols_send_no_request(desk: Desk) -> None:
    desk.exchange.gate.keys.clear()
    now = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
    assert desk.market.past_quotes([], now - timedelta(minutes=5), now) == {}


def test_past_quotes_that_the_subscription_lacks_are_denied(open_desk: OpenDesk) -> None:
    desk = open_desk(feed="sip")
    now = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
    with pytest.raises(BrokerDenied):
        desk.market.past_quotes(["AAPL"], now - timedelta(minutes=5), now)


def test_the_quote_at_a_time_is_the_one_in_force_then(desk: Desk) -> None:
    """The feed is another one, and consolidated quotes are served fifteen minutes late."""
    desk.go_to(THURSDAY, "12:50")
    change, since = datetime(2026, 3, 5, 17, 30, tzinfo=UTC), datetime(2026, 3, 5, 14, 0, tzinfo=UTC)
    found = [desk.market.quote_at("AAPL", at, since) for at in (change, change - timedelta(microseconds=1))]
    assert [quote.bid for quote in found if quote is not None] == [Decimal("189.36"), Decimal("189.40")]
    assert desk.market.quote_at("AAPL", since, since) is None
    assert desk.market.quote_at("ZZZZ", change, since) is None


def test_a_consolidated_quote_of_the_last_minutes_is_denied(desk: Desk) -> None:
    desk.go_to(THURSDAY, "12:40")
    change = datetime(2026, 3, 5, 17, 30, tzinfo=UTC)
    with pytest.raises(BrokerDenied):
        desk.market.quote_at("AAPL", change, change - timedelta(hours=3))
