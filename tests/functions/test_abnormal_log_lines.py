"""Abnormal events leave a warning in the log at the deployed level; routine holds leave nothing."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from repeg.adapters.logs import LogJournal
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.functions.books import AAPL, QUIET, UP, book
from tests.functions.desk import Desk, OpenDesk
from tests.functions.scenes import resting
from tests.guards.test_limits import CLIMBING, climb
from tests.template.stack import written

DEPLOYED_LEVEL: str = written()["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"]


def log_of(desk: Desk) -> list[dict[str, Any]]:
    """The log lines of the desk's whole journal at the deployed level."""
    stream = io.StringIO()
    # Loggers of one name share their handlers, so each gets a name of its own.
    logger = Logger(service=f"bad-day-{id(stream)}", level=DEPLOYED_LEVEL, logger_handler=logging.StreamHandler(stream))
    journal = LogJournal(logger)
    for entry in desk.journal.entries:
        journal.record(entry)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def an_unknown_order(open_desk: OpenDesk) -> Desk:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders"))
    desk.place()
    desk.turn_at("09:36:59")
    return desk


def an_unconfirmed_cancel(open_desk: OpenDesk) -> Desk:
    slow = BrokerQuirks(ack_delay=(0, 0), cancel_delay=(60_000, 60_000), requests_per_minute=None)
    desk = open_desk({"AAPL": book(QUIET, UP)}, quirks=slow)
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.turn_at("09:36:30")
    return desk


def an_exhausted_budget(open_desk: OpenDesk) -> Desk:
    desk = resting(open_desk, CLIMBING, max_run_orders=1)
    climb(desk)
    return desk


def exhausted_attempts(open_desk: OpenDesk) -> Desk:
    desk = resting(open_desk, CLIMBING, max_attempts=2, max_repegs=1, escalation="none")
    climb(desk)
    return desk


def an_order_too_late_to_send(open_desk: OpenDesk) -> Desk:
    desk = open_desk({"AAPL": book("15:40 300 @ 189.40 × 200 @ 189.44", until="16:00")}, at="15:54:49")
    desk.begin("buy 40 AAPL")
    desk.validate()
    desk.wait_until("15:54:50")
    desk.place()
    return desk


@pytest.mark.parametrize(
    ("scene", "reason"),
    [
        (an_unknown_order, "unknown for 59s, not at the broker"),
        (an_unconfirmed_cancel, "cancel not confirmed yet"),
        (an_exhausted_budget, "1 orders of 1 are committed"),
        (exhausted_attempts, "2 orders were sent, and no more may be; this one stays"),
        (an_order_too_late_to_send, "too late in this step to send"),
    ],
)
def test_an_abnormal_event_leaves_a_warning_with_its_fields(
    open_desk: OpenDesk, scene: Callable[[OpenDesk], Desk], reason: str
) -> None:
    warnings = [line for line in log_of(scene(open_desk)) if line["level"] == "WARNING"]
    found = [line for line in warnings if reason in line["reason"]]
    assert found, [line["reason"] for line in warnings]
    assert {(line["run_id"], line["subject"]) for line in found} == {("core-2026-11-23", "AAPL")}


def test_a_quiet_turn_leaves_no_log_line_for_its_routine_hold(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    before = len(log_of(desk))
    desk.turn_at("09:36:30")
    assert desk.journalled("AAPL", "hold")
    assert len(log_of(desk)) == before
