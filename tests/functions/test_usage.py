"""What a run has used is in its report, and in the one that the watchdog completes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from repeg.domain.usage import Used
from tests.functions.books import QUIET, book
from tests.functions.desk import OpenDesk
from tests.functions.scenes import resting

ALL_DAY = book(QUIET, prints=("09:50:00 15 @ 189.41 sold",), until="16:00")


class Growing:
    """A meter that knows more each time that it is read."""

    def __init__(self, *known: Used | None) -> None:
        self._known: Iterator[Used | None] = iter(known)

    def used(self, run_id: str) -> Used | None:
        assert run_id == "core-2026-11-23"
        return next(self._known)


FIRST = Used(steps={"RepegOrders": 2}, milliseconds=3_000, trading_requests=5, data_requests=4)
LAST = Used(steps={"RepegOrders": 2, "CloseRun": 1}, milliseconds=4_000, trading_requests=9, data_requests=4)


def test_a_report_has_what_was_used_and_the_watchdog_completes_it(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY)
    desk.ports = replace(desk.ports, meter=Growing(FIRST, LAST))
    desk.wait_until("15:55")
    desk.close()
    assert desk.report["usage"] == {
        "steps": 2, "milliseconds": 3_000, "trading_requests": 5, "data_requests": 4, "transitions": 8,
        "history_events": 24, "dollars": "0.0002", "prices": "list prices of us-east-1 on 2026-11-22",
    }  # fmt: skip
    desk.wait_until("16:20")
    desk.watch()
    assert desk.report["usage"]["steps"] == 3


def test_a_report_keeps_what_was_used_if_the_meter_does_not_answer(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY)
    desk.ports = replace(desk.ports, meter=Growing(FIRST, None))
    desk.wait_until("15:55")
    desk.close()
    desk.wait_until("16:20")
    desk.watch()
    assert (desk.report["costs"]["books"], desk.report["usage"]["steps"]) == ("sip", 2)


def test_a_run_without_a_meter_has_no_usage(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, ALL_DAY)
    desk.close()
    assert desk.report["usage"] is None
