"""A run's journal as a page reads it: orders that were looked at every few seconds, filled, and measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, ChildState
from repeg.domain.funding import FundingRequest, Need, decide_funding
from repeg.domain.journal import Entry, Ruling
from repeg.domain.journal_file import StepName, encode
from repeg.domain.journalled_rules import FUNDING, NEXT_ACTION, OBSERVATION
from repeg.domain.observed import Trades, observe
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import decide
from repeg.domain.quote import Quote, Side
from repeg.domain.run_page.build import page_of
from repeg.domain.run_page.page import Circumstances, RunPage
from repeg.domain.run_page.record import Recorded, RunRecord
from repeg.domain.settings import Settings
from tests.builders import NOON, a_child, a_day, a_moment, a_quote, after_noon, an_order

RUN_ID = "core-2026-11-23"
SETTINGS = Settings()


@dataclass(frozen=True)
class Worked:
    """An order, its looks in cents of its bid over 100 dollars, one every two seconds, and the fills at its end.

    Bought at `price`; `left` is the mid that unfilled shares count at. At the looks numbered `stubs`, the bid is three
    dollars away.
    """

    symbol: str = "AAPL"
    side: Side = Side.BUY
    target: str = "100"
    bids: Sequence[int] = (0, 1, 2)
    fills: Sequence[tuple[str, str]] = (("100", "100.01"),)
    left: str | None = None
    reason: str = "filled"
    outcome: Outcome = Outcome.FILLED
    stubs: Sequence[int] = ()

    def arrival(self) -> Quote:
        return a_quote(symbol=self.symbol)

    def order(self, *children: Child, **fields: Any) -> ParentOrder:
        stated = {"run_id": RUN_ID, "symbol": self.symbol, "arrival": self.arrival(), "first_placed_at": NOON}
        return an_order(self.side, self.target, *children, **stated, **fields)

    def executions(self) -> tuple[Execution, ...]:
        at = after_noon(2 * len(self.bids))
        return tuple(
            Execution(
                activity_id=f"{self.symbol}-{n}", broker_order_id="broker-1", symbol=self.symbol, side=self.side,
                qty=Decimal(qty), price=Decimal(price), at=at + timedelta(milliseconds=250 * n),
            )
            for n, (qty, price) in enumerate(self.fills)
        )  # fmt: skip

    def looks(self) -> Iterator[Entry]:
        """What was decided at each look, by the rule itself."""
        order = self.order(a_child(qty=self.target))
        for n, cents in enumerate(self.bids):
            at = after_noon(2 * n)
            bid = Decimal(100) + Decimal(cents) / 100
            shown = bid - 3 if n in self.stubs else bid
            quote = a_quote(f"{shown:.2f}", f"{bid + Decimal('0.05'):.2f}", at=at, symbol=self.symbol)
            moment = a_moment(at)
            answer = decide(order, quote, moment, SETTINGS)
            inputs: dict[str, BaseModel | None] = {
                "order": order, "quote": quote, "moment": moment, "settings": SETTINGS
            }  # fmt: skip
            ruling = Ruling(NEXT_ACTION, inputs, answer)
            yield Entry(at, RUN_ID, self.symbol, str(answer.verb), "100.01", answer.because, *ruling)

    def fill_entries(self) -> Iterator[Entry]:
        for each in self.executions():
            yield Entry(each.at, RUN_ID, self.symbol, "fill", f"{each.qty} @ {each.price}", "as booked")

    def end(self) -> Iterator[Entry]:
        yield Entry(after_noon(2 * len(self.bids) + 1), RUN_ID, self.symbol, "finish", "", self.reason)

    def measure(self) -> Entry:
        """What the closing step journals of the order."""
        filled = sum((Decimal(qty) for qty, _ in self.fills), Decimal(0))
        price = self.fills[0][1] if self.fills else None
        child = a_child(qty=self.target, filled=str(filled), price=price, state=ChildState.FILLED)
        order = self.order(child, outcome=self.outcome, reason=self.reason)
        session = a_day()
        trades = Trades(executions=self.executions(), intents=(), opens=session.open, closes=session.close)
        book = None if self.left is None else a_quote(self.left, self.left, symbol=self.symbol)
        answer = observe(order, trades, book, SETTINGS)
        inputs: dict[str, BaseModel | None] = {"order": order, "trades": trades, "book": book, "settings": SETTINGS}
        return Entry(
            after_noon(3_600), RUN_ID, self.symbol, "measure", "", "", *Ruling(OBSERVATION, inputs, answer)
        )  # fmt: skip


def entries(orders: Sequence[Worked], *, is_whole: bool = True) -> list[Entry]:
    """The journal of a run of these orders; one that is not whole ends before the run closed."""
    opened = [Entry(NOON, RUN_ID, "run", "open", RUN_ID, "execution one"), a_release()]
    planned = [Entry(NOON, RUN_ID, o.symbol, "plan", f"{o.side} {o.target}", "worth 10000") for o in orders]
    worked = [entry for o in orders for entry in (*o.looks(), *o.fill_entries(), *o.end())]
    if not is_whole:
        return [*opened, *planned, *worked[:-2]]
    closed = Entry(after_noon(3_600), RUN_ID, "run", "settled", RUN_ID, "every order has an outcome")
    return [*opened, *planned, *worked, *(order.measure() for order in orders), closed]


def a_release() -> Entry:
    """A buy that waits for the cash of sells."""
    need = Need(symbol="AAPL", qty=Decimal(100), worst_price=Decimal(105), least=Decimal(1))
    request = FundingRequest(needs=(need,), spendable=Decimal(50), expected_from_sells=Decimal(20_000))
    inputs: Mapping[str, BaseModel | None] = {"purse": request}
    ruling = Ruling(FUNDING, inputs, decide_funding(request))
    return Entry(NOON, RUN_ID, "run", "release", "0 of 1 buys", "50 to spend", *ruling)


def recorded(given: Sequence[Entry]) -> Iterator[Recorded]:
    """Entries as they are read back: inputs and answer as JSON values."""
    for entry in given:
        line = json.loads(entry.line())
        yield entry, line["inputs"], line["answer"]


def record(orders: Sequence[Worked], *, is_whole: bool = True) -> RunRecord:
    """The record of a run of these orders."""
    made = RunRecord()
    made.read(recorded(entries(orders, is_whole=is_whole)))
    return made


def page(*orders: Worked, is_whole: bool = True, known: Circumstances | None = None) -> RunPage:
    """The page of a run of these orders."""
    return page_of(record(orders, is_whole=is_whole), known or Circumstances(mode="paper"))


def stored(given: Sequence[Entry]) -> bytes:
    """Entries as the object that a deployed step stores."""
    return encode(StepName(RUN_ID, "CloseRun", NOON, "1"), given)
