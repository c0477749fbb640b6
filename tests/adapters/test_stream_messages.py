"""What is understood of a stream's messages, and what an inbox keeps of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Timer
from time import monotonic
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.adapters.alpaca import prices, stream_messages
from repeg.adapters.alpaca.inbox import MOST_SYMBOLS, Inbox
from repeg.domain.hints import HintKind, Hints
from repeg.domain.order_ids import symbol_and_side
from repeg.domain.quote import Side

PREFIX = "rpk3x-core-261120."
FILL, UPDATE, CASH = HintKind.FILL, HintKind.ORDER_UPDATE, HintKind.CASH_FREED
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["T", "S", "t", "bp", "bs", "ap", "as", "data", "event", "order", "stream", "quotes", "msg"])
MESSAGES = ANYTHING | st.dictionaries(FIELDS, ANYTHING | st.dictionaries(FIELDS, ANYTHING, max_size=3), max_size=8)


def update(event: object, order_id: object = f"{PREFIX}AAPL.b.1") -> dict[str, Any]:
    return {"stream": "trade_updates", "data": {"event": event, "order": {"client_order_id": order_id}}}


def a_quote(bid: object = 189.41, at: object = None, symbol: str = "AAPL") -> dict[str, Any]:
    stamp = stamped(NOW) if at is None else at
    return {"T": "q", "S": symbol, "bp": bid, "bs": 3, "ap": 189.44, "as": 200, "t": stamp, "c": ["R"], "z": "C"}


def stamped(at: datetime) -> msgpack.Timestamp:
    return msgpack.Timestamp.from_datetime(at)


def an_inbox(*followed: str) -> Inbox:
    inbox = Inbox(PREFIX, lambda: NOW, 10)
    inbox.follow(followed)
    return inbox


@pytest.mark.parametrize(
    ("event", "side", "kinds"),
    [
        ("fill", "b", {FILL}),
        ("partial_fill", "b", {FILL}),
        ("fill", "s", {FILL, CASH}),
        ("partial_fill", "s", {FILL, CASH}),
        ("canceled", "b", {UPDATE, CASH}),
        ("expired", "b", {UPDATE, CASH}),
        ("rejected", "b", {UPDATE, CASH}),
        ("done_for_day", "b", {UPDATE, CASH}),
        ("canceled", "s", {UPDATE}),
        ("replaced", "b", {UPDATE}),
        ("order_replace_rejected", "b", {UPDATE}),
        ("order_cancel_rejected", "b", {UPDATE}),
        ("suspended", "b", {UPDATE}),
        ("a word of a later release", "b", {UPDATE}),
    ],
)
def test_an_event_says_why_to_look(event: str, side: str, kinds: set[HintKind]) -> None:
    assert stream_messages.hint(PREFIX, update(event, f"{PREFIX}BRK.B.{side}.2")) == ("BRK.B", frozenset(kinds))


@pytest.mark.parametrize("event", ["accepted", "new", "pending_new", "pending_cancel", "pending_replace", None, 7])
def test_an_event_that_our_own_request_causes_is_no_hint(event: object) -> None:
    assert stream_messages.hint(PREFIX, update(event)) is None


@pytest.mark.parametrize(
    "order_id",
    [None, "", 7, "rpk3x-core-261121.AAPL.b.1", "AAPL.b.1", f"{PREFIX}AAPL", f"{PREFIX}AAPL.b.0", f"{PREFIX}AAPL.x.1",
     f"{PREFIX}{'A' * 1_000}.b.1", f"x{PREFIX}AAPL.b.1"],
)  # fmt: skip
def test_an_event_of_no_order_of_the_run_is_no_hint(order_id: object) -> None:
    assert stream_messages.hint(PREFIX, update("fill", order_id)) is None


def test_an_id_says_what_its_order_trades() -> None:
    assert symbol_and_side(PREFIX, f"{PREFIX}KO.s.12") == ("KO", Side.SELL)
    assert symbol_and_side("rp-core-2026-11-20.", "rp-core-2026-11-20.KO.b.1") == ("KO", Side.BUY)
    assert symbol_and_side("rp", f"{PREFIX}KO.s.12") is None


def test_a_streamed_quote_is_the_one_that_rest_reads() -> None:
    row = {"bp": Decimal("189.41"), "bs": 3, "ap": Decimal("189.44"), "as": 200, "t": "2026-11-20T15:00:00.123456789Z"}
    stamp = msgpack.Timestamp(int(NOW.timestamp()), 123_456_789)
    assert stream_messages.quote(a_quote(at=stamp)) == prices.quote("AAPL", row)


@given(st.integers(1, 10**7), st.integers(0, 4))
def test_a_streamed_price_is_exact(units: int, places: int) -> None:
    price = Decimal(units).scaleb(-places)
    read = stream_messages.quote(a_quote(float(price)))
    assert read is not None
    assert read.bid == price


@pytest.mark.parametrize("bid", [float("nan"), float("inf"), True, [], 1e300, "x"])
def test_a_quote_with_an_unreadable_price_is_none(bid: object) -> None:
    assert stream_messages.quote(a_quote(bid)) is None


@given(MESSAGES)
def test_no_message_raises(message: object) -> None:
    inbox = an_inbox("AAPL")
    inbox.update(message)
    inbox.quote(message)
    stream_messages.confirms_listening(message)
    stream_messages.confirmed_quotes(message)
    stream_messages.complaint(message)


def test_a_quote_whose_time_is_no_date_is_ignored() -> None:
    inbox = an_inbox("AAPL")
    inbox.quote(a_quote(at=msgpack.Timestamp(2**62, 0)))
    inbox.quote(a_quote(at="tomorrow"))
    assert inbox.quotes(["AAPL"]) == {}


def test_an_unreadable_quote_is_not_given_out() -> None:
    inbox = an_inbox("AAPL")
    inbox.quote(a_quote(float("nan")))
    assert inbox.quotes(["AAPL"]) == {}


def test_an_older_quote_does_not_replace_a_newer_one() -> None:
    inbox = an_inbox("AAPL")
    inbox.quote(a_quote(189.43, stamped(NOW)))
    inbox.quote(a_quote(189.41, stamped(NOW - timedelta(seconds=1))))
    assert inbox.quotes(["AAPL"])["AAPL"].bid == Decimal("189.43")


def test_a_quote_from_the_future_does_not_keep_out_the_true_ones() -> None:
    inbox = an_inbox("AAPL")
    inbox.quote(a_quote(1.0, stamped(NOW + timedelta(hours=1))))
    assert inbox.quotes(["AAPL"]) == {}
    inbox.quote(a_quote(189.41))
    assert inbox.quotes(["AAPL"])["AAPL"].bid == Decimal("189.41")


@pytest.mark.parametrize(("age", "given"), [(10, ["AAPL"]), (11, [])])
def test_a_quote_is_given_out_until_it_is_too_old(age: int, given: list[str]) -> None:
    inbox = an_inbox("AAPL")
    inbox.quote(a_quote(at=stamped(NOW - timedelta(seconds=age))))
    assert list(inbox.quotes(["AAPL"])) == given


def test_a_quote_without_a_time_or_of_a_symbol_not_followed_is_not_kept() -> None:
    inbox = an_inbox("AAPL")
    inbox.quote(a_quote() | {"t": None})
    inbox.quote(a_quote(symbol="KO"))
    assert inbox.quotes(["AAPL", "KO"]) == {}


def test_a_symbol_that_is_no_longer_followed_is_forgotten() -> None:
    inbox = an_inbox("AAPL", "KO")
    for symbol in ("AAPL", "KO"):
        inbox.quote(a_quote(symbol=symbol))
    inbox.follow(["KO"])
    assert set(inbox.quotes(["AAPL", "KO"])) == {"KO"}
    inbox.lose_quotes("closed")
    inbox.follow(["KO"])
    assert inbox.quotes(["KO"]) == {}


def symbols(count: int) -> Iterator[str]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return (f"{letters[n // 676 % 26]}{letters[n // 26 % 26]}{letters[n % 26]}" for n in range(count))


def test_more_symbols_than_a_run_has_mean_that_everything_is_to_be_read() -> None:
    inbox = an_inbox()
    for symbol in symbols(MOST_SYMBOLS + 5):
        inbox.update(update("fill", f"{PREFIX}{symbol}.b.1"))
    hints = inbox.take()
    assert hints.has_gap
    assert len(hints.by_symbol) < MOST_SYMBOLS
    assert inbox.take() == Hints()


@pytest.mark.parametrize(
    ("act", "hints"),
    [
        (lambda inbox: inbox.update(update("fill")), Hints({"AAPL": frozenset({FILL})})),
        (lambda inbox: inbox.connected(), Hints(has_gap=True)),
    ],
)
def test_a_waiting_step_is_woken_by_the_streams_thread(act: Callable[[Inbox], None], hints: Hints) -> None:
    began = monotonic()
    for _ in range(20):
        inbox = an_inbox()
        thread = Timer(0.01, act, [inbox])
        thread.start()
        assert inbox.wait(5) == hints
        thread.join()
    assert monotonic() - began < 5


def test_a_wait_without_a_hint_ends() -> None:
    assert an_inbox().wait(-1) == Hints()
