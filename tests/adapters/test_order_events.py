"""Events of single orders: published together after the step, and no failure of the bus reaches the step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from repeg.adapters import order_events
from repeg.adapters.eventbridge import EventNotifier, EventsUnavailable
from repeg.adapters.order_events import Event, OrderEvents
from repeg.domain.journal import Entry
from repeg.domain.order_news import OrderFinished
from repeg.domain.outcome import Outcome
from repeg.domain.quote import Side
from repeg_workbench.faults.records import MemoryJournal

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
PLENTY = 30.0


class Bus:
    """A bus in memory; `act` is called before it takes events."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.events: list[Event] = []
        self.requests = 0
        self._act = act

    def publish_all(self, events: Sequence[Event]) -> None:
        self.requests += 1
        self._act()
        self.events += events


def news(symbol: str = "AAPL") -> OrderFinished:
    return OrderFinished(
        run_id="core-2026-11-23", symbol=symbol, side=Side.BUY, filled=Decimal(40), target=Decimal(40), reason="filled",
        outcome=Outcome.FILLED, average_price=Decimal("189.41"),
    )  # fmt: skip


def an_entry(symbol: str = "AAPL") -> Entry:
    return Entry(NOON, "core-2026-11-23", symbol, "finish", "40 of 40", "filled", news=news(symbol))


def a_journal(bus: Any) -> tuple[OrderEvents, MemoryJournal]:
    inner = MemoryJournal()
    return OrderEvents(inner, bus, lambda kind, detail: {"mode": "LIVE", "kind": kind, **detail}, lambda: NOON), inner


def end(journal: OrderEvents, seconds_left: float = PLENTY) -> None:
    journal.flush("RepegOrders", "42", seconds_left)


def test_the_news_of_a_step_is_published_together_when_it_ends() -> None:
    bus = Bus()
    journal, inner = a_journal(bus)
    for entry in (an_entry("AAPL"), Entry(NOON, "core-2026-11-23", "run", "skip"), an_entry("KO")):
        journal.record(entry)
    assert (bus.events, len(inner.entries)) == ([], 3)
    end(journal)
    assert bus.requests == 1
    (first, _) = bus.events
    assert first[0] == "repeg.order.finished"
    assert first[1] == {
        "mode": "LIVE", "kind": "repeg.order.finished", "event_id": "core-2026-11-23.AAPL.finished",
        "run_id": "core-2026-11-23", "symbol": "AAPL", "side": "buy", "filled": "40", "target": "40",
        "reason": "filled", "outcome": "filled", "average_price": "189.41",
    }  # fmt: skip


def test_the_same_news_is_published_once_by_a_container() -> None:
    bus = Bus()
    journal, _ = a_journal(bus)
    for _ in range(3):
        journal.record(an_entry())
        end(journal)
    assert len(bus.events) == 1


def test_news_that_the_bus_did_not_take_is_published_by_the_next_step() -> None:
    failing = [True]

    def act() -> None:
        if failing:
            raise EventsUnavailable("slow down")

    bus = Bus(act)
    journal, inner = a_journal(bus)
    journal.record(an_entry())
    end(journal)
    warning = inner.entries[-1]
    assert (warning.verb, warning.reason, warning.is_abnormal) == ("unpublished", "slow down", True)
    failing.clear()
    end(journal)
    assert len(bus.events) == 1


def test_a_bus_that_never_answers_holds_a_step_for_its_patience_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_events, "PATIENCE_SECONDS", 0.05)
    release = threading.Event()
    journal, inner = a_journal(Bus(lambda: release.wait(30)))
    journal.record(an_entry())
    began = time.monotonic()
    end(journal)
    took = time.monotonic() - began
    release.set()
    assert took < 5
    assert inner.entries[-1].reason == "not accepted within 0.05 seconds"


def test_a_step_near_its_time_limit_leaves_its_news_to_the_next_one() -> None:
    bus = Bus()
    journal, _ = a_journal(bus)
    journal.record(an_entry())
    end(journal, 5.9)
    assert bus.requests == 0
    end(journal)
    assert len(bus.events) == 1


class Client:
    """An event bus's client that takes ten entries a request and refuses one of them."""

    def __init__(self, refuse: int | None = None) -> None:
        self.sizes: list[int] = []
        self._refuse = refuse

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - the service's name
        self.sizes.append(len(Entries))
        answers = [{"EventId": "1"} for _ in Entries]
        if self._refuse is not None:
            answers[self._refuse] = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
        return {"FailedEntryCount": sum("ErrorCode" in each for each in answers), "Entries": answers}


def test_many_events_are_published_ten_in_a_request() -> None:
    client = Client()
    EventNotifier(client).publish_all([("repeg.order.finished", {"n": n}) for n in range(23)])  # type: ignore[arg-type]
    assert client.sizes == [10, 10, 3]


def test_a_refused_event_of_many_raises_with_the_buss_reason() -> None:
    with pytest.raises(EventsUnavailable, match="slow down"):
        EventNotifier(Client(refuse=7)).publish_all([("repeg.order.held", {})] * 9)  # type: ignore[arg-type]
