"""A day's record built by hand: a run that buys 100 AAA, and whatever a test adds to it or takes away.

Times are seconds after the session's open, prices in dollars, quantities in shares.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from repeg_workbench.engine.scheduler import nanoseconds
from repeg_workbench.exchange.broker.ledger import Execution as Fill
from repeg_workbench.exchange.broker.ledger import Ledger, OrderEvent
from repeg_workbench.exchange.units import QTY_SCALE, to_price, to_qty
from repeg_workbench.faults.judges.cancels import SentCancel
from repeg_workbench.faults.judges.judgement import judge
from repeg_workbench.faults.judges.record import (
    SECOND,
    BookedOrder,
    DayRecord,
    Execution,
    Intent,
    Invoked,
    JudgedRun,
    Looked,
    Outage,
    Published,
    RunBooks,
    SentOrder,
    ServedQuote,
    Switched,
)
from tests.builders import worked_by

DAY = date(2026, 11, 23)
OPEN, CLOSE = (nanoseconds(datetime(2026, 11, 23, hour, minute, tzinfo=UTC)) for hour, minute in ((14, 30), (21, 0)))
MINUTES = 60
LAST = (CLOSE - OPEN) // SECOND
CLOSES = LAST - 5 * MINUTES
RUN, PREFIX = "core-2026-11-23", "rp000-core-261123."


def at(seconds: float) -> int:
    """An instant, from seconds after the open."""
    return OPEN + round(seconds * SECOND)


class DayByHand:
    """One run of one plan; what its settings do not name has the documented defaults, but for the original rule."""

    def __init__(
        self, settings: dict[str, Any] | None = None, *, side: int = 1, qty: str = "100", cash: str = "1000000",
        held: str = "0",
    ) -> None:  # fmt: skip
        self.side = side
        ledger = Ledger()
        positions = {"AAA": to_qty(Decimal(held))} if Decimal(held) else {}
        ledger.open(OPEN, to_price(Decimal(cash)) * QTY_SCALE, positions)
        word = "buy" if side > 0 else "sell"
        plan = {"name": "core", "orders": [{"symbol": "AAA", "side": word, "qty": qty}]}
        run = JudgedRun(RUN, PREFIX, plan, dict(worked_by(settings or {})), {"AAA": (side, Decimal(qty))})
        self.record = DayRecord(DAY, OPEN, CLOSE, ledger, [run])
        self._sizes: dict[str, tuple[int, int | None, int, str]] = {}
        self.goes_on = True

    def called(
        self,
        function: str,
        begins: float,
        ends: float,
        *,
        answered: bool = True,
        struck: bool = False,
        duplicate: bool = False,
        execution: str = "",
    ) -> int:
        """An invocation of a function for the run, or a second delivery of one; returns its number."""
        number = len(self.record.invoked)
        times = at(begins), at(ends)
        invoked = Invoked(number, function, RUN, *times, answered, struck, is_duplicate=duplicate, execution=execution)
        self.record.invoked.append(invoked)
        return number

    def quoted(
        self, when: float, bid: str, ask: str, *, invocation: int, size: int = 500, age: float = 1
    ) -> None:  # fmt: skip
        """The feed serves a quote of AAA to an invocation."""
        prices = to_price(Decimal(bid)), size, to_price(Decimal(ask)), size
        self.record.quotes.append(ServedQuote(at(when), invocation, "AAA", *prices, at(when - age)))

    def looked_at(self, when: float, bid: str, ask: str, **quote: Any) -> int:
        """ValidateQuotes is served a quote, and succeeds."""
        number = self.called("ValidateQuotes", when - 0.1, when + 0.1)
        self.quoted(when, bid, ask, invocation=number, **quote)
        return number

    def intended(self, n: int, when: float, qty: str, limit: str | None, *, invocation: int = -1) -> str:
        """The intent of attempt n is written."""
        name = f"{PREFIX}AAA.{'b' if self.side > 0 else 's'}.{n}"
        price = None if limit is None else to_price(Decimal(limit))
        self.record.intents.append(Intent(at(when), name, self.side, to_qty(Decimal(qty)), price, invocation))
        return name

    def placed(
        self, n: int, when: float, qty: str, limit: str | None, *, bid: str = "", ask: str = "", replaces: str = "",
        function: str = "PlaceOrders", tif: str = "day", left: float | None = None,
    ) -> str:  # fmt: skip
        """Attempt n is intended, sent and accepted, on a quote of its step; returns its id at the broker."""
        begins = when if left is None else left
        number = self.called(function, begins - 0.3, begins + 0.2)
        if bid:
            self.quoted(begins - 0.2, bid, ask, invocation=number)
        name = self.intended(n, begins - 0.1, qty, limit, invocation=number)
        self.record.sent.append(SentOrder(at(begins), at(when), name, number, replaces, is_answered=True))
        return self.arrived(name, when, qty, limit, replaces=replaces, tif=tif)

    def arrived(
        self,
        name: str,
        when: float,
        qty: str,
        limit: str | None,
        *,
        replaces: str = "",
        tif: str = "day",
        side: int = 0,
    ) -> str:
        """An order reaches the broker."""
        price = None if limit is None else to_price(Decimal(limit))
        self._sizes[name] = to_qty(Decimal(qty)), price, side or self.side, replaces
        self._event(name, when, "new", "new", 0, tif=tif)
        return f"id {name}"

    def filled(self, order_id: str, when: float, qty: str, price: str) -> None:
        """An order executes."""
        name = order_id.removeprefix("id ")
        size, limit, side, replaces = self._sizes[name]
        units = to_qty(Decimal(qty))
        before = sum(e.quantity for e in self.record.ledger.executions if e.order_id == order_id)
        earlier = sum(e.quantity for e in self.record.ledger.executions if e.order_id == replaces)
        is_done = before + earlier + units >= size
        self.record.ledger.execute(
            Fill(at(when), f"fill {len(self.record.ledger.executions)}", order_id, name, "AAA", side, units,
                 to_price(Decimal(price)), before + units, size - before - units, "filled", limit)
        )  # fmt: skip
        event, status = ("fill", "filled") if is_done else ("partial_fill", "partially_filled")
        self._event(name, when, event, status, before + units)

    def ended(self, order_id: str, when: float, status: str = "canceled", *, asked: bool = True) -> None:
        """An order ends unfilled; the program has asked for it unless its owner did."""
        name = order_id.removeprefix("id ")
        if asked:
            self.record.cancels.append(SentCancel(at(when - 0.1), order_id, 0))
        done = sum(e.quantity for e in self.record.ledger.executions if e.order_id == order_id)
        self._event(name, when, status, status, done)

    def closed(self, when: float = CLOSES, outcome: str = "filled", *, status: str = "SUCCEEDED") -> None:
        """CloseRun ends the run, and the books are the broker's."""
        self.called("CloseRun", when, when + 2)
        self.record.executions.append(Execution("run", RUN, at(0), at(when + 3), status, 500))
        self.record.published.append(Published(at(when + 2), RUN))
        self.booked(outcome)

    def booked(self, outcome: str = "filled") -> None:
        """Books, report and event as the ledger has them; the day is over."""
        fills = [e for e in self.record.ledger.executions if e.client_order_id.startswith(PREFIX)]
        done = sum(e.quantity for e in fills)
        executions = tuple((e.symbol, e.quantity, e.price) for e in fills)
        order = BookedOrder("AAA", self.side, done, outcome, "as it was")
        self.record.books = [RunBooks(RUN, (order,), executions, {"AAA": done}, (f"{RUN}.ended",))]
        self.record.until, self.record.is_over = CLOSE + 30 * MINUTES * SECOND, True

    def books(self, **changes: Any) -> None:
        """The run's books, with something else in them."""
        self.record.books = [replace(self.record.books[0], **changes)]

    def switched(self, when: float, state: str) -> None:
        """The kill switch is set."""
        self.record.switched.append(Switched(at(when), state))

    def away(self, since: float, until: float) -> None:
        """The broker does not answer."""
        self.record.outages.append(Outage("broker", at(since), at(until)))

    def looked_up(self, name: str, when: float, *, found: bool) -> None:
        """The program is answered about an order."""
        self.record.looked.append(Looked(at(when), name, found))

    def violations(self) -> set[str]:
        """The names of what the judges find. Between its steps the run goes on, with turns in which nothing happens."""
        self.record.until = max(self.record.until, at(LAST))
        invoked = self.record.invoked
        recorded = len(invoked)
        for begins in self._quiet_turns() if self.goes_on else ():
            invoked.append(Invoked(len(invoked), "ValidateQuotes", RUN, begins, begins + SECOND, answered=True))
        found = {each.name for each in judge(self.record)}
        del invoked[recorded:]
        return found

    def _quiet_turns(self) -> list[int]:
        """Times of further steps, so that no more than a minute is without one while the run is open."""
        steps = [(step.began, max(step.began, step.ended)) for step in self.record.invoked if step.run_id == RUN]
        ends = [step.began for step in self.record.invoked if step.run_id == RUN and step.function == "CloseRun"]
        over = min([at(CLOSES), *ends, max((each.ended for each in self.record.executions), default=at(CLOSES))])
        later = sorted({began for began, _ in steps if began < over} | {over})
        turns: list[int] = []
        for _, ended in steps:
            until = next((began for began in later if began >= ended), over)
            turns += range(ended + 60 * SECOND, until, 60 * SECOND)
        return turns

    def _event(self, name: str, when: float, event: str, status: str, done: int, tif: str = "day") -> None:
        size, limit, side, replaces = self._sizes[name]
        self.record.ledger.events.append(
            OrderEvent(at(when), f"id {name}", name, "AAA", side, event, status, size, done, limit, "", replaces, tif)
        )


def clean_day(settings: dict[str, Any] | None = None) -> DayByHand:
    """A day without fault: the order rests at the bid, moves to the mid, and is filled."""
    day = DayByHand(settings)
    day.looked_at(600, "100.00", "100.10")
    first = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.filled(first, 620, "30", "100.01")
    day.ended(first, 899)
    second = day.placed(2, 900, "70", "100.10", bid="100.05", ask="100.15", function="RepegOrders")
    day.filled(second, 950, "70", "100.10")
    return day


def closed_day(settings: dict[str, Any] | None = None) -> DayByHand:
    """The clean day with its end."""
    day = clean_day(settings)
    day.closed(960)
    return day


def day_with_arrival(settings: dict[str, Any] | None = None, **account: Any) -> DayByHand:
    """A run whose arrival is 100.00 × 100.10: the collar of a buy is 100.55."""
    day = DayByHand(settings, **account)
    day.looked_at(600, "100.00", "100.10")
    return day
