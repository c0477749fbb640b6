"""Alarms: each is raised by its fault on a simulated day and by nothing on a quiet one, and says what to do."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.time_limits import LOOKS_FOR, STEP_PLACES_FOR
from repeg_workbench.docs import alarms
from tests.template.alarm_faults import FAULTS, quiet
from tests.template.alarm_states import Metrics, messages, raised
from tests.template.stack import functions, of_type, written
from tests.template.test_permissions_used import a_day

ALARMS: dict[str, dict[str, Any]] = of_type(written(), "AWS::CloudWatch::Alarm")


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_an_alarm_is_raised_by_its_fault(alarm: str) -> None:
    play = FAULTS[alarm]
    with a_day(set(), policy="normal", **play.parameters) as day:
        metrics = Metrics(day.engine).listen()
        play.act(day, metrics)
        assert alarm in raised(metrics)
        message, stack = messages(metrics)[alarm], day.engine.stack.physical_id("ExecutePlan")
    # The text that the operator is sent: which stack, paper or live, what has happened, and what to do.
    assert message.startswith(f"{stack.rpartition(':')[2].removesuffix('-execute-plan')} (paper): ")
    assert "${" not in message
    assert len(re.split(r"[.;:] ", message)) >= 3


def test_a_quiet_day_raises_no_alarm() -> None:
    with a_day(set(), policy="normal") as day:
        metrics = Metrics(day.engine).listen()
        quiet(day)
        assert raised(metrics) == set()
        # The turns have waited between their looks.
        name = day.engine.function("RepegOrders").name
        assert max(took for _, took in metrics.points["AWS/Lambda", "Duration", (("FunctionName", name),)]) > 20_000
        for shown in ("RunsSettled", "Fills", "Turns", "OrdersPlaced", "RequestsLeased", "FilledNotional"):
            assert metrics.total(shown) > 0, shown


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_an_alarm_has_no_more_metrics_than_cloudwatch_takes(alarm: str) -> None:
    queries = ALARMS[alarm]["Properties"].get("Metrics", [])
    assert sum("MetricStat" in query for query in queries) <= 10


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_an_alarm_is_sent_to_the_operator(alarm: str) -> None:
    properties = ALARMS[alarm]["Properties"]
    assert properties["AlarmActions"] == [{"Ref": "OperatorTopic"}]
    assert properties["AlarmDescription"]["Fn::Sub"].startswith("${AWS::StackName} (${TradingMode}): ")


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_only_a_silent_watchdog_is_known_by_missing_data(alarm: str) -> None:
    expected = "breaching" if alarm == "WatchdogSilentAlarm" else "notBreaching"
    assert ALARMS[alarm]["Properties"]["TreatMissingData"] == expected


def test_the_time_limits_in_the_alarm_are_those_of_the_functions() -> None:
    expression, listening = ALARMS["NearTimeLimitAlarm"]["Properties"]["Metrics"][0]["Expression"]["Fn::Sub"]
    assert listening == {"Listening": {"Fn::If": ["Listens", {"Ref": "ListenSeconds"}, 0]}}
    polling = expression.replace("(repegOrders - ${Listening} * 1000)", "repegOrders")
    limits = {name.lower(): int(limit) for name, limit in re.findall(r"(\w+) / (\d+)", polling)}
    # A page puts no order off; one that takes too long is an error, and that has an alarm of its own.
    timed = {name: function for name, function in functions().items() if name != "WritePage"}
    assert limits == {name.lower(): function["Timeout"] * 1000 for name, function in timed.items()}


@pytest.mark.parametrize("name", ["PlaceOrders", "RepegOrders"])
def test_a_step_is_near_its_limit_before_it_stops_placing(name: str) -> None:
    """A turn waits between its looks for as long as it may; its last look is answered in two seconds on a good day."""
    share = Decimal(str(ALARMS["NearTimeLimitAlarm"]["Properties"]["Threshold"]))
    near = timedelta(seconds=float(share * functions()[name]["Timeout"]))
    assert LOOKS_FOR + timedelta(seconds=4) < near < STEP_PLACES_FOR


def test_live_trading_requires_an_alarm_address() -> None:
    rule = written()["Rules"]["LiveNeedsAnAlarmAddress"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "TradingMode"}, "live"]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]}


def test_the_alarms_page_is_up_to_date() -> None:
    assert alarms.PAGE.read_text(encoding="utf-8") == alarms.page(), "run make docs"


def test_the_page_on_operations_counts_the_alarms_and_their_metrics() -> None:
    counts = [sum("MetricStat" in one for one in alarm["Properties"].get("Metrics", [])) for alarm in ALARMS.values()]
    metrics = sum(count or 1 for count in counts)
    page = (alarms.ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"{len(ALARMS)} alarms on {metrics} metrics, ${metrics / 10:.2f} at $0.10 each" in page
