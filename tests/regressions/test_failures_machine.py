"""Known failures of workflows: limits that never trigger, failures reported as success, endless retries."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.place_orders.app import place_orders
from repeg.adapters.alert_metrics import CountingNotifier
from repeg.domain.run import RunState
from repeg.lambda_step import count, measure
from repeg_workbench.docs.architecture import counted
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.builders import MONDAY
from tests.functions.books import AAPL, KO
from tests.functions.desk import PREFIX, RUN_ID, Desk, OpenDesk, a_plan, holding
from tests.regressions.machine import NAME, Machine
from tests.simulation import judge
from tests.statemachine import rules
from tests.template.stack import DEFINITION, definition, of_type, written

MachineAt = Callable[[Desk], Machine]
GIVEN = {"plan": a_plan("buy 40 AAPL")}


def day(open_desk: OpenDesk, at: str = "09:25") -> Desk:
    return open_desk({"AAPL": AAPL, "KO": KO}, at=at)


def test_a_failed_steps_error_is_reported_unchanged(open_desk: OpenDesk, machine_at: MachineAt) -> None:
    """CloseRun reads the error in the shape that a Catch passes on, and reports it unchanged."""
    desk = day(open_desk)
    execution = machine_at(desk).start({**GIVEN, "settings": {"max_order_notional": "7576.80"}})
    desk.wait_until("09:30")
    desk.exchange.faults.arm(
        Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/positions", status=403, body={"message": "forbidden"}),
        When(times=None),
    )
    desk.wait_until("10:30")
    assert (execution.status, execution.error) == ("FAILED", "BrokerDenied")
    assert desk.report["error"] == "BrokerDenied"
    assert desk.report["reason"] in execution.cause


@pytest.mark.parametrize("path", ["/v2/stocks/quotes/latest", "/v2/orders", "/v2/clock"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_denied_read_ends_no_run_by_itself(
    path: str, status: int, open_desk: OpenDesk, machine_at: MachineAt
) -> None:
    """A broker in trouble may deny a request for once, and a run that ends for it gives up orders that could trade."""
    desk = day(open_desk)
    execution = machine_at(desk).start({**GIVEN, "settings": {"policy": "anchor", "patience_seconds": 3_600}})
    desk.wait_until("09:37")
    denial = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=path, status=status, body={"message": "forbidden."})
    struck: list[str] = []
    desk.exchange.faults.on_strike.append(lambda: struck.append(path))
    desk.exchange.faults.arm(denial)
    desk.wait_until("09:40")
    assert struck == [path]
    assert (execution.status, len(desk.open_at_broker())) == ("RUNNING", 1)


def test_a_limits_counter_is_written_with_the_intent(open_desk: OpenDesk) -> None:
    """A limit whose counter is not incremented never triggers, so the count and the intent are one write."""
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.place()
    spent = desk.store.spent(f"run:{RUN_ID}")  # type: ignore[attr-defined]
    assert spent.orders == len(desk.store.intents(RUN_ID)) == len(desk.at_broker()) == 1


def test_every_task_catches_all_errors() -> None:
    assert list(rules.every_task_catches_everything(definition())) == []


def test_a_rejected_symbol_does_not_abort_the_others(open_desk: OpenDesk, machine_at: MachineAt) -> None:
    desk = day(open_desk)
    given = {"plan": a_plan("buy 40 AAPL", "buy 10 KO"), "settings": {"patience_seconds": 30}}
    desk.exchange.races.arm(Race.REJECTED_LATER, symbol="KO", when=When(times=None))
    execution = machine_at(desk).start(given)
    desk.wait_until("10:00")
    assert execution.status == "SUCCEEDED"
    assert {row["symbol"]: row["outcome"] for row in desk.report["orders"]} == {"AAPL": "filled", "KO": "rejected"}


def test_a_failed_run_is_reported_and_fails_the_execution(open_desk: OpenDesk, machine_at: MachineAt) -> None:
    desk = day(open_desk)
    desk.exchange.faults.arm(
        Fault(kind=Kind.REWRITE, method="GET", path="/v2/account/activities/FILL", rewrite=lambda rows: []),
        When(times=None),
    )
    execution = machine_at(desk).start({**GIVEN, "settings": {"patience_seconds": 30}})
    desk.wait_until("10:30")
    assert (execution.status, execution.error) == ("FAILED", "Unexplained")
    assert desk.report["outcome"] == "failed"
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.failed"]


def test_an_order_with_a_changed_row_is_not_sent(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.validate()
    desk.broker.line.seconds = 1
    step = desk.scheduler.spawn(desk.place)
    desk.wait(4.5)
    desk.store.save_order(desk.order())
    desk.wait(10)
    step.result()
    assert desk.posts() == 0
    assert desk.journalled("AAPL", "error")[0][0] == "Conflict"


def test_a_second_start_during_the_run_trades_nothing(open_desk: OpenDesk, machine_at: MachineAt) -> None:
    desk = day(open_desk)
    machine = machine_at(desk)
    first, second = machine.start(GIVEN), machine.start(GIVEN, f"{NAME}-again")
    desk.wait_until("09:36")
    assert (first.status, second.status, second.path) == (
        "RUNNING",
        "SUCCEEDED",
        ["ReceiveInput", "OpenRun", "DuplicateRun"],
    )
    assert len(desk.at_broker()) == 1


def test_the_day_limit_is_not_kept_in_a_containers_memory(open_desk: OpenDesk) -> None:
    """A second container with empty memory is limited by the first one's commitments."""
    first = open_desk({"AAPL": AAPL})
    first.begin("buy 40 AAPL", max_day_notional="10000")
    first.place()
    second = open_desk({"AAPL": AAPL}, store=first.store)
    second.store.claim_run(
        first.run.model_copy(update={"run_id": f"{RUN_ID}-r2", "owner": "arn:second", "is_planned": False})
    )
    order = first.order().model_copy(update={"run_id": f"{RUN_ID}-r2", "children": (), "committed": 0, "version": 0})
    second.store.add_orders(f"{RUN_ID}-r2", 1, [order])
    place_orders(f"{RUN_ID}-r2", 1, 0, second.ports)
    assert second.posts() == 0
    assert "budget day:2026-11-23" in second.journalled("AAPL", "hold")[0][1]


def test_a_run_continues_after_a_crash_during_placement(open_desk: OpenDesk) -> None:
    """Intent, order and budgets are one transaction, so the next turn finds a consistent state."""
    for seconds in (0.5, 2.5, 4.5, 5.5, 6.5):
        desk = open_desk({"AAPL": AAPL})
        desk.begin("buy 40 AAPL")
        desk.broker.line.seconds = 1
        step = desk.scheduler.spawn(desk.place)
        desk.wait(seconds)
        step.kill()
        desk.wait(5)
        desk.broker.line.seconds = 0
        intents = desk.store.intents(RUN_ID)
        assert [child.client_order_id for child in desk.order().children] == [i.client_order_id for i in intents]
        for time in ("09:36:30", "09:37:30"):
            desk.wait_until(time)
            desk.place()
            desk.repeg()
        assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
        desk.judge()


def test_the_watchdog_emits_the_metric_of_a_stuck_run(
    open_desk: OpenDesk, machine_at: MachineAt, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.wait_until("09:50")
    desk.ports = replace(desk.ports, notifier=CountingNotifier(desk.notifier, count, measure))
    machine_at(desk).invoke("WatchRuns", {})
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [blob["StuckRuns"] for blob in emitted if "StuckRuns" in blob] == [[1.0]]


def test_every_alarms_metric_is_emitted() -> None:
    assert {"StuckRuns", "MissedRuns", "OrdersLeftOpen", "RunsFailed"} <= counted()
    alarms = of_type(written(), "AWS::CloudWatch::Alarm").values()
    ours = [alarm["Properties"] for alarm in alarms if not str(alarm["Properties"].get("Namespace")).startswith("AWS/")]
    assert {alarm["MetricName"] for alarm in ours if "MetricName" in alarm} <= counted()


def test_the_last_page_of_open_orders_is_read(open_desk: OpenDesk) -> None:
    """The run's order is listed after 510 of another client: only it is cancelled."""
    desk = open_desk({"AAPL": AAPL}, opening=holding("1000000"))
    for number in range(510):
        desk.submit(f"their-{number}", wait=0.001)
    desk.submit(f"{PREFIX}AAPL.b.9")
    desk.open(a_plan("buy 40 AAPL"))
    assert desk.close().outcome == "settled"
    judge.nothing_of_ours_is_open(desk.exchange)
    assert len(desk.exchange.account.orders.open) == 510


def worst_case_seconds(state: dict[str, Any]) -> float:
    """The longest total wait of a task's retries, without jitter."""
    total = 0.0
    for retry in state.get("Retry", []):
        delays = [
            retry.get("IntervalSeconds", 1) * retry.get("BackoffRate", 2.0) ** n
            for n in range(retry.get("MaxAttempts", 3))
        ]
        total += sum(min(delay, retry.get("MaxDelaySeconds", delay)) for delay in delays)
    return total


def test_every_retry_policy_is_bounded() -> None:
    """All retries of a step together wait at most 15 minutes; those of CloseRun at most 90."""
    waits = {name: worst_case_seconds(state) for name, state in definition()["States"].items() if "Retry" in state}
    assert max(seconds for name, seconds in waits.items() if name != "CloseRun") <= 15 * 60
    assert waits["CloseRun"] <= 90 * 60
    assert min(waits.values()) > 0


def test_the_definition_is_valid_json_before_substitution() -> None:
    text = DEFINITION.read_text()
    assert json.loads(text)["StartAt"] == "ReceiveInput"
    assert re.findall(r'[^"]\$\{\w+\}[^"]', text) == []
    assert len(re.findall(r'"\$\{\w+\}"', text)) == 7


def test_an_execution_aborted_during_placement_leaves_no_open_order(open_desk: OpenDesk, machine_at: MachineAt) -> None:
    desk = day(open_desk)
    machine = machine_at(desk)
    execution = machine.start(GIVEN)
    desk.wait_until("09:34:50")
    desk.broker.line.seconds = 3
    desk.wait_until("09:35:20")
    assert machine.calls[-1] in {"PlaceOrders", "ValidateQuotes", "PlanOrders"}
    machine.walker.stop(execution)
    sweeper = desk.scheduler.spawn(lambda: desk.sweep(NAME))
    desk.wait_until("09:45")
    assert (execution.status, sweeper.result().outcome) == ("ABORTED", "swept")
    assert desk.run.state is RunState.SWEPT
    judge.nothing_of_ours_is_open(desk.exchange)
    assert [run.run_id for run in desk.store.guards_on(MONDAY)] == [RUN_ID]
    desk.judge()
