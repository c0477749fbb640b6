"""Estimating a run: a start is checked as OpenRun checks it, and its orders are sized, but nothing is claimed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from repeg.domain.estimate import RunEstimate, estimate_orders, total
from repeg.domain.session import wire
from repeg.ports import Ports
from repeg.workflow.opening import Start, claimed_before, prepare, require_earlier_runs_closed, session_for
from repeg.workflow.planning import check_plan


def estimate_run(start: Start, owner: str, now: datetime, ports: Ports) -> RunEstimate:
    """What the start would trade. Raises what the start itself would raise."""
    claimed_before(start, owner, now, ports)
    require_earlier_runs_closed(start, now, ports)
    run = prepare(start, session_for(start, now, ports), owner, now, ports)
    planned = check_plan(run, now, ports)
    orders = estimate_orders(planned, ports.market.quotes([order.symbol for order in planned]), run.settings)
    return RunEstimate(
        run_id=run.run_id,
        account_number=run.account_number,
        preview=run.preview,
        is_live=start.is_live,
        opens=wire(run.window.opens),
        closes=wire(run.window.closes),
        policy=run.settings.policy,
        use_smart_limit_execution=run.settings.use_smart_limit_execution,
        orders=orders,
        notes=start.notes,
        notional=sum((order.notional for order in orders), Decimal(0)),
        crossing=total([order.crossing for order in orders]),
        at_worst=total([order.at_worst for order in orders]),
    )
