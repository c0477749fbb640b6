"""The money of the account, from the ledger: whether it pays for everything, and whether a run ever lacked it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from repeg_workbench.exchange.broker.ledger import CASH, HELD, POSITION, USD, Entry, OrderEvent
from repeg_workbench.exchange.units import QTY_SCALE
from repeg_workbench.faults.judges.placed import ENDED
from repeg_workbench.faults.judges.record import MINUTE, DayRecord, JudgedRun
from repeg_workbench.faults.judges.rules import Rules

# The balance that a step reads may be so old.
LAGS = MINUTE
# The broker works an order no more, and may keep what it has set aside for it until the close.
ASIDE = frozenset({"done_for_day", "calculated"})
# How far beyond the day's dearest quote a market order may trade.
BEYOND = Decimal("1.04")


class Moment(NamedTuple):
    """The account after a change: free cash, and what a run has bought of each symbol and whether an order is open."""

    at: int
    free: int
    bought: dict[str, int]
    has_open: bool


def is_rich(record: DayRecord, until: int) -> bool:
    """Whether the account could pay for all buys of the day three times over, beside the cash that plans keep and what
    others have bought by then."""
    postings = record.ledger.entries[0].postings if record.ledger.entries else ()
    dearest = _dearest(record)
    cash = sum(p.amount for p in postings if p.account == CASH)
    held = sum(p.amount * dearest.get(p.commodity, 0) for p in postings if p.account == POSITION)
    kept = max((Decimal(str(run.plan.get("cash_reserve", 0))) for run in record.runs), default=Decimal(0))
    cash -= int(kept * (cash + held)) + _spent_by_others(record, until)
    buys = [(s, most) for run in record.runs for s, (sign, most) in run.targets.items() if sign > 0]
    return cash >= 3 * sum(int(most * QTY_SCALE) * dearest.get(symbol, 0) for symbol, most in buys)


def was_poor(record: DayRecord, run: JudgedRun, until: int) -> bool:
    """Whether at some moment at which no order of a run was open, all buys of the day might have cost more than was
    free, beside the cash that its plan keeps."""
    opening = sum(p.amount for e in record.ledger.entries[:1] for p in e.postings if p.account == CASH)
    equity = opening + sum(p.amount * record.dearest.get(p.commodity, 0) for e in record.ledger.entries[:1]
                           for p in e.postings if p.account == POSITION)  # fmt: skip
    kept = int(Decimal(str(run.plan.get("cash_reserve", 0))) * equity)
    kept += sum(_worst(record, other, {}) for other in record.runs if other is not run)
    began = min((each.began for each in record.executions if each.run_id == run.run_id), default=0)
    moments = list(_moments(record, run, until))
    ends = [*(each.at for each in moments[1:]), until]
    for n, (moment, end) in enumerate(zip(moments, ends, strict=True)):
        if end < began or moment.has_open:
            continue
        first = next((m for m in range(n) if ends[m] >= max(moment.at, began) - LAGS), n)
        least = min(each.free for each in moments[first : n + 1]) - kept
        if least < _worst(record, run, moment.bought):
            return True
    return False


def _moments(record: DayRecord, run: JudgedRun, until: int) -> Iterator[Moment]:
    """The account after each change of its ledger until then, without what is held for the run's own orders: it gives
    no line up before the balance shows that they have ended. What an order keeps that the broker has put aside for the
    day is not free."""
    free, working, ours = 0, set[str](), _ours(record, run)
    put_aside = {event.order_id for event in record.ledger.events if event.status in ASIDE}
    bought: defaultdict[str, int] = defaultdict(int)
    changes: list[Entry | OrderEvent] = sorted(
        [*record.ledger.entries, *record.ledger.events], key=lambda each: each.at
    )
    for at, at_once in groupby((each for each in changes if each.at <= until), key=lambda each: each.at):
        for each in at_once:
            if isinstance(each, Entry):
                signs = {CASH: 1, HELD: 0 if each.order_id in ours - put_aside else -1}
                free += sum(signs.get(p.account, 0) * p.amount for p in each.postings if p.commodity == USD)
                for posting in each.postings if each.kind == "execution" and each.order_id in ours else ():
                    bought[posting.commodity] += max(0, posting.amount) if posting.account == POSITION else 0
            elif each.order_id in ours:
                (working.discard if each.status in ENDED else working.add)(each.order_id)
        yield Moment(at, free, dict(bought), bool(working))


def _ours(record: DayRecord, run: JudgedRun) -> set[str]:
    """The orders of a run, and what others have made of them."""
    ours = set[str]()
    for event in record.ledger.events:
        if event.client_order_id.startswith(run.prefix) or event.replaces in ours:
            ours.add(event.order_id)
    return ours


def _worst(record: DayRecord, run: JudgedRun, bought: dict[str, int]) -> int:
    """The most that the rests of a run's buys may cost."""
    total = 0
    for symbol, (sign, most) in run.targets.items():
        beyond = max(BEYOND, 1 + Rules(run.settings).of(symbol).number("max_slippage_bps") / 10_000)
        rest = max(0, int(most * QTY_SCALE) - bought.get(symbol, 0))
        total += int(rest * record.dearest.get(symbol, 0) * beyond) if sign > 0 else 0
    return total


def _dearest(record: DayRecord) -> dict[str, int]:
    """The highest ask of each symbol that was served."""
    dearest: dict[str, int] = {}
    for quote in record.quotes:
        dearest[quote.symbol] = max(dearest.get(quote.symbol, 0), quote.ask)
    return dearest


def _spent_by_others(record: DayRecord, until: int) -> int:
    """What the buys that no run has sent have cost by then, in the units of the ledger's cash."""
    prefixes = tuple(run.prefix for run in record.runs)
    bought = (
        e
        for e in record.ledger.executions
        if e.side > 0 and e.at <= until and not e.client_order_id.startswith(prefixes)
    )
    return sum(execution.quantity * execution.price for execution in bought)
