"""Why a step may refuse a plan before anything is sent: its limits, its prices, its holdings."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from repeg_workbench.exchange.broker.ledger import CASH, POSITION
from repeg_workbench.faults.judges.evidence import free_shares
from repeg_workbench.faults.judges.placed import PRICE, QTY
from repeg_workbench.faults.judges.record import DayRecord, Invoked, JudgedRun
from repeg_workbench.faults.judges.rules import Rules

# A plan is worth this much more than at the day's dearest quote, if it must be sent as market orders.
DEARER = Decimal("1.05")


class Refusals:
    """Answers, for one day, whether a plan could be refused by the steps that open or plan its run."""

    def __init__(self, record: DayRecord) -> None:
        self._record = record

    def may_refuse(self, run: JudgedRun, steps: Sequence[Invoked]) -> bool:
        """Whether what these steps of a run could read gave them a reason to refuse its plan."""
        is_refusable = self._is_beyond_its_limits(run) or self._is_unpriced(run, steps)
        return is_refusable or any(self._is_not_free(symbol, run, steps) for symbol in symbols_of(run))

    def _is_beyond_its_limits(self, run: JudgedRun) -> bool:
        """Whether the plan may be worth more than the settings allow, at the day's dearest quotes."""
        rules, costs = Rules(run.settings), {symbol: self._cost(run, symbol) for symbol in symbols_of(run)}
        limits = {symbol: rules.of(symbol).most("max_order_notional") for symbol in costs}
        is_line_over = any(limit is not None and costs[symbol] > limit for symbol, limit in limits.items())
        most = [limit for name in ("max_run_notional", "max_day_notional") if (limit := rules.most(name)) is not None]
        return is_line_over or any(sum(costs.values()) > limit for limit in most)

    def _cost(self, run: JudgedRun, symbol: str) -> Decimal:
        """The most that a line may be worth. A weight buys no more than its share of all there is at the dearest
        prices, and sells no more than the account has held."""
        dearest = self._record.dearest.get(symbol, 0) * PRICE * DEARER
        if not run.is_weights:
            _, most = run.targets.get(symbol, (0, Decimal(0)))
            most = max(most, self._most_held(symbol)) if symbol in _sold_whole(run) else most
            return max(most * dearest, _dollars(run).get(symbol, Decimal(0)))
        return max(Decimal(str(run.plan["targets"][symbol])) * self._most_equity(), self._most_held(symbol) * dearest)

    def _most_held(self, symbol: str) -> Decimal:
        """The most shares of a symbol that the account has held on the day."""
        held = seen = 0
        for entry in self._record.ledger.entries:
            held += sum(p.amount for p in entry.postings if (p.account, p.commodity) == (POSITION, symbol))
            seen = max(seen, held)
        return seen * QTY

    def _most_equity(self) -> Decimal:
        """The account's money and shares at the open, at the dearest prices of the day."""
        cash = sum(p.amount for entry in self._record.ledger.entries[:1] for p in entry.postings if p.account == CASH)
        held = sum(
            p.amount * self._record.dearest.get(p.commodity, 0)
            for entry in self._record.ledger.entries
            if entry.kind in {"opening", "split"}
            for p in entry.postings
            if p.account == POSITION
        )
        return (cash + held) * PRICE * QTY * DEARER

    def _is_unpriced(self, run: JudgedRun, steps: Sequence[Invoked]) -> bool:
        """Whether a step asked for a quote of a symbol that needs a price, and was served none with a bid and an ask:
        of a plan of weights, planning only refuses an exit without one."""
        numbers, needed = {step.number for step in steps}, symbols_of(run)
        if all(step.function == "PlanOrders" for step in steps):
            weights = run.plan.get("targets", {})
            needed = {symbol for symbol in needed if Decimal(str(weights.get(symbol, 0))) == 0}
        served = [q for q in self._record.quotes if q.invocation in numbers]
        priced = {q.symbol for q in served if q.bid > 0 and q.ask > 0}
        unquoted = {each.symbol for each in self._record.starts.unquoted if each.invocation in numbers}
        return bool(needed & (unquoted | {q.symbol for q in served}) - priced)

    def _is_not_free(self, symbol: str, run: JudgedRun, steps: Sequence[Invoked]) -> bool:
        """Whether a line sells more than the account had free of open sells while a step read it; of a weight, how much
        it sells is not known, so that any share that was not free is a reason, and any that was owed."""
        sign, most = run.targets.get(symbol, (0, Decimal(0)))
        for step in steps:
            seen = list(free_shares(self._record, symbol, step.began, step.ended))
            free, held = min(each for each, _ in seen) * QTY, max(each for _, each in seen) * QTY
            if (run.is_weights and free < held) or held < 0 or (sign < 0 and (free < most or free <= 0)):
                return True
        return False


def symbols_of(run: JudgedRun) -> set[str]:
    """The symbols of a run's plan."""
    return set(run.plan.get("targets", ())) | {row["symbol"] for row in run.plan.get("orders", ())}


def _sold_whole(run: JudgedRun) -> set[str]:
    """The symbols of which a plan sells all that is held, which a split makes more than was planned."""
    return {row["symbol"] for row in run.plan.get("orders", ()) if row.get("qty") == "all"}


def _dollars(run: JudgedRun) -> dict[str, Decimal]:
    """The dollars of the lines of a plan that are in dollars, by symbol; how many shares only its planning knows."""
    return {row["symbol"]: Decimal(str(row["notional"])) for row in run.plan.get("orders", ()) if "notional" in row}
