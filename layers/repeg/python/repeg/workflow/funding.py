"""Which buys are placed this turn, from the cash, or the buying power, as the broker reports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from repeg.domain import peg
from repeg.domain.balance_lag import freed, spent
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.funding import (
    Funding,
    FundingDecision,
    FundingRequest,
    Grant,
    Need,
    balance_for_buys,
    decide_funding,
    expected_from_sells,
    headroom,
    place_of,
    rests_of,
    worst_price,
)
from repeg.domain.journal import Ruling
from repeg.domain.journalled_rules import FUNDING
from repeg.domain.limits import notional_of
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.pieces import least_funded
from repeg.domain.plan import TargetsPlan
from repeg.domain.quote import Quote, Side
from repeg.domain.run_health import is_over
from repeg.domain.time_limits import DEAD_STEP, FUNDING_LEASE, FUNDING_PAUSES, RUN_SILENT
from repeg.workflow.placement import finish_order
from repeg.workflow.proposals import Funds
from repeg.workflow.quote_check import hold_order
from repeg.workflow.turn import Turn

_WAITS_FOR_BALANCE = "waits for the balance to show what was just bought, sold or cancelled"


def fund_buys(
    turn: Turn, buys: Sequence[ParentOrder], orders: Sequence[ParentOrder], quotes: Mapping[str, Quote], holder: str
) -> dict[str, tuple[Decimal, Funds]]:
    """Shares that each waiting buy may be placed for now, and the cash for them under `holder`'s lease: zero if it must
    wait or cannot be afforded.

    A buy that cannot be afforded ends once no order of the run is left that could bring cash.
    """
    needs = tuple(_need(turn, order, quotes.get(order.symbol)) for order in buys)
    cash = spendable_cash(turn, orders)
    request = _request(turn, orders, needs, cash)
    decision = decide_funding(request)
    ruling = Ruling(FUNDING, {"purse": request}, decision)
    turn.journal("run", "release", _summary(decision), _to_spend(request.spendable), ruling)
    grants = {grant.symbol: grant for grant in decision.grants}
    may_bring = any(o.outcome is None and (o.side is Side.SELL or o.state is ParentState.WORKING) for o in orders)
    no_more_cash = not (may_bring or cash.unsettled > 0 or any(grant.qty > 0 for grant in grants.values()))
    for order in buys:
        _apply(turn, order, grants[order.symbol], request.spendable, no_more_cash=no_more_cash)
    worst = {need.symbol: need.worst_price for need in request.needs}
    return {symbol: (grant.qty, Funds(holder, grant.qty * worst[symbol])) for symbol, grant in grants.items()}


@contextmanager
def funding_lease(turn: Turn, lasts: timedelta = FUNDING_LEASE) -> Iterator[str]:
    """Hold the account's funding lease for the length of a block; yields its holder, or "" if another run has it.

    The cash that the broker reports does not show the orders that another run is about to send. Two runs that read it
    at once would both spend it, and a margin account would lend the difference. The holder is the run and not its
    execution: a renewed execution need not wait for the lease of its dead predecessor, which its epoch fences.
    """
    holder = turn.run.run_id
    if turn.run.preview:
        yield holder
        return
    if not _acquire(turn, holder, lasts):
        turn.journal("run", "wait", "", "another run is placing its buys; they are placed next turn")
        yield ""
        return
    try:
        yield holder
    finally:
        turn.ports.store.release_funding(holder)


@contextmanager
def funded_market_moves(turn: Turn, costs: Mapping[str, Decimal]) -> Iterator[dict[str, str]]:
    """Grant cash to the moves to market of a turn, for the length of a block; yields the lease's holder by symbol.

    `costs` are the dollars that each may cost beyond its collar; the largest comes first. All are granted from one
    reading of the cash and under one lease: they are made at the same time, and would spend the same dollars.
    """
    if not costs:
        yield {}
        return
    with funding_lease(turn, DEAD_STEP) as holder:  # no intent extends it while the cancels are confirmed
        yield dict.fromkeys(_affordable_moves(turn, costs), holder) if holder else {}


def _affordable_moves(turn: Turn, costs: Mapping[str, Decimal]) -> list[str]:
    """The symbols whose moves to market the cash is there for together; none if the broker does not show the cash."""
    try:
        cash = spendable_cash(turn, turn.ports.store.orders(turn.run.run_id)).spendable
    except BrokerUnavailable as error:
        turn.warn("run", "hold", reason=f"no moves to market: {error}")
        return []
    granted: list[str] = []
    for symbol, cost in sorted(costs.items(), key=lambda priced: (-priced[1], priced[0])):
        if cost <= cash:
            granted.append(symbol)
            cash -= max(cost, Decimal(0))
    return granted


def _acquire(turn: Turn, holder: str, lasts: timedelta) -> bool:
    for pause in (0.0, *FUNDING_PAUSES):
        if pause:
            turn.ports.runtime.pause(pause)
        if turn.ports.store.acquire_funding(holder, turn.now, turn.now + lasts):
            return True
    return False


class Cash(NamedTuple):
    """Dollars that new buys may be funded from, and two kinds that may turn out to be there as well: those taken off
    because they were just spent, if the balance shows that already, and those just freed, if it does not."""

    spendable: Decimal
    spent: Decimal
    freed: Decimal

    @property
    def unsettled(self) -> Decimal:
        """Dollars by which the spendable ones may be more once the balance is known to be up to date."""
        return self.spent + self.freed


def spendable_cash(turn: Turn, orders: Sequence[ParentOrder]) -> Cash:
    """Dollars for new buys under the funding lease, from where the run's settings say: the open buys of all runs at
    their collars, what was sent within the last seconds, and the plan's reserve are taken off. What this run has
    freed within them is not added: the balance may show it already. What another has freed is not waited for."""
    # Orders first, cash second: an order that moves or fills in between is then counted twice rather than not at all.
    store, others = turn.ports.store, _other_runs(turn)
    known = [*orders, *(order for run_id in others for order in store.orders(run_id))]
    late = spent(known, turn.now)
    balance = balance_for_buys(turn.ports.broker.account(), turn.run.settings.fund_buys_from)
    return Cash(balance - headroom(known) - late - _reserve(turn) + _previewed(orders), late, freed(orders, turn.now))


def _request(turn: Turn, orders: Sequence[ParentOrder], needs: tuple[Need, ...], cash: Cash) -> FundingRequest:
    if turn.present.close_is_near:
        # No buy waits any more, for sells, for what they have just brought, or for a bigger one: what the cash buys now
        # is better than nothing.
        return FundingRequest(
            needs=needs, spendable=cash.spendable, unsettled=cash.spent, expected_from_sells=Decimal(0)
        )
    return FundingRequest(
        needs=needs,
        rests=rests_of(orders),
        spendable=cash.spendable,
        unsettled=cash.spent,
        freed=cash.freed,
        expected_from_sells=expected_from_sells(orders),
    )


def _other_runs(turn: Turn) -> list[str]:
    """The day's other runs whose buys the balance may not show: their open ones may still move up to their collars, and
    those of a run that has just ended may just have been filled."""
    store = turn.ports.store
    return [
        run.run_id
        for run in store.runs_on(turn.run.trading_day.day)
        if run.run_id != turn.run.run_id and not run.preview and not (is_over(run) and _is_long_over(turn, run.run_id))
    ]


def _is_long_over(turn: Turn, run_id: str) -> bool:
    last_turn = turn.ports.store.last_turn(run_id)
    return last_turn is not None and turn.now - last_turn > RUN_SILENT


def _previewed(orders: Sequence[ParentOrder]) -> Decimal:
    """Dollars that sells would have brought and buys would have cost by now if the preview had really traded."""
    done = [order for order in orders if order.outcome is Outcome.PREVIEW]
    return -sum((o.side.sign * o.remaining * worst_price(o, None) for o in done), Decimal(0))


def _to_spend(spendable: Decimal) -> str:
    return f"{max(spendable, Decimal(0)):.2f} to spend"


def _summary(decision: FundingDecision) -> str:
    return f"{sum(grant.qty > 0 for grant in decision.grants)} of {len(decision.grants)} buys"


def _reserve(turn: Turn) -> Decimal:
    """Dollars that a plan of weights keeps in cash."""
    wanted = turn.run.plan
    return wanted.cash_reserve * turn.run.opening_equity if isinstance(wanted, TargetsPlan) else Decimal(0)


def _need(turn: Turn, order: ParentOrder, quote: Quote | None) -> Need:
    """A buy's need at its collar; of a market order, at what it may cost beyond the far side."""
    worst, settings = worst_price(order, quote), turn.settings(order.symbol)
    decision = peg.decide(order, quote, turn.present, settings)
    if quote is not None and decision.sends and decision.limit is None:
        worst = max(worst, notional_of(Decimal(1), None, quote, order.side))
    least = least_funded(order, quote, turn.now, settings)
    place = place_of(order, worst)
    return Need(symbol=order.symbol, qty=order.remaining, worst_price=worst, least=least, place=place)


def _apply(turn: Turn, order: ParentOrder, grant: Grant, spendable: Decimal, *, no_more_cash: bool) -> None:
    cash = _to_spend(spendable)
    if grant.funding is Funding.IN_PART:
        turn.journal(order.symbol, "scale", f"{order.remaining} → {grant.qty}", f"{cash}, the rest waits for sells")
    if grant.funding is Funding.SCALED:
        turn.journal(order.symbol, "scale", f"{order.remaining} → {grant.qty}", cash)
    if grant.funding is Funding.WAITS_FOR_SELLS:
        hold_order(turn, order, HoldReason.WAITS_FOR_SELLS, f"waits for sells, {cash}")
    if grant.funding is Funding.WAITS_FOR_BALANCE:
        hold_order(turn, order, HoldReason.UNFUNDED, f"{_WAITS_FOR_BALANCE}, {cash}")
    if grant.funding is Funding.UNFUNDED:
        money = turn.run.settings.fund_buys_from.replace("_", " ")
        if no_more_cash:
            # The cash that a step has read before a later one began is too old to give a buy up.
            turn.ports.store.keep_step(turn.run.run_id, turn.run.epoch, turn.step, turn.now)
            finish_order(turn, order, Outcome.UNFUNDED, f"no {money} for a share: {cash}")
        else:
            hold_order(turn, order, HoldReason.UNFUNDED, f"no {money} yet, {cash}")
