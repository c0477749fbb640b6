"""The first judge of overtaken steps: once a later step of its run has begun, a step sends no more."""

from __future__ import annotations

from collections import defaultdict

from repeg_workbench.faults.judges.pauses import held_up
from repeg_workbench.faults.judges.record import SECOND, DayRecord, Invoked
from repeg_workbench.faults.judges.verdict import Violation

# A step that was overtaken has sent its last order so long after the next one began.
LAST_SENDS = 17 * SECOND

SENDING = frozenset({"PlaceOrders", "RepegOrders"})


class OvertakenJudge:
    """Judges the orders of steps beside which a later one of their run was working."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record = record
        self._steps: defaultdict[str, list[tuple[int, Invoked]]] = defaultdict(list)
        for step in record.invoked:
            if step.function in SENDING and step.answered and not step.is_struck:
                self._steps[step.run_id].append((self._in_charge_since(step), step))

    def judge(self) -> None:
        """Judge every order that was sent."""
        invoked = {step.number: step for step in self._record.invoked}
        for sent in self._record.sent:
            step = invoked.get(sent.invocation)
            if step is None:
                continue
            later = [since for since, other in self._steps[step.run_id] if other.began > step.began]
            since = min((since for since in later if since <= sent.at), default=sent.at)
            if sent.at - since - held_up(self._record, sent.invocation, sent.thread, since, sent.at) > LAST_SENDS:
                self.found.append(Violation("sent_when_overtaken", sent.at, sent.client_order_id))

    def _in_charge_since(self, step: Invoked) -> int:
        """When a step had certainly taken its run over: its first intent, or its end."""
        return min([each.at for each in self._record.intents if each.invocation == step.number], default=step.ended)
