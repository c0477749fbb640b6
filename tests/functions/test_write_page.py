"""WritePage: the page of an ended run, by the deployed adapters, as far as its journal goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3  # noqa: TID251 - the step's ports bring their own clients to these services
import pytest
from botocore.exceptions import ClientError  # noqa: TID251 - what a bucket raises
from moto import mock_aws

from functions.write_page.app import lambda_handler, write_page
from repeg import lambda_step, page_wiring, wiring
from repeg.adapters.journal.bucket import Stored, fitting
from repeg.adapters.pages.bucket import PAUSES
from repeg.adapters.runtime import SystemRuntime
from repeg.domain.errors import InvalidSettings, StoreUnavailable
from repeg.domain.journal import Entry
from repeg.domain.journal_file import StepName, encode, key_of
from repeg.domain.markouts import Markout
from repeg.domain.page_address import page_key
from repeg.domain.report import Report, RunCosts
from repeg.domain.steps import PageWritten, RunNews
from tests.builders import a_report_of, a_run
from tests.contracts.tables import create_table
from tests.report.day import RUN_ID, Worked, entries
from tests.template.stack import ROOT

BUCKET, TABLE = "journals", "runs"
KEY = f"reports/2026-11-23/{RUN_ID}/run.html"
DAY = entries([Worked(), Worked("KO")])


class Waits(SystemRuntime):
    """A runtime whose pauses take no time, and during which something may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.meanwhile()


@dataclass
class Shelf:
    """A stack's bucket and table with one run, and the ports of the step."""

    runtime: Waits = field(default_factory=Waits)
    s3: Any = field(default_factory=lambda: boto3.client("s3"))

    def __post_init__(self) -> None:
        self.s3.create_bucket(Bucket=BUCKET)
        create_table(boto3.client("dynamodb"), TABLE)
        self.environment = {"TABLE_NAME": TABLE, "JOURNAL_BUCKET": BUCKET, "TRADING_MODE": "paper"}
        self.ports = page_wiring.build(self.environment, self.runtime)
        self.table: Any = self.ports.runs._table  # type: ignore[attr-defined]
        self.table.claim_run(a_run())

    def keep(self, given: list[Entry], function: str = "CloseRun", cut: float = 1) -> None:
        """Store the journal of a step, or the first part of it."""
        step = StepName(RUN_ID, function, given[0].at, "1")
        body = encode(step, given)
        self.s3.put_object(Bucket=BUCKET, Key=key_of(step), Body=body[: int(len(body) * cut)])

    def write(self, kind: str = "repeg.run.settled", **detail: Any) -> PageWritten:
        """What the step answers to an event about the run."""
        news = {"detail-type": kind, "detail": {"run_id": RUN_ID, **detail}}
        return write_page(RunNews.model_validate(news), self.ports)

    def page(self) -> str:
        """The page as it is stored."""
        return str(self.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read().decode())


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        yield Shelf()


def measured(markouts: tuple[Markout, ...] = (), books: str = "sip") -> Report:
    costs = RunCosts(shortfall=None, missing="", market=(), fees=None, markouts=markouts, books=books)
    return Report.model_validate({**dict(a_report_of(RUN_ID)), "costs": costs})


MARKOUT = Markout.model_validate(
    {"horizon": "5min", "bps": "1.75", "dollars": "17.5", "shares": "200", "missing": "3", "why": "no book"}
)


def test_an_ended_runs_page_is_written_beside_its_journal(shelf: Shelf) -> None:
    shelf.keep(DAY)
    shelf.table.save_report(RUN_ID, a_report_of(RUN_ID))
    assert shelf.write() == PageWritten(run_id=RUN_ID, key=KEY)
    assert shelf.s3.head_object(Bucket=BUCKET, Key=KEY)["ContentType"] == "text/html; charset=utf-8"
    for said in (RUN_ID, 'class="badge paper"', "KO", "2 of 2 orders", "every order has an outcome"):
        assert said in shelf.page()
    assert shelf.runtime.pauses == []


def test_an_event_that_is_delivered_again_changes_nothing(shelf: Shelf) -> None:
    shelf.keep(DAY)
    shelf.write()
    first = shelf.page()
    assert shelf.write() == PageWritten(run_id=RUN_ID, key=KEY)
    assert shelf.page() == first
    assert len(shelf.s3.list_objects_v2(Bucket=BUCKET, Prefix="reports/")["Contents"]) == 1


def test_the_closing_steps_journal_is_waited_for(shelf: Shelf) -> None:
    """The step publishes the end of the run, and stores its own journal only then."""
    shelf.keep(DAY[:-3], "RepegOrders")
    shelf.runtime.meanwhile = lambda: shelf.keep(DAY[-3:])
    assert shelf.write().problems == 0
    assert shelf.runtime.pauses == [PAUSES[0]]
    assert "2 of 2 orders" in shelf.page()
    assert "does not say how the run ended" not in shelf.page()


def test_a_journal_without_an_end_gives_a_page_that_says_so(shelf: Shelf) -> None:
    shelf.keep(DAY[:-3], "RepegOrders")
    assert shelf.write().key == KEY
    assert shelf.runtime.pauses == list(PAUSES)
    assert "the journal does not say how the run ended" in shelf.page()


def test_a_journal_that_was_cut_off_gives_a_page_that_says_so(shelf: Shelf) -> None:
    shelf.keep(DAY, cut=2 / 3)
    shelf.table.save_report(RUN_ID, a_report_of(RUN_ID))
    assert shelf.write().problems == 2
    for said in ("The journal is not whole", "it was cut off after", "KO", "every order has an outcome"):
        assert said in shelf.page()


def test_a_file_of_another_run_is_left_out_and_said(shelf: Shelf) -> None:
    """Its key says this run, and its header another."""
    shelf.keep(DAY)
    other = [entry._replace(run_id="other-2026-11-23") for entry in DAY]
    key = key_of(StepName(RUN_ID, "RepegOrders", DAY[0].at, "2"))
    body = encode(StepName("other-2026-11-23", "RepegOrders", DAY[0].at, "2"), other)
    shelf.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    assert shelf.write().problems == 1
    assert "entries of other runs are among its files, and are left out: other-2026-11-23" in shelf.page()


def test_a_run_without_a_journal_has_a_page_that_says_so(shelf: Shelf) -> None:
    shelf.table.save_report(RUN_ID, a_report_of(RUN_ID, outcome="failed"))
    assert shelf.write("repeg.run.failed").problems == 1
    assert shelf.runtime.pauses == []
    for said in ("the bucket has no journal of this run", "Swept: every order has an outcome"):
        assert said in shelf.page()


def test_a_run_whose_rows_cannot_be_read_has_the_page_of_its_journal(shelf: Shelf) -> None:
    shelf.keep(DAY)
    boto3.client("dynamodb").update_item(
        TableName=TABLE, Key={"pk": {"S": f"RUN#{RUN_ID}"}, "sk": {"S": "OPENING"}},
        UpdateExpression="SET body = :b", ExpressionAttributeValues={":b": {"S": "{}"}},
    )  # fmt: skip
    shelf.ports = page_wiring.build(shelf.environment, shelf.runtime)  # a new container
    assert shelf.write().problems == 1
    assert "2 of 2 orders" in shelf.page()


def test_a_measured_runs_page_has_its_markouts(shelf: Shelf) -> None:
    shelf.keep(DAY)
    shelf.table.save_report(RUN_ID, measured((MARKOUT,), books=""))
    shelf.write()
    assert "They are measured after the close." in shelf.page()
    # The watchdog publishes that it has measured a run before it saves the report.
    shelf.runtime.meanwhile = lambda: shelf.table.save_report(RUN_ID, measured((MARKOUT,)))
    shelf.write("repeg.run.measured")
    assert shelf.runtime.pauses == [PAUSES[0]]
    for said in ("5min", "1.75", "$17.50", "no book"):
        assert said in shelf.page()


@pytest.mark.parametrize("run_id", ["core-2026-11-24", "core", "", "../../x-2026-11-23", 7, None])
def test_an_event_of_no_run_is_dropped(shelf: Shelf, run_id: object) -> None:
    assert shelf.write(run_id=run_id).dropped != ""
    assert "Contents" not in shelf.s3.list_objects_v2(Bucket=BUCKET)


def test_a_journal_beyond_the_bound_is_read_in_part(shelf: Shelf) -> None:
    """Everything that figures are made from is in the closing step's journal, which is always read."""
    for number, entry in enumerate(DAY[3:-3]):
        shelf.keep([entry], f"RepegOrders-{number}")
    shelf.keep(DAY[-3:])
    shelf.ports.runs._at.__dict__["most_bytes"] = 1_000  # type: ignore[attr-defined]
    assert shelf.write().problems == 1
    assert "files were left out here, evenly spread over the turns" in shelf.page()
    assert "2 of 2 orders" in shelf.page()


def test_turns_are_left_out_evenly_until_the_rest_fits() -> None:
    files = [Stored("j/1-OpenRun-a", 50), *(Stored(f"j/2-RepegOrders-{n}", 10) for n in range(20)),
             Stored("j/3-CloseRun-z", 50)]  # fmt: skip
    assert fitting(files, 300) == files
    kept = fitting(files, 150)
    assert [each.key for each in kept if each.size == 50] == ["j/1-OpenRun-a", "j/3-CloseRun-z"]
    assert [int(each.key.rpartition("-")[2]) for each in kept if each.size == 10] == [3, 7, 11, 15, 19]
    assert [each.size for each in fitting(files, 20)] == [50, 50]


def test_a_bucket_that_does_not_answer_fails_the_step_for_a_retry(shelf: Shelf) -> None:
    shelf.s3.delete_bucket(Bucket=BUCKET)
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        shelf.write()


def test_a_page_that_cannot_be_stored_fails_the_step(shelf: Shelf) -> None:
    class Full:
        def put_object(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")

    shelf.keep(DAY)
    shelf.ports.pages._s3 = Full()  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable, match="SlowDown"):
        shelf.write()


@pytest.mark.parametrize("name", ["TABLE_NAME", "JOURNAL_BUCKET"])
def test_a_missing_variable_is_named(shelf: Shelf, name: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        page_wiring.build({**shelf.environment, name: ""}, shelf.runtime)


def call(event: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the handler, as deployed."""
    context = SimpleNamespace(
        function_name="repeg-paper-WritePage-1", memory_limit_in_mb=1769, invoked_function_arn="arn",
        aws_request_id="0", get_remaining_time_in_millis=lambda: 50_000,
    )  # fmt: skip
    return lambda_handler(dict(event), context)  # type: ignore[arg-type]


@pytest.fixture
def deployed(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """The shelf behind the handler."""
    for name, value in {**shelf.environment, "STACK_NAME": "repeg-paper"}.items():
        monkeypatch.setenv(name, value)
    lambda_step.discard_counts()
    wiring.use(shelf.runtime)
    yield shelf
    wiring.use(None)


@pytest.mark.parametrize("event", [{}, {"detail": None}, {"detail": [1]}, {"detail-type": 4, "detail": "x"}])
def test_an_unreadable_event_is_dropped_with_a_line_and_a_metric(
    deployed: Shelf, event: Mapping[str, Any], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert call(event)["dropped"] == "the event names no run"
    (written,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert (written["PagesDropped"], written["stack"]) == ([1.0], "repeg-paper")
    assert caplog.messages == ["page dropped"]


def test_the_sample_event_is_answered_by_the_handler(deployed: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    event = json.loads((ROOT / "events" / "write_page.json").read_text())
    run_id = event["detail"]["run_id"]
    deployed.table.claim_run(a_run(run_id=run_id, owner="another"))
    assert call(event)["key"] == page_key(run_id)
    assert "PagesDropped" not in capsys.readouterr().out
