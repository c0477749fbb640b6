"""The first judge of causes: a run fails only if something in the record of the day gave it a reason.

The run's own words count for nothing, and a fault that it has recovered from is no cause. A cause is a step that a
fault kept from ending, to its last attempt; a fault in a closing step that came to its end; another execution of the
same run; an order whose outcome the broker never showed, or that it did not show, work on or close at the end; another
hand on the run's symbols; or, for a run that has sent nothing, a plan beyond its limits or its holdings, or without a
price.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from repeg_workbench.faults.judges.hindrances import has_given_up, is_hindered, overlap
from repeg_workbench.faults.judges.interruptions import has_opened
from repeg_workbench.faults.judges.placed import Parent, Placed
from repeg_workbench.faults.judges.record import SECOND, DayRecord, Execution, Invoked, JudgedRun, SentOrder
from repeg_workbench.faults.judges.refusals import Refusals
from repeg_workbench.faults.judges.verdict import Violation

# The broker's words for an order that it works on or closes as usual.
USUAL = frozenset(
    {
        "accepted", "pending_new", "new", "partially_filled", "filled", "canceled", "expired", "rejected", "replaced",
        "pending_cancel", "pending_replace",
    }
)  # fmt: skip

# From a cancel's request to the order's end at the broker, usually.
CANCELLED = 20 * SECOND

CLOSING = frozenset({"CloseRun", "SweepOrders"})

# A run that goes on in a new execution starts it just before the old one ends.
A_MOMENT = SECOND


class CauseJudge:
    """Judges why runs have failed."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record, self._refusals = record, Refusals(record)

    def judge(self, parents: Iterable[Parent]) -> None:
        """Judge every run that has failed, as it was published or as its execution ended."""
        lines = list(parents)
        for run in self._record.runs:
            executions = [each for each in self._record.executions if each.run_id == run.run_id]
            failed = [each.at for each in self._record.published if each.run_id == run.run_id and each.is_failure]
            failed += [each.ended for each in executions if each.status == "FAILED" and has_opened(self._record, each)]
            if executions and failed:
                ours = [line for line in lines if line.run.run_id == run.run_id]
                has_cause = any(self._causes(run, executions, ours, min(failed)))
                self._claim(has_cause, "failed_without_cause", min(failed), run.run_id)

    def _causes(
        self, run: JudgedRun, executions: Sequence[Execution], lines: Sequence[Parent], until: int
    ) -> Iterator[bool]:
        own = [step for step in self._record.invoked if step.run_id == run.run_id and step.began <= until]
        yield any(each.status not in {"SUCCEEDED", "FAILED"} and each.ended <= until for each in executions)
        opened = [each for each in executions if each.began <= until and has_opened(self._record, each)]
        yield any(overlap(one, other, but=A_MOMENT) for one, other in combinations(opened, 2))
        yield any(self._is_opened_by_nobody(step, executions) for step in own)
        yield any(has_given_up(self._record, name, own, run, until) for name in {step.function for step in own})
        yield any(is_hindered(self._record, step, own) for step in own if self._has_closed(step))
        yield any(self._is_in_doubt(sent) for sent in self._record.sent if sent.client_order_id.startswith(run.prefix))
        orders = [order for line in lines for order in line.orders]
        closing = min((step.began for step in own if step.function in CLOSING), default=until)
        yield any(self._was_withheld(order, closing, until) for order in orders)
        yield any(self._is_shared(symbol, orders, until) for symbol in run.targets)
        has_sent = any(sent.client_order_id.startswith(run.prefix) for sent in self._record.sent)
        planning = [step for step in own if step.function == "PlanOrders"]
        yield not has_sent and self._refusals.may_refuse(run, planning)

    def _has_closed(self, step: Invoked) -> bool:
        """Whether a step may have closed a run: it came to its end, or a second fault kept its answer from arriving
        after a first one had kept it from reading all or closing all."""
        strikes = sum(number == step.number for _, number in self._record.streams.struck)
        return step.function in CLOSING and (step.answered or strikes > 1)

    def _is_opened_by_nobody(self, step: Invoked, executions: Sequence[Execution]) -> bool:
        """Whether a second delivery opened the run when no execution of it was under way to go on with it."""
        is_second = step.function == "OpenRun" and step.is_duplicate and step.answered
        return is_second and not any(
            e.began <= step.began and (e.ended < 0 or e.ended > step.began) for e in executions
        )

    def _is_in_doubt(self, sent: SentOrder) -> bool:
        """Whether an order's request was never answered, and the broker never showed the order."""
        seen = (looked for looked in self._record.looked if looked.client_order_id == sent.client_order_id)
        return not sent.is_answered and not any(looked.is_found and looked.at > sent.at for looked in seen)

    def _was_withheld(self, order: Placed, since: int, until: int) -> bool:
        """Whether the broker did not find an order or gave it a rare status while its run was being closed, or did not
        close it when it was asked to."""
        order_id = order.arrival.order_id
        asked = [each.at for each in self._record.cancels if each.broker_id == order_id and each.at <= until]
        is_stuck = any(order.ended < 0 or order.ended > at + CANCELLED for at in asked)
        hidden = [each for each in self._record.unfound if each.order_id == order_id and each.since <= until]
        is_unfound = any(each.until < 0 or each.until >= since for each in hidden)
        events = [event for event in self._record.ledger.events if event.order_id == order_id and event.at <= until]
        ends = [*(event.at for event in events[1:]), until]
        is_rare = any(e.status not in USUAL and end >= since for e, end in zip(events, ends, strict=True))
        return is_stuck or is_unfound or is_rare

    def _is_shared(self, symbol: str, orders: Sequence[Placed], until: int) -> bool:
        """Whether somebody else has traded a symbol or moved or cancelled one of our orders, or it was split."""
        line = [order for order in orders if order.arrival.symbol == symbol]
        ours = {order.arrival.order_id for order in line if not order.is_owners}
        asked = {each.broker_id for each in self._record.cancels}
        is_foreign = any(order.is_owners or (order.status == "canceled" and order.arrival.order_id not in asked)
                         for order in line)  # fmt: skip
        ledger = self._record.ledger
        is_split = any(
            posting.commodity == symbol for e in ledger.entries if e.kind == "split" for posting in e.postings
        )
        others = (e for e in ledger.executions if e.symbol == symbol and e.at <= until and e.order_id not in ours)
        return is_foreign or is_split or any(others)

    def _claim(self, holds: bool, name: str, at: int, subject: str, observed: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.found.append(Violation(name, at, subject, observed))
