"""The event bus, the plan bucket and the log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import boto3  # noqa: TID251 - the adapters' tests bring them their clients
import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, EndpointConnectionError  # noqa: TID251 - what the services raise
from moto import mock_aws

from repeg.adapters.eventbridge import EventNotifier, EventsUnavailable
from repeg.adapters.logs import LogJournal
from repeg.adapters.s3 import MAX_BYTES, S3Plans
from repeg.domain.errors import InvalidPlan, StoreUnavailable
from repeg.domain.journal import Entry
from tests.contracts.words import a_quote

NOON = datetime(2026, 3, 5, 17, tzinfo=UTC)


class Bus:
    """An event bus that records its entries and gives a scripted answer."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer
        self.entries: list[dict[str, Any]] = []

    def put_events(self, **request: Any) -> dict[str, Any]:
        """Take or refuse."""
        self.entries += request["Entries"]
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_an_event_has_its_detail_type_and_exact_amounts() -> None:
    bus = Bus({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    EventNotifier(cast("Any", bus), "desk").publish("repeg.run.settled", {"cost_bps": Decimal("1.10"), "at": NOON})
    (entry,) = bus.entries
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == ("repeg", "repeg.run.settled", "desk")
    assert json.loads(entry["Detail"]) == {"cost_bps": "1.10", "at": "2026-03-05T17:00:00Z"}


@pytest.mark.parametrize(
    "answer",
    [
        {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}]},
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "PutEvents"),
        EndpointConnectionError(endpoint_url="https://events.example"),
    ],
)
def test_a_rejected_event_raises(answer: dict[str, Any] | Exception) -> None:
    with pytest.raises(EventsUnavailable, match=r"repeg\.watch\.missed"):
        EventNotifier(cast("Any", Bus(answer))).publish("repeg.watch.missed", {})


def test_the_mocked_event_bus_accepts_an_event() -> None:
    with mock_aws():
        EventNotifier(boto3.client("events", region_name="us-east-1")).publish("repeg.run.settled", {"run_id": "x"})


@pytest.fixture
def bucket() -> Iterator[Any]:
    """A client of the mocked service with the bucket `plans`."""
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="plans")
        yield client


def test_a_plan_is_read_as_it_was_written(bucket: Any) -> None:
    bucket.put_object(Bucket="plans", Key="a b/ü?#.json", Body='{"name": "ü"}'.encode())
    assert S3Plans(bucket).body("s3://plans/a b/ü?#.json") == '{"name": "ü"}'.encode()


@pytest.mark.parametrize("uri", ["s3://plans/none.json", "s3://nowhere/plan.json"])
def test_a_missing_plan_is_an_invalid_plan(bucket: Any, uri: str) -> None:
    with pytest.raises(InvalidPlan, match="that exists"):
        S3Plans(bucket).body(uri)


@pytest.mark.parametrize("uri", ["", "plan.json", "s3://plans", "s3://plans/", "s3:///x", "https://plans/x", "S3//x"])
def test_a_malformed_plan_address_is_an_invalid_plan(bucket: Any, uri: str) -> None:
    with pytest.raises(InvalidPlan, match="s3://<bucket>/<key>"):
        S3Plans(bucket).body(uri)


def test_a_plan_above_the_size_limit_is_an_invalid_plan(bucket: Any) -> None:
    bucket.put_object(Bucket="plans", Key="full", Body=b" " * MAX_BYTES)
    bucket.put_object(Bucket="plans", Key="over", Body=b" " * (MAX_BYTES + 1))
    assert len(S3Plans(bucket).body("s3://plans/full")) == MAX_BYTES
    with pytest.raises(InvalidPlan, match="at most 1000000 bytes"):
        S3Plans(bucket).body("s3://plans/over")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject"), InvalidPlan),
        (ClientError({"Error": {"Code": "SlowDown"}}, "GetObject"), StoreUnavailable),
        (EndpointConnectionError(endpoint_url="https://s3.example"), StoreUnavailable),
    ],
)
def test_a_forbidden_plan_is_invalid_and_a_failed_read_unavailable(error: Exception, raised: type[Exception]) -> None:
    class Failing:
        def get_object(self, **request: str) -> None:
            raise error

    with pytest.raises(raised):
        S3Plans(Failing()).body("s3://plans/x")


def logged(entry: Entry, level: int = logging.INFO) -> list[dict[str, Any]]:
    """The log lines of an entry at that level."""
    stream = io.StringIO()
    logger = Logger(service=f"journal-{level}", level=level, logger_handler=logging.StreamHandler(stream))
    LogJournal(logger).record(entry)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_decision_is_logged_as_one_line_with_its_inputs() -> None:
    entry = Entry(
        NOON, "core-2026-03-05", "AAPL", "place", "buy 40 @ 189.41", "improve by a tick", "peg", {"quote": a_quote()}
    )
    (line,) = logged(entry)
    assert line["message"] == "decision"
    assert line["level"] == "INFO"
    assert (line["run_id"], line["subject"], line["verb"]) == ("core-2026-03-05", "AAPL", "place")
    assert line["inputs"]["quote"]["bid"] == "189.40"


def test_a_hold_is_logged_only_at_debug_level() -> None:
    hold = Entry(NOON, "core-2026-03-05", "AAPL", "hold")
    assert logged(hold) == []
    assert [line["verb"] for line in logged(hold, logging.DEBUG)] == ["hold"]
