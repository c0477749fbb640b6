"""The quotes that a step had when it priced an order: served to it by REST, or delivered by its stream."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from repeg_workbench.faults.judges.record import ALL_THREADS, SECOND, DayRecord, ServedQuote

# A streamed quote is looked at for two seconds of its age. One that arrives older is none.
STREAMED_AGE = 2 * SECOND

# A step that polls ends within this time, and with it every quote that it was served. One that listens goes on, but
# reads quotes anew in each of its turns.
POLLS_FOR = 50 * SECOND


class ObservedQuotes:
    """Answers, for one day, which quotes a step may have priced an order from."""

    def __init__(self, record: DayRecord) -> None:
        self._record = record
        self._by_step: defaultdict[tuple[int, str], list[ServedQuote]] = defaultdict(list)
        for quote in record.quotes:
            self._by_step[quote.invocation, quote.symbol].append(quote)
        for quote in record.streams.quotes:
            if quote.stamp is not None and quote.at <= quote.stamp + STREAMED_AGE + record.allowance:
                self._by_step[quote.invocation, quote.symbol].append(quote)

    def before(self, invocation: int, symbol: str, at: int) -> Iterator[ServedQuote]:
        """The quotes of a symbol on which a step may have decided an order that it had decided by that time."""
        known = (quote for quote in self._by_step.get((invocation, symbol), ()) if quote.at <= at)
        if invocation not in self._record.streams.listened:
            yield from known
            return
        for quote in known:
            if at - quote.at <= POLLS_FOR or at - quote.at - self._frozen(invocation, quote.at, at) <= POLLS_FOR:
                yield quote

    def of_run(self, run_id: str, symbol: str, until: int) -> Iterator[ServedQuote]:
        """Every quote of a symbol that the steps of a run may have used until that time."""
        steps = {step.number for step in self._record.invoked if step.run_id == run_id}
        for (number, name), quotes in self._by_step.items():
            if name == symbol and number in steps:
                yield from (quote for quote in quotes if quote.at <= until)

    def _frozen(self, invocation: int, since: int, until: int) -> int:
        """For how long of that time all threads of a step were frozen."""
        spans = [
            held for held in self._record.held_up if (held.invocation, held.thread) == (invocation, ALL_THREADS)
        ]  # fmt: skip
        return sum(max(0, min(held.until, until) - max(held.since, since)) for held in spans)
