"""Replaces orders: the new order exists at once, but takes over only when the venue confirms the replace."""

from dataclasses import dataclass, replace

from repeg_workbench.exchange.broker.desk import Desk
from repeg_workbench.exchange.broker.orders import Order, Status, Terms
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker.rules import check_buying_power, check_shares, reserve_price
from repeg_workbench.exchange.units import QTY_SCALE


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes in a replace request; None keeps the term. quantity is the chain's new total."""

    quantity: int | None = None
    limit: int | None = None
    stop: int | None = None
    trail: int | None = None
    time_in_force: str | None = None
    client_order_id: str | None = None

    def applied(self, terms: Terms) -> Terms:
        """The terms with the changes applied."""
        return replace(
            terms,
            quantity=self.quantity or terms.quantity,
            limit=self.limit or terms.limit,
            stop=self.stop or terms.stop,
            trail_price=(self.trail or terms.trail_price) if terms.trail_price else None,
            trail_percent=(self.trail or terms.trail_percent) if terms.trail_percent else None,
            time_in_force=self.time_in_force or terms.time_in_force,
            client_order_id=self.client_order_id,
        )


@dataclass
class Replacing:
    """Carries out replacements. `at` is the present time and never decreases."""

    desk: Desk

    def __post_init__(self) -> None:
        self.records = self.desk.records
        self.floor = self.desk.floor

    def begin(self, old: Order, changes: Changes, at: int) -> Order:
        """Create the replacement and hold the larger of both orders' needs. Raises Refusal if it cannot."""
        terms = changes.applied(old.terms)
        price = 0 if old.is_closing else reserve_price(terms, self.floor.venue, at)
        remaining = (terms.quantity or 0) - old.total_executed
        cash = max(0, price * remaining - old.held_cash)
        shares = max(0, remaining - old.held_shares) if old.is_closing else 0
        self._check(terms.symbol, cash, shares)
        new = self._create(old, terms, at)
        new.reserve_price = price
        self.records.account.orders.add(new)
        self.records.set_hold(new, cash, shares, at)
        self.records.move(old, Status.PENDING_REPLACE, at)
        self.records.record_event(new, new.status, at)
        self.desk.schedule_sweep(new)
        stuck = self.floor.races.delay(Race.REPLACE_STUCK, old)
        delay = self.desk.draws.delay(self.desk.quirks.replace_delay) if stuck is None else stuck
        self.desk.timers.at(at + delay, self._settle, old, new)
        return new

    def _check(self, symbol: str, cash: int, shares: int) -> None:
        if cash:
            check_buying_power(self.records.account, cash)
        if shares:
            check_shares(self.records.account, symbol, shares)

    def _create(self, old: Order, terms: Terms, at: int) -> Order:
        new = self.desk.new_order(terms, Status.PENDING_NEW, at)
        new.is_closing, new.replaces = old.is_closing, old
        new.shows_inheritance = self.desk.quirks.replace_fill_inheritance == "inherit"
        new.inherit(old)
        return new

    def _settle(self, at: int, old: Order, new: Order) -> None:
        if not new.is_open:
            return
        can_race = old.in_book and (new.quantity or 0) > old.total_executed + 1
        race = self.floor.races.replace(old) if can_race else None
        self._run(race, old, new, at)
        new.inherit(old)
        if not old.is_open:
            self._refuse(old, new, at, "the order to be replaced has ended")
        elif race is Race.REPLACE_FORGOTTEN:
            self._fail(old, new, at, "")
        elif new.remaining <= 0:
            self._fail(old, new, at, "qty must be > filled_qty")
        else:
            self._succeed(old, new, at)

    def _fail(self, old: Order, new: Order, at: int, reason: str) -> None:
        """Reject the replacement; the old order, which never left the book, works on."""
        self._refuse(old, new, at, reason)
        self.records.move(old, old.resting_status, at)

    def _run(self, race: Race | None, old: Order, new: Order, at: int) -> None:
        if race in {Race.REPLACE_LOSES, Race.REPLACE_SHOWS_PARENT}:
            self.floor.force(old, old.remaining, at)
            new.shows_inheritance = new.shows_inheritance or race is Race.REPLACE_SHOWS_PARENT
            new.filled_at = old.filled_at if race is Race.REPLACE_SHOWS_PARENT else None
        elif race is Race.REPLACE_LOSES_PART:
            room = min(old.remaining, (new.quantity or 0) - old.total_executed)
            self.floor.force(old, max(room // 2 // QTY_SCALE * QTY_SCALE, 1), at)

    def _refuse(self, old: Order, new: Order, at: int, reason: str) -> None:
        self.records.record_event(old, "order_replace_rejected", at, reason)
        self.records.end(new, Status.REJECTED, at, reason)

    def _succeed(self, old: Order, new: Order, at: int) -> None:
        self.floor.leave(old, at)
        old.replaced_by, old.replaced_at, old.is_working = new, at, False
        new.settled_at = at + self.desk.draws.delay(self.desk.quirks.chain_settle_delay)
        new.is_working = True
        new.adopt_family(old)
        self.records.move(old, Status.REPLACED, at)
        self.records.set_hold(old, 0, 0, at)
        self.records.hold(new, at)
        self.records.move(new, Status.NEW, at)
        self.floor.work(new, at)
