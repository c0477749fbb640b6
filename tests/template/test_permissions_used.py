"""Each function may call exactly what it has been seen to call, on days that take every path to AWS."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from botocore.handlers import BUILTIN_HANDLERS

from repeg.domain.child_order import Rung
from repeg.domain.intent import Intent
from repeg.domain.order_ids import client_order_id, legacy_prefix
from repeg.domain.quote import Quote, Side
from repeg.domain.session import NEW_YORK
from repeg_workbench.docs import permissions
from repeg_workbench.engine.moto_corrections import account
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote, trade
from repeg_workbench.simulate.simulation import Scenario, SimulatedDay, opened
from tests.builders import MONDAY
from tests.template.stack import FUNCTION, listed, of_type, statements, translated, written

# A transaction needs the permissions of its items.
INSIDE = {"Put": "PutItem", "Update": "UpdateItem", "ConditionCheck": "ConditionCheckItem", "Delete": "DeleteItem"}
# What a permission is called, where that is not the name of the operation or of the service.
NAMED = {"ListObjectsV2": "ListBucket", "stepfunctions": "states"}
MEASURED = ("dynamodb", "events", "s3", "secretsmanager", "states")
SECRET = "secretsmanager:GetSecretValue"
FUNCTIONS = sorted(of_type(written(), FUNCTION))

PLAN = {
    "name": "calls",
    "orders": [{"symbol": "AAPL", "side": "buy", "qty": "40"}, {"symbol": "KO", "side": "sell", "qty": "all"}],
}
RUN_ID = f"calls-{MONDAY}"
MANY = [f"M{first}{second}" for first in "ABCDEFGHIJK" for second in "ABCDEFGHIJ"]

Call = tuple[str, str]
"""A function and the action that it called."""


@contextmanager
def a_day(
    calls: set[Call], *, policy: str = "anchor", key_id: str = OpeningAccount.key_id, **parameters: str
) -> Iterator[SimulatedDay]:
    """A day on which AAPL rises, so that its order moves; every call of a function to AWS is added to `calls`.

    Under the original rule, which is the default here alone, its fills come at known times.
    """
    times = [f"{hour:02}:{minute:02}" for hour in range(9, 16) for minute in range(60)]
    rising = [quote(at, f"300 @ {189 + n / 50:.2f}", f"300 @ {189.06 + n / 50:.2f}") for n, at in enumerate(times)]
    calm: list[Event] = [quote(at, "900 @ 70.10", "900 @ 70.11") for at in times]
    calm.insert(times.index("09:37"), trade("09:36:30", "2000 @ 70.11", side=1))
    still = [quote(at, "900 @ 10.00", "900 @ 10.02") for at in times[:60]]
    market = ScriptedMarket({MONDAY: {"AAPL": rising, "KO": calm, **dict.fromkeys(MANY, still)}})
    opening = OpeningAccount(cash=Decimal(10_000), positions={"KO": (Decimal(100), Decimal(70))}, key_id=key_id)
    settings = {
        "policy": policy,
        "patience_seconds": 120,
        "max_slippage_bps": 500,
        "order_monitoring_seconds": 60,
        "max_quote_age_seconds": 90,
    }
    scenario = Scenario(
        plan=PLAN, market=market, day=MONDAY, opening=opening, settings=settings, parameters=parameters,
        keeps_journal=True,
    )  # fmt: skip
    with _recorded(calls), opened(scenario) as day:
        yield day


@contextmanager
def _recorded(calls: set[Call]) -> Iterator[None]:
    """Record the calls of every client; the engine's clients are made anew, because a client keeps its handlers."""
    hook = ("provide-client-params", _recorder(calls))
    BUILTIN_HANDLERS.append(hook)
    _forget_clients()
    try:
        yield
    finally:
        BUILTIN_HANDLERS.remove(hook)
        _forget_clients()


def _forget_clients() -> None:
    account.client.cache_clear()
    account.session.cache_clear()


def _recorder(calls: set[Call]) -> Callable[..., None]:
    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "before-container-start")
        inside = [INSIDE[kind] for item in params.get("TransactItems", []) for kind in item]
        service = NAMED.get(model.service_model.service_name, model.service_model.service_name)
        called = inside or [NAMED.get(model.name, model.name)]
        calls.update((function.split("-")[1], f"{service}:{action}") for action in called)

    return record


def until(day: SimulatedDay, time: str) -> None:
    """Advance the day to a New York time."""
    day.engine.run(datetime.fromisoformat(f"{MONDAY}T{time}").replace(tzinfo=NEW_YORK))


def a_whole_day(calls: set[Call]) -> None:
    """A run from its start to the books' last comparison, and a second start."""
    with a_day(calls) as day:
        day.start("calls")
        day.run()
        assert day.ending().status == "SUCCEEDED", day.ending()
        day.start("again")
        day.run()
        assert day.ending().states[-1] == "DuplicateRun"
        until(day, "16:25")
        assert day.engine.invoke("WatchRuns", {}).payload == '{"alerts": []}'


def a_plan_from_the_bucket(calls: set[Call]) -> None:
    """A run whose execution is aborted while its orders are open; the sweep closes it."""
    with a_day(calls, PlanBucket="plans", PlanUri="s3://plans/calls.json") as day:
        s3 = day.engine.client("s3")
        s3.create_bucket(Bucket="plans")
        s3.put_object(Bucket="plans", Key="calls.json", Body=json.dumps(PLAN))
        arn = day.engine.start_execution({"plan_uri": "s3://plans/calls.json"}, "calls")
        until(day, "09:36:45")
        day.engine.stop_execution(arn)
        day.run()


def a_run_without_an_execution(calls: set[Call]) -> None:
    """A run whose execution has died unnoticed, with fills that are not booked: the watchdog sweeps it."""
    with a_day(calls) as day:
        until(day, "09:36")
        steps(day, "OpenRun", "PlanOrders", "ValidateQuotes", "PlaceOrders")
        until(day, "09:56")
        day.engine.invoke("WatchRuns", {})


def a_renewed_run(calls: set[Call]) -> None:
    """A run that another execution takes over; a placement is interrupted, and the closing step books the fills."""
    with a_day(calls) as day:
        until(day, "09:36")
        steps(day, "OpenRun", "PlanOrders", "ValidateQuotes")
        renewal = {"run_id": RUN_ID, "epoch": 1, "turns": 0}
        day.engine.invoke("OpenRun", {"input": {"renewal": renewal}, "execution": "arn:second"})
        day.exchange.faults.arm(Fault(kind=Kind.ANSWER_AFTER, method="POST", status=500))
        steps(day, "PlaceOrders", "PlaceOrders", epoch=2)
        until(day, "09:40")
        steps(day, "CloseRun", epoch=2)


def a_plan_of_many_orders(calls: set[Call]) -> None:
    """A plan that takes several transactions to store."""
    plan = {"name": "many", "orders": [{"symbol": symbol, "side": "buy", "qty": "1"} for symbol in MANY]}
    with a_day(calls) as day:
        until(day, "09:36")
        steps(day, "OpenRun", "PlanOrders", plan=plan)


def a_preview(calls: set[Call]) -> None:
    """A preview, whose orders end where they would have been placed."""
    with a_day(calls) as day:
        day.engine.start_execution({"plan": PLAN, "preview": True}, "preview")
        until(day, "09:45")


def steps(day: SimulatedDay, *names: str, epoch: int = 1, plan: Any = PLAN) -> None:
    """Call steps one by one."""
    for name in names:
        start = {"input": {"plan": plan}, "execution": "arn:first"}
        turn = {"run_id": f"{plan['name']}-{MONDAY}", "epoch": epoch, "first_turn": 0, "turn": {"turns": 0}}
        answer = day.engine.invoke(name, start if name == "OpenRun" else turn)
        assert "errorType" not in answer.payload, answer


def a_cancelled_day(calls: set[Call]) -> None:
    """An operator estimates a start, sets the kill switch, and cancels an order of a run that has no tag."""
    with a_day(calls) as day:
        until(day, "09:36")
        start = {"input": {"plan": PLAN}, "execution": "arn:first", "estimate": True}
        assert '"run_id"' in day.engine.invoke("OpenRun", start).payload
        steps(day, "OpenRun", "PlanOrders", "ValidateQuotes", "PlaceOrders")
        answer = day.engine.invoke("ServeOperator", {"switch": "cancel_all"}).payload
        assert len(json.loads(answer)["cancelled"]) == 2, answer
        day.ports.broker.submit(an_intent(day, legacy_prefix(RUN_ID)))
        day.engine.invoke("ServeOperator", {"switch": "cancel_all"})


PLAYS = (
    a_whole_day, a_plan_from_the_bucket, a_run_without_an_execution, a_renewed_run, a_plan_of_many_orders,
    a_cancelled_day, a_preview
)  # fmt: skip


def an_intent(day: SimulatedDay, prefix: str) -> Intent:
    """One share far below the market, under a run's prefix."""
    now = day.engine.scheduler.now()
    book = Quote(
        symbol="AAPL", bid=Decimal(189), bid_size=Decimal(1), ask=Decimal(190), ask_size=Decimal(1), at=now
    )  # fmt: skip
    return Intent(
        client_order_id=client_order_id(prefix, "AAPL", Side.BUY, 9), symbol="AAPL", side=Side.BUY, n=9,
        qty=Decimal(1), limit=Decimal("100.00"), notional=Decimal(100), rung=Rung.PASSIVE, reason="", quote=book,
        decided_at=now,
    )  # fmt: skip


@pytest.fixture(scope="module")
def used() -> set[Call]:
    """The calls of all these days."""
    calls: set[Call] = set()
    for play in PLAYS:
        play(calls)
    return calls


def granted(name: str) -> set[str]:
    """The measured services' actions that a function's role allows."""
    actions = (
        action for role, one in statements(translated()) if role == f"{name}Role" for action in listed(one["Action"])
    )
    return {action for action in actions if action.split(":")[0] in MEASURED}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_call_what_it_calls_and_nothing_else(name: str, used: set[Call]) -> None:
    """The secret is read when a container starts, before any function runs."""
    assert granted(name) - {SECRET} == {action for function, action in used if function == name} - {SECRET}


def test_a_container_reads_the_secret_when_it_starts(used: set[Call]) -> None:
    assert ("container", SECRET) in used
    assert [name for name in FUNCTIONS if SECRET not in granted(name)] == ["WritePage"]


def test_the_page_of_permissions_is_up_to_date(used: set[Call]) -> None:
    from tests.template import permissions_page  # noqa: PLC0415 - it plays the days of this module

    assert permissions.PAGE.read_text(encoding="utf-8") == permissions_page.page(used), permissions_page.__doc__
