"""Where an order's path would have changed: its decisions made again under other settings, up to the first difference.

The inputs of a decision are those of the run. They hold under other settings as long as these have led to the same
orders at the broker; from the first other order on they would have been others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from repeg.domain.decision import Decision
from repeg.domain.journalled_rules import NEXT_ACTION, QUOTE_CHECK, decide_on
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote_check import QuoteCheck
from repeg.domain.settings import Settings
from repeg_workbench.explain.figures import clock
from repeg_workbench.what_if.changes import Changes
from repeg_workbench.what_if.sizes import Sent, makes_way_for_the_rest, size_of


@dataclass(frozen=True)
class Difference:
    """What differs: when, what was decided, and what would have been, each with its reason in words."""

    at: datetime
    was: str
    instead: str


class Opening(NamedTuple):
    """When the run's window opened, and when it would have."""

    was: datetime
    instead: datetime


@dataclass
class Path:
    """One order's decisions made again: `made` of them, and `left` of those after the first `change` of its path.

    `bounds` are the collar and the arm that it would have had, and other reasons of its holds. `order` is its latest
    state in the journal.
    """

    symbol: str
    changes: Changes
    made: int = 0
    left: int = 0
    bounds: list[Difference] = field(default_factory=list)
    change: Difference | None = None
    order: ParentOrder | None = None
    _collar: Decimal | None = None
    _arm: Any = None
    _has_own: bool = False
    _settings: tuple[Settings, Settings] | None = None
    _gates: set[tuple[str, str]] = field(default_factory=set)

    def see(
        self,
        rule: str,
        models: Mapping[str, Any],
        answer: Decision | QuoteCheck,
        opening: Opening | None = None,
        sent: Sent | None = None,
    ) -> None:
        """Make the next decision of the order again, in a window that would have opened at another time; and how many
        shares it is sent for, where it was sent."""
        if self.change is not None:
            self.left += 1
            return
        self.order = models["order"]
        settings = self._changed(models["settings"])
        now = _moment(models["moment"], models["settings"], settings)
        at = models["moment"].now
        outside = _outside(at, opening) or ("closed" if now.closes <= at < models["moment"].closes else "")
        if outside:
            self.change = Difference(at, _verb(answer), f"the run's window would have {outside}")
            return
        self.made += 1
        changed = {**models, "settings": settings, "moment": now, "order": self._as_it_would_be(models["order"])}
        again = decide_on(rule, changed)
        if rule == NEXT_ACTION and isinstance(again, Decision) and isinstance(answer, Decision):
            self._compare_actions(at, answer, again)
            self._compare_sizes(at, models, changed, again, sent)
        if rule == QUOTE_CHECK and isinstance(again, QuoteCheck) and isinstance(answer, QuoteCheck):
            self._compare_checks(at, models["order"], answer, again)

    def _changed(self, settings: Settings) -> Settings:
        """The settings with the changes; those of the decision before if that had the same."""
        was = self._settings
        if was is None or was[0] is not settings:
            self._settings = was = settings, self.changes.applied(settings, self.symbol)
        return was[1]

    def _as_it_would_be(self, order: ParentOrder) -> ParentOrder:
        """The order with the collar and the arm that it would have got at its arrival."""
        if not self._has_own or order.arrival is None:
            return order
        return order.model_copy(update={"collar": self._collar, "arm": self._arm})

    def _compare_actions(self, at: datetime, was: Decision, again: Decision) -> None:
        if not (was.sends or again.sends) and was.verb is again.verb:
            return
        if (was.verb, was.limit, was.rung) == (again.verb, again.limit, again.rung):
            return
        self.change = Difference(at, _action(was), _action(again))

    def _compare_sizes(
        self, at: datetime, was: Mapping[str, Any], now: Mapping[str, Any], decision: Decision, sent: Sent | None
    ) -> None:
        """Whether another piece would have been sent, or the open one cancelled for the whole rest."""
        if self.change is not None:
            return
        if makes_way_for_the_rest(now, decision) and not makes_way_for_the_rest(was, decision):
            self.change = Difference(at, _action(decision), f"cancel the piece for all {now['order'].remaining} left")
        elif sent is not None and (qty := size_of(now, decision, sent.most)) != sent.qty:
            self.change = Difference(at, _of_shares(decision, sent.qty), _of_shares(decision, qty))

    def _compare_checks(self, at: datetime, order: ParentOrder, was: QuoteCheck, again: QuoteCheck) -> None:
        if was.frees is not again.frees:
            self.change = Difference(at, _check(was), _check(again))
            return
        if was.gate is not again.gate and (was.gate, again.gate) not in self._gates:
            self._gates.add((was.gate, again.gate))
            self.bounds.append(Difference(at, _check(was), _check(again)))
        if was.frees and order.arrival is None and (was.collar, was.arm) != (again.collar, again.arm):
            self._has_own, self._collar, self._arm = True, again.collar, again.arm
            self.bounds.append(Difference(at, _bound(was), _bound(again)))

    @property
    def collar(self) -> Decimal | None:
        """The collar that the order would have; None if it is that of the run."""
        return self._collar if self._has_own else None


def _outside(at: datetime, opening: Opening | None) -> str:
    """What becomes of a time of the run in a window that opens at another time; empty if it is in both windows."""
    if opening is None or (opening.was < opening.instead <= at):
        return ""
    return (
        f"opened at {clock(opening.instead)} only"
        if at < opening.instead
        else f"been open since {clock(opening.instead)}"
    )


def _moment(moment: Moment, was: Settings, now: Settings) -> Moment:
    """The moment with the end of the window and the period of turns of other settings."""
    later = timedelta(minutes=was.close_margin_minutes - now.close_margin_minutes)
    if not later and was.order_monitoring_seconds == now.order_monitoring_seconds:
        return moment
    period = now.order_monitoring_seconds
    return moment.model_copy(update={"closes": moment.closes + later, "turn_seconds": period})


def _verb(answer: Decision | QuoteCheck) -> str:
    return _action(answer) if isinstance(answer, Decision) else _check(answer)


def _action(decision: Decision) -> str:
    if not decision.sends:
        return f"{decision.verb} ({decision.because})"
    limit = "the market" if decision.limit is None else f"{decision.limit:f}"
    return f"{decision.verb} at {limit} ({decision.because})"


def _of_shares(decision: Decision, qty: Decimal) -> str:
    return f"{qty:f} shares: {_action(decision)}"


def _check(check: QuoteCheck) -> str:
    if check.frees:
        return "accepted, as its fallback" if check.is_fallback else "accepted"
    return f"held ({check.gate.replace('_', ' ')})"


def _bound(check: QuoteCheck) -> str:
    arm = "" if check.arm is None else f", {check.arm} arm"
    return f"collar {check.collar}{arm}"
