"""The time within a turn: every decision is made at the time of the call, also the second one for the same order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from repeg.ports import Ports
from repeg.workflow.deciding import wants_to_send
from repeg.workflow.turn import Turn
from tests.builders import NOON, a_moment, a_quote, a_run, after_noon, resting, settings_with


@dataclass
class Clock:
    """A runtime whose time the test sets."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time


def a_turn(clock: Clock) -> Turn:
    unused = cast("Any", None)
    ports = Ports(unused, unused, unused, unused, unused, unused, runtime=cast("Any", clock), signals=unused)
    return Turn(run=a_run(settings=settings_with()), ports=ports, moment=a_moment(), started=NOON)


def test_the_present_follows_the_clock_within_a_turn() -> None:
    clock = Clock()
    turn = a_turn(clock)
    assert turn.present.now == NOON
    clock.time = after_noon(3)
    assert turn.present.now == after_noon(3)
    assert turn.present.closes == turn.moment.closes


def test_a_decision_is_made_anew_once_its_quote_is_stale() -> None:
    clock, order, quote = Clock(), resting("100.01"), a_quote("100.30", "100.35")
    turn = a_turn(clock)
    assert wants_to_send(turn, order, quote)
    clock.time = after_noon(60)
    assert not wants_to_send(turn, order, quote)


def test_a_decision_is_made_anew_for_another_quote_or_order() -> None:
    turn = a_turn(Clock())
    assert wants_to_send(turn, resting("100.01"), a_quote("100.30", "100.35"))
    assert not wants_to_send(turn, resting("100.30"), a_quote("100.30", "100.35"))
    assert not wants_to_send(turn, resting("100.30"), None)
