"""Opening a run: its input, the account and the limits are checked before anything is claimed or sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from repeg.domain import plan
from repeg.domain.arming import require_armed
from repeg.domain.broker import Account
from repeg.domain.errors import BrokerDenied, DuplicateRun, InvalidInput, MarketClosed, RefusedRun
from repeg.domain.frozen import Frozen
from repeg.domain.journal import Entry
from repeg.domain.limits import require_allowed
from repeg.domain.order_ids import run_prefix
from repeg.domain.pace import notes_of, require_time_to_place, with_time_to_close
from repeg.domain.plan import Plan
from repeg.domain.plan_reading.reader import read_document, read_file
from repeg.domain.request_quota import REQUESTS_PER_MINUTE, requests_per_minute
from repeg.domain.run import KillSwitch, Run, RunState
from repeg.domain.run_identity import MAX_RUN_NUMBER, preview_id, refusal_of_second_start
from repeg.domain.session import TradingDay, trading_date, trading_window
from repeg.domain.setting_types import Waiting
from repeg.domain.settings import Settings
from repeg.domain.settings_sources import resolve
from repeg.domain.sizing import require_tradable, symbols_of
from repeg.domain.time_limits import TURN_TASK_SECONDS
from repeg.ports import Ports
from repeg.workflow.planning import check_plan
from repeg.workflow.short_sales import may_short, require_no_shorting, warn_of_shorting

_FIELDS = ("plan", "plan_uri", "settings", "preview", "run_number", "scheduled_time", "renewal")


class Start(Frozen):
    """A requested start: the plan parsed, the settings resolved, nothing claimed yet.

    `per_minute` are the requests that the broker allows. `notes` are the plan's, and how long it takes.
    """

    plan: plan.OrdersPlan | plan.TargetsPlan
    settings: Settings
    preview: bool
    run_number: int
    scheduled_time: AwareDatetime | None
    is_live: bool = False
    release: str = ""
    per_minute: int = REQUESTS_PER_MINUTE
    notes: tuple[str, ...] = ()


def read_start(raw: object, environment: Mapping[str, str], ports: Ports) -> Start:
    """The execution's input as a Start. Raises InvalidInput (InvalidPlan, InvalidSettings) naming the field."""
    if not isinstance(raw, Mapping):
        raise InvalidInput("input", raw, "an object with plan or plan_uri")
    for name in raw:
        if name not in _FIELDS:
            raise InvalidInput.unknown_name("input", str(name), raw[name], _FIELDS)
    given, per_minute = _plan(raw, ports), requests_per_minute(environment)
    return Start(
        plan=given,
        notes=(*given.notes, *notes_of(given, per_minute)),
        settings=with_time_to_close(resolve(environment, raw.get("settings")), given, per_minute),
        per_minute=per_minute,
        preview=_flag(raw.get("preview", False)),
        run_number=_run_number(raw.get("run_number", 1)),
        scheduled_time=_scheduled_time(raw.get("scheduled_time")),
        is_live=environment.get("TRADING_MODE") == "live",
        release=release_of(environment),
    )


def release_of(environment: Mapping[str, str]) -> str:
    """The function's version, as Lambda names it; empty where there is none. Every deployment of a change makes one."""
    return environment.get("AWS_LAMBDA_FUNCTION_VERSION", "")


def claimed_before(start: Start, owner: str, now: datetime, ports: Ports) -> Run | None:
    """Today's run of this plan if the owner holds it already; None if there is none.

    Raises DuplicateRun if another execution holds the same plan with the same settings, and InvalidPlan if that run is
    another one or has failed. This comes before all other checks: once a run's own orders have reserved the shares,
    its plan would no longer pass them, and a second start would end as a failure instead of a duplicate.
    """
    run = ports.store.run(_run_id(start, owner, trading_date(now)))
    if run is None or run.owner == owner:
        return run
    has_sent, free = bool(ports.store.intents(run.run_id)), _free_number(start, trading_date(now), ports)
    raise refusal_of_second_start(run, start.plan, start.settings, has_sent=has_sent, free_number=free)


def claim(start: Start, run: Run, now: datetime, ports: Ports) -> Run:
    """Claim the run. If another execution was first, raises DuplicateRun or InvalidPlan, as `claimed_before` does."""
    try:
        return ports.store.claim_run(run)
    except DuplicateRun:
        claimed_before(start, run.owner, now, ports)
        raise


def require_earlier_runs_closed(start: Start, now: datetime, ports: Ports) -> None:
    """Refuse a further run while an earlier one of the same plan and date is open. Raises RefusedRun naming it.

    Previews neither wait nor are waited for: they place nothing.
    """
    for number in range(1, 1 if start.preview else start.run_number):
        run = ports.store.run(plan.run_id(start.plan.name, trading_date(now), number))
        if run is not None and not run.preview and run.state not in {RunState.CLOSED, RunState.SWEPT}:
            raise RefusedRun(f"{run.run_id} is {run.state}; run_number {start.run_number} may start when it is over")


def session_for(start: Start, now: datetime, ports: Ports) -> TradingDay:
    """Today's core session. Raises MarketClosed if there is none, or if the start was scheduled for another day."""
    today = trading_date(now)
    if start.scheduled_time is not None and trading_date(start.scheduled_time) != today:
        raise MarketClosed("input.scheduled_time", start.scheduled_time.isoformat(), f"a time of today, {today}")
    day = ports.broker.trading_day(today)
    if day is None:
        raise MarketClosed("trading date", today.isoformat(), "a day with a core session on the broker's calendar")
    settings = start.settings
    window = trading_window(day, settings.market_open_delay_minutes, settings.close_margin_minutes)
    if now >= window.closes:
        raise MarketClosed(
            "start time", now.isoformat(), f"before the run's window closes at {window.closes.isoformat()}"
        )
    if not start.preview:
        require_time_to_place(start.plan, window, now, start.per_minute)
    return day


def prepare(start: Start, day: TradingDay, owner: str, now: datetime, ports: Ports) -> Run:
    """The run to claim, with the account as it is now. Raises RefusedRun, BrokerDenied or InvalidPlan."""
    if ports.store.kill_switch() is not KillSwitch.ACTIVE:
        raise RefusedRun(f"the kill switch is {ports.store.kill_switch()}; set it to active before starting a run")
    require_allowed(symbols_of(start.plan), start.settings)
    if start.is_live and not start.preview:
        require_armed(ports.store.armed_until(), now)
    account = _open_account(start, ports)
    assets = ports.broker.assets(symbols_of(start.plan))
    require_tradable(start.plan, assets)
    run_id = _run_id(start, owner, day.day)
    run = Run(
        run_id=run_id,
        id_prefix=run_prefix(ports.tag, run_id),
        owner=owner,
        trading_day=day,
        plan=start.plan,
        settings=start.settings,
        preview=start.preview,
        started_at=now,
        opening_equity=account.equity,
        account_number=account.number,
        release=start.release,
        fractionable=tuple(symbol for symbol, asset in assets.items() if asset.is_fractionable),
        may_short=not start.is_live and may_short(account, ports),
    )
    check_plan(run, now, ports)
    if run.may_short:
        warn_of_shorting(run.run_id, now, ports)
    return run


def journal_upgrade(run: Run, release: str, ports: Ports) -> None:
    """Journal that a renewed run continues with another release than the one that opened it, if it does."""
    if run.release and run.release != release:
        change = f"opened by version {run.release} of OpenRun, continues with version {release}"
        ports.journal.record(
            Entry(ports.runtime.now(), run.run_id, "run", "upgrade", run.run_id, change, is_abnormal=True)
        )


def step_seconds(settings: Settings) -> int:
    """How long the machine waits for a step of RepegOrders: as long as it may listen, and for its last turn."""
    return TURN_TASK_SECONDS + (settings.listen_seconds if settings.waiting is Waiting.STREAM else 0)


def _run_id(start: Start, owner: str, day: date) -> str:
    if start.preview:
        return preview_id(start.plan.name, day, owner)
    return plan.run_id(start.plan.name, day, start.run_number)


def _free_number(start: Start, day: date, ports: Ports) -> int | None:
    """The lowest run number of the plan and date that no run has; None if all are taken."""
    numbers = range(2, MAX_RUN_NUMBER + 1)
    return next((n for n in numbers if ports.store.run(plan.run_id(start.plan.name, day, n)) is None), None)


def _open_account(start: Start, ports: Ports) -> Account:
    account = ports.broker.account()
    if account.is_blocked:
        raise BrokerDenied(f"this account may not trade: {account.blocked_by}")
    if start.is_live:
        require_no_shorting(ports)
    return account


def _plan(raw: Mapping[str, Any], ports: Ports) -> Plan:
    if ("plan" in raw) == ("plan_uri" in raw):
        raise InvalidInput("input", sorted(raw), "either plan or plan_uri")
    if "plan" in raw:
        return read_document(raw["plan"])
    uri = raw["plan_uri"]
    if not isinstance(uri, str):
        raise InvalidInput("input.plan_uri", uri, "an s3:// address")
    return read_file(ports.plans.body(uri), uri)


def _flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise InvalidInput("input.preview", raw, "true or false")
    return raw


def _run_number(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= MAX_RUN_NUMBER:
        raise InvalidInput("input.run_number", raw, f"a whole number from 1 to {MAX_RUN_NUMBER}")
    return raw


def _scheduled_time(raw: object) -> datetime | None:
    if raw is None:
        return None
    try:
        return TypeAdapter(AwareDatetime).validate_python(raw)
    except ValidationError:
        raise InvalidInput("input.scheduled_time", raw, "an RFC 3339 time such as 2026-11-23T14:25:00Z") from None
