"""Any request on any route is answered without a server error, and a refusal changes nothing."""

import json
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.control.control_plane import PREFIX
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.rewrites import REWRITES
from repeg_workbench.exchange.faults.stream_faults import StreamFailure
from repeg_workbench.exchange.faults.transport_faults import Kind, TransportFault
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.exchange.messages import Request
from tests.exchange.caller import Caller, a_caller, holding, order_body

LISTINGS = [Listing("PLAIN", "No fractions", fractionable=False), Listing("DEAD", "Not tradable", tradable=False)]
QUICK = settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

_WORDS = """
    AAPL PLAIN DEAD ZZZZ buy sell limit market stop stop_limit trailing_stop day gtc ioc fok opg cls bracket oco oto
    simple mleg true True 0 all open closed asc desc iex sip FILL 2026-11-20 2026-13-45 2026-11-20T15:00:00+00:00
    1Min 5Min 1Hour 1Day 1Week 3Month raw us_equity trade_activity
"""
_NUMBERS = """
    0 -1 1 10 0.5 100.05 100.001 1e2 1e400 -0 NaN Infinity 0x10 1_000 ٣ 99999999999999999999999 0.0000000001 +5 .5 5.
    0.30000000000000004
"""
_PARAMETERS = """
    status limit after until direction nested side symbols feed start end date page_size page_token since
    activity_types cancel_orders percentage qty client_order_id asset_class exchange currency unheard_of
    timeframe sort adjustment asof category order_id before_order_id after_order_id
"""
_PATHS = """
    / /v2 /v2/orders /v2/orders/ /v2/orders:by_client_order_id /v2/account /v2/account/configurations /v2/watchlists
    /v2/account/activities /v2/account/activities/FILL /v2/account/activities/%00 /v2/positions /v2/positions/AAPL
    /v2/positions/%F0%9F%98%80 /v2/assets /v2/assets/AAPL /v2/clock /v1/corporate-actions
    /v2/stocks/bars /v2/stocks/quotes /v2/stocks/trades /v2/stocks/bars/latest /v2/stocks/AAPL/bars
    /v2/stocks/quotes/latest /v2/stocks/trades/latest /v2/stocks/snapshots /v2/stocks/AAPL/snapshot
    /v2/stocks/%FF/quotes/latest /v2/stocks//trades/latest
    /_sim /_sim/ledger /_sim/faults /_sim/stream-faults /_sim/races /_sim/chaos /_sim/keys /_sim/clock /_sim/splits
    /_sim/orders
"""
WORDS = st.sampled_from(["", *_WORDS.split()])
NUMBERS = (
    st.sampled_from([" 5", *_NUMBERS.split()])
    | st.floats()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str)
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | WORDS, inner, max_size=3),
    max_leaves=6,
)
LEG = st.fixed_dictionaries({}, optional={"limit_price": NUMBERS, "stop_price": NUMBERS, "trail": NUMBERS}) | JSON


# Sixty years take long to answer; the calendar has its own test.
APART = {"/v2/calendar"}


def _usually(sensible: st.SearchStrategy[Any], fuzz: st.SearchStrategy[Any] = JSON) -> st.SearchStrategy[Any]:
    return st.one_of(sensible, sensible, sensible, fuzz)


ORDERS = st.fixed_dictionaries(
    {
        "symbol": _usually(st.sampled_from(["AAPL", "PLAIN"])),
        "side": _usually(st.sampled_from(["buy", "sell"])),
        "type": _usually(st.sampled_from(["limit", "market", "stop", "stop_limit", "trailing_stop"])),
        "time_in_force": _usually(st.sampled_from(["day", "gtc", "ioc", "fok", "opg", "cls"])),
    },
    optional={
        "qty": _usually(st.sampled_from(["10", 1, "0.5"]), NUMBERS | JSON),
        "notional": NUMBERS | JSON,
        "limit_price": _usually(st.sampled_from(["100.00", 101, "99.5"]), NUMBERS | JSON),
        "stop_price": _usually(st.sampled_from(["105", "95"]), NUMBERS | JSON),
        "trail_price": NUMBERS,
        "trail_percent": NUMBERS,
        "extended_hours": st.booleans() | JSON,
        "client_order_id": st.text(max_size=140) | JSON,
        "order_class": WORDS | JSON,
        "take_profit": LEG,
        "stop_loss": LEG,
        "position_intent": WORDS | JSON,
        "legs": JSON,
    },
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "qty": NUMBERS | JSON,
        "limit_price": NUMBERS | JSON,
        "stop_price": NUMBERS | JSON,
        "trail": NUMBERS | JSON,
        "time_in_force": WORDS | JSON,
        "client_order_id": st.text(max_size=140) | JSON,
    },
)
VALUES = WORDS | NUMBERS.map(str) | st.text(max_size=12)
QUERIES = st.lists(st.tuples(st.sampled_from(_PARAMETERS.split()), VALUES), max_size=4)
PATHS = st.sampled_from(_PATHS.split()) | st.text(max_size=20).map(lambda tail: f"/v2/orders/{tail}")


WHEN: dict[str, st.SearchStrategy[Any]] = {"times": st.none() | NUMBERS, "skip": NUMBERS, "chance": NUMBERS}
SECONDS = st.sampled_from([0, 1, 30, 1e300]) | NUMBERS
ARMING = st.one_of(
    st.tuples(
        st.just("/_sim/faults"),
        st.fixed_dictionaries(
            {"kind": _usually(st.sampled_from(list(Kind)))},
            optional={
                "method": WORDS,
                "path": st.sampled_from([".*", "/v2/orders", "(", "/v2/stocks/.*"]) | JSON,
                "seconds": SECONDS,
                "delay": SECONDS,
                "status": st.integers(100, 600) | JSON,
                "body": JSON,
                "rewrite": st.sampled_from(sorted(REWRITES)) | JSON,
                **WHEN,
            },
        ),
    ),
    st.tuples(
        st.just("/_sim/races"),
        st.fixed_dictionaries(
            {"race": _usually(st.sampled_from(list(Race)))},
            optional={"symbol": WORDS | JSON, "seconds": SECONDS, **WHEN},
        ),
    ),
    st.tuples(
        st.just("/_sim/stream-faults"),
        st.fixed_dictionaries({"failure": st.sampled_from(list(StreamFailure)) | JSON}, optional={"event": JSON}),
    ),
    st.tuples(st.just("/_sim/chaos"), st.fixed_dictionaries({"chance": NUMBERS})),
    st.tuples(st.just("/_sim/keys"), st.fixed_dictionaries({"revoked": JSON})),
    st.tuples(st.just("/_sim/clock"), st.fixed_dictionaries({}, optional={"skew_seconds": SECONDS, "x": JSON})),
    st.tuples(
        st.just("/_sim/splits"),
        st.fixed_dictionaries({"symbol": _usually(st.just("AAPL")), "new": NUMBERS, "old": NUMBERS}),
    ),
)


def test_every_route_is_fuzzed() -> None:
    exchange = a_caller().exchange
    fuzzed = set(_PATHS.split())
    assert set(exchange.routes.fixed) - fuzzed == APART
    assert {prefix for prefix in exchange.routes.keyed if not any(path.startswith(prefix) for path in fuzzed)} == set()
    assert {PREFIX + path for _, path in exchange.control.calls} - fuzzed == set()


@QUICK
@given(arming=ARMING)
def test_any_control_body_is_armed_or_refused_and_later_calls_answered(
    arming: tuple[str, dict[str, Any]],
) -> None:
    caller = _lived_in()
    path, body = arming
    armed = caller.call("POST", path, body)
    _require_no_server_error(armed.status)
    json.loads(armed.body)
    for method, where, sent in (
        ("GET", "/v2/orders", None),
        ("GET", "/v2/clock", None),
        ("GET", "/v2/stocks/AAPL/quotes/latest", None),
        ("GET", "/v2/positions", None),
        ("POST", "/v2/orders", order_body(limit_price="101")),
        ("DELETE", "/v2/orders", None),
        ("GET", "/_sim/faults", None),
    ):
        # Only an armed fault may leave a call unanswered.
        with suppress(TransportFault):
            caller.call(method, where, sent)
        caller.wait(500)


@QUICK
@given(body=ORDERS)
def test_any_order_is_accepted_or_refused_without_a_trace(body: dict[str, Any]) -> None:
    caller = _lived_in()
    before = _fingerprint(caller.exchange)
    response = caller.try_submit_body(body)
    _require_no_server_error(response.status)
    if response.status == 200:
        assert response.json()["status"] in {"pending_new", "accepted"}
        caller.wait(60_000)
    else:
        assert _fingerprint(caller.exchange) == before
        assert response.json()["code"] in {40010000, 40010001, 40310000, 42210000}


@QUICK
@given(changes=CHANGES, which=st.integers(0, 5))
def test_any_replace_is_accepted_or_refused_without_a_trace(changes: dict[str, Any], which: int) -> None:
    caller = _lived_in()
    ids = list(caller.exchange.account.orders.by_id)
    before = _fingerprint(caller.exchange)
    response = caller.call("PATCH", f"/v2/orders/{ids[which % len(ids)]}", changes)
    _require_no_server_error(response.status)
    if response.status == 200:
        caller.wait(60_000)
    else:
        assert _fingerprint(caller.exchange) == before


@QUICK
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "BREW"]),
    path=PATHS,
    query=QUERIES,
    body=st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()),
)
def test_any_call_to_any_route_is_answered(method: str, path: str, query: list[tuple[str, str]], body: bytes) -> None:
    caller = _lived_in()
    before = _fingerprint(caller.exchange)
    response = caller.exchange.handle(Request(method, path, query, caller.headers, body))
    _require_no_server_error(response.status)
    if response.status >= 400 or (method == "GET" and not path.startswith("/_sim")):
        assert _fingerprint(caller.exchange) == before
    if response.body:
        json.loads(response.body)
    caller.wait(60_000)


@QUICK
@given(path=PATHS, query=QUERIES)
def test_any_read_is_answered(path: str, query: list[tuple[str, str]]) -> None:
    caller = _lived_in()
    before = _fingerprint(caller.exchange)
    response = caller.exchange.handle(Request("GET", path, query, caller.headers))
    _require_no_server_error(response.status)
    assert _fingerprint(caller.exchange) == before


@QUICK
@given(start=WORDS | st.dates(min_value=date(2026, 1, 1)).map(str), end=VALUES)
def test_any_calendar_range_is_answered(start: str, end: str) -> None:
    response = _lived_in().call("GET", "/v2/calendar", query={"start": start or "soon", "end": end or "later"})
    _require_no_server_error(response.status)


@pytest.mark.parametrize("terms", [{"qty": "1e10"}, {"limit_price": "1e12"}, {"qty": None, "notional": 10**25}])
def test_absurdly_large_orders_are_refused(terms: dict[str, Any]) -> None:
    caller = a_caller(cash=Decimal(10**20))
    response = caller.try_submit(**terms)
    assert (response.status, response.json()["code"]) == (422, 40010001)
    assert response.json()["message"].endswith("is too large")


def test_a_trail_of_100_percent_is_refused_and_99_percent_never_triggers() -> None:
    caller = a_caller(positions=holding("10"))
    trail = {"side": "sell", "type": "trailing_stop", "limit_price": None}
    assert caller.try_submit(**trail, trail_percent="100").json()["message"] == "trail percent must be < 100"
    order = caller.submit(**trail, trail_percent="99.9999")
    caller.wait(60_000)
    assert caller.status(order["id"]) == "new"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"qty": NaN}',
        b"[" * 10_000,
        b'{"qty": 1' + b"0" * 5_000 + b"}",
        b'"x"',
    ],
    ids=["empty", "half", "list", "null", "not utf-8", "nan", "deep", "long", "string"],
)
def test_a_body_that_is_not_a_json_object_is_400(body: bytes) -> None:
    caller = _lived_in()
    for method, path in (("POST", "/v2/orders"), ("PATCH", "/v2/account/configurations")):
        response = caller.exchange.handle(Request(method, path, [], caller.headers, body))
        assert (response.status, response.json()["code"]) == (400, 40010000)


def _lived_in() -> Caller:
    """An account with a position and orders in every state."""
    caller = a_caller(positions=holding("50"), listings=LISTINGS)
    filled, canceled = caller.submit(limit_price="101"), caller.submit()
    caller.submit(qty="400", limit_price="100.05", client_order_id="partial")
    caller.submit(side="sell", limit_price="110", order_class="oco", **_EXITS)
    caller.wait(50)
    caller.cancel(canceled["id"])
    caller.replace(caller.exchange.account.orders.by_client_id["partial"].id, limit_price="100.01")
    assert filled["id"] != canceled["id"]
    caller.wait(5)
    return caller


_EXITS = {"take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90"}}


def _fingerprint(exchange: Exchange) -> Any:
    """Everything that a refusal must leave unchanged."""
    ledger, orders = exchange.ledger, exchange.account.orders
    return (
        len(ledger.entries),
        len(ledger.events),
        len(ledger.executions),
        [(order.id, order.status, order.held_cash, order.held_shares) for order in orders.by_id.values()],
        sorted(orders.by_client_id),
        sorted(orders.open),
        {symbol: holding.quantity for symbol, holding in exchange.account.portfolio.holdings.items()},
        str(exchange.account.switches),
        exchange.timers.next_turn[0],
    )


def _require_no_server_error(status: int) -> None:
    assert 200 <= status < 500
