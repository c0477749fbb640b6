"""The first judge of listening: an order that its step's stream mentions is looked at within a second.

An event is only a hint, so what is judged is the next request about that order at the broker. It may come before the
event is delivered, but not before what the event is about.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable

from repeg_workbench.faults.judges.placed import Parent
from repeg_workbench.faults.judges.record import ALL_THREADS, MINUTE, SECOND, DayRecord, Invoked
from repeg_workbench.faults.judges.stream_record import EVERY_ORDER, Asked, Told
from repeg_workbench.faults.judges.verdict import Violation

LOOKED_AT = SECOND

# What a step's own requests cause on their way, and what it therefore need not look at.
EXPECTED = frozenset({"accepted", "new", "pending_new", "pending_cancel", "pending_replace"})

# A step that goes on asking the broker is at work: it hears what its stream says when it has done. The longest pause
# between two questions about one cancel is 0.8 s, and a request may take a tenth.
AT_WORK, WORKS_FOR = SECOND, 35 * SECOND

# The account's quota is leased in buckets of ten seconds. Reads for hints are made from the first 14 requests of one,
# three at a time. Each step leases four requests at once, so it may have leased three for nothing. Reads that find none
# wait for the next bucket, and for another one if that is used as well. They wait for longer only behind the pages of a
# list: the executions of a day with thousands of trades take several buckets.
BUCKET, MOST_OF_BUCKET, BUCKETS_WAITED = 10 * SECOND, 8, 2
LEASED_FOR_NOTHING = 3
DATA = "/v2/stocks"  # requests for market data have a quota of their own
EXECUTIONS = "/v2/account/activities"

# A call that a fault strikes may keep its step from listening for so long, beside the time for which it is frozen.
STRUCK_FOR = MINUTE


class HearingJudge:
    """Judges every order update that was delivered to a step."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record = record
        self._invoked = {step.number: step for step in record.invoked}
        self._asked: defaultdict[int, list[Asked]] = defaultdict(list)
        self._requests = {stack: sorted(requests) for stack, requests in record.requests.items()}
        self._asked_by_run: defaultdict[str, list[Asked]] = defaultdict(list)
        asked_of = [(each.at, each.invocation, each.about) for each in record.streams.asked]
        self._asked_of_broker = sorted((at, step) for at, step, about in asked_of if not about.startswith(DATA))
        self._pages = sorted((at, step) for at, step, about in asked_of if about.startswith(EXECUTIONS))
        for asked in record.streams.asked:
            self._asked[asked.invocation].append(asked)
            self._asked_by_run[self._invoked[asked.invocation].run_id].append(asked)

    def judge(self, parents: Iterable[Parent]) -> None:
        """Judge the updates about orders of the step's own run."""
        ours = {o.arrival.client_order_id: parent for parent in parents for o in parent.orders if not o.is_owners}
        for told in self._record.streams.told:
            step, line = self._invoked.get(told.invocation), ours.get(told.client_order_id)
            if step is None or line is None or told.event in EXPECTED or line.run.run_id != step.run_id:
                continue
            names = {n for o in line.orders for n in (o.arrival.client_order_id, o.arrival.order_id)}
            due = self._due(told)
            if not self._is_looked_at(told, step.run_id, names, due) and not self._is_excused(step, told.at, due):
                self.found.append(Violation("hint_ignored", told.at, told.client_order_id, told.event))

    def _is_looked_at(self, told: Told, run_id: str, names: set[str], due: int) -> bool:
        """Whether a step of the run has asked since. A late update may tell what an earlier step has read."""
        asked = self._asked_by_run[run_id]
        first = bisect_left(asked, told.happened, key=lambda each: each.at)
        return any(each.about in names or each.about == EVERY_ORDER for each in asked[first:] if each.at <= due)

    def _due(self, told: Told) -> int:
        """A second after the update, or after the work in which it found the step, or once the quota has more."""
        asked = self._asked[told.invocation]
        last = told.at
        for each in asked[bisect_right(asked, told.at, key=lambda each: each.at) :]:
            if each.at - last > AT_WORK or each.at - told.at > WORKS_FOR:
                break
            last = each.at
        due, stack = last + LOOKED_AT, self._invoked[told.invocation].stack
        for _ in range(BUCKETS_WAITED):
            due += BUCKET if self._leased(stack, due - BUCKET, due) >= MOST_OF_BUCKET else 0
        while len(self._of_stack(self._pages, stack, due - BUCKET, due)) >= MOST_OF_BUCKET:
            due += BUCKET
        return due

    def _leased(self, stack: int, since: int, until: int) -> int:
        """A stack's requests of a time, and what all the steps that made them but one may have leased for nothing. A
        call may take several requests: a list of executions has pages."""
        calls = self._requests.get(stack, [])
        asked = self._of_stack(self._asked_of_broker, stack, since, until)
        used = max(bisect_right(calls, until) - bisect_left(calls, since), len(asked))
        return used + LEASED_FOR_NOTHING * max(0, len(set(asked)) - 1)

    def _of_stack(self, asked: list[tuple[int, int]], stack: int, since: int, until: int) -> list[int]:
        """The invocations of a stack that made these requests in a time, one for each request."""
        first, last = bisect_left(asked, (since,)), bisect_left(asked, (until + 1,))
        return [number for _, number in asked[first:last] if self._invoked[number].stack == stack]

    def _is_excused(self, step: Invoked, since: int, due: int) -> bool:
        """Whether the step ended meanwhile, was struck or frozen, or a service was away."""
        ended = step.ended if step.ended >= 0 else self._record.until
        is_away = any(away.since <= due and away.until >= since - STRUCK_FOR for away in self._record.outages)
        is_struck = any(
            number == step.number and since - STRUCK_FOR <= at <= due for at, number in self._record.streams.struck
        )
        is_frozen = any(
            (held.invocation, held.thread) == (step.number, ALL_THREADS) and held.since <= due and held.until >= since
            for held in self._record.held_up
        )
        return ended <= due or is_away or is_struck or is_frozen
