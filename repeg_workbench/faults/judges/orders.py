"""The first judge, at every event of the ledger: quantities, successors, intents, budgets, cash and holdings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from repeg_workbench.exchange.broker.ledger import CASH, POSITION, USD, Entry, Execution, OrderEvent
from repeg_workbench.exchange.units import to_qty
from repeg_workbench.faults.judges.placed import HELD_UP, PRICE, QTY, Orders, Parent, Placed
from repeg_workbench.faults.judges.record import MINUTE, SECOND, DayRecord, Intent
from repeg_workbench.faults.judges.rules import MOST_ORDERS, Rules, dearest_buy
from repeg_workbench.faults.judges.verdict import Violation

# A request to cancel that has not arrived by then never will; the broker's clock and the program's may differ so far.
ARRIVES, CLOCK_ERROR = 2 * MINUTE, 2 * SECOND


class OrderJudge:
    """Replays the ledger; `orders` is the broker's view at the end, `found` what was violated on the way."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self.orders = Orders(record.runs)
        self._record = record
        self._arrived: defaultdict[str, int] = defaultdict(int)
        self._intents: dict[str, Intent] = {}
        self._left: dict[str, int] = {}
        self._writers = {each.number: each for each in record.invoked}
        self._held_up: set[str] = set()
        for sent in record.sent:
            self._left.setdefault(sent.client_order_id, sent.at)
            if sent.at + HELD_UP < sent.arrived:
                self._held_up.add(sent.client_order_id)
        for intent in record.intents:
            known = self._intents.setdefault(intent.client_order_id, intent)
            self._claim(known[1:5] == intent[1:5], "intent_changed", intent.at, intent.client_order_id)

    def judge(self) -> None:
        """Replay the whole day."""
        fills = iter(self._record.ledger.executions)
        for event in self._record.ledger.events:
            execution = next(fills) if event.event in {"fill", "partial_fill"} else None
            is_new = self.orders.apply(event, execution)
            parent = self.orders.parent_of(event.order_id)
            if parent is not None:
                self._on_event(event, execution, parent, is_new=is_new)
        self._senders()
        self._cash_and_holdings()
        self._other_hands()

    def _senders(self) -> None:
        """Each order that the program sent and the broker had has the id of a run: of the run whose step sent it."""
        runs = {invoked.number: invoked.run_id for invoked in self._record.invoked}
        for sent in (sent for sent in self._record.sent if sent.arrived >= 0):
            run, name = self.orders.run_of(sent.client_order_id), sent.client_order_id
            sender = runs.get(sent.invocation, "")
            is_known = run is not None and sender in {"", run.run_id}
            self._claim(is_known, "orders_without_run", sent.arrived, name, f"sent for {sender}")

    def _on_event(self, event: OrderEvent, execution: Execution | None, parent: Parent, *, is_new: bool) -> None:
        placed = self.orders.by_id[event.order_id]
        if is_new and not placed.is_owners:
            self._on_arrival(event, parent, placed)
        sign, most = parent.run.targets.get(parent.symbol, (0, Decimal(0)))
        self._claim(event.side == sign, "wrong_side", event.at, event.client_order_id)
        total = parent.exposure
        self._claim(
            total <= to_qty(most), "more_than_target", event.at, event.client_order_id, f"{total * QTY} of {most}"
        )
        working = sum(any(not order.is_owners for order in chain) for chain in parent.working)
        self._claim(working <= 1, "two_live_children", event.at, event.client_order_id, str(working))
        if execution is not None and execution.limit is not None:
            worse = execution.side * (execution.price - execution.limit)
            self._claim(worse <= 0, "worse_than_limit", event.at, event.client_order_id)

    def _on_arrival(self, event: OrderEvent, parent: Parent, placed: Placed) -> None:
        others = [o for o in parent.orders if o.is_open and o is not placed and o is not placed.before]
        names = ", ".join(other.arrival.client_order_id for other in others)
        self._claim(not others, "successor_before_end", event.at, event.client_order_id, names)
        self._intended(event)
        is_plain = event.time_in_force == "day" and not event.extended_hours
        self._claim(is_plain, "not_a_day_order", event.at, event.client_order_id, event.time_in_force)
        self._limited(event, parent)

    def _intended(self, event: OrderEvent) -> None:
        intent = self._intents.get(event.client_order_id)
        if intent is None or intent.at > min(event.at, self._left.get(event.client_order_id, event.at)):
            return self._claim(False, "no_intent", event.at, event.client_order_id)  # noqa: FBT003 - the claim failed
        same = (intent.side, intent.quantity, intent.limit) == (event.side, event.quantity, event.limit)
        return self._claim(same, "intent_differs", event.at, event.client_order_id, str(intent))

    def _limited(self, event: OrderEvent, parent: Parent) -> None:
        """The limits on the number of orders and on what they may cost, with this one counted."""
        run, rules, name = parent.run, Rules(parent.run.settings), event.client_order_id
        self._arrived[run.run_id] += 1
        most = rules.most("max_run_orders")
        self._claim(most is None or self._arrived[run.run_id] <= most, "too_many_orders", event.at, name)
        attempts = parent.attempts
        is_within = attempts <= rules.number("max_attempts") and len(parent.orders) <= MOST_ORDERS
        self._claim(is_within, "too_many_attempts", event.at, name, f"{attempts}, {len(parent.orders)} in all")
        allowed = rules["allowed_symbols"]
        names = allowed.replace(" ", "").split(",") if isinstance(allowed, str) else allowed
        self._claim(names is None or event.symbol in names, "symbol_not_allowed", event.at, name)
        of_day = [p for p in self.orders.parents.values() if p.run.stack == run.stack]
        sums = {
            "max_order_notional": [parent],
            "max_run_notional": [p for p in of_day if p.run.run_id == run.run_id],
            "max_day_notional": of_day,
        }
        for limit, counted in sums.items():
            room = rules.of(event.symbol).most(limit)
            if room is not None:
                cost = sum((each.cost for each in counted), Decimal(0))
                self._claim(cost <= room, "over_budget", event.at, name, f"{limit} {cost} of {room}")

    def _cash_and_holdings(self) -> None:
        """After an execution of ours the account owes no shares, and after a buy no money that its run may not borrow.

        A run on buying power may spend cash that an order of another run was granted. So what its orders that have
        arrived since that grant have spent may be missing, and no more. So may what a market order whose request the
        network held up has cost beyond its grant: it trades at the price of its arrival.
        """
        balances: defaultdict[tuple[str, str], int] = defaultdict(int)
        lent: list[tuple[int, int]] = []
        for entry in self._record.ledger.entries:
            before = balances[CASH, USD]
            for account, commodity, amount in entry.postings:
                balances[account, commodity] += amount
            parent = self.orders.parent_of(entry.order_id) if entry.kind == "execution" else None
            if parent is None:
                continue
            cash, held = balances[CASH, USD], balances[POSITION, parent.symbol]
            arrival, may_borrow = self.orders.by_id[entry.order_id].arrival, Rules(parent.run.settings).may_borrow
            if not may_borrow and arrival.limit is None and arrival.client_order_id in self._held_up:
                lent.append((entry.at, self._beyond_grant(arrival, entry, before - cash)))
            if may_borrow:
                lent.append((arrival.at, max(before - cash, 0)))
                power = self._power(balances)
                self._claim(power >= 0, "power_negative", entry.at, parent.symbol, str(power * PRICE * QTY))
            elif cash < before:
                granted = self._granted_at(entry.order_id, parent)
                missing = sum(spent for arrived, spent in lent if arrived >= granted)
                self._claim(cash + missing >= 0, "cash_negative", entry.at, parent.symbol, str(cash * PRICE * QTY))
            self._claim(held >= 0, "short", entry.at, parent.symbol, str(held * QTY))

    def _beyond_grant(self, arrival: OrderEvent, entry: Entry, spent: int) -> int:
        """What an execution of a market buy has cost beyond the most that its intent's quotes let expect, at least."""
        own = self._intents.get(arrival.client_order_id)
        quotes = (*self._record.quotes, *self._record.streams.quotes) if own is not None else ()
        asks = [quote.ask for quote in quotes if own is not None and quote.ask > 0 and quote.at <= own.at
                and (quote.invocation, quote.symbol) == (own.invocation, arrival.symbol)]  # fmt: skip
        shares = sum(p.amount for p in entry.postings if p.account == POSITION) * QTY
        granted = shares * dearest_buy(min(asks) * PRICE) / PRICE / QTY if asks else Decimal(0)
        return max(0, spent - int(granted))

    def _granted_at(self, order_id: str, parent: Parent) -> int:
        """When the step began that granted an order its cash: PlaceOrders does, and what other steps intend for its
        line goes on with that. An order without an intent counts from its arrival."""
        until = self.orders.by_id[order_id].arrival.at
        last = [o.arrival for o in parent.orders if o.arrival.at <= until and not o.is_owners][-1]
        own = self._intents.get(last.client_order_id)
        line = last.client_order_id.rpartition(".")[0]
        granted = until
        for intent in reversed(list(self._intents.values())):
            step = self._writers.get(intent.invocation)
            if own is None or step is None or intent.at > own.at or intent.client_order_id.rpartition(".")[0] != line:
                continue
            granted = step.began
            if step.function == "PlaceOrders":
                break
        return granted

    def _power(self, balances: Mapping[tuple[str, str], int]) -> int:
        """Money units that the account could still spend at most: its equity as often as its multiplier says, less its
        holdings, all at the highest price of the day. Nothing is known of it before the day is over."""
        if not self._record.dearest:
            return 0
        held = sum(
            amount * self._record.dearest.get(symbol, 0)
            for (account, symbol), amount in balances.items()
            if account == POSITION and amount > 0
        )
        return self._record.multiplier * (balances[CASH, USD] + held) - held

    def _other_hands(self) -> None:
        """No order of another program is cancelled or replaced, and no order that its owner has ended is sent again."""
        stacks = {invoked.number: invoked.stack for invoked in self._record.invoked}
        asked: set[str] = set()
        touched = [(c.at, c.broker_id, c.invocation) for c in self._record.cancels]
        touched += [(s.at, s.replaces, s.invocation) for s in self._record.sent if s.replaces]
        for at, order_id, number in touched:
            asked.add(order_id)
            parent, order = self.orders.parent_of(order_id), self.orders.by_id.get(order_id)
            is_ours = parent is not None and order is not None and not order.is_owners
            is_ours = is_ours and parent is not None and parent.run.stack == stacks.get(number, parent.run.stack)
            self._claim(is_ours, "foreign_order_touched", at, order_id)
        for parent in self.orders.parents.values():
            ended = [at for at in (self._ended_by_owner(o, asked) for o in parent.orders) if at]
            later = [o for o in parent.orders if ended and not o.is_owners and o.arrival.at > min(ended)]
            for order in later:
                self._claim(False, "sent_after_owner", order.arrival.at, order.arrival.client_order_id)  # noqa: FBT003

    def _ended_by_owner(self, order: Placed, asked: set[str]) -> int:
        """When the owner cancelled an order or moved it (0: never): the program has not asked for it. A move that the
        broker rejects changes nothing."""
        order_id, is_cancelled = order.arrival.order_id, order.status == "canceled"
        if is_cancelled and order.ended < self._record.session_close:
            is_unasked = order_id not in asked and not self._may_have_been_asked(order)
            if is_unasked or self._is_known_to_be_ended(order_id):
                return order.ended
        return order.arrival.at if order.is_owners and order.status != "rejected" else 0

    def _may_have_been_asked(self, order: Placed) -> bool:
        """Whether a step died between the mark that it stored and its request: for as long as the request could still
        arrive, nothing tells the owner's cancel from the run's own."""
        marks = [mark for mark in self._record.cancels.marks if mark.broker_id == order.arrival.order_id]
        recent = {mark.invocation for mark in marks if -CLOCK_ERROR <= order.ended - mark.at <= ARRIVES + CLOCK_ERROR}
        return any(o.is_struck and not o.answered for o in self._record.invoked if o.number in recent)

    def _is_known_to_be_ended(self, order_id: str) -> bool:
        """Whether the program's first request for an order, to cancel it, has found it ended, and the step that learned
        so has saved it: no fault struck that step, and no other step of its run was under way."""
        asked = self._record.cancels.first(order_id)
        if asked is None or not asked.is_too_late or any(sent.replaces == order_id for sent in self._record.sent):
            return False
        step = next(each for each in self._record.invoked if each.number == asked.invocation)
        others = [o for o in self._record.invoked if o.run_id == step.run_id and o.number != step.number]
        is_alone = not any(o.began <= step.ended and (o.ended < 0 or o.ended >= step.began) for o in others)
        return step.answered and not step.is_struck and is_alone

    def _claim(self, holds: bool, name: str, at: int, subject: str, observed: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.found.append(Violation(name, at, subject, observed))
