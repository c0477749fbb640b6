"""`repeg status`: the stack at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table

from repeg.domain.errors import RepegError
from repeg.domain.operating import UNREAD, OpenOrder, OperatorAnswer
from repeg.domain.request_quota import buckets_of_minute
from repeg.domain.session import NEW_YORK
from repeg_workbench.exchange.time.hours import TradingHours
from repeg_workbench.operate import history
from repeg_workbench.operate.answer import Answer, pairs, table
from repeg_workbench.operate.cron import Cron, UnsupportedSchedule
from repeg_workbench.operate.operator import ask
from repeg_workbench.operate.stack import DeployedStack, find_stack
from repeg_workbench.operate.workstation import Workstation

_LOOK_AHEAD_DAYS = 14


def status(at: Workstation, stack: str | None) -> Answer:
    """Everything an operator asks first. What cannot be read is named; the rest is still shown."""
    found = find_stack(at, stack)
    operator = ask(found, {})
    rows = [history.row(found, guard) for guard in history.guards(found, history.RECENT_DAYS)]
    running = at.client("stepfunctions").list_executions(stateMachineArn=found.machine, statusFilter="RUNNING")
    broker = operator.broker
    data: dict[str, Any] = {
        "stack": found.name,
        "mode": found.mode,
        "region": at.region,
        "stack_status": found.status,
        "kill_switch": _switch(found, operator),
        "smart_execution": found.parameters.get("UseSmartLimitExecution", "true") == "true",
        "policy": found.parameters.get("Policy", ""),
        "account_number": None if broker is None else broker.account_number,
        "market": _market(found, operator),
        "executions_running": sorted(one["name"] for one in running["executions"]),
        "active_runs": [row for row in rows if row["state"] not in {"closed", "swept"}],
        "open_orders": None if broker is None else [order.model_dump(mode="json") for order in broker.orders],
        "requests_last_minute": sum(map(found.store.requests_leased, buckets_of_minute(at.runtime.now()))),
        "requests_per_minute": int(found.parameters.get("RequestsPerMinute", "200")),
        "last_run": next((row for row in rows if _has_traded(row)), None),
        "schedule": _schedule(found),
        "problems": list(operator.problems),
    }
    return Answer(data, _text(data, found))


def _has_traded(row: Mapping[str, Any]) -> bool:
    """Whether a run has ended and was no preview."""
    return row["state"] in {"closed", "swept"} and not row.get("preview")


def _switch(stack: DeployedStack, operator: OperatorAnswer) -> str:
    if operator.switch != UNREAD:
        return operator.switch
    with suppress(RepegError):
        return stack.store.kill_switch().value
    return UNREAD


def _market(stack: DeployedStack, operator: OperatorAnswer) -> dict[str, Any]:
    """The session as the broker says; without the broker, as the calendar here has it."""
    broker = operator.broker
    if broker is not None:
        return {"source": "broker", "is_open": broker.is_open, "opens": broker.opens, "closes": broker.closes}
    now = stack.at.runtime.now()
    session = TradingHours().calendar.session(history.trading_day_of(stack))
    if session is None:
        return {"source": "calendar", "is_open": False, "opens": "", "closes": ""}
    is_open = session.open <= now < session.close
    return {
        "source": "calendar", "is_open": is_open, "opens": session.open.isoformat(), "closes": session.close.isoformat()
    }  # fmt: skip


def _schedule(stack: DeployedStack) -> dict[str, Any]:
    """The schedule's state, and when it fires next; `next` is None if it is disabled or cannot be foreseen."""
    found = stack.at.client("scheduler").get_schedule(Name=stack.resource("Schedule"))
    zone, expression = found.get("ScheduleExpressionTimezone", "UTC"), found["ScheduleExpression"]
    following = next_firing(expression, zone, stack.at.runtime.now()) if found["State"] == "ENABLED" else None
    return {
        "state": found["State"], "expression": expression, "time_zone": zone,
        "next": None if following is None else following.isoformat(),
        "is_session": None if following is None else _has_session(following.date()),
        "plan_uri": stack.parameters.get("PlanUri", ""),
    }  # fmt: skip


def next_firing(expression: str, zone: str, now: datetime) -> datetime | None:
    """When a schedule fires next, in its own time zone; None if it does not within two weeks or is not understood."""
    with suppress(UnsupportedSchedule):
        cron, local = Cron.parse(expression), now.astimezone(ZoneInfo(zone))
        for ahead in range(_LOOK_AHEAD_DAYS):
            day = local.date() + timedelta(days=ahead)
            times = cron.times() if cron.has_day(day) else []
            for hour, minute in times:
                at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone))
                if at > local:
                    return at
    return None


def _has_session(day: date) -> bool:
    return TradingHours().calendar.session(day) is not None


def _text(data: dict[str, Any], stack: DeployedStack) -> list[str | Table]:
    market = data["market"]
    rows = [
        ("stack", f"{stack.title}, {data['region']}, {data['stack_status']}"),
        ("kill switch", data["kill_switch"]),
        ("smart execution", f"{'on' if data['smart_execution'] else 'off'}, policy {data['policy']}"),
        ("market", _session(market)),
        ("executions", ", ".join(data["executions_running"]) or "none is running"),
        ("active runs", ", ".join(_run(row) for row in data["active_runs"]) or "none"),
        ("open orders", "not known" if data["open_orders"] is None else str(len(data["open_orders"]))),
        ("requests", f"{data['requests_last_minute']} of {data['requests_per_minute']} in the last minute"),
        ("last run", _run(data["last_run"]) if data["last_run"] else f"none in {history.RECENT_DAYS} days"),
        ("schedule", _next(data["schedule"])),
        *(("problem", problem) for problem in data["problems"]),
    ]
    text: list[str | Table] = [pairs(rows)]
    if data["open_orders"]:
        text += ["", open_order_table([OpenOrder.model_validate(order) for order in data["open_orders"]])]
    return text


def open_order_table(orders: list[OpenOrder]) -> Table:
    """A line for each open order."""
    made = table(
        "open at the broker", "side", "shares", "filled", "limit", "run", numbers=("shares", "filled", "limit")
    )
    for order in orders:
        row = order.model_dump(mode="json")
        made.add_row(
            order.symbol, order.side, row["qty"], row["filled_qty"], row["limit"] or "market", order.run_id or "–"
        )
    return made


def _session(market: dict[str, Any]) -> str:
    source = "" if market["source"] == "broker" else " (by the calendar; the broker was not read)"
    if not market["opens"]:
        return f"closed today{source}"
    opens, closes = (_clock(market[name]) for name in ("opens", "closes"))
    state = f"open until {closes}" if market["is_open"] else f"closed; today's session is {opens} to {closes}"
    return f"{state} New York{source}"


def _run(row: dict[str, Any]) -> str:
    run, state, outcome, filled, cost, _, why = history.cells(row)
    if outcome == "–":
        return f"{run} {state}, {filled}"
    return f"{run} {outcome}, {filled} filled, {cost} bps" + (f", {why}" if outcome != "settled" else "")


def _next(schedule: dict[str, Any]) -> str:
    if schedule["state"] != "ENABLED":
        return "disabled: runs are started by hand"
    if schedule["next"] is None:
        return f"enabled: {schedule['expression']} {schedule['time_zone']}"
    holiday = "" if schedule["is_session"] else ", a day without a session: the run will end as MarketClosed"
    return f"next start {datetime.fromisoformat(schedule['next']):%a %Y-%m-%d %H:%M} New York{holiday}"


def _clock(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(NEW_YORK):%H:%M}"
