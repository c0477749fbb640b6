"""Why an order has its size: its line of the plan, and for a weight the distance of the holding from it."""

from __future__ import annotations

from repeg.domain.plan import EVERYTHING, OrdersPlan, PlanOrder
from repeg.domain.sizing_request import SizingRequest
from repeg_workbench.explain.figures import dollars, price, shares
from repeg_workbench.explain.story import OrderStory


def why_this_size(story: OrderStory) -> str:
    """The answer; empty where the journal does not have what the plan was sized from."""
    request, planned = story.sizing, story.planned
    if request is None or planned is None:
        return ""
    wanted = in_words(request, story.symbol)
    return f"{wanted} That made: {'; '.join(filter(None, (planned.detail, planned.reason)))}." if wanted else ""


def in_words(request: SizingRequest, symbol: str) -> str:
    """What the plan wants of a symbol, from what is held of it."""
    holdings, plan = request.holdings, request.plan
    found = request.prices.get(symbol)
    at = "" if found is None or found.best is None else f" at {price(found.best)}"
    held = f"{shares(holdings.owned(symbol))} shares were held"
    free = holdings.free(symbol)
    reserved = "" if free == holdings.owned(symbol) else f", {shares(free)} of them not reserved by open orders"
    if isinstance(plan, OrdersPlan):
        line = next((order for order in plan.orders if order.symbol == symbol), None)
        return "" if line is None else f"The plan is to {_line(line)}; {held}{reserved}."
    weight, target = request.weight_of(symbol), request.target_of(symbol)
    if target is None:
        return ""
    now = "a weight that is not known" if weight is None else f"a weight of {weight:.2f} %"
    drift = "" if weight is None else f", {abs(target - weight):.2f} % away"
    equity = f"an equity of {dollars(holdings.equity)}"
    return f"{held}{reserved}{at}, {now} of {equity}; the plan wants {target:.2f} %{drift}."


def _line(line: PlanOrder) -> str:
    if line.qty == EVERYTHING:
        return f"{line.side} all"
    if line.notional is not None:
        return f"{line.side} for {dollars(line.notional)} dollars"
    return f"{line.side} {line.qty}"
