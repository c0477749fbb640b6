"""Keys that open another account: a run sends, cancels and books nothing there, and ends as a failure."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from repeg.adapters.alpaca.http import Answer
from repeg.adapters.alpaca.market_data import AlpacaMarket
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BrokerDenied
from repeg.domain.outcome import Outcome
from repeg.domain.run import Run, RunState
from repeg.domain.run_health import Finding
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import ScriptedMarket
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import MONDAY
from tests.functions.books import QUIET, book
from tests.functions.desk import PROMPT, RUN_ID, Desk, OpenDesk
from tests.functions.line import Line

FIRST_ID = f"rp-{RUN_ID}.AAPL.b.1"
BOOKS = {"AAPL": book(QUIET, until="10:30")}
LOST = Fault(kind=Kind.HANG_AFTER, method="POST", path="/v2/orders")


class TwoAccounts(Line):
    """A connection to two accounts; the keys select one. `on_call` is called before each request."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.exchange, desk.broker.headers, desk.runtime.pause)
        opening = OpeningAccount(key_id="PKSECOND", secret_key="second")
        market = ScriptedMarket({MONDAY: BOOKS})
        self.first = desk.exchange
        self.second = Exchange(market, lambda: desk.scheduler.now_ns, PROMPT, opening, seed=2)
        self.on_call: list[Callable[[str, str], None]] = []
        desk.broker.line = desk.broker._api = self
        desk.broker._market = AlpacaMarket(self, "iex")
        assert self.first.account.number != self.second.account.number

    def _send(self, method: str, path: str, *rest: Any, **further: Any) -> Answer:
        for listen in list(self.on_call):
            listen(method, path)
        return super()._send(method, path, *rest, **further)

    def _call(self, method: str, path: str, query: list[tuple[str, str]] | None = None, body: bytes = b"") -> Answer:
        is_second = self._headers["APCA-API-KEY-ID"] == "PKSECOND"
        self._exchange = self.second if is_second else self.first
        return super()._call(method, path, query, body)


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """A run of one buy in the first account."""
    desk = open_desk(BOOKS)
    TwoAccounts(desk)
    desk.begin("buy 40 AAPL")
    return desk


def accounts(desk: Desk) -> TwoAccounts:
    """The connection to both accounts."""
    assert isinstance(desk.broker.line, TwoAccounts)
    return desk.broker.line


def rotate(desk: Desk, key_id: str = "PKSECOND", secret: str = "second") -> None:  # noqa: S107 - a simulated key
    """Use another pair of keys from now on."""
    desk.broker.headers.update({"APCA-API-KEY-ID": key_id, "APCA-API-SECRET-KEY": secret})


def rotate_back(desk: Desk) -> None:
    """Use the first account's keys again."""
    opening = accounts(desk).first.opening
    rotate(desk, opening.key_id, opening.secret_key)


def rotate_before(desk: Desk, method: str, path: str) -> None:
    """Rotate just before the next request of this kind."""

    def listen(called: str, at: str) -> None:
        if called == method and at.startswith(path):
            rotate(desk)

    accounts(desk).on_call.append(listen)


def names_both(desk: Desk, text: str) -> bool:
    """Whether a text names both account numbers."""
    line = accounts(desk)
    return line.first.account.number in text and line.second.account.number in text


def second_is_untouched(desk: Desk) -> bool:
    """Whether the second account has never had an order."""
    return not accounts(desk).second.account.orders.by_id


def an_order_in_the_second(desk: Desk) -> str:
    """Place an order in the second account under the very id of the run's first; returns its broker id."""
    rotate(desk)
    terms = {"symbol": "AAPL", "side": "buy", "qty": "40", "type": "limit", "limit_price": "100.00"}
    accounts(desk).post("/orders", {**terms, "time_in_force": "day", "client_order_id": FIRST_ID})
    desk.wait(1)
    rotate_back(desk)
    return accounts(desk).second.account.orders.by_client_id[FIRST_ID].id


# Turns


def test_a_run_keeps_the_number_of_its_account(desk: Desk) -> None:
    assert desk.run.account_number == accounts(desk).first.account.number


def test_an_unknown_order_is_not_resent_in_another_account(desk: Desk) -> None:
    """The first account has accepted the order; the second knows nothing of it."""
    desk.exchange.faults.arm(LOST)
    desk.place()
    assert desk.order().children[-1].state is ChildState.UNKNOWN
    rotate(desk)
    for time in ("09:36:30", "09:37:30", "09:38:30"):
        with pytest.raises(BrokerDenied) as denied:
            desk.turn_at(time)
        assert names_both(desk, str(denied.value))
    assert second_is_untouched(desk)
    assert desk.order().children[-1].state is ChildState.UNKNOWN


def test_a_first_order_is_not_placed_in_another_account(desk: Desk) -> None:
    rotate(desk)
    with pytest.raises(BrokerDenied):
        desk.place()
    assert (second_is_untouched(desk), desk.order().children) == (True, ())


@pytest.mark.parametrize(("method", "path"), [("GET", "/orders:by_client"), ("POST", "/orders"), ("GET", "/clock")])
def test_keys_rotated_within_a_step_send_nothing_elsewhere(desk: Desk, method: str, path: str) -> None:
    desk.exchange.faults.arm(replace(LOST, kind=Kind.HANG_BEFORE))
    desk.place()
    desk.wait_until("09:37:30")
    rotate_before(desk, method, path)
    with suppress(BrokerDenied):
        desk.repeg()
    desk.wait_until("09:38:30")
    with pytest.raises(BrokerDenied):
        desk.repeg()
    assert second_is_untouched(desk)


def test_an_order_not_sent_elsewhere_is_sent_when_the_keys_are_back(desk: Desk) -> None:
    rotate_before(desk, "POST", "/orders")
    with suppress(BrokerDenied):
        desk.place()
    assert second_is_untouched(desk)
    accounts(desk).on_call.clear()
    rotate_back(desk)
    desk.turn_at("09:37:30")
    desk.turn_at("09:38:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    desk.judge()


def test_another_pair_of_the_same_account_goes_on(desk: Desk) -> None:
    desk.place()
    desk.exchange.gate.keys["PKNEWER"] = "newer"
    rotate(desk, "PKNEWER", "newer")
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert desk.close().outcome == "settled"
    desk.judge()


def test_the_account_is_read_once_for_each_key_pair(desk: Desk) -> None:
    def reads() -> int:
        return desk.broker.line.sent.count(("GET", "/account"))

    desk.place()
    before = reads()
    desk.turn_at("09:36:30")
    desk.turn_at("09:37")
    assert reads() == before
    desk.exchange.gate.keys["PKNEWER"] = "newer"
    rotate(desk, "PKNEWER", "newer")
    desk.turn_at("09:37:30")
    desk.turn_at("09:38")
    assert reads() == before + 1


# The end


def test_a_close_cancels_nothing_in_another_account(desk: Desk) -> None:
    """Not even an order with the run's own id."""
    desk.place()
    other = an_order_in_the_second(desk)
    rotate(desk)
    with pytest.raises(BrokerDenied) as denied:
        desk.close()
    assert names_both(desk, str(denied.value))
    assert accounts(desk).second.account.orders.by_id[other].is_open
    assert desk.store.executions(RUN_ID) == []


def test_a_sweep_with_another_accounts_keys_reports_the_failure(desk: Desk) -> None:
    desk.place()
    other = an_order_in_the_second(desk)
    rotate(desk)
    with pytest.raises(BrokerDenied):
        desk.sweep()
    assert accounts(desk).second.account.orders.by_id[other].is_open
    ((kind, detail),) = [event for event in desk.notifier.published if event[0].startswith("repeg.run")]
    assert (kind, detail["error"], names_both(desk, detail["reason"])) == ("repeg.run.failed", "Unseen", True)


def test_the_watchdog_sweeps_the_run_when_its_keys_are_back(desk: Desk) -> None:
    desk.place()
    other = an_order_in_the_second(desk)
    rotate(desk)
    desk.wait_until("09:50")
    (alert,) = desk.watch()
    assert (alert.finding, names_both(desk, alert.reason)) == (Finding.STUCK_RUN, True)
    assert (desk.open_at_broker(), desk.run.state) == (["40 AAPL @ 189.41"], RunState.CLOSING)
    rotate_back(desk)
    desk.wait_until("10:00")
    desk.watch()
    assert (desk.open_at_broker(), desk.run.state) == ([], RunState.SWEPT)
    assert desk.order().outcome is not None
    assert accounts(desk).second.account.orders.by_id[other].is_open
    desk.judge()


def test_a_late_fill_is_booked_when_the_keys_are_back(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, prints=("09:40:00 40 @ 189.41 sold",), until="10:30")})
    TwoAccounts(desk)
    desk.begin("buy 40 AAPL")
    desk.place()
    rotate(desk)
    desk.wait_until("09:50")
    desk.watch()
    rotate_back(desk)
    desk.wait_until("10:00")
    desk.watch()
    assert (desk.order().outcome, desk.order().filled) == (Outcome.FILLED, Decimal(40))
    desk.judge()


def test_an_ended_run_is_not_swept_in_another_account(desk: Desk) -> None:
    desk.place()
    desk.close()
    other = an_order_in_the_second(desk)
    rotate(desk)
    with pytest.raises(BrokerDenied):
        desk.sweep()
    desk.wait_until("09:50")
    desk.watch()
    assert accounts(desk).second.account.orders.by_id[other].is_open


def test_a_run_of_an_older_release_is_not_checked(open_desk: OpenDesk) -> None:
    """Its row does not say in which account it trades."""

    class OlderStore(MemoryStore):
        def claim_run(self, run: Run) -> Run:
            return super().claim_run(Run.model_validate(run.model_dump(exclude={"account_number"})))

    desk = open_desk(BOOKS, store=OlderStore())
    TwoAccounts(desk)
    desk.begin("buy 40 AAPL")
    assert desk.run.account_number == ""
    rotate(desk)
    desk.place()
    assert not second_is_untouched(desk)
