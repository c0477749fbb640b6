"""`repeg start`: estimate a run with the deployed code, ask, and start its execution."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.table import Table

from repeg.domain.estimate import RunEstimate
from repeg.domain.run_identity import preview_id
from repeg.domain.session import NEW_YORK
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer, dollars, show, table
from repeg_workbench.operate.crossing import measured_crossing
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import DeployedStack, FunctionFailed, find_stack
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.plans.files import read_plan
from repeg_workbench.simulate.request import read_settings

S3 = "s3://"

# An execution's input may hold 262,144 bytes, and the machine adds to it.
LARGEST_INLINE = 200_000
_PREVIEW = re.compile(r"(?P<name>.+)-(?P<day>\d{4}-\d{2}-\d{2})-p[0-9a-f]{8}")
_BASIS_POINTS = 10_000


@dataclass(frozen=True)
class Request:
    """The command's options as typed. `plan` is a file or an s3:// address."""

    plan: str
    preview: bool = False
    run_number: int = 1
    settings: tuple[str, ...] = ()
    is_confirmed: bool = False

    def input(self) -> dict[str, Any]:
        """The execution's input. Raises InvalidInput for a file or an assignment that cannot be read."""
        plan = {"plan_uri": self.plan} if self.plan.startswith(S3) else {"plan": read_plan(Path(self.plan)).document}
        settings = read_settings(self.settings)
        return {
            **plan,
            **({"settings": settings} if settings else {}),
            **({"preview": True} if self.preview else {}),
            **({"run_number": self.run_number} if self.run_number != 1 else {}),
        }


def start(at: Workstation, stack: str | None, request: Request, *, is_json: bool) -> Answer:
    """Show what would be traded and what it may cost, ask, and start. Raises CannotOperate in OpenRun's own words."""
    if is_json and not request.is_confirmed:
        raise CannotOperate("--json asks no question: add --yes to start, or leave out --json")
    given = request.input()
    found = find_stack(at, stack)
    _require_place(found, given)
    now = at.runtime.now()
    estimate = _estimate(found, given, now).with_crossing_cost(measured_crossing(found, now))
    if not is_json:
        _show(found, estimate)
        if not request.is_confirmed and not at.confirm(f"Start {_kind(estimate)} in {found.title}?"):
            return Answer({"started": False}, ["not started; nothing has changed"], UNFINISHED)
    arn = _started(found, _placed(found, given), _name(estimate, now))
    run_id = _run_id(estimate, arn)
    data = {
        "started": True, "stack": found.name, "mode": found.mode, "run_id": run_id, "execution": arn,
        "estimate": estimate.model_dump(mode="json"),
    }  # fmt: skip
    text = [f"started {arn.rpartition(':')[2]}: run {run_id}; follow it with `repeg watch {run_id}`"]
    return Answer(data, text, DONE)


def _estimate(stack: DeployedStack, given: Mapping[str, Any], now: datetime) -> RunEstimate:
    payload = {"input": given, "execution": _arn(stack, f"estimate-{now:%Y%m%dT%H%M%S}"), "estimate": True}
    try:
        return RunEstimate.model_validate(stack.invoke("OpenRun", payload))
    except FunctionFailed as error:
        if error.kind == "DuplicateRun":
            raise CannotOperate(f"{error}; it is not started twice, follow it with `repeg watch`") from None
        raise


def _started(stack: DeployedStack, given: Mapping[str, Any], name: str) -> str:
    """Start the execution, once: the same name with the same input is the same execution."""
    client = stack.at.client("stepfunctions")
    answer = client.start_execution(stateMachineArn=stack.machine, name=name, input=json.dumps(given))
    return str(answer["executionArn"])


def _require_place(stack: DeployedStack, given: Mapping[str, Any]) -> None:
    size = len(json.dumps(given).encode())
    if size > LARGEST_INLINE and not stack.parameters.get("PlanBucket"):
        raise CannotOperate(
            f"plan: its {size} bytes are more than an execution's input may hold; deploy with PlanBucket set, "
            "which it is then uploaded to"
        )


def _placed(stack: DeployedStack, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The input, with a large plan moved to the stack's bucket, under its digest: a second upload changes nothing."""
    if "plan" not in given or len(json.dumps(given).encode()) <= LARGEST_INLINE:
        return given
    body = json.dumps(given["plan"]).encode()
    bucket, key = stack.parameters["PlanBucket"], f"started/{sha256(body).hexdigest()}.json"
    stack.at.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    return {**{name: value for name, value in given.items() if name != "plan"}, "plan_uri": f"{S3}{bucket}/{key}"}


def _arn(stack: DeployedStack, name: str) -> str:
    return f"{stack.machine.replace(':stateMachine:', ':execution:')}:{name}"


def _name(estimate: RunEstimate, now: datetime) -> str:
    """The execution's name: the run, and the second of its start, so that a refused start may be repeated."""
    found = _PREVIEW.fullmatch(estimate.run_id)
    run = f"{found['name']}-{found['day']}-preview" if found else estimate.run_id
    return f"{run}-{now:%H%M%S}"


def _run_id(estimate: RunEstimate, arn: str) -> str:
    """The run's id. That of a preview follows from its execution, which the estimate did not know."""
    found = _PREVIEW.fullmatch(estimate.run_id)
    return preview_id(found["name"], date.fromisoformat(found["day"]), arn) if found else estimate.run_id


def _kind(estimate: RunEstimate) -> str:
    if estimate.preview:
        return "this preview, which places no order,"
    return "this run with REAL MONEY" if estimate.is_live else "this run"


def _show(stack: DeployedStack, estimate: RunEstimate) -> None:
    show(Answer({}, [_head(stack, estimate), _orders(estimate), *sums(estimate)]), is_json=False)


def _head(stack: DeployedStack, estimate: RunEstimate) -> str:
    opens, closes = (
        f"{datetime.fromisoformat(t).astimezone(NEW_YORK):%H:%M}" for t in (estimate.opens, estimate.closes)
    )
    how = f"policy {estimate.policy}" if estimate.use_smart_limit_execution else "smart execution off: market orders"
    run = "a preview" if estimate.preview else f"run {estimate.run_id}"
    return f"{stack.title}, account {estimate.account_number}: {run}, orders from {opens} to {closes} New York, {how}"


def _orders(estimate: RunEstimate) -> Table:
    numbers = ("shares", "price", "dollars", "expected", "8 in 10", "cost now", "cost at worst")
    made = table("symbol", "side", *numbers, "reason", numbers=numbers)
    for order in estimate.orders:
        known = order.expected
        bounds = "–" if known is None else f"{dollars(known.low)} to {dollars(known.high)}"
        costs = [
            *(dollars(amount) for amount in (order.price, order.notional, known.dollars if known else None)),
            bounds,
            *(dollars(amount) for amount in (order.crossing, order.at_worst)),
        ]
        why = "; ".join(filter(None, (order.reason, order.note)))
        made.add_row(order.symbol, order.side, f"{order.qty.normalize():f}", *costs, why)
    return made


def sums(estimate: RunEstimate) -> list[str]:
    """What a run is expected to cost, now and at worst, and the notes of its plan, in sentences."""
    crossing = (
        "not known: no book is shown" if estimate.crossing is None else _cost(estimate.crossing, estimate.notional)
    )
    worst = "not bounded" if estimate.at_worst is None else _cost(estimate.at_worst, estimate.notional)
    crossing += _at_crossing_cost(estimate)
    said = f"{dollars(estimate.notional)} dollars in all. Market orders now would cost {crossing}."
    return [
        _expected(estimate),
        f"{said} The most that the collar allows: {worst}.",
        *(f"Note: {note}." for note in estimate.notes),
    ]


def _at_crossing_cost(estimate: RunEstimate) -> str:
    """How much of the half-spread the market orders are reckoned with, and whether that is measured."""
    costs = sorted({o.crossing_cost for o in estimate.orders if o.crossing is not None and o.crossing_cost is not None})
    if not costs:
        return ""
    by = estimate.crossing_by or "assumed"
    return f" at {' or '.join(f'{cost.normalize():f}' for cost in costs)} half-spreads ({by})"


def _expected(estimate: RunEstimate) -> str:
    """What the run is expected to cost, with its bounds, and for which orders that is not known."""
    found, without = estimate.expected, ", ".join(estimate.unestimated)
    if found is None:
        return f"No expected cost is known{f' for {without}' if without else ''}."
    bounds = f"in eight of ten runs between {dollars(found.low)} and {dollars(found.high)}"
    rest = f" Not in it: {without}." if without else ""
    return f"Expected cost against the mid now: {_cost(found.dollars, estimate.notional)}, {bounds}.{rest}"


def _cost(amount: Decimal, notional: Decimal) -> str:
    share = f", {amount / notional * _BASIS_POINTS:.1f} bps" if notional else ""
    return f"{dollars(amount)} dollars{share}"
