"""Estimating a run: a start is checked as OpenRun checks it, and its orders are sized, but nothing is claimed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from repeg.domain.amount import in_cents
from repeg.domain.cash_ahead import affordable_shares, cash_ahead
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.estimate import RunEstimate, estimate_orders, expected_costs, total
from repeg.domain.expected_cost import MEASURED_OVER, together
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.run import Run
from repeg.domain.session import wire
from repeg.ports import Ports
from repeg.workflow.opening import Start, claimed_before, prepare, require_earlier_runs_closed, session_for
from repeg.workflow.planning import check_plan, draft_orders


def estimate_run(start: Start, owner: str, now: datetime, ports: Ports) -> RunEstimate:
    """What the start would trade. Inside the run's window the orders are sized as the run would size them now; before
    it they are checked as OpenRun checks them. Raises what the start itself would raise."""
    claimed_before(start, owner, now, ports)
    require_earlier_runs_closed(start, now, ports)
    run = prepare(start, session_for(start, now, ports), owner, now, ports)
    is_open = run.window.opens <= now < run.window.closes
    draft = draft_orders(run, now, ports) if is_open else check_plan(run, now, ports)
    planned = draft.orders
    quotes = ports.market.quotes([order.symbol for order in planned])
    past = _past_quotes(run, planned, now, ports)
    expected = expected_costs(planned, quotes, past, now, run.settings)
    funded = affordable_shares(planned, draft.request)
    estimated = estimate_orders(planned, quotes, run.settings, expected)
    orders = tuple(order.of_a_line(draft.request, funded.get(order.symbol)) for order in estimated)
    known = [order.expected for order in orders if order.expected is not None]
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
        expected=together(known),
        unestimated=tuple(order.symbol for order in orders if order.expected is None and not order.reason),
        equity=in_cents(draft.request.holdings.equity),
        cash=cash_ahead(planned, draft.request),
        is_sized_now=is_open,
    )


def _past_quotes(run: Run, orders: Sequence[ParentOrder], now: datetime, ports: Ports) -> dict[str, list[Quote]]:
    """The quotes of the last minutes, in one request; none outside the session, or if the feed does not give them: the
    usual movement of the spread's class is taken then."""
    if not run.trading_day.open + MEASURED_OVER <= now < run.trading_day.close:
        return {}
    try:
        return ports.market.past_quotes([order.symbol for order in orders], now - 2 * MEASURED_OVER, now)
    except (BrokerUnavailable, BrokerDenied):
        return {}
