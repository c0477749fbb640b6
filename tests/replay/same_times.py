"""Follows a simulated day with the replay: the same looks and the same orders, at the same instants.

What remains equal or not is then a matter of the rules alone: what the feed shows, what is decided, and what fills.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from repeg.domain.decision import Action, Decision
from repeg.domain.journal import Entry
from repeg.domain.look import Answer, Book, Verb, Why, spread_in_ticks, usual_spread
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import parse
from repeg.domain.policy import book_of, standing
from repeg.domain.quote import Quote
from repeg.domain.session import NEW_YORK
from repeg.domain.settings import Settings
from repeg_workbench.exchange.broker.ledger import Execution, OrderEvent
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.exchange.units import to_price
from repeg_workbench.replay.arrivals import MARGIN
from repeg_workbench.replay.cleaning import clean
from repeg_workbench.replay.filling import Model, Taken, Tally, nothing
from repeg_workbench.replay.memory import remembered, sample
from repeg_workbench.replay.outcomes import lot_of
from repeg_workbench.replay.pieces import for_size
from repeg_workbench.replay.plans import Plan, ours
from repeg_workbench.replay.shown import is_escalation, is_thin, may_trade, seen
from repeg_workbench.replay.side_tape import Tapes, consolidated, side_tape
from repeg_workbench.replay.state import State, Task
from repeg_workbench.replay.tape import replay_tape
from repeg_workbench.replay.walk import decide, dropped, pass_until, submit
from repeg_workbench.replay.walk import standing as standing_of
from repeg_workbench.simulate.opening_account import Holdings, opening_account
from repeg_workbench.simulate.simulation import Scenario, opened
from tests.simulation.days import MONDAY

SHARE = 10**9
VERBS = {Action.HOLD: Verb.KEEP, Action.PLACE: Verb.REST, Action.MOVE: Verb.REST, Action.CROSS: Verb.TAKE}


class Shown(NamedTuple):
    """An answer to a request for quotes: when it was given, and the quotes by symbol as they were sent."""

    at: int
    quotes: Mapping[str, Mapping[str, Any]]


@dataclass
class Day:
    """What a simulated day left: its journal, the quotes that were shown, and the broker's record."""

    market: Market
    entries: list[Entry] = field(default_factory=list)
    answers: list[Shown] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)


@dataclass
class Compared:
    """One order: how many looks there were, and at which of them the book or the decision differed; then its fills."""

    symbol: str
    looks: int = 0
    unread: int = 0
    """Looks at which the product did not know yet of a fill."""
    books: list[tuple[Book, Book]] = field(default_factory=list)
    decisions: list[tuple[Decision, Any]] = field(default_factory=list)
    seeded: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    """The samples of the usual spread at the first decision: the replay's and the product's."""
    replayed: tuple[int, int, int] = (0, 0, 0)
    simulated: tuple[int, int, int] = (0, 0, 0)
    """Shares, price times shares, and the time of the last fill."""


def simulated(
    market: Market, day: Any, sides: Mapping[str, str], qty: int, quirks: BrokerQuirks, starts: time | None = None
) -> Day:
    """Run a day with an order for each symbol under the default policy, from the usual start or a later one."""
    orders = [{"symbol": symbol, "side": side, "qty": str(qty)} for symbol, side in sides.items()]
    plan = {"name": "same", "orders": orders}
    opening = opening_account(parse(plan), Holdings(cash=Decimal(10**8)), market, day)
    found = Day(market)
    scenario = Scenario(plan, market, day, opening, {"policy": "normal"}, seed=1, quirks=quirks)
    with opened(scenario, found.entries.append) as simulation:
        exchange = simulation.exchange

        def answered(request: Request, response: Response) -> None:
            if request.path == "/v2/stocks/quotes/latest":
                found.answers.append(Shown(exchange.now, json.loads(response.body)["quotes"]))

        exchange.on_answer.append(answered)
        if starts is not None:
            simulation.engine.run(until=datetime.combine(day, starts, NEW_YORK))
        simulation.start("same")
        simulation.run()
        found.events, found.executions = exchange.ledger.events, exchange.ledger.executions
    return found


def followed(day: Day, date: Any, symbol: str, side: int, qty: int) -> Compared:
    """The replay of one order of the day, with every look and every order at the instant it had there."""
    recorded = day.market.day(symbol, date)
    assert recorded is not None
    tape = side_tape(replay_tape(clean(recorded).day), side)
    tapes = consolidated(tape)
    accepted = next(entry for entry in day.entries if entry.subject == symbol and entry.rule == "validation.judge")
    arrival = _answer(day, symbol, accepted).at
    opens = clean(recorded).opens + MARGIN
    task = Task(arrival, qty, 0, int(Model.QUEUE), 100, lot_of(recorded), opens)
    row = int(np.searchsorted(tape.ts, arrival, side="right")) - 1
    plan = for_size(ours(300), task, int(tape.near_size[row]))
    follower = _Follower(task, plan, tapes, _state(tape, arrival, row))
    found, timeline = Compared(symbol), _timeline(day, symbol)
    found.seeded = _seeded(follower, accepted, timeline)
    for at, what in timeline:
        follower.state = pass_until(tapes, task, follower.state, at)
        if isinstance(what, Entry):
            found.looks += 1
            follower.look(what, at, found)
        elif what.event == "new":
            assert what.limit is not None
            assert what.quantity is not None
            follower.state = submit(tapes, task, follower.state, at, what.limit * side, what.quantity // SHARE)
        else:
            follower.state = dropped(follower.state, at)
    fills = [fill for fill in day.executions if fill.symbol == symbol]
    follower.state = pass_until(tapes, task, follower.state, fills[-1].at)
    tally = follower.state.tally
    found.replayed = int(tally.rested + tally.taken), int(tally.paid), int(tally.at)
    paid = sum(fill.quantity // SHARE * fill.price * side for fill in fills)
    found.simulated = sum(fill.quantity // SHARE for fill in fills), paid, fills[-1].at
    return found


@dataclass
class _Follower:
    task: Task
    plan: Plan
    tapes: Tapes
    state: State

    def look(self, entry: Entry, at: int, found: Compared) -> None:
        order, quote, settings = (entry.inputs[name] for name in ("order", "quote", "settings"))
        moment = entry.inputs["moment"]
        assert isinstance(order, ParentOrder)
        assert isinstance(quote, Quote)
        assert isinstance(settings, Settings)
        assert isinstance(moment, Moment)
        assert isinstance(entry.answer, Decision)
        book, theirs = seen(self.tapes, self.task, self.state, at), book_of(order.side, quote, MONDAY, settings)
        if Book(*(int(number) for number in book)) != theirs:
            found.books.append((book, theirs))
        child = order.open_child
        known = 0 if child is None else int(child.remaining)
        found.unread += known != self.state.child.shares
        since = at if child is None else _nanoseconds(child.decided_at)
        # What the product knows of its child: the shares that it last read, and the time at which it sent it.
        knowing = self.state._replace(known=known, child=self.state.child._replace(entered=since), moves=order.moves)
        own = standing(order, moment)
        knowing = knowing._replace(near=own.near, far=own.far)
        collar = to_price(order.collar) * order.side.sign if order.collar is not None else 0
        usual = usual_spread(order.spreads) or spread_in_ticks(book)
        if not may_trade(self.tapes, self.plan, knowing, book, at):
            answer = Answer(Verb.KEEP, 0, Why.STANDING)
        else:
            answer, _ = decide(self.task, self.plan, book, knowing, at, collar, usual)
            if is_thin(self.task, self.plan, knowing, book) and not is_escalation(answer, rung=0):
                answer = Answer(Verb.KEEP, 0, Why.STANDING)
        theirs_limit = None if entry.answer.limit is None else to_price(entry.answer.limit) * order.side.sign
        is_equal = answer.verb == VERBS[entry.answer.verb] and (
            answer.verb == Verb.KEEP or theirs_limit == int(answer.price)
        )
        if not is_equal:
            found.decisions.append((entry.answer, answer))


def _seeded(
    follower: _Follower, accepted: Entry, timeline: Sequence[tuple[int, Entry | OrderEvent]]
) -> tuple[list[int], list[int]]:
    """What both know of the usual spread when they first decide: seeded at the arrival, and sampled once since."""
    at, first = timeline[0]
    moment = accepted.inputs["moment"]
    assert isinstance(moment, Moment)
    assert isinstance(first, Entry)
    state = pass_until(follower.tapes, follower.task, follower.state, at)
    memory = remembered(follower.task, follower.plan, follower.tapes.shown, _nanoseconds(moment.now))
    memory = sample(memory, seen(follower.tapes, follower.task, state, at), standing_of(state, at), at)
    kept = memory.spreads[len(memory.spreads) - min(memory.known, len(memory.spreads)) :]
    order = first.inputs["order"]
    assert isinstance(order, ParentOrder)
    return [int(ticks) for ticks in kept], list(order.spreads)


def _state(tape: Any, at: int, row: int) -> State:
    index = int(np.searchsorted(tape.print_ts, at, side="right"))
    return State(row, index, nothing(), Taken(0, 0), Tally(0, 0, 0, 0, at), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def _timeline(day: Day, symbol: str) -> list[tuple[int, Entry | OrderEvent]]:
    """The looks at the quotes that were decided on, and what happened to our orders, in order of time."""
    found = list[tuple[int, int, Entry | OrderEvent]]()
    for entry in day.entries:
        if entry.subject == symbol and entry.rule == "peg.decide" and entry.inputs["quote"] is not None:
            found.append((_answer(day, symbol, entry).at, 1, entry))
    for event in day.events:
        if event.symbol == symbol and event.event in {"new", "canceled", "expired"}:
            found.append((event.at, 0, event))
    return [(at, what) for at, _, what in sorted(found, key=lambda each: each[:2])]


def _answer(day: Day, symbol: str, entry: Entry) -> Shown:
    """The latest answer, by the entry's time, that had the quote which the entry was decided on."""
    quote, by = entry.inputs["quote"], _nanoseconds(entry.at)
    assert isinstance(quote, Quote)
    earlier: list[Shown] = [shown for shown in day.answers if shown.at <= by and symbol in shown.quotes]
    sent = [shown for shown in earlier if _is_same(shown.quotes[symbol], quote)]
    assert sent, f"{symbol}: the quote of {entry.at} was never sent"
    return sent[-1]


def _is_same(view: Mapping[str, Any], quote: Quote) -> bool:
    prices = Decimal(str(view["bp"])), Decimal(str(view["ap"]))
    sizes = Decimal(view["bs"]), Decimal(view["as"])
    return (*prices, *sizes) == (quote.bid, quote.ask, quote.bid_size, quote.ask_size)


def _nanoseconds(at: datetime) -> int:
    since = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    # The journal rounds to microseconds.
    return ((since.days * 86_400 + since.seconds) * 10**6 + since.microseconds + 1) * 1_000


def compared(day: Day, date: Any, sides: Mapping[str, str], qty: int) -> Iterator[Compared]:
    """Every order of the day."""
    for symbol, side in sides.items():
        yield followed(day, date, symbol, 1 if side == "buy" else -1, qty)
