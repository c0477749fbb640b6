"""The campaign's days with a baseline executor, checked by the same judge.

Port faults, races at the broker and duplicate invocations are the seed's own. All circumstances, all other workflow
faults (aborts, redrives, late starts, outages, the kill switch) and the account's owner are left out, so a baseline has
easier days than the program.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from repeg.domain.quote import Side
from repeg.ports import Broker
from repeg_workbench.exchange.units import to_qty
from repeg_workbench.faults.baselines import BASELINES, STEP_SECONDS, TRANSIENT, BrokerAccess, Executor, Line
from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.circumstances import PLAIN
from repeg_workbench.faults.fault_plan import WorkflowFault
from repeg_workbench.faults.faulty_ports import CURRENT, Invocation
from repeg_workbench.faults.world import World

GRACE = timedelta(minutes=15)
TRIES = 3
LAST_TRIES = 20

Book = tuple[Line, ...]


class BaselineDay:
    """One seed's day worked by a baseline; its steps may be killed, frozen, repeated or retried."""

    def __init__(self, seed: int, baseline: str) -> None:
        self._world = World(seed, without=PLAIN)
        broker, scheduler = cast(Broker, self._world.stack.broker_port), self._world.scheduler
        _, make = BASELINES[baseline]
        self._prefix = self._world.stack.runs[self._world.run_id].prefix
        self._executor: Executor = make(BrokerAccess(broker, scheduler.now, scheduler.sleep, seed, self._prefix))
        self._book: Book = tuple(
            Line(symbol, Side.BUY if sign > 0 else Side.SELL, wanted)
            for symbol, (sign, wanted) in sorted(self._world.day.targets.items())
        )

    def run(self) -> frozenset[str]:
        """Run the day; returns the kinds of error that occurred."""
        world = self._world
        world.workflow_faults.arm_broker()
        world.scheduler.spawn_apart(self._work)
        # Judged as a day that is over, but before the close, when the broker would end every open order.
        world.scheduler.run(until=min(world.window.closes + GRACE, world.session.close - timedelta(seconds=1)))
        world.exchange.advance()
        found = {violation.name for violation in world.judged(is_over=True)}
        world.scheduler.close()
        return self._wrong(found)

    def _work(self) -> None:
        world = self._world
        world.scheduler.sleep_until(max(world.window.opens, world.scheduler.now()))
        while world.scheduler.now() < world.window.closes:
            self._step(self._turn, TRIES)
            world.scheduler.sleep(self._world.day.settings["order_monitoring_seconds"])
        self._step(self._end, LAST_TRIES)

    def _step(self, step: Any, tries: int) -> None:
        """Run one step of a workflow: its answer is the next book; without an answer the same book is passed again."""
        world = self._world
        if (
            WorkflowFault.DUPLICATE_INVOCATION in world.fault_plan.workflow_faults
            and world.fault_plan.within(0, 1) < 0.3
        ):
            world.scheduler.spawn_apart(lambda: self._shadow(step, self._book))
        for attempt in range(tries):
            after = self._invoke(step, self._book)
            if after is not None:
                self._book = after
                return
            world.scheduler.sleep(2.0 ** min(attempt, 4))

    def _shadow(self, step: Any, book: Book) -> None:
        self._world.scheduler.sleep(self._world.fault_plan.within(0, 3))
        self._invoke(step, book)

    def _invoke(self, step: Any, book: Book) -> Book | None:
        invocation = Invocation("baseline")

        def body() -> Book | None:
            CURRENT.set(invocation)
            try:
                return tuple(step(book))
            except TRANSIENT:
                return None

        thread = invocation.thread = self._world.scheduler.spawn_apart(body)
        if not thread.join(STEP_SECONDS):
            thread.kill()
        return None if thread.was_killed else thread.result()

    def _turn(self, book: Book) -> list[Line]:
        quotes = self._world.stack.ports.market.quotes([line.symbol for line in book])
        after = []
        for line in book:
            quote = quotes.get(line.symbol)
            is_usable = quote is not None and 0 < quote.bid < quote.ask
            after.append(self._one(line, quote) if is_usable else line)
        return after

    def _one(self, line: Line, quote: Any) -> Line:
        try:
            return self._executor.work(line, quote)
        except TRANSIENT:
            return line

    def _end(self, book: Book) -> list[Line]:
        return [self._executor.end(line) for line in book]

    def _wrong(self, found: set[str]) -> frozenset[str]:
        filled: Counter[str] = Counter()
        for execution in self._world.exchange.ledger.executions:
            if execution.client_order_id.startswith(self._prefix):
                filled[execution.symbol] += execution.quantity
        kinds = {
            "overfill": any(filled[line.symbol] > to_qty(line.target) for line in self._book),
            "two live orders": "two_live_children" in found,
            "wrong book": any(filled[line.symbol] != to_qty(line.filled) for line in self._book),
            "left open": "left_open" in found,
        }
        return frozenset(kind for kind, is_so in kinds.items() if is_so)


KINDS = ("overfill", "two live orders", "wrong book", "left open")


def wrong_days(baseline: str, seeds: Sequence[int], processes: int) -> dict[str, int]:
    """The number of days with each kind of error, and with any error."""
    work = [(baseline, seed) for seed in seeds]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        found = pool.map(_wrong_day, work, chunksize=20)
    counts = {kind: sum(kind in wrong for wrong in found) for kind in KINDS}
    return {**counts, "anything": sum(bool(wrong) for wrong in found)}


def _wrong_day(work: tuple[str, int]) -> frozenset[str]:
    baseline, seed = work
    with quietly():
        return BaselineDay(seed, baseline).run()
