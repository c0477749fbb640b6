"""`repeg cancel-all` with several hundred open orders: the account's request quota lasts for 150 cancels a minute."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from multidict import CIMultiDict

from repeg.domain.order_ids import client_order_id, run_prefix
from repeg.domain.quote import Side
from repeg_workbench.engine.invocation import Invocation
from repeg_workbench.exchange.messages import Request
from tests.builders import MONDAY
from tests.operate.operator import Deploy, Operator, Said
from tests.template.stack import functions

LIMIT = timedelta(seconds=functions()["ServeOperator"]["Timeout"])


class Crowd:
    """A stack with many open orders at 09:45, what the command notes, what it asks of the function, and how long each
    call takes."""

    def __init__(self, operator: Operator, count: int) -> None:
        self.operator = operator
        self.notes: list[str] = []
        self.calls: list[timedelta] = []
        self.asked: list[Any] = []
        opening = operator.day.exchange.opening
        keys = CIMultiDict({"APCA-API-KEY-ID": opening.key_id, "APCA-API-SECRET-KEY": opening.secret_key})
        prefix = run_prefix(operator.day.ports.tag, f"gone-{MONDAY}")
        for n in range(1, count + 1):
            # The broker takes two hundred requests a minute.
            if n % 150 == 0:
                operator.until(f"09:{36 + n // 150}")
            terms = {"symbol": "AAPL", "side": "buy", "qty": "1", "type": "limit", "limit_price": "1.00"}
            order = {**terms, "time_in_force": "day", "client_order_id": client_order_id(prefix, "AAPL", Side.BUY, n)}
            sent = operator.day.exchange.handle(Request("POST", "/v2/orders", [], keys, json.dumps(order).encode()))
            assert sent.status == 200, sent.body
        operator.until("09:45")
        operator.at = replace(operator.at, note=self.notes.append)
        operator.day.engine.host.after_invoke.append(self._measure)

    def cancel_all(self, *options: str) -> Said:
        return self.operator.repeg("cancel-all", *options)

    def _measure(self, invocation: Invocation) -> None:
        if "ServeOperator" in invocation.function.name:
            took = self.operator.day.engine.scheduler.now_ns - invocation.started_ns
            self.asked.append(invocation.event)
            self.calls.append(timedelta(microseconds=took / 1_000))


@pytest.mark.parametrize(
    ("count", "per_minute", "calls"), [(200, "200", 1), (300, "200", 2), (500, "200", 2), (100, "60", 2)]
)
def test_every_order_is_cancelled_in_as_many_calls_as_it_takes(
    count: int, per_minute: str, calls: int, deploy: Deploy
) -> None:
    crowd = Crowd(deploy(parameters={"RequestsPerMinute": per_minute}), count)
    assert len(crowd.operator.open_orders()) == count
    said = crowd.cancel_all()
    assert (said.code, crowd.operator.open_orders()) == (0, [])
    assert f"cancelled: {count} orders\nstill open: nothing\n" in said.out
    assert "the kill switch was active and is now cancel_all" in said.out
    assert len(crowd.calls) == calls
    assert max(crowd.calls) < LIMIT / 2  # nothing else takes of the quota here
    assert len(crowd.notes) == calls - 1


def test_the_command_says_how_far_it_is(deploy: Deploy) -> None:
    crowd = Crowd(deploy(), 300)
    crowd.cancel_all()
    # The change of the switch is published by the first call alone.
    assert [one["before"] for one in crowd.asked] == ["active", "cancel_all"]
    (note,) = crowd.notes
    requested, left = (int(word) for word in note.split() if word.isdigit())
    assert note == f"repeg (paper): {requested} cancels requested, {left} orders still open; going on"
    assert requested > 200
    assert requested + left == pytest.approx(300, abs=10)


def test_a_second_call_that_fails_leaves_the_rest_to_a_repetition(deploy: Deploy) -> None:
    crowd = Crowd(deploy(), 300)

    def kill(invocation: Invocation) -> None:
        if "ServeOperator" in invocation.function.name and crowd.calls:
            invocation.kill()
            crowd.operator.day.engine.scheduler.checkpoint()

    crowd.operator.day.engine.host.before_invoke.append(kill)
    said = crowd.cancel_all()
    assert said.code == 1
    assert "still open: not known" in said.out
    assert "problem: the function ServeOperator did not answer" in said.out
    crowd.operator.day.engine.host.before_invoke.remove(kill)
    assert (crowd.cancel_all().code, crowd.operator.open_orders()) == (0, [])
