"""`repeg preview`: what a plan would trade and cost, what it would not trade and why, and the cash before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.table import Table

from repeg.domain.estimate import OrderEstimate, RunEstimate
from repeg.domain.session import NEW_YORK
from repeg_workbench.explain.figures import price
from repeg_workbench.operate.answer import DONE, Answer, counted, dollars, table
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import find_stack
from repeg_workbench.operate.start import S3, sums
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.preview.places import IN_S3, Request, at_a_broker, by_a_stack, on_a_day

_INVENTED = (
    "the account is not yours, nor are the prices today's. --stack, --local-keys or --exchange previews a plan where it"
    " would be traded."
)


def preview(at: Workstation, request: Request) -> Answer:
    """The preview. Raises CannotOperate or a RepegError in the words in which the run would be refused."""
    _require_one_place(request)
    estimate = _estimate(at, request)
    simulated = [] if request.places else [f"On a simulated day, {request.day.date}: {_INVENTED}"]
    return Answer(estimate.model_dump(mode="json"), [*simulated, *shown(estimate)], DONE)


def _require_one_place(request: Request) -> None:
    places = request.places
    if len(places) > 1:
        raise CannotOperate(f"give one of {', '.join(places)}: a plan is previewed in one place")
    if places and request.has_a_day:
        raise CannotOperate(
            "--market, --date, --seed, --cash and --positions describe a simulated day; "
            f"{places[0]} names another place"
        )
    if request.stack is not None and request.day.feed is not None:
        raise CannotOperate("--feed is given beside --stack: a stack has its own feed, its parameter DataFeed")
    if request.stack is None and request.plan.startswith(S3):
        raise CannotOperate(IN_S3.format(plan=request.plan))


def _estimate(at: Workstation, request: Request) -> RunEstimate:
    if request.stack is not None:
        return by_a_stack(request, find_stack(at, request.stack))
    if request.exchange is not None or request.is_local_keys:
        return at_a_broker(request, at.runtime)
    return on_a_day(request)


def shown(estimate: RunEstimate) -> Iterator[str | Table]:
    """The preview as lines and tables."""
    traded = [order for order in estimate.orders if not order.reason]
    left = [order for order in estimate.orders if order.reason]
    yield _head(estimate, len(traded))
    yield from _traded(traded)
    if left:
        yield ""
        yield f"Not traded: {counted(len(left), 'line')}."
        yield _left(left)
    yield ""
    yield from sums(estimate)
    yield from _cash(estimate)
    if not estimate.is_sized_now:
        yield (
            "The run's window is not open. The run sizes its orders when it opens, on the prices, holdings and open "
            "orders of that time."
        )
    yield "Nothing was claimed, written or sent."


def _head(estimate: RunEstimate, traded: int) -> str:
    opens, closes = (
        f"{datetime.fromisoformat(t).astimezone(NEW_YORK):%H:%M}" for t in (estimate.opens, estimate.closes)
    )
    money = "LIVE account" if estimate.is_live else "account"
    how = f"policy {estimate.policy}" if estimate.use_smart_limit_execution else "market orders"
    would = f"would trade {traded} of {counted(len(estimate.orders), 'line')}"
    return f"{money} {estimate.account_number}: {would}, from {opens} to {closes} New York, {how}"


def _traded(orders: Sequence[OrderEstimate]) -> Iterator[Table]:
    if not orders:
        return
    by_weight = any(order.wanted is not None for order in orders)
    where = ("held", "weight %", "wanted %", "drift %") if by_weight else ("held",)
    numbers = ("shares", "price", "dollars", *where, "expected", "8 in 10", "at worst")
    made = table("symbol", "side", *numbers, "reason", numbers=numbers)
    made.columns[-1].header = "note"
    for order in orders:
        known = order.expected
        bounds = "–" if known is None else f"{dollars(known.low)} to {dollars(known.high)}"
        stands = [f"{order.held.normalize():f}", *(_weights(order) if by_weight else ())]
        sizes = [f"{order.qty.normalize():f}", price(order.price), dollars(order.notional)]
        costs = [dollars(known.dollars if known else None), bounds, dollars(order.at_worst)]
        made.add_row(order.symbol, order.side, *sizes, *stands, *costs, _note(order))
    yield made


def _weights(order: OrderEstimate) -> tuple[str, str, str]:
    drift = None if order.weight is None or order.wanted is None else order.weight - order.wanted
    weight, wanted, away = ("–" if part is None else f"{part:.2f}" for part in (order.weight, order.wanted, drift))
    return weight, wanted, away


def _note(order: OrderEstimate) -> str:
    """What is to be known of an order: the open orders that were counted, the shares reserved, the cash that lacks."""
    reserved = order.held - order.free
    held = f"{reserved.normalize():f} shares are reserved by open orders" if reserved > 0 else ""
    short = ""
    if order.funded is not None and order.funded < order.qty:
        short = f"cash for {order.funded.normalize():f} of {order.qty.normalize():f} shares"
    return "; ".join(filter(None, (order.note, held, short)))


def _left(orders: Sequence[OrderEstimate]) -> Table:
    by_weight = any(order.wanted is not None for order in orders)
    where = ("held", "weight %", "wanted %", "drift %") if by_weight else ("held",)
    made = table("symbol", *where, "reason", numbers=where)
    for order in orders:
        stands = [f"{order.held.normalize():f}", *(_weights(order) if by_weight else ())]
        made.add_row(order.symbol, *stands, "; ".join(filter(None, (order.reason, order.note))))
    return made


def _cash(estimate: RunEstimate) -> Iterator[str]:
    cash = estimate.cash
    if cash is None:
        return
    kept = f", of which the plan keeps {dollars(cash.reserve)}" if cash.reserve > 0 else ""
    moves = f"sells bring {dollars(cash.sells)}, buys cost {dollars(cash.buys)}"
    yield f"Cash: {dollars(cash.before)} now{kept}; {moves}; {dollars(cash.after)} after, at the prices above."
    if cash.short > 0:
        yield (
            f"The buys need {dollars(cash.short)} more than there is, when every sell has filled: they are cut to the "
            "cash, the largest served first."
        )
