"""What `repeg doctor` looks at behind a key pair: the account, the clock, the feeds and the limits. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from repeg.adapters.alpaca.account_parsing import account, account_number
from repeg.adapters.alpaca.keys import Keys, TradingMode, ensure_account_fits, ensure_keys_fit
from repeg.adapters.runtime import NetworkRuntime
from repeg.domain.errors import InvalidSettings
from repeg.domain.quote import CLOCK_ERROR_SECONDS
from repeg.domain.session import NEW_YORK
from repeg_workbench.operate.broker_line import Line, Reply
from repeg_workbench.operate.check import Check, Verdict, alone, judged

SYMBOL = "SPY"
FEEDS = ("iex", "sip")
SAMPLES = 5
SLOW_SECONDS = 1.0
OLD_SECONDS = 10
_COPY_KEYS = "copy both halves of the pair again, and store them with `repeg keys`"
_NO_SHORTING = 'forbid short sales: PATCH /v2/account/configurations with {"no_shorting": true}'


def check_broker(line: Line, keys: Keys, feed: str, runtime: NetworkRuntime, symbol: str = SYMBOL) -> Iterator[Check]:
    """Every finding about the account that the keys open. `feed` is the one that the deployment uses."""
    mode = line.place.mode
    try:
        ensure_keys_fit(keys, mode)
    except InvalidSettings as error:
        yield Check("keys", Verdict.FAIL, str(error), f"use keys of a {mode} account")
        return
    reply = line.trading("GET", "/account")
    if reply.status != 200:
        yield _unopened(reply)
        return
    yield from alone("account", lambda: _account(reply.body, mode))
    yield from alone("short sales", lambda: _shorting(line, reply.body, mode))
    yield from alone("clock", lambda: _clock(line, runtime))
    yield from alone("calendar", lambda: _calendar(line, runtime))
    for name in FEEDS:
        yield from alone(f"feed {name}", lambda name=name: _feed(line, name, name == feed, symbol, runtime))  # type: ignore[misc]
    yield from alone("request limit", lambda: _limit(line, symbol))


def _unopened(reply: Reply) -> Check:
    if reply.status in {401, 403}:
        return Check("keys", Verdict.FAIL, f"the broker does not accept this pair ({reply.message})", _COPY_KEYS)
    to_do = "try again; look at the broker's status page if it goes on"
    return Check("broker", Verdict.FAIL, f"no account was read: {reply.message}", to_do)


def _account(body: Mapping[str, Any], mode: TradingMode) -> Iterator[Check]:
    number = account_number(body)
    try:
        ensure_account_fits(number, mode)
    except InvalidSettings as error:
        yield Check("keys", Verdict.FAIL, str(error), f"use keys of a {mode} account")
        return
    yield Check("keys", Verdict.OK, f"they open {mode} account {number}")
    held = account(body, Decimal(0))
    to_do = "ask the broker, or lift the restriction on its page"
    found = (
        f"restricted: {held.blocked_by}" if held.is_blocked else f"may trade; equity {held.equity}, cash {held.cash}"
    )
    yield judged("account", found, is_ok=not held.is_blocked, to_do=to_do)
    multiplier = str(body.get("multiplier"))
    said = "a cash account" if multiplier == "1" else f"margin {multiplier}x; repeg spends no more than the cash"
    yield Check("margin", Verdict.OK, said)


def _shorting(line: Line, body: Mapping[str, Any], mode: TradingMode) -> Iterator[Check]:
    reply = line.trading("GET", "/account/configurations")
    if reply.status != 200:
        yield Check("short sales", Verdict.SKIP, f"the configuration was not read: {reply.message}")
        return
    is_forbidden, may = reply.body.get("no_shorting") is True, body.get("shorting_enabled") is not False
    found = "forbidden by the account's configuration" if is_forbidden else f"not forbidden; possible today: {may}"
    worst = Verdict.FAIL if mode is TradingMode.LIVE else Verdict.WARN
    is_ok = is_forbidden or (mode is TradingMode.PAPER and not may)
    yield judged("short sales", found, is_ok=is_ok, to_do=_NO_SHORTING, otherwise=worst)
    if reply.body.get("suspend_trade"):
        yield Check("trading", Verdict.FAIL, "suspended by the account's configuration", "lift it on the broker's page")


def _clock(line: Line, runtime: NetworkRuntime) -> Iterator[Check]:
    """The difference of the clocks at the middle of the fastest request, and the duration of a request."""
    samples = []
    for _ in range(SAMPLES):
        reply = line.trading("GET", "/clock")
        if reply.status != 200:
            yield Check("clock", Verdict.SKIP, f"the broker's clock was not read: {reply.message}")
            return
        ahead = (datetime.fromisoformat(reply.body["timestamp"]) - runtime.now()).total_seconds() + reply.seconds / 2
        samples.append((reply.seconds, ahead))
    _, ahead = min(samples)
    to_do = "set this machine's clock (NTP); Lambda's own clock is kept by AWS"
    way = "ahead of" if ahead >= 0 else "behind"
    found, is_near = f"the broker is {abs(ahead):.1f} s {way} this machine", abs(ahead) < CLOCK_ERROR_SECONDS
    yield judged("clock", found, is_ok=is_near, to_do=to_do, otherwise=Verdict.WARN)
    middle = median(seconds for seconds, _ in samples)
    found, to_do = f"{middle * 1000:.0f} ms a request, of {SAMPLES}", "turns will take long; deploy in us-east-1"
    yield judged("latency", found, is_ok=middle < SLOW_SECONDS, to_do=to_do, otherwise=Verdict.WARN)


def _calendar(line: Line, runtime: NetworkRuntime) -> Iterator[Check]:
    today = runtime.now().astimezone(NEW_YORK).date().isoformat()
    reply = line.trading("GET", "/calendar", params={"start": today, "end": today})
    if reply.status != 200:
        yield Check("calendar", Verdict.SKIP, f"it was not read: {reply.message}")
        return
    days = [day for day in reply.body if day["date"] == today]
    found = f"{today}: {days[0]['open']} to {days[0]['close']} New York" if days else f"{today}: no session"
    yield Check("calendar", Verdict.OK, found)


def _feed(line: Line, name: str, is_used: bool, symbol: str, runtime: NetworkRuntime) -> Iterator[Check]:  # noqa: FBT001
    """Whether the account may read a feed, and how old its quote is; only an age in the session says anything."""
    subject = f"feed {name}" + (" (used)" if is_used else "")
    reply = line.data("/stocks/quotes/latest", params={"symbols": symbol, "feed": name})
    if reply.status != 200:
        found = f"not readable: {reply.message}"
        yield judged(subject, found, is_ok=not is_used, to_do="choose DataFeed=iex, or subscribe to the data plan")
        return
    quote = (reply.body.get("quotes") or {}).get(symbol)
    if quote is None:
        yield Check(subject, Verdict.WARN, f"readable, without a quote of {symbol}", "compare another symbol")
        return
    age = (runtime.now() - datetime.fromisoformat(quote["t"]).astimezone(UTC)).total_seconds()
    is_open = line.trading("GET", "/clock").body.get("is_open") is True
    when = "in the session" if is_open else "while the market is closed"
    to_do = f"quotes older than {OLD_SECONDS} s hold every order (max_quote_age_seconds)"
    is_fresh = not is_open or age <= OLD_SECONDS or not is_used
    found = f"readable; {symbol}'s quote is {age:.0f} s old, {when}"
    yield judged(subject, found, is_ok=is_fresh, to_do=to_do, otherwise=Verdict.WARN)


def _limit(line: Line, symbol: str) -> Iterator[Check]:
    """The limits that the answers of both APIs name, if they do."""
    for subject, reply in (
        ("trading limit", line.trading("GET", "/clock")),
        ("data limit", line.data("/stocks/quotes/latest", params={"symbols": symbol, "feed": "iex"})),
    ):
        headers = {name.lower(): value for name, value in reply.headers.items()}
        limit, left = headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-remaining")
        found = "its answers name none" if limit is None else f"{limit} a minute, {left} left"
        yield Check(subject, Verdict.OK, found)
