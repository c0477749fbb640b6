"""Virtual threads: order, time, waits, kills, pauses."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from repeg_workbench.engine.scheduler import Killed, NothingMoves, Scheduler
from tests.engine.clock import later

OPEN = datetime(2025, 1, 2, 14, 30, tzinfo=UTC)


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler(OPEN)


def seconds_since_open(scheduler: Scheduler) -> float:
    return (scheduler.now() - OPEN) / timedelta(seconds=1)


def test_time_advances_only_when_every_thread_waits(scheduler: Scheduler) -> None:
    seen: list[tuple[str, float]] = []

    def trader(name: str, pause: float) -> Callable[[], None]:
        def work() -> None:
            for _ in range(2):
                scheduler.sleep(pause)
                seen.append((name, seconds_since_open(scheduler)))

        return work

    scheduler.spawn(trader("slow", 3))
    scheduler.spawn(trader("quick", 2))
    scheduler.run()

    assert seen == [("quick", 2), ("slow", 3), ("quick", 4), ("slow", 6)]


def test_threads_due_at_the_same_instant_run_in_order_of_arrival(scheduler: Scheduler) -> None:
    order: list[int] = []
    for number in range(5):
        later(scheduler, 1, partial(order.append, number))
    scheduler.run()
    assert order == [0, 1, 2, 3, 4]


def test_a_run_until_a_moment_leaves_later_work_pending(scheduler: Scheduler) -> None:
    thread = scheduler.spawn(lambda: scheduler.sleep(60))
    scheduler.run(until=OPEN + timedelta(seconds=59))
    assert thread.is_alive
    assert seconds_since_open(scheduler) == 59
    scheduler.run()
    assert not thread.is_alive
    assert seconds_since_open(scheduler) == 60


def test_an_event_wakes_every_waiter_and_reports_timeouts(scheduler: Scheduler) -> None:
    event = scheduler.event()
    patient = scheduler.spawn(lambda: event.wait(10))
    hasty = scheduler.spawn(lambda: event.wait(4))
    later(scheduler, 5, event.set)
    scheduler.run()
    assert (patient.result(), hasty.result()) == (True, False)
    assert seconds_since_open(scheduler) == 5


def test_a_stale_deadline_does_not_move_the_clock(scheduler: Scheduler) -> None:
    event = scheduler.event()
    scheduler.spawn(lambda: event.wait(99_999_999))
    scheduler.spawn(event.set)
    scheduler.run()
    assert scheduler.now() == OPEN


def test_a_join_waits_and_a_result_is_the_returned_value(scheduler: Scheduler) -> None:
    def work() -> str:
        scheduler.sleep(7)
        return "filled"

    thread = scheduler.spawn(work)
    assert not thread.join(timeout=6)
    assert thread.result() == "filled"
    assert seconds_since_open(scheduler) == 7


def test_a_sleep_outside_the_threads_runs_them(scheduler: Scheduler) -> None:
    seen: list[float] = []
    later(scheduler, 1, lambda: seen.append(seconds_since_open(scheduler)))
    scheduler.sleep(30)
    assert seen == [1]
    assert seconds_since_open(scheduler) == 30


def test_a_wait_that_can_never_end_is_an_error(scheduler: Scheduler) -> None:
    with pytest.raises(NothingMoves):
        scheduler.event().wait()


def test_an_unobserved_failure_is_raised_by_run(scheduler: Scheduler) -> None:
    scheduler.spawn(lambda: 1 // 0)
    with pytest.raises(BaseExceptionGroup) as failed:
        scheduler.run()
    assert failed.group_contains(ZeroDivisionError)


def test_an_observed_failure_is_raised_only_once(scheduler: Scheduler) -> None:
    thread = scheduler.spawn(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        thread.result()
    scheduler.run()


def test_a_killed_thread_stops_at_its_wait_and_cannot_wait_again(scheduler: Scheduler) -> None:
    steps: list[str] = []

    def work() -> None:
        try:
            scheduler.sleep(10)
            steps.append("woke")
        finally:
            steps.append("unwound")
            scheduler.sleep(1)
            steps.append("slept in the grave")

    thread = scheduler.spawn(work)
    later(scheduler, 3, thread.kill)
    scheduler.run()

    assert steps == ["unwound"]
    assert thread.was_killed
    assert seconds_since_open(scheduler) == 3


def test_a_checkpoint_raises_killed_in_a_dead_thread(scheduler: Scheduler) -> None:
    acted: list[str] = []

    def work() -> None:
        try:
            scheduler.sleep(10)
        except Killed:
            scheduler.checkpoint()
            acted.append("wrote to the table")

    thread = scheduler.spawn(work)
    scheduler.run(until=OPEN + timedelta(seconds=1))
    thread.kill()
    scheduler.run()
    assert acted == []


def test_a_kill_reaches_child_threads_but_not_detached_ones(scheduler: Scheduler) -> None:
    finished: list[str] = []

    def child(name: str) -> None:
        scheduler.sleep(5)
        finished.append(name)

    def parent() -> None:
        scheduler.spawn(lambda: child("child"))
        scheduler.spawn_apart(lambda: child("apart"))
        scheduler.sleep(100)

    thread = scheduler.spawn(parent)
    later(scheduler, 1, thread.kill)
    scheduler.run()
    assert finished == ["apart"]


def test_a_kill_reaches_grandchildren_whose_parent_has_ended(scheduler: Scheduler) -> None:
    finished: list[str] = []

    def grandchild() -> None:
        scheduler.sleep(5)
        finished.append("grandchild")

    def parent() -> None:
        scheduler.spawn(lambda: scheduler.spawn(grandchild))
        scheduler.sleep(100)

    thread = scheduler.spawn(parent)
    later(scheduler, 1, thread.kill)
    scheduler.run()
    assert finished == []


def test_a_thread_may_kill_itself(scheduler: Scheduler) -> None:
    steps: list[str] = []

    def work() -> None:
        thread.kill()
        steps.append("survived")

    thread = scheduler.spawn(work)
    scheduler.run()
    assert steps == []
    assert thread.was_killed


def test_a_thread_killed_before_its_first_turn_never_runs(scheduler: Scheduler) -> None:
    steps: list[str] = []
    scheduler.spawn(lambda: steps.append("ran")).kill()
    scheduler.run()
    assert steps == []


def test_a_resumed_thread_continues_from_its_pause(scheduler: Scheduler) -> None:
    woke: list[float] = []
    zombie = later(scheduler, 5, lambda: woke.append(seconds_since_open(scheduler)))
    later(scheduler, 1, zombie.pause)
    later(scheduler, 60, zombie.resume)
    scheduler.run()
    assert woke == [60]


def test_a_paused_thread_can_be_killed(scheduler: Scheduler) -> None:
    thread = scheduler.spawn(lambda: scheduler.sleep(5))
    scheduler.run(until=OPEN)
    thread.pause()
    thread.kill()
    scheduler.run()
    assert not thread.is_alive


def test_a_virtual_thread_cannot_drive_its_own_scheduler(scheduler: Scheduler) -> None:
    with pytest.raises(RuntimeError, match="already running"):
        scheduler.spawn(scheduler.run).result()


def test_closing_the_scheduler_unwinds_every_thread() -> None:
    unwound: list[str] = []

    def work(scheduler: Scheduler) -> None:
        try:
            scheduler.event().wait()
        finally:
            unwound.append("left")

    with Scheduler(OPEN) as scheduler:
        scheduler.spawn(lambda: work(scheduler))
        scheduler.run()
    assert unwound == ["left"]


def test_a_keyboard_interrupt_stops_the_run(scheduler: Scheduler) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    scheduler.spawn(interrupt)
    with pytest.raises(KeyboardInterrupt):
        scheduler.run()


def test_listeners_receive_every_clock_advance(scheduler: Scheduler) -> None:
    heard: list[int] = []
    scheduler.on_advance.append(heard.append)
    start = scheduler.now_ns

    def work() -> None:
        for pause in (0.5, 0, 1):
            scheduler.sleep(pause)

    scheduler.spawn(work)
    scheduler.run()
    assert [moment - start for moment in heard] == [500_000_000, 1_500_000_000]


def test_a_virtual_thread_costs_less_than_200_microseconds() -> None:
    begin = time.perf_counter()
    for _ in range(100):
        with Scheduler(OPEN) as scheduler:
            for _ in range(20):
                scheduler.spawn(partial(scheduler.sleep, 1))
            scheduler.run()
    per_thread = (time.perf_counter() - begin) / 2_000
    assert per_thread < 0.000_2  # ten times the usual 20 microseconds, for busy machines
