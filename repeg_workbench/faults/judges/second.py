"""The second judge: an independent model of the account, from the ledger, the plan and the documented rules.

What it judges is named as the first judge names it, so that the two can be compared: COMMON.
"""

from __future__ import annotations

from fractions import Fraction

from repeg_workbench.faults.judges.lives import NEVER, Account, Life
from repeg_workbench.faults.judges.record import MINUTE, SECOND, DayRecord, JudgedRun
from repeg_workbench.faults.judges.second_prices import (
    DOLLAR,
    SHARE,
    arrivals,
    for_symbol,
    grid,
    is_control,
    is_inside,
    number,
    setting,
)
from repeg_workbench.faults.judges.verdict import Violation

MONEY = 10_000 * SHARE
# The most orders of a line, filled ones included.
MOST_ORDERS = 400
# A request that travels for longer was held up by the network.
TRAVELS = 10 * SECOND

# What both judges decide, each in its own way.
COMMON = frozenset(
    {
        "more_than_target", "wrong_side", "successor_before_end", "cash_negative", "short", "power_negative",
        "off_the_tick",
        "past_the_collar", "no_collar", "market_order_not_allowed", "too_many_orders", "too_many_attempts",
        "over_budget", "worse_than_limit", "not_a_day_order", "outside_window", "left_open", "books_differ",
        "filled_differs",
    }
)  # fmt: skip


class SecondJudge:
    """Judges one day."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record = record
        self._account = Account(record)

    def judge(self) -> list[Violation]:
        """Everything that it finds."""
        lines = self._account.of_line
        for line, lives in lines.items():
            run = next(run for run in self._record.runs if run.run_id == line[0])
            ours = [life for life in lives if life.run is not None]
            self._quantities(line[1], run, lives)
            self._overlaps(lives)
            self._prices(for_symbol(run, line[1]), ours)
            for index, life in enumerate(ours):
                self._terms(run, life)
                executed = [n for n, each in enumerate(ours[:index]) if each.filled_by(life.born)]
                unfilled = index - max(executed, default=-1)
                is_over = unfilled > number(run, "max_attempts") or index >= MOST_ORDERS
                self._say(is_over, "too_many_attempts", life)
        for run in self._record.runs:
            self._budgets(run)
        self._money()
        if self._record.is_over:
            self._books()
        return self.found

    def _quantities(self, symbol: str, run: JudgedRun, lives: list[Life]) -> None:
        sign, most = run.targets.get(symbol, (0, 0))
        units = int(most * SHARE)
        turning_points = sorted({p for life in lives for p in (life.born, life.died, *(f[0] for f in life.fills))})
        moved = [life for life in lives if life.run is None]
        for life in lives:
            self._say(life.side != sign, "wrong_side", life)
        for position in (p for p in turning_points if p != NEVER):
            # What the owner has made of an order counts for nothing, nor does a move that the broker has rejected.
            stands = any(m.born <= position and not (m.was_rejected and m.died <= position) for m in moved)
            counted = [life for life in lives if life.run is not None or not stands]
            if self._account.at_stake(counted, position) > units:
                cause = next(life for life in lives if position in {life.born, life.died, *(f[0] for f in life.fills)})
                self._say(True, "more_than_target", cause)  # noqa: FBT003 - it is so

    def _overlaps(self, lives: list[Life]) -> None:
        """Of two orders of a line that live at once, one must replace the other."""
        for life in (life for life in lives if life.run is not None):
            predecessor = next(self._account.ancestors(life), None)
            others = [o for o in lives if o is not life and o is not predecessor and o.born < life.born < o.died]
            self._say(bool(others), "successor_before_end", life)

    def _terms(self, run: JudgedRun, life: Life) -> None:
        self._say(not life.is_plain, "not_a_day_order", life)
        opens = self._record.session_open + int(number(run, "market_open_delay_minutes")) * MINUTE
        opens -= self._record.clock_ahead
        closes = self._record.session_close - int(number(run, "close_margin_minutes")) * MINUTE
        if not opens <= life.at < closes:
            sent = [
                s for s in self._record.sent if s.client_order_id == life.client_order_id and 0 <= s.arrived <= life.at
            ]
            latest = max((s.arrived, s.at) for s in sent) if sent else None
            is_excused = latest is not None and opens <= latest[1] <= closes - 5 * SECOND
            self._say(not is_excused, "outside_window", life)
        for _, _, price in life.fills:
            self._say(not life.is_market and life.side * (price - life.limit) > 0, "worse_than_limit", life)

    def _prices(self, run: JudgedRun, ours: list[Life]) -> None:
        if not ours:
            return
        may_fall_back = setting(run, "fallback") != "none"
        words = {setting(run, "escalation"), setting(run, "policy")}
        is_market_allowed = "market" in words or not setting(run, "use_smart_limit_execution")
        quotes = list(arrivals(self._record, run, ours[0]))
        for life in ours:
            if life.is_market:
                is_fine = is_market_allowed or is_control(self._record, run, life, ours)
                self._say(not is_fine, "market_order_not_allowed", life)
                continue
            self._say(life.limit % grid(life.limit, run) != 0, "off_the_tick", life)
            if may_fall_back or setting_of_symbol(run):
                continue
            self._say(not quotes, "no_collar", life)
            is_in = any(is_inside(life.limit, life.side, quote, run) for quote in quotes)
            self._say(bool(quotes) and not is_in, "past_the_collar", life)

    def _budgets(self, run: JudgedRun) -> None:
        account = self._account
        mine = [line for line in account.of_line if line[0] == run.run_id]
        stack = {other.run_id for other in self._record.runs if other.stack == run.stack}
        of_day = [line for line in account.of_line if line[0] in stack]
        born = sorted((x for line in mine for x in account.of_line[line] if x.run is not None), key=lambda x: x.born)
        limits = {name: setting(run, name) for name in ("max_order_notional", "max_run_notional", "max_day_notional")}
        most = setting(run, "max_run_orders")
        for count, life in enumerate(born, start=1):
            self._say(most is not None and count > Fraction(str(most)), "too_many_orders", life)
            line = (run.run_id, life.symbol)
            counted = {"max_order_notional": [line], "max_run_notional": mine, "max_day_notional": of_day}
            for name, room in limits.items():
                if room is not None and not (name == "max_order_notional" and setting_of_symbol(run)):
                    cost = sum(account.cost_of(each, life.born) for each in counted[name])
                    self._say(cost > Fraction(str(room)) * MONEY, "over_budget", life)

    def _money(self) -> None:
        """No shares are ever owed after an execution of ours, nor money after a buy beyond what its run may borrow.

        An account of multiplier m may owe (m - 1) parts in m of its holdings. For a run on cash, what orders of others
        have spent counts as if it were still there if they came after the cash had been granted. So does what a market
        order that the network delivered late has cost beyond its grant.
        """
        m, before = self._record.multiplier, self._account.cash
        others: list[tuple[int, int]] = []
        borrowers = {run.run_id for run in self._record.runs if setting(run, "fund_buys_from") != "cash"}
        late = {sent.client_order_id for sent in self._record.sent if sent.arrived - sent.at > TRAVELS}
        for position, order_id, cash, shares, owned in self._account.balances:
            line = self._account.line_of(order_id)
            spent, before = before - cash, cash
            if line is None:
                continue
            self._name(shares < 0, "short", line[1])
            life = self._account.lives[order_id]
            if line[0] not in borrowers:
                if life.is_market and life.client_order_id in late:
                    others.append((self._record.ledger.events[position].at, self._overrun(life, position, spent)))
                since = self._granted(life, line)
                later = sum(paid for born_at, paid in others if born_at >= since)
                self._name(spent > 0 and cash + later < 0, "cash_negative", line[1])
                continue
            if spent > 0:
                others.append((life.at, spent))
            is_over_margin = bool(self._record.dearest) and -cash * m > (m - 1) * owned
            self._name(is_over_margin, "power_negative", line[1])

    def _overrun(self, life: Life, position: int, spent: int) -> int:
        """What a fill of a market buy cost beyond 2.5 % (4 % below 50 dollars) over the lowest ask that the writer of
        its intent had been served."""
        written = [i for i in self._record.intents if i.client_order_id == life.client_order_id][:1]
        served = [*self._record.quotes, *self._record.streams.quotes]
        lowest = min((q.ask for i in written for q in served if (q.invocation, q.symbol) == (i.invocation, life.symbol)
                      and q.at <= i.at and q.ask), default=0)  # fmt: skip
        permille = 1_040 if lowest < 50 * DOLLAR else 1_025
        units = sum(filled for at, filled, _ in life.fills if at == position)
        return max(0, spent - units * lowest * permille // 1_000)

    def _granted(self, life: Life, line: tuple[str, str]) -> int:
        """The beginning of the latest PlaceOrders that has written an intent of a line, up to that of an order."""
        last = [x for x in self._account.of_line[line] if x.run is not None and x.at <= life.at][-1]
        steps = {step.number: step for step in self._record.invoked}
        written = [i for i in self._record.intents if i.client_order_id.rsplit(".", 1)[0] == _name_of_line(last)]
        own = [i.at for i in written if i.client_order_id == last.client_order_id]
        writers = [steps[i.invocation] for i in written if own and i.at <= own[0] and i.invocation in steps]
        grants = [step.began for step in writers if step.function == "PlaceOrders"]
        return grants[-1] if grants else min((step.began for step in writers), default=life.at)

    def _books(self) -> None:
        for line, lives in self._account.of_line.items():
            self._name(any(x.died == NEVER and x.run is not None for x in lives), "left_open", line[1])
        for books in self._record.books:
            mine = {line: lives for line, lives in self._account.of_line.items() if line[0] == books.run_id}
            doubtful = {order.symbol for order in books.orders if order.outcome == "unknown"}
            ledger = sorted(
                (s, units, price)
                for (_, s), lives in mine.items()
                for x in lives
                for _, units, price in x.fills
                if s not in doubtful or self._was_ever_shown(x)
            )
            self._name(ledger != sorted(books.executions), "books_differ", books.run_id)
            for order in books.orders:
                lives = mine.get((books.run_id, order.symbol), [])
                is_doubtful = order.symbol in doubtful
                known = [x for x in lives if not is_doubtful or self._was_ever_shown(x)]
                done = sum(f[1] for life in known for f in life.fills)
                hidden = sum(f[1] for life in known if is_doubtful and self._is_hidden(life) for f in life.fills)
                is_known = done - hidden <= order.filled <= done
                self._name(not is_known, "filled_differs", f"{books.run_id} {order.symbol}")

    def _was_ever_shown(self, life: Life) -> bool:
        """Whether any answer of the day told the program of an order. It cannot book one that none did."""
        name = life.client_order_id
        is_answered = any(s.client_order_id == name and s.is_answered for s in self._record.sent)
        return is_answered or any(each.client_order_id == name and each.is_found for each in self._record.looked)

    def _is_hidden(self, life: Life) -> bool:
        """Whether the broker does not find an order at the end of the day: its last fills are not known by its id."""
        return any(each.order_id == life.order_id and each.until < 0 for each in self._record.unfound)

    def _say(self, is_violated: bool, name: str, life: Life) -> None:  # noqa: FBT001 - a fact
        if is_violated:
            self.found.append(Violation(name, life.at, life.client_order_id))

    def _name(self, is_violated: bool, name: str, subject: str) -> None:  # noqa: FBT001 - a fact
        if is_violated:
            self.found.append(Violation(name, 0, subject))


def setting_of_symbol(run: JudgedRun) -> bool:
    """Whether some symbol has settings of its own, which this judge leaves to the first."""
    return bool(run.settings.get("symbols"))


def _name_of_line(life: Life) -> str:
    return life.client_order_id.rsplit(".", 1)[0]


def second_judgement(record: DayRecord) -> list[Violation]:
    """What the second judge finds."""
    return SecondJudge(record).judge()
