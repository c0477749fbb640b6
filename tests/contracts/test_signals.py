"""The contract of Signals: by alpaca-py over sockets, by the twin in virtual time, and without a stream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.adapters.polling_signals import PollingListener, PollingSignals
from repeg.domain.hints import HintKind, Hints
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import Scheduler
from repeg_workbench.exchange.faults.stream_faults import StreamFailure
from tests.builders import NOON
from tests.contracts.listening import OTHER, PREFIX, RIGS, SYMBOLS, Rig, cancel, connected, hear, strike, submit

FILL, UPDATE, CASH = HintKind.FILL, HintKind.ORDER_UPDATE, HintKind.CASH_FREED


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with RIGS[request.param]() as made:
        yield made


def test_the_first_hint_is_a_gap_because_nothing_was_heard_before(rig: Rig) -> None:
    with rig.signals().open(PREFIX, ["AAPL"]) as listener:
        assert listener.source == "poll: connecting"
        assert hear(listener, lambda heard: bool(heard.gaps)).kinds == {}
        assert listener.source == "stream"
        assert listener.wait(0.3) == Hints()


def test_a_fill_names_its_symbol(rig: Rig) -> None:
    with connected(rig) as listener:
        submit(rig, limit="101")
        assert hear(listener, lambda heard: bool(heard.kinds)).kinds == {"AAPL": {FILL}}


def test_a_filled_sell_and_a_canceled_buy_free_cash(rig: Rig) -> None:
    with connected(rig) as listener:
        submit(rig, "KO", "sell", "99")
        cancel(rig, submit(rig, "AAPL"))
        heard = hear(listener, lambda heard: len(heard.kinds) == 2)
        assert heard.kinds == {"KO": {FILL, CASH}, "AAPL": {UPDATE, CASH}}


def test_a_canceled_sell_frees_no_cash(rig: Rig) -> None:
    with connected(rig) as listener:
        cancel(rig, submit(rig, "KO", "sell", "105"))
        assert hear(listener, lambda heard: bool(heard.kinds)).kinds == {"KO": {UPDATE}}


def test_the_orders_of_other_runs_give_no_hint(rig: Rig) -> None:
    with connected(rig) as listener:
        submit(rig, "MSFT", limit="101", prefix=OTHER)
        submit(rig, "AAPL", limit="101")
        assert hear(listener, lambda heard: bool(heard.kinds)).kinds == {"AAPL": {FILL}}


def test_an_order_that_goes_its_expected_way_gives_no_hint(rig: Rig) -> None:
    with connected(rig) as listener:
        submit(rig, "MSFT")
        submit(rig, "AAPL", limit="101")
        assert hear(listener, lambda heard: bool(heard.kinds)).kinds == {"AAPL": {FILL}}


def test_events_are_collected_while_nobody_waits(rig: Rig) -> None:
    with connected(rig, ["AAPL", "KO"]) as listener:
        for n in range(1, 4):
            cancel(rig, submit(rig, n=n))
        submit(rig, "KO", "sell", "99")
        heard = hear(listener, lambda heard: "KO" in heard.kinds)
        assert heard.kinds == {"AAPL": {UPDATE, CASH}, "KO": {FILL, CASH}}
        assert listener.wait(0.3) == Hints()


@pytest.mark.parametrize(
    "failure",
    [
        StreamFailure.DUPLICATE,
        StreamFailure.FORGED,
        StreamFailure.UNKNOWN_ORDER,
        StreamFailure.UNKNOWN_EVENT,
        StreamFailure.NAMELESS,
    ],
)
def test_an_event_that_should_not_be_costs_only_a_look(rig: Rig, failure: StreamFailure) -> None:
    with connected(rig) as listener:
        strike(rig, failure, "canceled")
        cancel(rig, submit(rig))
        heard = hear(listener, lambda heard: CASH in heard.kinds.get("AAPL", ()))
        assert heard.kinds["AAPL"] <= {UPDATE, CASH, FILL}
        submit(rig, "KO", "sell", "99")
        assert hear(listener, lambda heard: "KO" in heard.kinds).kinds["KO"] == {FILL, CASH}
        assert listener.source == "stream"


def test_a_fill_before_its_order_is_new_is_a_fill(rig: Rig) -> None:
    with connected(rig) as listener:
        strike(rig, StreamFailure.REORDER, "new")
        submit(rig, limit="101")
        assert hear(listener, lambda heard: bool(heard.kinds)).kinds == {"AAPL": {FILL}}


def test_a_delayed_fill_is_hinted_when_it_comes(rig: Rig) -> None:
    with connected(rig) as listener:
        strike(rig, StreamFailure.DELAY, "fill", seconds=3)
        submit(rig, limit="101")
        assert listener.wait(0.3) == Hints()
        rig.advance(3)
        assert hear(listener, lambda heard: bool(heard.kinds)).kinds == {"AAPL": {FILL}}


def test_a_dropped_fill_is_not_hinted_and_later_ones_are(rig: Rig) -> None:
    with connected(rig) as listener:
        strike(rig, StreamFailure.DROP, "fill")
        submit(rig, limit="101")
        submit(rig, "KO", "sell", "99")
        assert hear(listener, lambda heard: bool(heard.kinds)).kinds == {"KO": {FILL, CASH}}


@pytest.mark.parametrize("failure", [StreamFailure.DISCONNECT, StreamFailure.SLOW])
def test_a_closed_connection_is_made_again_and_leaves_a_gap(rig: Rig, failure: StreamFailure) -> None:
    with connected(rig) as listener:
        strike(rig, failure, "canceled")
        cancel(rig, submit(rig))
        hear(listener, lambda _: listener.source.startswith("poll: closed"))
        assert listener.quote_source == "stream"
        assert hear(listener, lambda heard: bool(heard.gaps)).gaps == 1
        submit(rig, limit="101", n=2)
        assert hear(listener, lambda heard: bool(heard.kinds)).kinds == {"AAPL": {FILL}}


def test_a_connection_that_answers_no_ping_is_dead_and_is_made_again(rig: Rig) -> None:
    with connected(rig) as listener:
        strike(rig, StreamFailure.FREEZE, "pending_new")
        submit(rig)
        hear(listener, lambda _: listener.source.startswith("poll: silent for"))
        hear(listener, lambda heard: bool(heard.gaps))
        submit(rig, limit="101", n=2)
        assert hear(listener, lambda heard: bool(heard.kinds)).kinds == {"AAPL": {FILL}}


@pytest.mark.parametrize("status", [406, 429])
def test_market_data_can_be_refused_while_fills_are_heard(rig: Rig, status: int) -> None:
    strike(rig, StreamFailure.REFUSE, "iex", status=status)
    with rig.signals().open(PREFIX, ["AAPL"]) as listener:
        hear(listener, lambda heard: bool(heard.gaps) and listener.quote_source == f"poll: HTTP {status}")
        assert (listener.source, listener.followed) == ("stream", frozenset())
        submit(rig, limit="101")
        hear(listener, lambda heard: FILL in heard.kinds.get("AAPL", ()))
        hear(listener, lambda _: listener.quote_source == "stream")


@pytest.mark.parametrize("status", [406, 429])
def test_trade_updates_can_be_refused_while_quotes_are_heard(rig: Rig, status: int) -> None:
    strike(rig, StreamFailure.REFUSE, "stream", status=status)
    with rig.signals().open(PREFIX, ["AAPL"]) as listener:
        hear(listener, lambda _: listener.source == f"poll: HTTP {status}" and listener.quote_source == "stream")
        assert hear(listener, lambda heard: bool(heard.gaps)).gaps == 1


def test_a_second_connection_for_market_data_waits_until_the_first_ends(rig: Rig) -> None:
    with connected(rig) as first, rig.signals().open(OTHER, ["AAPL"]) as second:
        hear(second, lambda heard: bool(heard.gaps) and second.quote_source == "poll: connection limit exceeded")
        assert (second.source, first.quote_source) == ("stream", "stream")
        first.__exit__(None, None, None)
        hear(second, lambda _: second.quote_source == "stream")


def test_with_revoked_keys_there_is_no_stream_and_no_further_attempt(rig: Rig) -> None:
    opening = rig.exchange.opening
    rig.on_server(lambda: rig.exchange.gate.revoke(opening.key_id))
    with rig.signals().open(PREFIX, ["AAPL"]) as listener:
        hear(listener, lambda _: (listener.source, listener.quote_source) == (
            "poll: failed to authenticate", "poll: auth failed"))  # fmt: skip
        rig.on_server(lambda: rig.exchange.gate.restore(opening.key_id))
        for _ in range(30):
            assert listener.wait(0.1) == Hints()
        assert rig.connections() == 0


def test_the_latest_quote_is_kept_until_it_is_too_old(rig: Rig) -> None:
    with connected(rig) as listener:
        assert listener.quotes(["AAPL"]) == {}
        rig.advance(21)
        hear(listener, lambda _: bool(listener.quotes(["AAPL"])))
        hear(listener, lambda _: listener.quotes(["AAPL"])["AAPL"].bid == Decimal("100.02"))
        kept = listener.quotes(["AAPL", "KO"])
        assert set(kept) == {"AAPL"}
        assert (kept["AAPL"].ask, kept["AAPL"].bid_size) == (Decimal("100.06"), Decimal(300))
        rig.advance(10)
        assert listener.quotes(["AAPL"]) == {}


def test_the_quotes_of_other_symbols_can_be_watched_instead(rig: Rig) -> None:
    with connected(rig, ["AAPL", "KO"]) as listener:
        listener.watch(["KO", "MSFT"])
        hear(listener, lambda _: listener.followed == {"KO", "MSFT"})
        rig.advance(11)
        hear(listener, lambda _: set(listener.quotes(SYMBOLS)) == {"KO", "MSFT"})


def test_only_the_most_urgent_thirty_symbols_fit(rig: Rig) -> None:
    with rig.signals().open(PREFIX, SYMBOLS) as listener:
        hear(listener, lambda _: bool(listener.followed))
        assert listener.followed == set(SYMBOLS[:30])
        listener.watch(tuple(reversed(SYMBOLS)))
        hear(listener, lambda _: listener.followed == set(SYMBOLS[-30:]))
        assert listener.quote_source == "stream"


def test_a_dead_market_data_stream_waits_for_its_own_place(rig: Rig) -> None:
    with connected(rig) as listener:
        strike(rig, StreamFailure.FREEZE, "quotes")
        rig.advance(11)
        hear(listener, lambda _: listener.quote_source.startswith("poll: silent for"))
        hear(listener, lambda _: listener.quote_source == "poll: connection limit exceeded")
        assert listener.source == "stream"
        rig.advance(90)
        hear(listener, lambda _: listener.quote_source == "stream")


def test_symbols_that_are_only_watched_later_are_followed(rig: Rig) -> None:
    with rig.signals().open(PREFIX, []) as listener:
        hear(listener, lambda heard: bool(heard.gaps))
        listener.watch(["AAPL"])
        hear(listener, lambda _: listener.followed == {"AAPL"})


def test_a_lost_market_data_stream_gives_no_quotes_until_it_is_back(rig: Rig) -> None:
    with connected(rig) as listener:
        strike(rig, StreamFailure.DISCONNECT, "quotes")
        rig.advance(11)
        hear(listener, lambda _: listener.quote_source.startswith("poll: closed"))
        assert (listener.quotes(["AAPL"]), listener.followed) == ({}, frozenset())
        hear(listener, lambda _: listener.followed == {"AAPL"})


def test_a_listener_leaves_no_connection_behind(rig: Rig) -> None:
    with connected(rig):
        assert rig.connections() == 2
    assert rig.connections() == 0


def test_a_listener_that_is_closed_at_once_never_connects(rig: Rig) -> None:
    with rig.signals().open(PREFIX, ["AAPL"]):
        pass
    rig.advance(1)
    assert rig.connections() == 0


def test_waiting_without_a_stream_is_a_plain_pause() -> None:
    scheduler = Scheduler(NOON)
    with PollingSignals(VirtualRuntime(scheduler)).open("run-", ["AAPL"]) as listener:
        assert listener.wait(7) == Hints()
        assert scheduler.now() - NOON == timedelta(seconds=7)
        assert listener.wait(-1) == Hints()
        assert listener.quotes(["AAPL"]) == {}
        assert listener.source == listener.quote_source == "poll"
        assert listener.followed == frozenset()


def test_a_listener_says_why_there_is_no_stream() -> None:
    assert PollingListener(VirtualRuntime(Scheduler(NOON)), "connection limit").source == "poll: connection limit"


def test_hints_are_true_when_there_is_an_order_to_look_at() -> None:
    assert not Hints()
    assert Hints(has_gap=True)
    assert Hints({"AAPL": frozenset({HintKind.FILL})})
