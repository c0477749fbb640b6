"""Events: each is complete by its schema and readable, and the ones that matter reach the operator's topic."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from repeg.domain.notice import KINDS, described
from repeg.domain.page_address import page_key
from repeg.domain.run_health import Finding
from repeg_workbench.docs import events
from repeg_workbench.simulate.simulation import SimulatedDay
from tests.template.alarm_faults import quiet, start
from tests.template.stack import written
from tests.template.test_permissions_used import MANY, RUN_ID, a_day, until

TOTALS = {
    "orders": 3, "orders_filled": 2, "filled_notional": "15120.5", "cost_bps": "1.2", "market_cost_bps": "2.5",
}  # fmt: skip
ENDED = {"run_id": RUN_ID, "error": "Swept", "reason": 'it "died"\nat noon \\', "totals": TOTALS}
DETAILS: dict[str, dict[str, Any]] = {
    "repeg.run.opened": {"run_id": RUN_ID, "orders": 3, "preview": False},
    "repeg.run.settled": ENDED,
    "repeg.run.failed": ENDED,
    "repeg.run.measured": {"run_id": RUN_ID, "reason": "6 books of sip", "totals": TOTALS, "costs": None},
    "repeg.run.corrected": {"run_id": RUN_ID, "before": {}, "after": {"reason": "late", "totals": TOTALS}},
}


ORDER = {"run_id": RUN_ID, "symbol": "AAPL", "side": "buy", "filled": "15", "target": "40", "reason": "spread too wide"}
DETAILS["repeg.order.finished"] = {**ORDER, "outcome": "held_wide", "average_price": "189.41"}
DETAILS["repeg.order.held"] = {**ORDER, "held": "wide", "held_since": "2026-11-23T14:35:00Z"}


def detail(kind: str) -> dict[str, Any]:
    """A detail of that kind as the workflow publishes it."""
    return DETAILS.get(kind) or {"finding": kind, "run_id": RUN_ID, "reason": "nothing moved"}


def mails(day: SimulatedDay) -> list[str]:
    """What the operator's topic has received."""
    topic = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].topics[day.engine.stack.physical_id("OperatorTopic")]
    return [notification[1] for notification in topic.sent_notifications]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("is_live", "mode"), [(True, "LIVE"), (False, "paper")])
def test_an_event_is_complete_and_says_paper_or_live(kind: str, is_live: bool, mode: str) -> None:
    made = described(kind, detail(kind), is_live=is_live, stack="repeg-x")
    assert (made["schema"], made["mode"], made["stack"]) == (1, mode, "repeg-x")
    for field in ("event_id", "what", "cost", "to_do"):
        assert made[field], field
        assert not re.search(r'["\\\n]', made[field]), field
    assert set(made) <= set(events.FIELDS)


def test_a_repeated_event_has_the_same_id_and_another_one_has_not() -> None:
    ids = [
        described("repeg.watch.stuck_run", {"run_id": run, "reason": "silent"}, is_live=False, stack="s")["event_id"]
        for run in ("a", "a", "b")
    ]
    assert (ids[0] == ids[1], ids[0] == ids[2]) == (True, False)


def test_every_finding_is_a_kind_of_event() -> None:
    assert {f"repeg.watch.{finding}" for finding in Finding} < set(KINDS)


def test_a_settled_run_says_what_it_cost() -> None:
    made = described("repeg.run.settled", ENDED, is_live=False, stack="s")
    assert made["cost"] == (
        "1.2 bps of 15120.5 dollars against arrival; market orders at arrival would have cost 2.5 bps."
    )
    assert "2 of 3 orders filled" in made["what"]
    split = {"dollars": "59", "bps": "58.97", "delay": "20", "timing": "12", "spread": "-3", "unsplit": "0"}
    whole = {**ENDED, "costs": {"shortfall": {**split, "opportunity": "30"}}}
    assert described("repeg.run.settled", whole, is_live=False, stack="s")["cost"].endswith(
        " Against the decision prices the plan has cost 59 dollars, 58.97 bps"
        " (delay 20, timing 12, spread -3, opportunity 30)."
    )
    unknown = {**ENDED, "costs": {"shortfall": {**split, "dollars": None}}}
    assert described("repeg.run.settled", unknown, is_live=False, stack="s")["cost"] == made["cost"]
    totals: Any = ENDED["totals"]
    cheap = {**ENDED, "totals": {**totals, "crossing_cost": "0.5"}}
    made = described("repeg.run.settled", cheap, is_live=False, stack="s")
    assert made["cost"].endswith("would have cost 2.5 bps at 0.5 half-spreads.")


def test_the_end_of_a_run_reaches_the_operator_as_text() -> None:
    with a_day(set()) as day:
        quiet(day)
        (mail,) = mails(day)
        day.engine.run()
        bucket, key = day.engine.stack.physical_id("JournalBucket"), page_key(RUN_ID)
        stored = day.engine.client("s3").get_object(Bucket=bucket, Key=key)
    text = " ".join(json.loads(line) for line in mail.splitlines())
    for words in ("paper, stack repeg", f"Run {RUN_ID} has settled", "against arrival", "What to do: Nothing."):
        assert words in text, text
    # The page that the message links is there: of the whole day, and measured by the pass of the watchdog.
    assert f"/s3/object/{bucket}?region=us-east-1&prefix={quote(key, safe='')} (signed in" in text
    assert f"`repeg report {RUN_ID} --open --stack repeg`" in text
    assert stored["ContentType"] == "text/html; charset=utf-8"
    page = stored["Body"].read().decode()
    assert 'id="markouts"' in page
    for lacking in ("The journal is not whole", "They are measured after the close"):
        assert lacking not in page


def test_a_swept_run_reaches_the_operator() -> None:
    with a_day(set()) as day:
        day.engine.stop_execution(start(day, "09:37"))
        until(day, "09:45")
        assert any("has FAILED" in mail for mail in mails(day))


def test_an_order_that_is_held_for_long_reaches_the_operator() -> None:
    """Its spread of two cents at ten dollars is wider than the run allows."""
    plan = {"name": "calls", "orders": [{"symbol": MANY[0], "side": "buy", "qty": "5"}]}
    with a_day(set()) as day:
        given = {"plan": plan, "settings": {"max_spread_pct": "0.01", "max_quote_age_seconds": 60}}
        day.engine.start_execution(given, "held")
        until(day, "10:04")
        assert mails(day) == []
        until(day, "10:10")
        (mail,) = mails(day)
    assert f"The buy order for {MANY[0]} of run {RUN_ID} has been held since" in mail
    assert "paper, stack repeg" in mail


@pytest.mark.parametrize("rule", ["OperatorRule", "WebhookRule"])
def test_a_rule_takes_only_the_events_of_its_own_stack(rule: str) -> None:
    pattern = written()["Resources"][rule]["Properties"]["EventPattern"]
    assert (pattern["source"], pattern["detail"]) == (["repeg"], {"stack": [{"Ref": "AWS::StackName"}]})


def test_the_webhooks_body_is_json() -> None:
    (target,) = written()["Resources"]["WebhookRule"]["Properties"]["Targets"]
    body = json.loads(target["InputTransformer"]["InputTemplate"])
    assert set(body) == {"text", "content"}
    assert "<mode>" in body["text"]


def test_the_events_page_is_up_to_date() -> None:
    assert events.PAGE.read_text(encoding="utf-8") == events.page(), "run make docs"


@pytest.mark.parametrize("kind", [*KINDS, "repeg.unheard_of"])
def test_an_event_without_its_fields_is_published_all_the_same(kind: str) -> None:
    assert described(kind, {}, is_live=False, stack="s")["mode"] == "paper"
