"""Other hands on the account: its owner moves and cancels orders, buys, sells, closes positions; the broker splits a
stock, or gives an order a status that is rare.

They act through the broker's API, as a person or another program would, at a time when there is something to act on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Any

from repeg.domain.order_ids import OWN_PREFIX
from repeg_workbench.exchange.broker.orders import ASIDE, Order, Status
from repeg_workbench.exchange.broker.setting_aside import SettingAside
from repeg_workbench.exchange.faults.transport_faults import TransportFault
from repeg_workbench.exchange.messages import Request
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.units import PRICE_SCALE, QTY_SCALE, price, qty, tick_at

if TYPE_CHECKING:
    from repeg_workbench.faults.world import World


class Hand(StrEnum):
    """What another hand does."""

    MOVES = "owner_moves"
    CANCELS = "owner_cancels"
    CANCELS_ALL = "owner_cancels_all"
    BUYS = "owner_buys"
    SELLS = "owner_sells"
    CLOSES_POSITION = "owner_closes_position"
    SPLITS = "split"
    SETS_ASIDE = "set_aside"
    """The broker gives an order a rare status, such as done_for_day or suspended, perhaps for ever."""
    FORGETS = "forgotten"
    """The broker does not find an order for a while, or ever again."""


# The share of the days on which other hands act, and how many seconds they wait before they look for a chance again.
SHARE = 0.2
PAUSE = 2.0

# For how many seconds the broker sets an order aside, or does not find it; the last is longer than the day.
WHILE = (20, 200, 1_800, 20_000)

# The owner buys, or closes a position, just before the run's own orders are sent or soon after: later most of them are
# filled, and miss neither cash nor shares.
SOON = tuple(timedelta(seconds=seconds) for seconds in (0.2, 1, 20, 120))

# The shares of the free cash that the owner may spend.
SPENT = (Decimal("0.2"), Decimal("0.95"), Decimal("0.99"))

# An order with one of these statuses is not worked again on its day.
ENDS_THE_DAY = frozenset({Status.DONE_FOR_DAY, Status.CALCULATED})


class OtherHands:
    """The other hands of one world. An act is counted when it begins to have an effect."""

    def __init__(self, world: World, without: frozenset[str] = frozenset()) -> None:
        self._world, self._scheduler = world, world.scheduler
        self._chance = chance = Random(f"hands {world.day.seed}")
        is_meddled = chance.random() < SHARE and not (world.day.is_chased_to_the_end or world.fault_plan.is_quiet)
        drawn = chance.sample(list(Hand), chance.randint(1, 3)) if is_meddled else []
        self._acts = [hand for hand in drawn if hand not in without and not self._would_borrow(hand)]

    def schedule(self) -> None:
        """Schedule each act at a random time of the window; a split comes before the open."""
        window = self._world.window
        for hand in self._acts:
            if hand is Hand.SPLITS:
                is_early = self._world.day.start < self._world.session.open
                begin = self._world.day.start + timedelta(seconds=self._chance.uniform(0, 60) if is_early else 0)
                self._scheduler.spawn_apart(self._waiting(hand, begin, self._last_split))
            elif hand in {Hand.BUYS, Hand.CLOSES_POSITION}:
                begin = max(self._world.session.open, self._world.day.start) + self._chance.choice(SOON)
                self._scheduler.spawn_apart(self._waiting(hand, begin, window.closes))
            else:
                opens = max(window.opens, self._world.day.start)
                begin = opens + self._chance.uniform(0, 0.9) * (window.closes - opens)
                self._scheduler.spawn_apart(self._waiting(hand, begin, window.closes))

    @property
    def _last_split(self) -> datetime:
        """Splits come before the open, or on a day that starts later before its first order."""
        return max(self._world.session.open, self._world.day.start + timedelta(milliseconds=100))

    def _would_borrow(self, hand: Hand) -> bool:
        """Whether the owner would use the account's margin: then a loan could not be attributed to owner or run."""
        opening = self._world.day.opening
        return (hand is Hand.BUYS and opening.multiplier > 1) or (
            hand in {Hand.SELLS, Hand.CLOSES_POSITION} and opening.shorting_enabled
        )

    def _waiting(self, hand: Hand, begin: Any, until: Any) -> Callable[[], None]:
        act = {
            Hand.MOVES: self._move, Hand.CANCELS: self._cancel, Hand.CANCELS_ALL: self._cancel_all,
            Hand.BUYS: self._buy, Hand.SELLS: self._sell, Hand.CLOSES_POSITION: self._close, Hand.SPLITS: self._split,
            Hand.SETS_ASIDE: self._set_aside, Hand.FORGETS: self._forget,
        }[hand]  # fmt: skip

        def wait() -> None:
            self._scheduler.sleep_until(begin)
            while self._scheduler.now() < until:
                if act():
                    self._world.fault_plan.count(hand)
                    return
                self._scheduler.sleep(PAUSE)

        return wait

    def _move(self) -> bool:
        order = self._one_of_ours()
        if order is None or order.terms.limit is None:
            return False
        step = tick_at(order.terms.limit) * self._chance.choice((-5, -1, 1, 2, 10))
        body = {"limit_price": str(price(order.terms.limit + step).normalize())}
        return self._send("PATCH", f"/v2/orders/{order.id}", body)

    def _cancel(self) -> bool:
        order = self._one_of_ours()
        return order is not None and self._send("DELETE", f"/v2/orders/{order.id}")

    def _cancel_all(self) -> bool:
        return self._one_of_ours() is not None and self._send("DELETE", "/v2/orders")

    def _buy(self) -> bool:
        """Buy, mostly with nearly all the cash that is free: the run's own buys and moves lack it."""
        symbol = self._chance.choice(self._world.day.market.symbols())
        free = Decimal(self._world.exchange.ledger.cash - self._world.exchange.ledger.held_cash)
        most = int(free / PRICE_SCALE / QTY_SCALE * self._chance.choice(SPENT))
        shares = most // max(1, int(price(self._world.exchange.price(symbol))) + 1)
        return shares > 0 and self._trade(symbol, "buy", str(shares))

    def _sell(self) -> bool:
        held = self._held()
        if not held:
            return False
        symbol = self._chance.choice(held)
        ledger = self._world.exchange.ledger
        free = ledger.position(symbol) - ledger.held_shares(symbol)
        sold = self._chance.choice((free, free // 2, QTY_SCALE)) // QTY_SCALE * QTY_SCALE
        return 0 < sold <= free and self._trade(symbol, "sell", str(qty(sold).normalize().to_integral_value()))

    def _close(self) -> bool:
        """Close a position, of those that a run sells if there are any: the run's own sell lacks the shares."""
        held = self._held()
        sold = {symbol for run in self._world.record.runs for symbol, (sign, _) in run.targets.items() if sign < 0}
        wanted = [symbol for symbol in held if symbol in sold] or held
        return bool(wanted) and self._send("DELETE", f"/v2/positions/{self._chance.choice(wanted)}")

    def _split(self) -> bool:
        held = sorted(self._world.day.opening.positions)
        if not held or self._scheduler.now() >= self._last_split:
            return False
        new, old = self._chance.choice(((2, 1), (1, 2), (3, 2)))
        self._world.exchange.split(self._chance.choice(held), new, old)
        return True

    def _set_aside(self) -> bool:
        order = self._one_of_ours()
        setting_aside = SettingAside(self._world.exchange.floor)
        if order is None:
            return False
        status = self._chance.choice(sorted(ASIDE))
        try:
            setting_aside.put(order, status, self._world.exchange.now)
        except Refusal:
            return False
        if status not in ENDS_THE_DAY:
            self._after(self._chance.choice(WHILE), lambda: self._resume(setting_aside, order))
        return True

    def _resume(self, setting_aside: SettingAside, order: Order) -> None:
        self._world.exchange.advance()
        with suppress(Refusal):
            setting_aside.resume(order, self._world.exchange.now)

    def _forget(self) -> bool:
        order = self._one_of_ours()
        if order is None:
            return False
        order.is_forgotten = True
        self._world.recorder.forgot(order.id)
        self._after(self._chance.choice(WHILE), lambda: self._find(order))
        return True

    def _find(self, order: Order) -> None:
        order.is_forgotten = False
        self._world.recorder.found(order.id)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        def wait() -> None:
            self._scheduler.sleep(seconds)
            act()

        self._scheduler.spawn_apart(wait)

    def _held(self) -> list[str]:
        ledger = self._world.exchange.ledger
        return [symbol for symbol in self._world.day.market.symbols() if ledger.position(symbol) > 0]

    def _one_of_ours(self) -> Order | None:
        ours = self._ours()
        return self._chance.choice(ours) if ours else None

    def _ours(self) -> list[Order]:
        orders = self._world.exchange.account.orders.open.values()
        return [o for o in orders if o.client_order_id.startswith(OWN_PREFIX) and o.is_working]

    def _trade(self, symbol: str, side: str, shares: str) -> bool:
        body = {"symbol": symbol, "side": side, "qty": shares, "type": "market", "time_in_force": "day"}
        return self._send("POST", "/v2/orders", body)

    def _send(self, method: str, path: str, body: dict[str, str] | None = None) -> bool:
        """Whether the broker did what the owner asked for."""
        sent = json.dumps(body).encode() if body else b""
        opening = self._world.day.opening
        keys = {"APCA-API-KEY-ID": opening.key_id, "APCA-API-SECRET-KEY": opening.secret_key}
        try:
            return self._world.exchange.handle(Request(method, path, [], keys, sent)).status < 300
        except TransportFault:
            return False
