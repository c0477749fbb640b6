"""What an outcome says of the account, the broker or another hand: whether the record of the day shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from repeg_workbench.exchange.broker.ledger import HELD, POSITION, Entry, OrderEvent
from repeg_workbench.exchange.units import to_qty
from repeg_workbench.faults.judges.dust import is_dust
from repeg_workbench.faults.judges.funds import was_poor
from repeg_workbench.faults.judges.placed import ENDED, Parent, Placed, number_of
from repeg_workbench.faults.judges.record import SECOND, DayRecord

# So many refusals in a row end a line.
MOST_REFUSALS = 3
# An answer is received at most so long after it was true.
ANSWERED = 10 * SECOND


class Evidence:
    """Answers, for one day, whether a line may have ended as it is said to, before its window closed."""

    def __init__(self, record: DayRecord) -> None:
        self._record = record
        self._shows: Mapping[str, Callable[[Parent, int], bool]] = {
            "unfunded": self._is_short_of_cash,
            "rejected": self._was_turned_away,
            "ended_by_owner": self._was_touched,
            "ended_by_unknown_hand": self._was_touched,
            "unknown": self._is_in_doubt,
            "no_trade": self._is_too_small,
        }
        self._ends: Mapping[str, Callable[[Parent, int], bool]] = {
            **self._shows,
            "unfunded": self._is_poor,
            "rejected": self._was_turned_away_for_good,
            "unknown": self._is_lost,
        }

    def shows(self, outcome: str, line: Parent, until: int) -> bool:
        """Whether the record shows until then what an outcome says; not for one that says something else."""
        shows = self._shows.get(outcome)
        return shows is not None and shows(line, until)

    def ends(self, outcome: str, line: Parent, until: int) -> bool:
        """Whether the record shows what ends a line before its window closes: more than what one that waits may say."""
        ends = self._ends.get(outcome)
        return ends is not None and ends(line, until)

    def _is_too_small(self, line: Parent, until: int) -> bool:
        """Whether all that a line was to trade was worth too little, on a quote that the run was served."""
        _, most = line.run.targets.get(line.symbol, (0, Decimal(0)))
        steps = {step.number for step in self._record.invoked if step.run_id == line.run.run_id}
        quotes = (q for q in self._record.quotes if q.symbol == line.symbol and q.invocation in steps and q.at <= until)
        return is_dust(to_qty(most), quotes)

    def _is_short_of_cash(self, line: Parent, until: int) -> bool:
        """Whether the account may have been too poor for a buy, or the broker has refused an order of its line."""
        return self._is_poor(line, until) or (self._sign(line) > 0 and bool(self._refused(line, until)))

    def _is_poor(self, line: Parent, until: int) -> bool:
        return self._sign(line) > 0 and was_poor(self._record, line.run, until)

    def _sign(self, line: Parent) -> int:
        return line.run.targets.get(line.symbol, (0, Decimal(0)))[0]

    def _was_turned_away(self, line: Parent, until: int) -> bool:
        """Whether the broker has refused or rejected an order of a line, or fewer shares were free than it sells."""
        is_turned_away = self._refused(line, until) or self._rejected(line, until)
        return bool(is_turned_away) or self._is_short_of_shares(line, until)

    def _was_turned_away_for_good(self, line: Parent, until: int) -> bool:
        """Whether the broker has refused or rejected so many orders of a line in a row, or too few shares were free."""
        worked = [o for o in line.orders if o.executed or (o.status == "canceled" and 0 <= o.ended <= until)]
        last = max((number_of(order.arrival.client_order_id) for order in worked), default=0)
        refused = {name for name in self._refused(line, until) if number_of(name) > last}
        # An order may be rejected after it has filled in part.
        refused |= {name for name in self._rejected(line, until) if number_of(name) >= last}
        return len(refused) >= MOST_REFUSALS or self._is_short_of_shares(line, until)

    def _rejected(self, line: Parent, until: int) -> set[str]:
        """The ids of a line's orders that the broker has rejected, but for those that were to replace another."""
        ours = {order.arrival.order_id for order in line.orders if order.before is None}
        return {e.client_order_id for e in self._record.ledger.events
                if e.status == "rejected" and e.at <= until and e.order_id in ours}  # fmt: skip

    def _refused(self, line: Parent, until: int) -> set[str]:
        """The ids of a line's requests that were answered without an order, but for those to replace another."""
        prefix = f"{line.run.prefix}{line.symbol}."
        arrived = {order.arrival.client_order_id for order in line.orders}
        return {s.client_order_id for s in self._record.sent
                if s.client_order_id.startswith(prefix) and s.at <= until
                and s.is_answered and not s.replaces and s.client_order_id not in arrived}  # fmt: skip

    def _is_short_of_shares(self, line: Parent, until: int) -> bool:
        sign, most = line.run.targets.get(line.symbol, (0, Decimal(0)))
        ours = frozenset(order.arrival.order_id for order in line.orders)
        began = min((e.began for e in self._record.executions if e.run_id == line.run.run_id), default=0)
        return sign < 0 and least_free(self._record, line.symbol, began, until, ours) < to_qty(most)

    def _was_touched(self, line: Parent, until: int) -> bool:
        """Whether an order of a line was moved by its owner, or cancelled other than by the run's own request."""
        return any(order.is_owners or self._was_cancelled(order, until) for order in line.orders)

    def _was_cancelled(self, order: Placed, until: int) -> bool:
        """Whether an order was cancelled before the run had asked for it, or its request was too late or was lost."""
        asked = [each for each in self._record.cancels if each.broker_id == order.arrival.order_id]
        is_lost = any(each.is_too_late or self._record.invoked[each.invocation].is_struck for each in asked)
        is_unasked = is_lost or all(each.at > order.ended for each in asked)
        return order.status == "canceled" and order.ended <= until and is_unasked

    def _is_in_doubt(self, line: Parent, until: int) -> bool:
        """Whether an order of a line was lost, or the broker did not find one for a while."""
        ids = {order.arrival.order_id for order in line.orders}
        is_hidden = any(each.order_id in ids and each.since <= until for each in self._record.unfound)
        return is_hidden or self._is_lost(line, until)

    def _is_lost(self, line: Parent, until: int) -> bool:
        """Whether a request of a line was never answered and its order never shown since, or the broker was asked for
        an order that it had and did not find it, or did not close it before the session's close."""
        prefix = f"{line.run.prefix}{line.symbol}."
        shown = {each.client_order_id for each in self._record.looked if each.is_found and each.at <= until}
        shown |= {each.client_order_id for each in self._record.sent if each.is_answered}
        unseen = any(s.client_order_id.startswith(prefix) and s.at <= until and s.client_order_id not in shown
                     for s in self._record.sent)  # fmt: skip
        is_denied = any(self._was_denied(order, until) for order in line.orders)
        return unseen or is_denied or any(o.is_open or o.ended >= self._record.session_close for o in line.orders)

    def _was_denied(self, order: Placed, until: int) -> bool:
        """Whether the run has asked for an order by its id while the broker did not find it."""
        asked = [each.at for each in self._record.looked if each.at <= until and not each.is_found
                 and each.client_order_id == order.arrival.client_order_id]  # fmt: skip
        hidden = [each for each in self._record.unfound if each.order_id == order.arrival.order_id]
        return any(each.since <= at <= (until if each.until < 0 else each.until + ANSWERED)
                   for each in hidden for at in asked)  # fmt: skip


def least_free(record: DayRecord, symbol: str, since: int, until: int, ours: frozenset[str] = frozenset()) -> int:
    """The least quantity of a symbol that was held and not set aside for a sell, at any moment of a time."""
    return min(free for free, _ in free_shares(record, symbol, since, until, ours))


def free_shares(
    record: DayRecord, symbol: str, since: int, until: int, ours: frozenset[str] = frozenset()
) -> Iterator[tuple[int, int]]:
    """The quantity of a symbol that was held and not set aside for a sell, and the quantity held, at each moment of a
    time.

    Orders that are `ours` count as if they had never been sent. The broker may release what it has set aside a while
    after it has ended the order.
    """
    ledger, selling, held, set_aside = record.ledger, dict[str, int](), 0, 0
    changes: list[Entry | OrderEvent] = sorted([*ledger.entries, *ledger.events], key=lambda each: each.at)
    now, has_begun = (0, 0), False
    for each in (change for change in changes if change.at <= until and change.order_id not in ours):
        if each.at > since and not has_begun:
            has_begun = True
            yield now
        if isinstance(each, Entry):
            held += sum(amount for account, what, amount in each.postings if (account, what) == (POSITION, symbol))
            set_aside += sum(amount for account, what, amount in each.postings if (account, what) == (HELD, symbol))
        elif each.symbol == symbol and each.side < 0:
            selling[each.order_id] = 0 if each.status in ENDED else (each.quantity or 0) - each.filled
        now = held - max(set_aside, sum(selling.values())), held
        if has_begun:
            yield now
    if not has_begun:
        yield now
