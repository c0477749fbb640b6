"""A run's decisions made again from its journal: with the same settings, or with others up to the first difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from repeg.adapters.journal.files import Journalled
from repeg.domain.decision import Decision
from repeg.domain.errors import RefusedRun
from repeg.domain.funding import FundingDecision, FundingRequest, Grant, Need, decide_funding
from repeg.domain.journal import Entry
from repeg.domain.journalled_rules import FUNDING, NEXT_ACTION, QUOTE_CHECK, SESSION, SIZING, decide_on, models_of
from repeg.domain.limits import require_allowed, require_within_limits
from repeg.domain.quote import Side
from repeg.domain.quote_check import QuoteCheck
from repeg.domain.session import SessionAnswer, TradingWindow, check
from repeg.domain.settings import Settings
from repeg.domain.sizing_request import Sizing
from repeg_workbench.explain.figures import clock
from repeg_workbench.what_if.changes import Changes
from repeg_workbench.what_if.paths import Difference, Opening, Path
from repeg_workbench.what_if.sizes import Sent, sent_of

_Models = Mapping[str, Any]


@dataclass
class Again:
    """The decisions of a run, made again. `made` counts them and `sized` the sizes of orders, `problems` name those
    that could not be made or that do not follow from their inputs, `run` is what differs for the run as a whole.

    `not_sized` are orders of another size than the rule gives: a budget or the shares that are held cut it.
    """

    changes: Changes
    base: Settings
    made: int = 0
    sized: int = 0
    not_sized: list[str] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)
    run: list[Difference] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    opening: Opening | None = None
    _models: dict[int, BaseModel] = field(default_factory=dict)
    _granted: dict[str, Decimal] = field(default_factory=dict)

    @property
    def first_change(self) -> datetime | None:
        """When the first order's path would have changed; None if none would."""
        return min((path.change.at for path in self.paths.values() if path.change is not None), default=None)

    def see(self, journalled: Journalled) -> None:
        """Make one decision again. What is no decision is passed over."""
        entry = journalled.entry
        if not entry.rule:
            return
        what = f"{entry.subject} at {clock(entry.at)}, {entry.verb}"
        try:
            models = models_of(entry.rule, journalled.inputs, self._models)
            again = decide_on(entry.rule, models)
        except KeyError:
            self.problems.append(f"{what}: this release has no rule {entry.rule}, or an input of it is missing")
            return
        except (TypeError, ValueError, ValidationError, AttributeError, ArithmeticError) as error:
            self.problems.append(f"{what}: its inputs are not readable by this release ({type(error).__name__})")
            return
        self.made += 1
        if entry.answer is None or again != entry.answer:
            self.problems.append(f"{what}: this release's rules decide otherwise on the same inputs")
            return
        sent = self._size(entry, models, again)
        if self.changes.names:
            self._with_changes(entry.rule, entry.subject, models, again, entry.at, sent)

    def _size(self, entry: Entry, models: _Models, answer: BaseModel) -> Sent | None:
        """How many shares an entry sent, if that follows from the inputs, which the cash that was granted is one of."""
        if isinstance(answer, FundingDecision):
            self._granted |= {grant.symbol: grant.qty for grant in answer.grants}
        if not isinstance(answer, Decision):
            return None
        sent = sent_of(entry, models, answer, self._granted.get(entry.subject))
        if sent is None or sent.follows:
            self.sized += sent is not None
            return sent
        self.not_sized.append(f"{entry.subject} at {clock(entry.at)}, {entry.detail}")
        return None

    def _with_changes(
        self, rule: str, subject: str, models: _Models, answer: BaseModel, at: datetime, sent: Sent | None
    ) -> None:
        if rule in {NEXT_ACTION, QUOTE_CHECK} and isinstance(answer, (Decision, QuoteCheck)):
            self._path(subject).see(rule, models, answer, self.opening, sent)
        elif rule == FUNDING and isinstance(answer, FundingDecision):
            self._fund(models["purse"], answer, at)
        elif rule == SESSION and isinstance(answer, SessionAnswer):
            self._open(models["moment"].now, models["window"], answer)
        elif rule == SIZING and isinstance(answer, Sizing):
            self._limit(answer, at)

    def _path(self, symbol: str) -> Path:
        return self.paths.setdefault(symbol, Path(symbol, self.changes))

    def _open(self, now: datetime, window: TradingWindow, was: SessionAnswer) -> None:
        """The session's decision on the window that the changed delay and margin leave."""
        new = self.changes.applied(self.base, "")
        moved = TradingWindow(
            opens=window.opens + timedelta(minutes=new.market_open_delay_minutes - self.base.market_open_delay_minutes),
            closes=window.closes - timedelta(minutes=new.close_margin_minutes - self.base.close_margin_minutes),
        )
        if moved.opens != window.opens:
            self.opening = Opening(window.opens, moved.opens)
        again = check(now, moved)
        if again != was:
            words = [f"{each.decision} until {clock(each.until)}" for each in (was, again)]
            self.run.append(Difference(now, *words))

    def _limit(self, sizing: Sizing, at: datetime) -> None:
        """Whether the limits of the changed settings would have refused the run."""
        new = self.changes.applied(self.base, "")
        try:
            require_allowed([order.symbol for order in sizing.orders], new)
            require_within_limits(sizing.orders, new)
        except RefusedRun as refused:
            self.run.append(Difference(at, "the run was planned", f"it would have been refused: {refused}"))

    def _fund(self, purse: FundingRequest, was: FundingDecision, at: datetime) -> None:
        """The grants of cash where collars would have been others: a buy needs its cash up to its collar."""
        known = {symbol: path.collar for symbol, path in self.paths.items() if path.collar is not None}
        if not known:
            return
        needs = tuple(_need_at(need, known.get(need.symbol)) for need in purse.needs)
        request = purse.model_copy(
            update={"needs": needs, "expected_from_sells": purse.expected_from_sells + self._more_from_sells()}
        )
        for before, after in _pairs(was, decide_funding(request)):
            path = self._path(before.symbol)
            if before != after and path.change is None:
                path.change = Difference(at, _grant(before), _grant(after))

    def _more_from_sells(self) -> Decimal:
        """Dollars by which the open sells would bring more at their changed collars, as far as their rest is known."""
        more = Decimal(0)
        for path in self.paths.values():
            order, collar = path.order, path.collar
            is_open = order is not None and order.side is Side.SELL and order.remaining > 0
            if order is not None and is_open and collar is not None and order.collar is not None:
                more += order.remaining * (collar - order.collar)
        return more


def decided_again(entries: Sequence[Journalled], changes: Changes, base: Settings) -> Again:
    """All decisions of a run, made again with changes, or with none. The entries are kept meanwhile, so that the values
    that they share are read once."""
    again = Again(changes, base)
    for each in entries:
        again.see(each)
    return again


def _need_at(need: Need, collar: Decimal | None) -> Need:
    if collar is None:
        return need
    place = None if need.place is None else need.place / need.worst_price * collar
    return need.model_copy(update={"worst_price": collar, "place": place})


def _pairs(was: FundingDecision, again: FundingDecision) -> list[tuple[Grant, Grant]]:
    found = {grant.symbol: grant for grant in again.grants}
    return [(grant, found[grant.symbol]) for grant in was.grants]


def _grant(grant: Grant) -> str:
    return f"cash for {grant.qty} shares ({grant.funding.replace('_', ' ')})"
