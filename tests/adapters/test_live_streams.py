"""The deployed streams against servers that refuse, redirect, say nothing or talk nonsense; what a start imports."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, cast

import pytest

from repeg.adapters.alpaca import observed_streams, stream_socket
from repeg.adapters.alpaca.keys import PLACEHOLDER, SIMULATED, FixedKeys, Keys, TradingMode
from repeg.adapters.alpaca.signals import Addresses, AlpacaSignals, Patience, StreamListener, addresses, deployed
from repeg.adapters.runtime import SystemRuntime
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.hints import Hints
from repeg.domain.setting_types import Feed
from repeg.ports import Listener
from repeg_workbench.exchange.faults.stream_faults import StreamFailure
from tests.adapters.scripted_server import Reply, answer, drip, hang_up, say_nothing, scripted
from tests.contracts.listening import PREFIX, connected, hear, live_rig, strike, submit

SECRET = "canary-sings-where-it-should-not"
KEY_ID = "PKCANARYTHATMAYNOTSING"
KEYS = Keys.model_validate({"key_id": KEY_ID, "secret_key": SECRET})
IMPATIENT = Patience(ping=0.1, silence=2.0, opening=0.5, check=0.1)
THREAD = "repeg-streams"


@contextmanager
def listening_to(url: str, keys: Keys = KEYS) -> Iterator[Listener]:
    where = addresses(TradingMode.PAPER, Feed.IEX, url, url)
    signals = AlpacaSignals(deployed(where, Feed.IEX, IMPATIENT), FixedKeys(keys), SystemRuntime())
    with signals.open(PREFIX, ["AAPL"]) as listener:
        yield listener
    assert THREAD not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (answer(401), "poll: HTTP 401"),
        (answer(403), "poll: HTTP 403"),
        (answer(406), "poll: HTTP 406"),
        (answer(429), "poll: HTTP 429"),
        (answer(503), "poll: HTTP 503"),
        (b"nonsense\r\n\r\n", "poll: InvalidMessage"),
        (hang_up, "poll: InvalidMessage"),
        (say_nothing, "poll: TimeoutError"),
        (drip, "poll: TimeoutError"),
    ],
)
def test_a_server_that_is_no_stream_is_named_in_the_source(reply: Reply, reason: str) -> None:
    with scripted(*[reply] * 20) as script, listening_to(script.url) as listener:
        hear(listener, lambda _: listener.source == listener.quote_source == reason)
        assert listener.wait(0.1) == Hints()


@pytest.mark.parametrize(("status", "attempts"), [(401, 2), (403, 2)])
def test_refused_keys_are_not_sent_again(status: int, attempts: int) -> None:
    with scripted(*[answer(status)] * 20) as script, listening_to(script.url) as listener:
        hear(listener, lambda _: listener.source == listener.quote_source == f"poll: HTTP {status}")
        for _ in range(20):
            assert listener.wait(0.1) == Hints()
        assert len(script.asked) == attempts


def test_a_redirect_is_not_followed_because_the_keys_are_for_one_host() -> None:
    with scripted(*[answer(200)] * 20) as other:
        target = other.url.replace("http", "ws")
        with (
            scripted(*[answer(302, Location=f"{target}/stream")] * 20) as script,
            listening_to(script.url) as listener,
        ):
            hear(listener, lambda _: listener.source == listener.quote_source == "poll: InvalidHandshake")
            assert script.asked
        assert other.asked == []


def test_no_server_at_all_is_a_plain_pause() -> None:
    with scripted() as script:
        url = script.url
    with listening_to(url) as listener:
        hear(listener, lambda _: "Error" in listener.source and "Error" in listener.quote_source)
        assert listener.wait(0.2) == Hints()
        assert listener.quotes(["AAPL"]) == {}
        listener.watch(["KO"])


def test_closing_twice_and_using_a_closed_listener_raises_nothing() -> None:
    with live_rig() as rig, connected(rig) as listener:
        listener.__exit__(None, None, None)
        listener.watch(["KO"])
        assert listener.wait(0.01) == Hints()


class Broken:
    """A source of keys that cannot be read."""

    def current(self) -> Keys:
        raise BrokerUnavailable("no secret")

    def renewed(self, rejected: Keys) -> Keys:
        return rejected


def test_without_keys_there_is_no_stream() -> None:
    placeholder = Keys.model_validate({"key_id": PLACEHOLDER, "secret_key": PLACEHOLDER})
    where = deployed(Addresses("ws://127.0.0.1:1", "ws://127.0.0.1:1", is_paper=True), Feed.IEX)
    runtime = SystemRuntime()
    assert AlpacaSignals(where, Broken(), runtime).open(PREFIX, []).source == "poll: BrokerUnavailable"
    assert AlpacaSignals(where, FixedKeys(placeholder), runtime).open(PREFIX, []).source == (
        "poll: the secret holds no keys"
    )


def test_a_release_of_alpaca_py_with_other_methods_is_refused() -> None:
    with pytest.raises(RuntimeError, match="alpaca-py no longer has _other"):
        observed_streams._require(observed_streams.ObservedDataStream, "_consume", "_other")


def test_a_stream_that_cannot_be_made_leaves_the_other_one() -> None:
    with live_rig() as rig:
        where = addresses(TradingMode.PAPER, Feed.IEX, rig._server.trading_url, rig._server.data_url)
        signals = AlpacaSignals(deployed(where, cast("Feed", "otc"), IMPATIENT), FixedKeys(SIMULATED), rig)
        with signals.open(PREFIX, ["AAPL"]) as listener:
            hear(listener, lambda heard: bool(heard.gaps) and listener.quote_source == "poll: ValueError")
            assert listener.source == "stream"


def test_the_certificates_are_those_of_the_rest_calls() -> None:
    observed = stream_socket.Observed(IMPATIENT, lambda _: None, lambda _: None)
    context = stream_socket.parameters(observed, None)["ssl"]
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 50
    assert "ssl" not in stream_socket.parameters(observed, "ws://127.0.0.1:1")


def test_the_addresses_are_alpacas_own_or_the_simulated_brokers() -> None:
    assert addresses(TradingMode.LIVE, Feed.SIP, None, None) == Addresses(None, None, is_paper=False)
    local = "http://127.0.0.1:8700"
    assert addresses(TradingMode.PAPER, Feed.SIP, local, local) == Addresses(
        "ws://127.0.0.1:8700/stream", "ws://127.0.0.1:8700/v2/sip", is_paper=True
    )
    observed = stream_socket.Observed(IMPATIENT, lambda _: None, lambda _: None)
    for is_paper, host in ((True, "wss://paper-api.alpaca.markets/stream"), (False, "wss://api.alpaca.markets/stream")):
        stream: Any = observed_streams.ObservedTradingStream(KEYS, observed, None, is_paper=is_paper)
        assert stream._endpoint == host
    data: Any = observed_streams.ObservedDataStream(KEYS, observed, None, "sip")
    assert data._endpoint == "wss://stream.data.alpaca.markets/v2/sip"


def test_no_log_has_the_keys_even_with_every_logger_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("asyncio").setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG), live_rig() as rig:
        where = addresses(TradingMode.PAPER, Feed.IEX, rig._server.trading_url, rig._server.data_url)
        signals = AlpacaSignals(deployed(where, Feed.IEX, IMPATIENT), FixedKeys(KEYS), rig)
        with signals.open(PREFIX, ["AAPL"]) as listener:
            assert isinstance(listener, StreamListener)
            hear(listener, lambda _: listener.source == "poll: failed to authenticate")
            hear(listener, lambda _: listener.quote_source == "poll: auth failed")
            said = f"{listener.source} {listener.quote_source} {listener!r}"
    pieces = {key[start : start + 6] for key in (SECRET, KEY_ID) for start in range(len(key) - 5)}
    assert not [piece for piece in pieces if piece in f"{caplog.text} {said}"]  # a log may shorten a frame


def test_a_quiet_connection_is_kept_as_long_as_it_answers_pings() -> None:
    with live_rig() as rig:
        where = addresses(TradingMode.PAPER, Feed.IEX, rig._server.trading_url, rig._server.data_url)
        quick = Patience(ping=0.1, silence=1.0, opening=5.0, check=0.1)
        with AlpacaSignals(deployed(where, Feed.IEX, quick), FixedKeys(SIMULATED), rig).open(PREFIX, ["AAPL"]) as quiet:
            hear(quiet, lambda heard: bool(heard.gaps) and bool(quiet.followed))
            assert quiet.wait(3) == Hints()
            assert (quiet.source, quiet.quote_source) == ("stream", "stream")


def test_a_stream_that_never_answers_is_given_up_in_time() -> None:
    with live_rig() as rig:
        strike(rig, StreamFailure.SILENT, "connect", times=2)
        with listening_to(rig._server.trading_url, SIMULATED) as listener:
            hear(listener, lambda _: listener.source == listener.quote_source == "poll: TimeoutError")
            hear(listener, lambda heard: bool(heard.gaps) and listener.quote_source == "stream")


def test_a_step_that_ends_closes_its_connections_by_the_handshake() -> None:
    with live_rig() as rig:
        with connected(rig):
            sockets = rig.on_server(lambda: list(rig._server.sockets._open))
        assert [socket.close_code for socket in sockets] == [1000, 1000]


def test_a_frozen_connection_does_not_hold_up_the_end_of_a_step() -> None:
    with live_rig() as rig, connected(rig) as listener:
        strike(rig, StreamFailure.FREEZE, "pending_new")
        submit(rig)
        began = monotonic()
        listener.__exit__(None, None, None)
        assert monotonic() - began < 3
        assert THREAD not in {thread.name for thread in threading.enumerate()}


def test_a_step_that_does_not_listen_imports_no_stream() -> None:
    code = (
        "import sys, repeg.wiring\n"
        "print([name for name in ('websockets', 'msgpack', 'alpaca.trading', 'alpaca.data') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
