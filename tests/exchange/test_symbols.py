"""Any ticker can be traded on the generated market, by its symbol or by its asset id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.seeds import asset_id, is_uuid, symbol_of
from tests.exchange.caller import Caller, a_caller


def generated() -> Caller:
    """An account at a broker with the generated market."""
    return a_caller(market=GeneratedMarket(1, activity=0.05))


def test_an_order_for_any_listed_ticker_is_accepted_and_filled() -> None:
    caller = generated()
    order = caller.submit(symbol="TSLA", qty="1", type="market", limit_price=None)
    caller.wait(100)
    assert caller.status(order["id"]) == "filled"
    assert caller.get("/v2/positions/TSLA")["qty"] == "1"
    assert caller.get("/v2/assets/BRK.B")["tradable"] is True


def test_an_order_for_an_unlisted_ticker_is_refused() -> None:
    caller = generated()
    assert caller.try_submit(symbol="ZZTOP").json()["message"] == 'asset "ZZTOP" not found'
    assert caller.call("GET", "/v2/assets/ZZTOP").status == 404
    assert caller.call("GET", "/v2/stocks/ZZTOP/quotes/latest").status == 404
    assert caller.get("/v2/stocks/quotes/latest", symbols="ZZTOP,QQQ")["quotes"].keys() == {"QQQ"}


def test_an_order_may_give_an_asset_id_as_its_symbol() -> None:
    caller = generated()
    key = caller.get("/v2/assets/TSLA")["id"]
    assert caller.submit(symbol=key, qty="1", type="market", limit_price=None)["symbol"] == "TSLA"
    caller.wait(100)
    assert caller.get(f"/v2/positions/{key}")["asset_id"] == key


def test_a_position_in_the_ticker_usd_is_not_cash() -> None:
    caller = generated()
    caller.submit(symbol="USD", qty="3", type="market", limit_price=None)
    caller.wait(100)
    spent = caller.exchange.ledger.executions[0]
    assert caller.exchange.ledger.cash == 10**18 - spent.quantity * spent.price
    assert caller.exchange.account.is_sound()


def test_calls_for_many_tickers_keep_a_bounded_number_of_books() -> None:
    caller = a_caller(market=GeneratedMarket(1, activity=0.001))
    held = caller.submit(symbol="TSLA", qty="1", limit_price="0.50")
    caller.wait(50)
    for first in "ABCDEFGHIJKLMNOP":
        symbols = ",".join(first + second for second in "ABCDEFGHIJKLMNOPQRSTUVWXY")
        assert len(caller.get("/v2/stocks/quotes/latest", symbols=symbols)["quotes"]) == 25
    assert len(caller.exchange.venue._books) <= 256
    assert caller.status(held["id"]) == "new"
    assert caller.exchange.venue.next_at >= caller.exchange.now


@given(st.from_regex(r"[A-Z0-9]{1,12}([./][A-Z0-9]{1,8})?", fullmatch=True))
def test_an_asset_id_is_a_uuid_from_which_the_symbol_can_be_read(symbol: str) -> None:
    assert is_uuid(asset_id(symbol))
    assert symbol_of(asset_id(symbol)) == symbol
    assert symbol_of(asset_id(symbol).upper()) == symbol


@pytest.mark.parametrize("other", ["", "AAPL", "00000000-0000-4000-8000-000000000000", "f" * 32])
def test_other_text_is_no_asset_id(other: str) -> None:
    assert symbol_of(other) is None
