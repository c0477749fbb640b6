"""The twin of the streams keeps virtual time: exactly, the same each time, and at a bounded cost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from repeg.domain.hints import HintKind, Hints
from repeg.domain.quote import Quote
from repeg_workbench.engine.scheduler import NANOSECONDS, Scheduler
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.stream_faults import StreamFailure
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote, trade
from repeg_workbench.faults.world import World
from repeg_workbench.simulate.simulation import Scenario, opened
from repeg_workbench.twins.stream_twin import GRANULE, StreamTwin
from tests.builders import MONDAY
from tests.contracts.listening import PREFIX, VirtualRig, connected, hear, strike, submit, virtual_rig
from tests.exchange.caller import FRIDAY, PROMPT, SECOND

FILLED = {"AAPL": frozenset({HintKind.FILL})}
START = datetime.fromisoformat("2026-11-20T10:00:00-05:00")

# The ask falls to the limit of a resting buy between two seconds, FALLS seconds after the start.
FALLING: list[Event] = [
    quote("09:30", "300 @ 100.00", "200 @ 100.05"),
    quote("10:00:30.400", "300 @ 99.90", "200 @ 99.95"),
]
FALLS = 30.4
MILLISECONDS = [f"10:{n // 60_000:02d}:{n // 1_000 % 60:02d}.{n % 1_000:03d}" for n in range(1, 10_000)]
# A print at the bid in every millisecond, each of which moves the queue before a resting buy.
BUSY: list[Event] = [
    quote("09:30", "90000 @ 100.00", "200 @ 100.05"),
    *(trade(at, "1 @ 100.00", side=-1) for at in MILLISECONDS),
]


def a_rig(book: list[Event], latency: float = 0.05) -> tuple[VirtualRig, Scheduler]:
    scheduler = Scheduler(START)
    rig = VirtualRig(scheduler, Exchange(ScriptedMarket({FRIDAY: {"AAPL": book}}), lambda: scheduler.now_ns, PROMPT))
    rig.twin = StreamTwin(rig.exchange, scheduler, latency=latency)
    return rig, scheduler


def hints_of_a_resting_buy(latency: float = 0.05) -> list[tuple[float, Hints, dict[str, Quote]]]:
    """What is heard, second by second, after the start, and the quotes by then."""
    rig, scheduler = a_rig(FALLING, latency)
    heard = []
    with rig.signals().open(PREFIX, ["AAPL"]) as listener:
        submit(rig, limit="99.95")
        while (scheduler.now() - START) < timedelta(seconds=40):
            hints = listener.wait(60 - (scheduler.now() - START).total_seconds())
            heard.append(((scheduler.now() - START).total_seconds(), hints, listener.quotes(["AAPL"])))
    return heard


@pytest.mark.parametrize("latency", [0.05, 0.5, 2.0])
def test_a_hint_comes_after_the_latency_of_its_frame(latency: float) -> None:
    gap, fill, end = hints_of_a_resting_buy(latency)
    assert gap[1] == Hints(has_gap=True)
    assert fill[1] == Hints(FILLED)
    assert FALLS + latency <= fill[0] <= FALLS + latency + GRANULE / NANOSECONDS
    assert end[:2] == (60, Hints())


def test_the_same_day_is_heard_the_same_way() -> None:
    assert hints_of_a_resting_buy() == hints_of_a_resting_buy()


def test_a_wait_ends_at_its_deadline_to_the_nanosecond() -> None:
    rig, scheduler = a_rig(FALLING)
    with connected(rig) as listener:
        before = scheduler.now_ns
        assert listener.wait(7.123456789) == Hints()
        assert scheduler.now_ns - before == 7_123_456_789
        assert listener.wait(0) == Hints()
        assert scheduler.now_ns - before == 7_123_456_789


def test_a_busy_market_wakes_a_listener_only_so_often() -> None:
    rig, scheduler = a_rig(BUSY)
    with connected(rig) as listener:
        submit(rig, limit="100")
        assert listener.wait(0.2) == Hints()
        moves: list[int] = []
        scheduler.on_advance.append(moves.append)
        listener.wait(5)
        assert 10 < len(moves) <= 5 * NANOSECONDS / GRANULE + 1


def test_a_killed_step_leaves_no_client_but_a_taken_place() -> None:
    with virtual_rig() as rig:
        scheduler = rig._scheduler

        def step() -> None:
            with connected(rig) as listener:
                listener.wait(10_000)

        thread = scheduler.spawn_apart(step)
        scheduler.sleep(10)
        assert rig.connections() == 2
        thread.kill()
        scheduler.sleep(1)
        assert rig.connections() == 0
        with rig.signals().open(PREFIX, ["AAPL"]) as listener:
            hear(listener, lambda heard: bool(heard.gaps) and "limit exceeded" in listener.quote_source)
            rig.advance(90)
            hear(listener, lambda _: listener.quote_source == "stream")


def test_a_waiting_listener_hears_of_what_another_thread_does_at_once() -> None:
    with virtual_rig() as rig:
        scheduler = rig._scheduler
        heard: list[tuple[Hints, int]] = []

        def listen() -> None:
            with rig.signals().open(PREFIX, ["AAPL"]) as listener:
                heard.extend((listener.wait(60), scheduler.now_ns) for _ in range(2))

        scheduler.spawn_apart(listen)
        scheduler.sleep(5.75)
        began = scheduler.now_ns
        submit(rig, limit="101", waits=False)
        scheduler.sleep(1)
        assert [hints for hints, _ in heard] == [Hints(has_gap=True), Hints(FILLED)]
        assert heard[1][1] - began <= rig.twin.latency + 2 * GRANULE


def test_a_delayed_frame_is_heard_when_it_comes() -> None:
    rig, scheduler = a_rig(FALLING)
    with connected(rig) as listener:
        strike(rig, StreamFailure.DELAY, "fill", seconds=3.3)
        began = scheduler.now_ns
        submit(rig, limit="101")
        assert listener.wait(60) == Hints(FILLED)
        assert 0 <= scheduler.now_ns - began - 3_300_000_000 <= rig.twin.latency + 2 * GRANULE


def test_an_exchange_without_listeners_has_no_hub() -> None:
    rig, scheduler = a_rig(FALLING)
    listeners = len(rig.exchange.records.listeners)
    rig.twin.exchange.advance()
    assert len(rig.exchange.records.listeners) == listeners
    with connected(rig):
        assert len(rig.exchange.records.listeners) == listeners + 1
    with connected(rig):
        assert len(rig.exchange.records.listeners) == listeners + 1
    assert scheduler.now_ns > round(START.timestamp()) * SECOND


def test_a_simulated_day_has_the_streams_of_its_exchange() -> None:
    scenario = Scenario(
        plan={"name": "core", "orders": []},
        market=ScriptedMarket({MONDAY: {"AAPL": FALLING}}),
        day=MONDAY,
        opening=OpeningAccount(),
    )
    with opened(scenario) as day, day.ports.signals.open(PREFIX, ["AAPL"]) as listener:
        hear(listener, lambda heard: bool(heard.gaps) and listener.followed == {"AAPL"})
        assert listener.source == listener.quote_source == "stream"


def test_a_world_of_faults_has_the_streams_of_its_exchange() -> None:
    world = World(1, quiet=True)
    symbols = world.exchange.market.symbols()
    with world.stack.ports.signals.open(PREFIX, symbols) as listener:
        hear(listener, lambda heard: bool(heard.gaps) and bool(listener.followed))
        assert listener.source == listener.quote_source == "stream"
    world.scheduler.close()
