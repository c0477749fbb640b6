"""Fills in a day's record: it listens to the ports, to the exchange's answers, and to the platform."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from repeg.domain.broker import Accepted, CancelAnswer, Refused
from repeg.domain.notice import RUN_FAILED, RUN_SETTLED, WATCH
from repeg.domain.report import Report
from repeg.ports import Store
from repeg_workbench.engine.scheduler import Scheduler, nanoseconds
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.exchange.time.stamps import nanoseconds_of
from repeg_workbench.exchange.units import PRICE_SCALE, to_price, to_qty
from repeg_workbench.faults.faulty_ports import CURRENT, Invocation
from repeg_workbench.faults.judges.cancels import SentCancel
from repeg_workbench.faults.judges.record import (
    ALL_THREADS,
    SECOND,
    BookedOrder,
    DayRecord,
    Execution,
    HeldUp,
    Intent,
    Invoked,
    Looked,
    Outage,
    Published,
    RunBooks,
    SentOrder,
    ServedQuote,
    Switched,
    Unfound,
    name_in_record,
)
from repeg_workbench.faults.judges.start_record import Unquoted
from repeg_workbench.faults.table_writes import SAVES, marked_orders, was_carried_out
from repeg_workbench.faults.walker import Execution as WalkedExecution

LATEST_QUOTES = "/v2/stocks/quotes/latest"
NOT_INVOKED = -1
NO_THREAD = -2

# A call that takes longer is counted as time during which its thread could do nothing; an answer takes a tenth of it.
SLOW = SECOND // 2
ENDS = frozenset({RUN_SETTLED, RUN_FAILED})
LOAN = f"{WATCH}cash_negative"


class Recorder:
    """Writes one day's record: each event at the moment when it happens."""

    def __init__(self, record: DayRecord, exchange: Exchange, scheduler: Scheduler) -> None:
        self.record = record
        self._scheduler = scheduler
        self.on_planned: list[Callable[[str], None]] = []
        self.on_closing: list[Callable[[], None]] = []
        self._invoked: dict[Invocation, Invoked] = {}
        exchange.on_answer.append(self._served)
        exchange.faults.on_strike.append(self.struck)

    def began(
        self, invocation: Invocation, run_id: str, stack: int, execution: str = "", *, is_duplicate: bool = False
    ) -> None:
        """A function has been invoked, for a run or for none, by an execution if the event names one."""
        number, function = len(self.record.invoked), invocation.function
        invoked = Invoked(number, function, run_id, self._now(), stack=stack, is_duplicate=is_duplicate)
        invoked.execution = execution
        self._invoked[invocation] = invoked
        self.record.invoked.append(invoked)
        for listener in self.on_closing if invocation.function == "CloseRun" else ():
            listener()

    def ended(self, invocation: Invocation, *, answered: bool, did_nothing: bool = False) -> None:
        """An invocation has ended; `answered` if it did not fail. One that `did_nothing` was about no run."""
        invoked = self._invoked[invocation]
        invoked.run_id = "" if did_nothing else invoked.run_id
        invoked.ended, invoked.answered = self._now(), answered

    def throttled(self, run_id: str, function: str) -> None:
        """The platform has refused an invocation for a run."""
        self.record.throttled.append((self._now(), run_id, function))

    def switched(self, state: str, stack: int) -> None:
        """A stack's kill switch has been set."""
        self.record.switched.append(Switched(self._now(), state, stack))

    def away(self, what: str, since: int) -> None:
        """A service was away until now."""
        self.record.outages.append(Outage(what, since, self._now()))

    def forgot(self, order_id: str) -> None:
        """The broker does not find an order from now on."""
        self.record.unfound.append(Unfound(order_id, self._now()))

    def found(self, order_id: str) -> None:
        """The broker finds an order again."""
        for unfound in self.record.unfound:
            if unfound.order_id == order_id and unfound.until < 0:
                unfound.until = self._now()

    def struck(self) -> None:
        """A fault strikes a call of the running invocation."""
        invoked = self._current()
        if invoked is not None:
            invoked.is_struck = True
            self.record.streams.struck.append((self._now(), invoked.number))

    def left(self, name: str, args: tuple[Any, ...]) -> int:
        """A call leaves the program; returns its number among the orders sent, for its arrival and its answer."""
        if name in {"submit", "replace"}:
            replaces = args[0] if name == "replace" else ""
            thread = self._thread()
            sent = SentOrder(self._now(), -1, args[-1].client_order_id, self.number(), replaces, thread=thread)
            self.record.sent.append(sent)
            return len(self.record.sent) - 1
        if name == "cancel":
            self.record.cancels.append(SentCancel(self._now(), args[0], self.number()))
        return NOT_INVOKED

    def returned(self, since: int) -> None:
        """A call that left then returns to the program, or fails. A slow one has held its thread up."""
        if self._now() - since > SLOW:
            self.record.held_up.append(HeldUp(self.number(), self._thread(), since, self._now()))

    def thawed(self, since: int) -> None:
        """All threads of the running invocation go on, or end; they were frozen since then."""
        self.record.held_up.append(HeldUp(self.number(), ALL_THREADS, since, self._now()))

    def arrived(self, port: str, sent: int) -> None:
        """A call reaches its service."""
        if port == "broker":
            number = self.number()
            self.record.requests[0 if number == NOT_INVOKED else self.record.invoked[number].stack].append(self._now())
        if sent >= 0:
            self.record.sent[sent] = self.record.sent[sent]._replace(arrived=self._now())

    def carried_out(self, name: str, args: tuple[Any, ...]) -> None:
        """The table has carried out a call; it may have been the writing of an intent, or of a run's orders."""
        if name == "add_orders":
            for listener in self.on_planned:
                listener(args[0])
        invoked = self._current()
        if name == "publish" and args[0] in ENDS and invoked is not None:
            run_id = name_in_record(args[1]["run_id"], invoked.stack)
            self.record.published.append(Published(self._now(), run_id, is_failure=args[0] == RUN_FAILED))
        if name == "publish" and args[0] == LOAN and invoked is not None:
            self.record.loans.add(name_in_record(args[1]["run_id"], invoked.stack))
        if name in SAVES:
            self.record.cancels.mark(self._now(), marked_orders(args[0]), self.number())
        if name == "write_intent":
            intent = args[1]
            limit = None if intent.limit is None else to_price(intent.limit)
            self.record.intents.append(
                Intent(self._now(), intent.client_order_id, intent.side.sign, to_qty(intent.qty), limit, self.number())
            )

    def failed(self, service: Any, name: str, args: tuple[Any, ...]) -> None:
        """A call has failed. The table may have carried it out all the same, before its answer was lost."""
        if was_carried_out(service, name, args):
            self.carried_out(name, args)

    def answered(self, name: str, args: tuple[Any, ...], answer: Any, sent: int) -> None:
        """The program receives an answer, perhaps an older one."""
        if sent >= 0 and isinstance(answer, Accepted | Refused):
            self.record.sent[sent] = self.record.sent[sent]._replace(is_answered=True)
        if name == "cancel" and answer is CancelAnswer.NOT_OPEN:
            self.record.cancels.came_too_late(args[0], self.number())
        if name == "order":
            self.record.looked.append(Looked(self._now(), args[0], is_found=answer is not None))
        if name == "order_by_broker_id" and answer is not None:
            self.record.looked.append(Looked(self._now(), answer.client_order_id, is_found=True))
        if name == "open_orders":
            self.record.looked += [Looked(self._now(), report.client_order_id, is_found=True) for report in answer]

    def repeated(self, quotes: Mapping[str, Any]) -> None:
        """The program is served older quotes once more."""
        for symbol, quote in quotes.items():
            stamp = None if quote.at is None else nanoseconds(quote.at)
            bid, ask = (to_price(side) for side in (quote.bid, quote.ask))
            sizes = int(quote.bid_size), int(quote.ask_size)
            served = ServedQuote(self._now(), self.number(), symbol, bid, sizes[0], ask, sizes[1], stamp)
            self.record.quotes.append(served)

    def close_books(self, store: Store, run_id: str, name: str, published: Sequence[str]) -> None:
        """The run's books as they are at the end of the day, if there is such a run."""
        run = store.run(run_id)
        if run is not None:
            self.record.books.append(_books(store, run_id, name, run.report, published))

    def executed(self, walked: WalkedExecution, run_id: str) -> None:
        """An execution, as the platform knows it at the end of the day: to the microsecond, its end rounded up."""
        began = nanoseconds(walked.started_at)
        ended = -1 if walked.ended_at is None else nanoseconds(walked.ended_at) + 999
        execution = Execution(walked.name, run_id, began, ended, walked.status, walked.events, walked.is_end_lost)
        self.record.executions.append(execution)

    def number(self) -> int:
        """The number of the running invocation."""
        invoked = self._current()
        return NOT_INVOKED if invoked is None else invoked.number

    def _served(self, request: Request, response: Response) -> None:
        if request.path != LATEST_QUOTES or response.status != 200 or not _is_json(response.body):
            return
        views, at, number = json.loads(response.body).get("quotes", {}), self._now(), self.number()
        for symbol in dict(request.query).get("symbols", "").split(","):
            view = views.get(symbol)
            if view is None or None in {view["bp"], view["ap"]}:
                self.record.starts.unquoted.append(Unquoted(at, number, symbol))
                continue
            bid, ask = round(view["bp"] * PRICE_SCALE), round(view["ap"] * PRICE_SCALE)
            stamp = nanoseconds_of(view["t"])
            self.record.quotes.append(ServedQuote(at, number, symbol, bid, view["bs"], ask, view["as"], stamp))

    def _now(self) -> int:
        return self._scheduler.now_ns

    def _thread(self) -> int:
        current = self._scheduler.current
        return NO_THREAD if current is None else current.number

    def _current(self) -> Invoked | None:
        invocation = CURRENT.get(None)
        return None if invocation is None else self._invoked.get(invocation)


def _books(store: Store, run_id: str, name: str, report: Report | None, published: Sequence[str]) -> RunBooks:
    return RunBooks(
        run_id=name,
        orders=tuple(
            BookedOrder(o.symbol, o.side.sign, to_qty(o.filled), str(o.outcome or ""), o.reason)
            for o in store.orders(run_id)
        ),
        executions=tuple((e.symbol, to_qty(e.qty), to_price(e.price)) for e in store.executions(run_id)),
        reported=None if report is None else {row.symbol: to_qty(row.filled_qty) for row in report.orders},
        published=tuple(published),
    )


def _is_json(body: bytes) -> bool:
    """Whether an answer can be read; a transport fault may have cut it off."""
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
