"""Rows that reads alone can show: keys, routes, shapes, limits, calendar and market data."""

from __future__ import annotations

import re
from typing import Any

from repeg_workbench.operate.conformance.bench import Bench
from repeg_workbench.operate.conformance.probe import Outcome, Seen, chosen, plain, probe

_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
_UNKNOWN_ID = "11111111-2222-4333-8444-555555555555"
_PDT = {"pattern_day_trader", "daytrade_count"}


@probe(2, "a call without keys is a proxy's 401 page")
def _missing_keys(bench: Bench) -> Seen:
    reply = bench.trading("GET", "/account", with_keys=False)
    value = {401: "html401", 403: "json403"}.get(reply.status or 0)
    found = f"{reply.status}, {'JSON' if reply.body is not None else 'no JSON'}"
    return Seen(found, Outcome.DIFFERS) if value is None else chosen("missing_headers", value, found)


@probe(3, "trading numbers are strings, market data numbers are numbers")
def _numbers(bench: Bench) -> Seen:
    cash = bench.trading("GET", "/account").body.get("cash")
    quotes = bench.data("/stocks/quotes/latest", symbols=bench.symbol, feed="iex").body["quotes"]
    bid = quotes[bench.symbol].get("bp")
    found = f"cash is a {type(cash).__name__}, a bid a {type(bid).__name__}"
    return plain(found, is_expected=isinstance(cash, str) and isinstance(bid, (int, float)))


@probe(4, "a known path with an unsupported method is a JSON 404")
def _unsupported_method(bench: Bench) -> Seen:
    reply = bench.trading("PATCH", "/clock", json={})
    if reply.status not in {404, 405}:
        return Seen(f"{reply.status} {reply.message}", Outcome.DIFFERS)
    return chosen("unknown_route", str(reply.status), f"{reply.status} {reply.message}")


@probe(5, "the clock's stamp carries New York's offset")
def _stamps(bench: Bench) -> Seen:
    stamp = str(bench.trading("GET", "/clock").body.get("timestamp"))
    return plain(stamp, is_expected=stamp.endswith(("-05:00", "-04:00")))


@probe(6, "every answer carries a request id of 32 hexadecimal digits")
def _request_id(bench: Bench) -> Seen:
    headers = {name.lower(): value for name, value in bench.trading("GET", "/clock").headers.items()}
    found = headers.get("x-request-id", "none")
    return plain(found, is_expected=_REQUEST_ID.fullmatch(found) is not None)


@probe(48, "a limit above 500 is refused with 422")
def _long_list(bench: Bench) -> Seen:
    reply = bench.trading("GET", "/orders", params={"limit": 501})
    value = {422: "422", 200: "clamp"}.get(reply.status or 0)
    found = f"{reply.status}" + ("" if reply.status == 200 else f" {reply.message}")
    return Seen(found, Outcome.DIFFERS) if value is None else chosen("list_limit_excess", value, found)


@probe(52, "an unknown id is 404, something that is no id 422")
def _ids(bench: Bench) -> Seen:
    unknown, malformed = (bench.trading("GET", f"/orders/{one}").status for one in (_UNKNOWN_ID, "no-id"))
    return plain(f"{unknown} and {malformed}", is_expected=(unknown, malformed) == (404, 422))


@probe(53, "an unknown client_order_id is 404")
def _client_ids(bench: Bench) -> Seen:
    reply = bench.trading("GET", "/orders:by_client_order_id", params={"client_order_id": bench.new_id()})
    return plain(f"{reply.status} {reply.message}", is_expected=reply.status == 404)


@probe(89, "a cancel of an unknown order is 404")
def _cancel_unknown(bench: Bench) -> Seen:
    reply = bench.cancel(_UNKNOWN_ID)
    return plain(f"{reply.status} {reply.message}", is_expected=reply.status == 404)


@probe(94, "the account has no pattern-day-trader fields")
def _account(bench: Bench) -> Seen:
    present = sorted(_PDT & set(bench.trading("GET", "/account").body))
    return chosen("pdt_fields", bool(present), f"present: {', '.join(present) or 'none'}")


@probe(95, "an asset has easy_to_borrow")
def _asset(bench: Bench) -> Seen:
    body = bench.trading("GET", f"/assets/{bench.symbol}").body
    has = "easy_to_borrow" in body
    return chosen("easy_to_borrow", has, "present" if has else "absent")


@probe(96, "the calendar knows the early close after Thanksgiving")
def _calendar(bench: Bench) -> Seen:
    day = "2026-11-27"
    rows: Any = bench.trading("GET", "/calendar", params={"start": day, "end": day}).body
    found = f"{day} closes {rows[0]['close']}" if rows else f"{day} is no session"
    return plain(found, is_expected=bool(rows) and rows[0]["close"] == "13:00")


@probe(98, "an unknown symbol among several is absent, a malformed one fails the call")
def _symbols(bench: Bench) -> Seen:
    path = "/stocks/quotes/latest"
    known = bench.data(path, symbols=f"{bench.symbol},ZZZZZ", feed="iex")
    malformed = bench.data(path, symbols=f"{bench.symbol},no-symbol!", feed="iex")
    quotes = known.body.get("quotes", {}) if isinstance(known.body, dict) else {}
    found = f"{known.status} with {', '.join(quotes)}, then {malformed.status}"
    return plain(found, is_expected=(known.status, list(quotes), malformed.status) == (200, [bench.symbol], 400))


@probe(99, "a query parameter that market data does not know is refused")
def _parameter(bench: Bench) -> Seen:
    reply = bench.data("/stocks/quotes/latest", symbols=bench.symbol, feed="iex", colour="blue")
    return plain(f"{reply.status} {reply.message}", is_expected=reply.status == 400)


@probe(101, "the consolidated feed needs its subscription")
def _consolidated(bench: Bench) -> Seen:
    reply = bench.data("/stocks/quotes/latest", symbols=bench.symbol, feed="sip")
    if reply.status not in {200, 403}:
        return Seen(f"{reply.status} {reply.message}", Outcome.DIFFERS)
    return chosen("sip_entitled", reply.status == 200, "readable" if reply.status == 200 else reply.message)


@probe(105, "market data names its limit of 200 a minute in its headers")
def _limits(bench: Bench) -> Seen:
    """The limits are read, and not sought."""
    headers = bench.data("/stocks/quotes/latest", symbols=bench.symbol, feed="iex").headers
    data = {name.lower(): value for name, value in headers.items()}.get("x-ratelimit-limit")
    headers = bench.trading("GET", "/clock").headers
    trading = {name.lower(): value for name, value in headers.items()}.get("x-ratelimit-limit")
    found = f"market data {data or 'names none'}, trading {trading or 'names none'}"
    knobs = chosen("data_rate_headers", data is not None, found).knobs
    for name, limit in (("data_requests_per_minute", data), ("requests_per_minute", trading)):
        knobs += chosen(name, int(limit), found).knobs if limit is not None else ()
    return Seen(found, Outcome.KNOB if knobs else Outcome.SAME, knobs)
