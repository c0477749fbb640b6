"""Where a run's page is kept, and how a message says so."""

from __future__ import annotations

import pytest

from repeg.domain.notice import KINDS, PAGED, described
from repeg.domain.page_address import PageAddress, page_key

RUN_ID = "core-2026-11-23-r2"
KEY = "reports/2026-11-23/core-2026-11-23-r2/run.html"
PREFIX = "reports%2F2026-11-23%2Fcore-2026-11-23-r2%2Frun.html"


def pages(partition: str = "aws", region: str = "us-east-1") -> PageAddress:
    return PageAddress(bucket="kept", stack_id=f"arn:{partition}:cloudformation:{region}:123456789012:stack/x/1")


def test_a_page_is_kept_by_the_runs_day_and_apart_from_its_journal() -> None:
    assert page_key(RUN_ID) == KEY
    assert pages().uri(RUN_ID) == f"s3://kept/{KEY}"


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
    ],
)
def test_a_link_leads_to_the_console_of_the_accounts_partition(partition: str, region: str, host: str) -> None:
    assert pages(partition, region).link(RUN_ID) == f"https://{host}/s3/object/kept?region={region}&prefix={PREFIX}"


@pytest.mark.parametrize("stack_id", ["", "sam-local", "arn:aws-other:cloudformation:x-1:1:stack/x/1"])
def test_an_unknown_console_leaves_the_address_of_the_object(stack_id: str) -> None:
    address = PageAddress(bucket="kept", stack_id=stack_id)
    assert address.link(RUN_ID) == ""
    assert f"s3://kept/{KEY} (signed in" in address.in_words(RUN_ID, "mine")


@pytest.mark.parametrize(("bucket", "run_id"), [("", RUN_ID), ("kept", "no-date"), ("kept", "")])
def test_a_run_without_a_page_has_no_sentence(bucket: str, run_id: str) -> None:
    assert PageAddress(bucket=bucket).in_words(run_id, "mine") == ""


@pytest.mark.parametrize("kind", KINDS)
def test_only_an_event_that_starts_a_page_says_where_the_page_is(kind: str) -> None:
    made = described(kind, {"run_id": RUN_ID, "reason": "x"}, is_live=False, stack="mine", pages=pages())
    assert ("page" in made, "`repeg report" in made["to_do"] and "--open" in made["to_do"]) == ((kind in PAGED),) * 2
