"""`repeg exchange` from another program's point of view: an unmodified alpaca-py, and Ctrl-C at the end."""

import signal
import socket
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest
import requests

from tests.conformance.sdk import (
    APIError,
    AssetExchange,
    AssetStatus,
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    OrderClass,
    OrderSide,
    OrderType,
    QueryOrderStatus,
    ReplaceOrderRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TimeInForce,
    TrailingStopOrderRequest,
)
from tests.exchange.served import PATIENCE, Served, listening, served, settled, until

SYMBOL = "SPY"
# A test makes more requests than the rate limit allows.
UNHURRIED = ("--knob", "requests_per_minute=none", "--knob", "data_requests_per_minute=none")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("exchange"), *UNHURRIED) as running:
        yield running


@pytest.fixture
def trading(exchange: Served) -> Iterator[Any]:
    """A client whose account has no open orders and no positions."""
    client = exchange.trading()
    yield client
    # Shares stay held for a moment after a cancel, so the first attempt may not close everything.
    until(lambda: client.close_all_positions(cancel_orders=True), lambda closed: not closed)
    until(client.get_orders, lambda orders: not orders)
    client._session.close()


@pytest.fixture
def ask(exchange: Served) -> float:
    """The present ask."""
    return float(_ask(exchange))


def test_the_printed_client_code_reaches_the_account(exchange: Served) -> None:
    start = exchange.lines.index("from alpaca.trading.client import TradingClient")
    names: dict[str, Any] = {}
    with redirect_stdout(StringIO()) as shown:
        exec("\n".join(exchange.lines[start : start + 3]), names)  # noqa: S102 - what a person would paste
    assert "is_open=True" in shown.getvalue()
    assert shown.getvalue().rstrip().endswith(" 100000")
    names["client"]._session.close()


def test_a_bot_reads_account_clock_assets_and_positions(exchange: Served, trading: Any) -> None:
    account, clock = trading.get_account(), trading.get_clock()
    assert (account.status, account.cash) == ("ACTIVE", "100000")
    assert clock.is_open
    assert clock.timestamp.date() == date(2026, 11, 23)
    week = trading.get_calendar(GetCalendarRequest(start=date(2026, 11, 23), end=date(2026, 11, 29)))
    assert [(day.date.day, day.close.hour) for day in week] == [(23, 16), (24, 16), (25, 16), (27, 13)]
    assert [asset.symbol for asset in _nasdaq(trading)] == [
        "AAPL",
        "MSFT",
        "AMZN",
        "GOOG",
        "NFLX",
        "HARD",
        "RIFT",
        "CENT",
    ]
    assert trading.get_asset(SYMBOL).fractionable
    assert (trading.get_orders(), trading.get_all_positions()) == ([], [])


def test_the_whole_calendar_is_served(trading: Any) -> None:
    days = trading.get_calendar()
    assert (days[0].date, days[-1].date) == (date(1970, 1, 2), date(2029, 12, 31))


def test_an_account_setting_can_be_changed_and_restored(trading: Any) -> None:
    settings = trading.get_account_configurations()
    for expected in (False, True):
        settings.fractional_trading = not settings.fractional_trading
        settings = trading.set_account_configurations(settings)
        assert settings.fractional_trading is expected


def test_a_limit_order_is_placed_read_replaced_listed_and_canceled(trading: Any, ask: float) -> None:
    order = trading.submit_order(_limit(round(ask * 0.9, 2), client_order_id="a bot's own name"))
    assert trading.get_order_by_client_id("a bot's own name").id == order.id
    settled(trading, order, "new")
    new = trading.replace_order_by_id(order.id, ReplaceOrderRequest(qty=2, limit_price=round(ask * 0.91, 2)))
    assert (settled(trading, order, "replaced").replaced_by, new.replaces) == (new.id, order.id)
    assert [one.id for one in trading.get_orders()] == [settled(trading, new, "new").id]
    trading.cancel_order_by_id(new.id)
    assert settled(trading, new, "canceled").filled_qty == "0"
    with pytest.raises(APIError, match="order is already"):
        trading.cancel_order_by_id(settled(trading, trading.submit_order(_market(qty=1)), "filled").id)


def test_market_orders_by_shares_by_fractions_and_by_dollars(trading: Any, ask: float) -> None:
    for request in (_market(qty=3), _market(qty=5.5), _market(notional=1.11), _limit(round(ask * 1.02, 2), qty=0.01)):
        settled(trading, trading.submit_order(request), "filled")
    position = trading.get_open_position(SYMBOL)
    assert 8.51 < float(position.qty) < 8.52
    assert trading.get_open_position(position.asset_id).qty == position.qty
    trading.close_position(SYMBOL, close_options=ClosePositionRequest(qty="0.01"))
    until(lambda: float(trading.get_open_position(SYMBOL).qty), lambda held: 8.50 < held < 8.51)
    trading.close_position(SYMBOL)
    until(trading.get_all_positions, lambda positions: not positions)


def test_stop_and_trailing_stop_orders_are_accepted_and_wait(trading: Any, ask: float) -> None:
    settled(trading, trading.submit_order(_market(qty=1)), "filled")
    above, terms = round(ask * 1.2, 2), {"symbol": SYMBOL, "qty": 1, "time_in_force": TimeInForce.GTC}
    waiting = [
        StopOrderRequest(**terms, side=OrderSide.BUY, stop_price=above),
        StopLimitOrderRequest(**terms, side=OrderSide.BUY, stop_price=above, limit_price=above - 1),
        TrailingStopOrderRequest(**terms, side=OrderSide.SELL, trail_percent=5),
    ]
    orders = [settled(trading, trading.submit_order(request), "new") for request in waiting]
    assert [order.type for order in orders] == [OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP]
    everything = trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, symbols=[SYMBOL]))
    assert {order.id for order in orders} < {order.id for order in everything}
    assert {outcome.status for outcome in trading.cancel_orders()} == {200}
    until(lambda: trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN)), lambda orders: not orders)


def test_bracket_and_one_cancels_other_orders_work_through_the_client(trading: Any, ask: float) -> None:
    exits: dict[str, Any] = {
        "take_profit": TakeProfitRequest(limit_price=round(ask * 1.1, 2)),
        "stop_loss": StopLossRequest(stop_price=round(ask * 0.9, 2)),
    }
    bracket = trading.submit_order(_market(qty=5, order_class=OrderClass.BRACKET, **exits))
    settled(trading, bracket, "filled")
    profit, loss = bracket.legs
    assert settled(trading, profit, "new").type == OrderType.LIMIT
    assert settled(trading, loss, "held").type == OrderType.STOP
    trading.cancel_orders()
    until(lambda: trading.get_open_position(SYMBOL).qty_available, lambda free: free == "5")
    pair = trading.submit_order(_limit(round(ask * 1.1, 2), side=OrderSide.SELL, order_class=OrderClass.OCO, **exits))
    assert settled(trading, pair, "new").limit_price == str(round(ask * 1.1, 2))
    assert [leg.status.value for leg in pair.legs] == ["held"]


def test_a_one_triggers_other_order_needs_its_order_class(trading: Any, ask: float) -> None:
    stop = StopLossRequest(stop_price=round(ask * 0.9, 2))
    entry = _limit(round(ask * 1.02, 2), order_class=OrderClass.OTO, stop_loss=stop)
    (exit_order,) = trading.submit_order(entry).legs
    assert settled(trading, exit_order, "new").type == OrderType.STOP
    assert trading.submit_order(_limit(round(ask * 1.02, 2), stop_loss=stop)).legs is None


def test_refusals_carry_the_brokers_messages(trading: Any, ask: float) -> None:
    with pytest.raises(APIError, match="insufficient buying power"):
        trading.submit_order(_limit(round(ask, 2), qty=10_000))
    with pytest.raises(APIError, match="sub-penny increment"):
        trading.submit_order(_limit(100.123))
    with pytest.raises(APIError, match="account is not allowed to short"):
        trading.submit_order(_market(qty=1, side=OrderSide.SELL))


def test_a_single_call_closes_all_positions(trading: Any, ask: float) -> None:
    settled(trading, trading.submit_order(_market(qty=2)), "filled")
    resting = trading.submit_order(_limit(round(ask * 0.8, 2)))
    trading.close_all_positions(cancel_orders=True)
    assert settled(trading, resting, "canceled").filled_qty == "0"


def test_market_data_answers_the_clients_usual_requests(exchange: Served) -> None:
    data = exchange.data()
    for request in (
        StockLatestQuoteRequest(symbol_or_symbols=[SYMBOL, "KO"]),
        StockQuotesRequest(symbol_or_symbols=[SYMBOL]),
    ):
        quote = data.get_stock_latest_quote(request)[SYMBOL]
        assert 0 < quote.bid_price <= quote.ask_price
    assert data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols=SYMBOL))[SYMBOL].price > 0
    assert data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=SYMBOL))[SYMBOL].latest_quote is not None
    data._session.close()


def test_a_bot_streams_its_order_updates_and_quotes(tmp_path: Path) -> None:
    with served(tmp_path, *UNHURRIED, "--speed", "20") as running:
        trading = running.trading()
        with (
            listening(running.updates(), "subscribe_trade_updates") as updates,
            listening(running.quotes(), "subscribe_quotes", SYMBOL, "AAPL") as quotes,
        ):
            order = _first_streamed(trading, updates)
            filled = until(lambda: updates.get(timeout=PATIENCE), lambda update: update.event == "fill")
            assert (filled.order.id, filled.qty) == (order.id, 1)
            assert {quotes.get(timeout=PATIENCE).symbol for _ in range(50)} == {SYMBOL, "AAPL"}
            assert running.end()[:2] == (0, "stopped\n")
        trading._session.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_no_files_or_processes(tmp_path: Path, number: int) -> None:
    with served(tmp_path) as running:
        trading = running.trading()
        trading.get_account()
        with listening(running.updates(), "subscribe_trade_updates"):
            assert running.end(number) == (0, "stopped\n", "")
        with pytest.raises(requests.ConnectionError):
            trading.get_account()
        trading._session.close()
        with socket.create_server(("127.0.0.1", running.port)):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_second_ctrl_c_is_ignored(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        running.process.send_signal(signal.SIGINT)
        assert running.process.stdout is not None
        assert running.process.stdout.readline() == "stopped\n"
        assert running.end() == (0, "", "")


def test_a_port_in_use_is_reported_in_one_line_with_exit_code_2(exchange: Served, tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as failed, served(tmp_path, "--port", str(exchange.port)):
        pass
    expected = f"port: {exchange.port} is not valid; expected a free port, or 0 for any; this one is in use\n"
    assert str(failed.value) == expected


def test_the_exchange_serves_the_options_given(tmp_path: Path) -> None:
    (tmp_path / "held.json").write_text('{"KO": "300"}')
    options = ("--date", "2026-11-27", "--start", "12:59:30", "--speed", "0", "--cash", "2500.50", "--multiplier", "2")
    quirks = ("--knob", "replace_fill_inheritance=zero", "--knob", "ack_delay=1,2", "--chaos", "0.001")
    with served(tmp_path, *options, *quirks, "--positions", "held.json", "--fill-model", "queue") as running:
        assert running.value_of("time").startswith("2026-11-27 12:59:30 in New York; stands still")
        seen = requests.get(running.value_of("control plane"), timeout=PATIENCE).json()
        assert (seen["now"], seen["cash"]) == ("2026-11-27T17:59:30Z", "2500.5")
        assert (seen["knobs"]["replace_fill_inheritance"], seen["knobs"]["ack_delay"]) == ("zero", [1, 2])
        armed = requests.get(f"{running.url}/_sim/faults", timeout=PATIENCE).json()
        assert {fault["when"]["chance"] for faults in armed.values() for fault in faults} == {0.001}
        requests.delete(f"{running.url}/_sim/faults", timeout=PATIENCE)
        trading = running.trading()
        assert trading.get_account().shorting_enabled
        assert trading.get_open_position("KO").qty == "300"
        requests.post(f"{running.url}/_sim/clock", json={"advance_seconds": 30}, timeout=PATIENCE)
        assert not trading.get_clock().is_open
        trading._session.close()


def test_a_folder_of_recordings_starts_on_its_first_day(tmp_path: Path) -> None:
    rows = "ts,bid,bid_size,ask,ask_size\n1764081000000000000,100.00,100,100.05,100\n"
    (tmp_path / "AAPL-2025-11-25.quotes.csv").write_text(rows)
    with served(tmp_path, "--market", str(tmp_path), "--speed", "0") as running:
        assert running.value_of("time").startswith("2025-11-25 09:30:00 in New York")
        assert running.value_of("symbols") == "AAPL"
        data = running.data()
        assert (
            data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL"))["AAPL"].ask_price == 100.05
        )
        data._session.close()


def test_real_time_uses_the_wall_clock(tmp_path: Path) -> None:
    with served(tmp_path, "--real-time") as running:
        trading = running.trading()
        clock = trading.get_clock()
        assert abs((clock.timestamp - datetime.now(clock.timestamp.tzinfo)).total_seconds()) < PATIENCE  # noqa: TID251
        assert running.value_of("time").endswith("from the wall clock")
        trading._session.close()


def _nasdaq(trading: Any) -> list[Any]:
    return list(trading.get_all_assets(GetAssetsRequest(status=AssetStatus.ACTIVE, exchange=AssetExchange.NASDAQ)))


def _ask(exchange: Served) -> float:
    data = exchange.data()
    quote = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=SYMBOL))[SYMBOL]
    data._session.close()
    return float(quote.ask_price)


def _market(side: OrderSide = OrderSide.BUY, **terms: Any) -> MarketOrderRequest:
    return MarketOrderRequest(symbol=SYMBOL, side=side, time_in_force=TimeInForce.DAY, **terms)


def _limit(price: float, qty: float = 1, side: OrderSide = OrderSide.BUY, **terms: Any) -> LimitOrderRequest:
    return LimitOrderRequest(
        symbol=SYMBOL, qty=qty, side=side, limit_price=price, time_in_force=TimeInForce.DAY, **terms
    )


def _first_streamed(trading: Any, updates: Queue[Any]) -> Any:
    """An order whose first event has been streamed; events before the client listened are not."""
    for _ in range(40):
        order = trading.submit_order(_market(qty=1))
        try:
            if updates.get(timeout=PATIENCE / 40).event == "pending_new":
                return order
        except Empty:
            continue
    raise AssertionError("the stream sent no order")
