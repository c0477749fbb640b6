"""A fault for each alarm, on a simulated day of the deployed stack."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from repeg.adapters.alpaca.keys import PLACEHOLDER
from repeg.domain.child_order import Rung
from repeg.domain.intent import Intent
from repeg.domain.order_ids import client_order_id, run_prefix
from repeg.domain.quote import Quote, Side
from repeg_workbench.engine.invocation import Invocation
from repeg_workbench.exchange.broker.ledger import CASH, OPENING, USD, Posting
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.exchange.triggers import When
from repeg_workbench.simulate.simulation import SimulatedDay
from tests.template.alarm_states import Metrics
from tests.template.test_permissions_used import MANY, PLAN, RUN_ID, steps, until

NOT_FOUND = {"code": 40410000, "message": "order not found"}
SCHEDULED = {"ScheduleState": "ENABLED", "PlanUri": "s3://plans/calls.json", "PlanBucket": "plans"}


@dataclass(frozen=True)
class Play:
    """A fault: what happens on the day, and the template's parameters."""

    act: Callable[[SimulatedDay, Metrics], None]
    parameters: Mapping[str, str]


FAULTS: dict[str, Play] = {}
"""By the alarm's logical id. The metrics of the last three are published by AWS alone: a data point stands for them."""


def fires(*alarms: str, **parameters: str) -> Callable[[Callable[[SimulatedDay, Metrics], None]], None]:
    """Register a fault for alarms."""

    def register(act: Callable[[SimulatedDay, Metrics], None]) -> None:
        FAULTS.update({f"{alarm}Alarm": Play(act, parameters) for alarm in alarms})

    return register


def start(day: SimulatedDay, time: str, plan: Any = PLAN) -> str:
    """Start a run and advance to a time; returns the execution's ARN."""
    arn = day.engine.start_execution({"plan": plan}, "faulty")
    until(day, time)
    return arn


def arm(day: SimulatedDay, method: str, status: int, path: str = ".*", times: int | None = None) -> None:
    """Make the broker answer requests with an error."""
    fault = Fault(kind=Kind.ANSWER_BEFORE, method=method, path=path, status=status, body=NOT_FOUND)
    day.exchange.faults.arm(fault, When(times=times))


def vanish(day: SimulatedDay) -> None:
    """The broker shows and finds no order any more."""
    arm(day, "GET", 404, "/v2/orders:by_client_order_id")
    arm(day, "GET", 404, "/v2/orders/.+")
    arm(day, "DELETE", 404, "/v2/orders/.+")
    hidden = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders", rewrite=lambda rows: [])
    day.exchange.faults.arm(hidden, When(times=None))


@fires("RunFailed", "ExecutionFailed")
def _another_execution_takes_the_run_over(day: SimulatedDay, _metrics: Metrics) -> None:
    start(day, "09:37")
    renewal = {"run_id": RUN_ID, "epoch": 1, "turns": 0}
    day.engine.invoke("OpenRun", {"input": {"renewal": renewal}, "execution": "arn:second"})
    until(day, "09:45")


@fires("RunRefused")
def _a_plan_without_orders(day: SimulatedDay, _metrics: Metrics) -> None:
    start(day, "09:26", {"name": "calls", "orders": []})


@fires("RunSwept")
def _an_aborted_execution(day: SimulatedDay, _metrics: Metrics) -> None:
    day.engine.stop_execution(start(day, "09:37"))
    until(day, "09:45")


@fires("RunStuck")
def _a_run_without_an_execution(day: SimulatedDay, _metrics: Metrics) -> None:
    until(day, "09:36")
    steps(day, "OpenRun", "PlanOrders", "ValidateQuotes", "PlaceOrders")
    until(day, "09:56")
    day.engine.invoke("WatchRuns", {})


@fires("RunMissed", **SCHEDULED)
def _no_start(day: SimulatedDay, _metrics: Metrics) -> None:
    until(day, "09:41")
    day.engine.invoke("WatchRuns", {})


@fires("OrdersOrphaned")
def _an_order_without_a_run(day: SimulatedDay, _metrics: Metrics) -> None:
    until(day, "09:40")
    now = day.engine.scheduler.now()
    quote = Quote(
        symbol="AAPL", bid=Decimal(189), bid_size=Decimal(1), ask=Decimal(190), ask_size=Decimal(1), at=now
    )  # fmt: skip
    order_id = client_order_id(run_prefix(day.ports.tag, f"gone-{now.date()}"), "AAPL", Side.BUY, 1)
    intent = Intent(
        client_order_id=order_id, symbol="AAPL", side=Side.BUY, n=1, qty=Decimal(1), limit=Decimal("100.00"),
        notional=Decimal(100), rung=Rung.PASSIVE, reason="", quote=quote, decided_at=now,
    )  # fmt: skip
    day.ports.broker.submit(intent)
    until(day, "09:41")
    day.engine.invoke("WatchRuns", {})


@fires("OrdersLost")
def _the_broker_forgets_an_order(day: SimulatedDay, _metrics: Metrics) -> None:
    until(day, "15:40")
    start(day, "15:41:30")
    vanish(day)
    until(day, "16:30")
    day.engine.invoke("WatchRuns", {})


@fires("BooksDiffer")
def _the_broker_does_not_list_a_fill(day: SimulatedDay, _metrics: Metrics) -> None:
    start(day, "16:01")
    hidden = Fault(
        kind=Kind.REWRITE, method="GET", path="/v2/account/activities/FILL", rewrite=lambda rows: []
    )  # fmt: skip
    day.exchange.faults.arm(hidden, When(times=None))
    until(day, "16:25")
    day.engine.invoke("WatchRuns", {})


@fires("CashNegative", FundBuysFrom="buying_power")
def _money_is_owed_after_the_close(day: SimulatedDay, _metrics: Metrics) -> None:
    start(day, "16:10")
    ledger = day.exchange.ledger
    owed = ledger.cash + 1
    withdrawn = (Posting(CASH, USD, -owed), Posting(OPENING, USD, owed))
    ledger.book(day.engine.scheduler.now_ns, "withdrawal", "", withdrawn)
    until(day, "16:25")
    day.engine.invoke("WatchRuns", {})


@fires("RowsUnreadable")
def _a_row_of_another_release(day: SimulatedDay, _metrics: Metrics) -> None:
    arn = start(day, "09:37")
    table, client = day.engine.table_name(), day.engine.client("dynamodb")
    key = {"pk": {"S": f"RUN#{RUN_ID}"}, "sk": {"S": "ORDER#AAPL"}}
    client.update_item(
        TableName=table, Key=key, UpdateExpression="SET body = :b", ExpressionAttributeValues={":b": {"S": "{}"}}
    )  # fmt: skip
    day.engine.stop_execution(arn)
    until(day, "09:45")


@fires("OrdersUnknown")
def _no_answer_to_any_order(day: SimulatedDay, _metrics: Metrics) -> None:
    start(day, "09:34")
    arm(day, "POST", 500)
    until(day, "09:42")


@fires("RequestsRefused", RequestsPerMinute="60")
def _too_many_symbols(day: SimulatedDay, _metrics: Metrics) -> None:
    orders = [{"symbol": symbol, "side": "buy", "qty": "1"} for symbol in MANY]
    start(day, "09:42", {"name": "many", "orders": orders})


@fires("CloseFailed")
def _no_cancel_gets_through(day: SimulatedDay, _metrics: Metrics) -> None:
    until(day, "15:40")
    start(day, "15:42")
    arm(day, "DELETE", 500)
    until(day, "15:57")
    day.engine.invoke("CloseRun", {"run_id": RUN_ID, "epoch": 1, "turn": {"turns": 0}})
    until(day, "16:12")


@fires("JournalLost")
def _the_journals_bucket_is_gone(day: SimulatedDay, _metrics: Metrics) -> None:
    day.engine.client("s3").delete_bucket(Bucket=day.engine.stack.physical_id("JournalBucket"))
    start(day, "09:37")


@fires("SweepFailed")
def _no_cancel_gets_through_to_the_sweep(day: SimulatedDay, _metrics: Metrics) -> None:
    arn = start(day, "09:36:30")
    arm(day, "DELETE", 500)
    day.engine.stop_execution(arn)
    until(day, "09:55")


@fires("WatchFailed", "WatchErrors")
def _the_open_orders_cannot_be_read(day: SimulatedDay, _metrics: Metrics) -> None:
    until(day, "09:36")
    arm(day, "GET", 500, "/v2/orders")
    day.engine.invoke("WatchRuns", {})


@fires("KeysMissing", key_id=PLACEHOLDER)
def _no_keys_yet(day: SimulatedDay, _metrics: Metrics) -> None:
    answer = day.engine.invoke("WatchRuns", {})
    assert (answer.error, answer.payload) == (None, '{"alerts": []}')


@fires("StepErrors")
def _three_killed_steps(day: SimulatedDay, _metrics: Metrics) -> None:
    left = ["RepegOrders"] * 3

    def kill(invocation: Invocation) -> None:
        if left and left[0] in invocation.function.name:
            left.pop()
            invocation.kill()
            day.engine.scheduler.checkpoint()

    start(day, "09:36")
    day.engine.host.before_invoke.append(kill)
    until(day, "09:41")


@fires("NearTimeLimit")
def _a_broker_that_answers_after_four_seconds(day: SimulatedDay, _metrics: Metrics) -> None:
    start(day, "09:36")
    answer = day.exchange.handle

    def answer_late(request: Request) -> Response:
        day.engine.scheduler.sleep(4)
        return answer(request)

    day.exchange.handle = answer_late  # type: ignore[method-assign]
    until(day, "09:45")


@fires("PageFailed")
def _an_event_that_names_no_run(day: SimulatedDay, _metrics: Metrics) -> None:
    event = {"Source": "repeg", "DetailType": "repeg.run.settled", "Detail": json.dumps({"stack": "repeg"})}
    day.engine.client("events").put_events(Entries=[event])
    until(day, "09:26")


@fires("Throttled")
def _lambda_refuses(day: SimulatedDay, metrics: Metrics) -> None:
    metrics.add("AWS/Lambda", "Throttles", 1, FunctionName=day.engine.function("RepegOrders").name)


@fires("Undelivered")
def _a_dead_letter(day: SimulatedDay, metrics: Metrics) -> None:
    queue = day.engine.stack.physical_id("Undelivered").rsplit("/", 1)[-1]
    metrics.add("AWS/SQS", "ApproximateNumberOfMessagesVisible", 1, QueueName=queue)


@fires("WatchdogSilent")
def _no_pass_of_the_watchdog(day: SimulatedDay, _metrics: Metrics) -> None:
    day.engine.run(datetime(2026, 11, 27, 12, tzinfo=UTC))


def quiet(day: SimulatedDay) -> None:
    """A day without a fault: a run, and the last pass of the watchdog."""
    start(day, "16:01")
    until(day, "16:25")
    answer = day.engine.invoke("WatchRuns", {})
    assert json.loads(answer.payload) == {"alerts": []}
