"""The meter of what runs use: it adds up by step, counts what was answered, and never fails a step."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from moto import mock_aws

from repeg import lambda_step
from repeg.adapters.usage_meter import DATA, TRADING, UsageMeter
from repeg.domain.frozen import Frozen
from repeg.domain.usage import Used
from tests.adapters.scripted_server import answer, scripted
from tests.contracts.tables import TABLE, a_client, create_table

RUN = "core-2026-11-23"


@pytest.fixture
def meter() -> Iterator[UsageMeter]:
    with mock_aws():
        client = a_client()
        create_table(client)
        yield UsageMeter(client, TABLE)


def test_the_use_of_steps_adds_up_in_the_run(meter: UsageMeter) -> None:
    assert meter.used(RUN) is None
    meter.ended(RUN, "RepegOrders", 2.5)
    meter.ended(RUN, "RepegOrders", 0.25)
    meter.ended(RUN, "CloseRun", 1)
    meter.ended("tilt-2026-11-23", "OpenRun", 9)
    assert meter.used(RUN) == Used(steps={"RepegOrders": 2, "CloseRun": 1}, milliseconds=3_750)


def test_answered_requests_count_for_the_step_that_made_them(meter: UsageMeter) -> None:
    with scripted(answer(200, {}), answer(500, {}), answer(200, {})) as script, requests.Session() as session:
        meter.counting(lambda _: None, TRADING)(session)
        for _ in range(2):
            session.get(script.url)
        meter.ended(RUN, "PlaceOrders", 0)
        with requests.Session() as other:
            meter.counting(lambda _: None, DATA)(other)
            other.get(script.url)
        meter.ended(RUN, "RepegOrders", 0)
    used = meter.used(RUN)
    assert used is not None
    assert (used.trading_requests, used.data_requests) == (2, 1)


def test_a_table_that_does_not_answer_fails_no_step() -> None:
    with mock_aws():
        lost = UsageMeter(a_client(), "no such table")
        lost.ended(RUN, "RepegOrders", 1)
        assert lost.used(RUN) is None


class _Payload(Frozen):
    estimate: bool = False


class _Answer(Frozen):
    run_id: str = RUN


@pytest.mark.parametrize(
    ("function", "event", "fails", "told"),
    [
        ("repeg-RepegOrders-1A2B", {"run_id": RUN}, False, [(RUN, "RepegOrders", 1.5)]),
        ("repeg-RepegOrders-1A2B", {"run_id": RUN}, True, [(RUN, "RepegOrders", 1.5)]),
        ("repeg-OpenRun-1A2B", {}, False, [(RUN, "OpenRun", 1.5)]),
        ("repeg-OpenRun-1A2B", {"estimate": True}, False, []),
        ("repeg-OpenRun-1A2B", {}, True, []),
        ("repeg-WatchRuns-1A2B", {"run_id": RUN}, False, []),
    ],
)
def test_steps_of_a_run_tell_what_they_took(
    monkeypatch: pytest.MonkeyPatch, function: str, event: dict[str, Any], fails: bool, told: list[Any]
) -> None:
    """Also one that fails; an estimate before a start, and the watchdog, are no steps of a run."""
    monkeypatch.setenv("STACK_NAME", "repeg")
    monkeypatch.setattr(lambda_step, "_flushes", [])  # a test before this one may have built a function's ports
    left = iter((25_000, 24_000, 23_500))
    context: Any = SimpleNamespace(
        function_name=function, aws_request_id="x", memory_limit_in_mb="512", invoked_function_arn="arn",
        get_remaining_time_in_millis=lambda: next(left),
    )  # fmt: skip

    @lambda_step.lambda_step
    def handler(_payload: _Payload, _context: Any) -> _Answer:
        next(left)
        if fails:
            raise ValueError("it fails")
        return _Answer()

    found: list[Any] = []
    lambda_step.use_at_end(lambda *given: found.append(given))
    try:
        handler(event, context)
    except ValueError:
        assert fails
    finally:
        lambda_step.use_at_end()
    assert found == told
