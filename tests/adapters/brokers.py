"""Alpaca adapters connected to a scripted server, and builders of Alpaca's JSON rows."""

from __future__ import annotations

from typing import Any

import requests

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import SIMULATED, FixedKeys, KeySource, TradingMode
from repeg.adapters.alpaca.market_data import AlpacaMarket, data_api
from repeg.adapters.transport import BoundedTransport
from tests.adapters.scripted_server import Script
from tests.contracts.words import an_intent, an_order

BROKER_ID = "61e69015-8549-4bfd-b9c3-01e75843f47d"
OURS = an_intent(an_order()).client_order_id


def mount(session: requests.Session) -> None:
    """Mount the deployed transport with timeouts short enough for a test."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedTransport(connect_seconds=0.2, read_seconds=0.3))


def a_broker(script: Script, keys: KeySource | None = None) -> AlpacaBroker:
    """A broker adapter connected to the scripted server."""
    return AlpacaBroker(trading_api(keys or FixedKeys(SIMULATED), TradingMode.PAPER, mount, script.url))


def a_market(script: Script) -> AlpacaMarket:
    """A market data adapter connected to the scripted server."""
    return AlpacaMarket(data_api(FixedKeys(SIMULATED), mount, script.url), "iex")


def an_order_row(**changes: Any) -> dict[str, Any]:
    """An order as the broker sends it."""
    return {
        "id": BROKER_ID,
        "client_order_id": OURS,
        "created_at": "2026-03-05T17:00:00.577306644Z",
        "submitted_at": "2026-03-05T17:00:00.577215743Z",
        "symbol": "AAPL",
        "qty": "40",
        "filled_qty": "0",
        "filled_avg_price": None,
        "limit_price": "189.41",
        "side": "buy",
        "status": "new",
        "replaced_by": None,
        "replaces": None,
        **changes,
    }


def an_account_row(**changes: Any) -> dict[str, Any]:
    """A margin account as the broker sends it."""
    return {
        "account_number": "PA3ABCDEFGHI",
        "status": "ACTIVE",
        "equity": "100000.5",
        "cash": "60000.25",
        "buying_power": "240001",
        "non_marginable_buying_power": "55000.25",
        "trading_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": False,
        **changes,
    }


def an_activity_row(**changes: Any) -> dict[str, Any]:
    """A fill as the broker lists it in the account's activities."""
    return {
        "id": "20260305170000000::a",
        "activity_type": "FILL",
        "order_id": BROKER_ID,
        "symbol": "AAPL",
        "side": "buy",
        "qty": "10",
        "price": "189.41",
        "transaction_time": "2026-03-05T17:00:00.123456789Z",
        **changes,
    }
