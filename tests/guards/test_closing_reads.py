"""Closing on a broker whose answers fail now and then: a read that fails at once is repeated, others are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from repeg.adapters.rate_limited_broker import RateLimitedBroker
from repeg.adapters.request_limiter import RequestLimiter
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.run import RunState
from repeg.domain.time_limits import CLOSING_READ_PAUSES
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.desk import Desk, OpenDesk
from tests.functions.scenes import half_filled
from tests.simulation import judge

PATHS = ("/v2/clock", "/v2/orders", "/v2/account/activities/FILL")


def rate_limited(open_desk: OpenDesk) -> Desk:
    """A desk with two open orders, whose broker is used as the functions use it."""
    desk = half_filled(open_desk)
    limiter = RequestLimiter(desk.store, desk.runtime, 200)
    desk.ports = replace(desk.ports, broker=RateLimitedBroker(desk.ports.broker, limiter))
    return desk


def fail(desk: Desk, path: str, *, times: int | None) -> None:
    """The next reads of a path are answered with a server error."""
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=path, status=503), When(times=times))


@pytest.mark.parametrize("path", PATHS)
def test_a_sweep_reads_again_what_the_broker_did_not_answer(open_desk: OpenDesk, path: str) -> None:
    desk = rate_limited(open_desk)
    fail(desk, path, times=2)
    assert desk.sweep().outcome == "swept"
    assert desk.exchange.faults.armed.entries() == []
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_the_watchdog_reads_the_clock_again(open_desk: OpenDesk) -> None:
    desk = rate_limited(open_desk)
    desk.wait(400)
    fail(desk, "/v2/clock", times=2)
    desk.watch()
    assert desk.run.state is RunState.SWEPT


def test_a_closing_read_is_given_up_after_three_attempts(open_desk: OpenDesk) -> None:
    desk = rate_limited(open_desk)
    fail(desk, "/v2/orders", times=None)
    before = desk.scheduler.now()
    with pytest.raises(BrokerUnavailable, match="503"):
        desk.ports.broker.for_closing().open_orders()
    assert desk.broker.line.sent[-3:] == [("GET", "/orders")] * 3
    assert (desk.scheduler.now() - before).total_seconds() == pytest.approx(sum(CLOSING_READ_PAUSES))


def test_a_read_that_timed_out_is_not_repeated(open_desk: OpenDesk) -> None:
    desk = rate_limited(open_desk)
    desk.broker.line.seconds = 3
    fail(desk, "/v2/orders", times=1)
    before = len(desk.broker.line.sent)
    with pytest.raises(BrokerUnavailable):
        desk.ports.broker.for_closing().open_orders()
    assert len(desk.broker.line.sent) == before + 1


def test_a_turn_that_trades_does_not_repeat_a_read(open_desk: OpenDesk) -> None:
    """The next turn reads anew; a decision is not made from an answer that came late."""
    desk = rate_limited(open_desk)
    fail(desk, "/v2/orders", times=1)
    before = len(desk.broker.line.sent)
    with pytest.raises(BrokerUnavailable):
        desk.ports.broker.open_orders()
    assert len(desk.broker.line.sent) == before + 1
