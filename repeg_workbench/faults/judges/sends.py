"""The first judge of requests: how soon an order leaves after its intent, and how often under its id."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from repeg_workbench.faults.judges.pauses import held_up
from repeg_workbench.faults.judges.record import SECOND, DayRecord, Intent, SentOrder
from repeg_workbench.faults.judges.verdict import Violation

# An order may be sent for so long after its decision, which its intent follows.
SENDS_FOR = 10 * SECOND

# An order is sent again a minute after its request was decided, by a clock that may be a request's seven seconds ahead.
RESENT_AFTER = (60 - 7) * SECOND


class SendJudge:
    """Judges the requests that left the program with an order."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record = record
        self._intents: dict[str, Intent] = {}
        for intent in record.intents:
            self._intents.setdefault(intent.client_order_id, intent)

    def judge(self) -> None:
        """Judge the requests of every order that has an intent."""
        by_id: defaultdict[str, list[SentOrder]] = defaultdict(list)
        for sent in sorted(self._record.sent, key=lambda each: each.at):
            by_id[sent.client_order_id].append(sent)
        for name, requests in by_id.items():
            intent = self._intents.get(name)
            if intent is not None:
                self._judge_requests(intent, requests)

    def _judge_requests(self, intent: Intent, requests: list[SentOrder]) -> None:
        if intent.limit is None or any(sent.replaces for sent in requests):
            self._claim(self._is_in_time(requests[0], intent), "sent_late", requests[0])
            for again in requests[1:]:
                self._claim(False, "sent_twice", again)  # noqa: FBT003 - a claim
            return
        decided = intent.at - self._waited(intent)
        for sent in requests:
            is_again = sent.at - decided >= self._resent_after
            self._claim(is_again or self._is_in_time(sent, intent), "sent_late", sent)
        for before, after in pairwise(requests):
            self._claim(after.at - before.at >= self._resent_after - SENDS_FOR, "sent_late", after)

    def _is_in_time(self, sent: SentOrder, intent: Intent) -> bool:
        return sent.at - intent.at <= SENDS_FOR + self._record.allowance

    @property
    def _resent_after(self) -> int:
        return RESENT_AFTER - self._record.allowance

    def _waited(self, intent: Intent) -> int:
        """How long the writer of an intent was held up in the minute before it: the decision may be so much older."""
        return held_up(self._record, intent.invocation, None, intent.at - RESENT_AFTER, intent.at)

    def _claim(self, holds: bool, name: str, sent: SentOrder) -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.found.append(Violation(name, sent.at, sent.client_order_id))
