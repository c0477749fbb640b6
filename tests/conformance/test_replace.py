"""Rows 65 to 84: replacing orders, and how it can fail."""

from dataclasses import replace
from typing import Any

import pytest

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import quote
from repeg_workbench.exchange.matching.symbol_book import FillModel
from tests.conformance.alpaca_bench import ACCEPTED, Bench, a_bench, across, refused, shares
from tests.conformance.sdk import APIError, ReplaceOrderRequest, TimeInForce
from tests.exchange.caller import PROMPT, QUIET_BOOK

INHERITANCE = across(replace_fill_inheritance=("inherit", "zero"))
FORTY = [quote("09:30", "300 @ 100.00", "40 @ 100.05"), quote("10:30", "300 @ 100.00", "500 @ 100.05")]
"""Forty shares at first, so that an order for a hundred fills in part, and more later."""


@across(replace_delay=((10, 10), (0, 300)))
def test_row_065_a_replace_creates_a_new_order_and_ends_the_old(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        old = bench.working(price=99)
        new = bench.replace(old, limit_price=99.5)
        assert (new.replaces, new.limit_price, new.qty) == (old.id, "99.5", "10")
        assert new.id != old.id
        pending = bench.order(old)
        assert (pending.status, pending.replaced_by) == ("pending_replace", None)
        bench.wait(quirks.replace_delay[1])
        done = bench.order(old)
        assert (done.status, done.replaced_by) == ("replaced", new.id)
        assert done.replaced_at is not None
        assert bench.status(new) == "new"


def test_row_066_a_replacement_has_the_client_order_id_given_or_a_new_one() -> None:
    with a_bench() as bench:
        first = bench.working(price=99, client_order_id="first")
        second = bench.replace(first, limit_price=99.1, client_order_id="second")
        bench.wait(50)
        third = bench.replace(second, limit_price=99.2)
        bench.working(price=98, client_order_id="taken")
        with refused(422, 40010001, "client_order_id must be unique"):
            bench.replace(third, limit_price=99.3, client_order_id="taken")
        assert bench.status(third) == "new"
    assert second.client_order_id == "second"
    assert third.client_order_id not in {"first", "second"}


def test_row_067_an_accepted_order_cannot_be_replaced() -> None:
    with a_bench(at="08:00") as bench:
        order = bench.limit()
        with refused(422, 42210000, "cannot replace order in accepted status"):
            bench.replace(order, limit_price=99)


@pytest.mark.skipif(ACCEPTED == "new", reason="such a broker has let the order through before it answers")
def test_row_067_a_pending_new_order_cannot_be_replaced() -> None:
    with a_bench() as bench:
        fresh = bench.limit()
        with refused(422, 42210000, f"cannot replace order in {ACCEPTED} status"):
            bench.replace(fresh, limit_price=99)


def test_row_067_a_pending_order_cannot_be_replaced() -> None:
    with a_bench() as bench:
        leaving = bench.working()
        bench.trading.cancel_order_by_id(leaving.id)
        with refused(422, 42210000, "cannot replace order in pending_cancel status"):
            bench.replace(leaving, limit_price=99)
        changing = bench.working()
        bench.replace(changing, limit_price=99)
        with refused(422, 42210000, "cannot replace order in pending_replace status"):
            bench.replace(changing, limit_price=98)


def test_row_068_an_ended_order_cannot_be_replaced() -> None:
    with a_bench() as bench:
        filled, canceled, expired = bench.working(price=101), bench.working(), bench.working()
        bench.trading.cancel_order_by_id(canceled.id)
        bench.wait_for("16:00:01")
        assert bench.status(expired) == "expired"
        for order in (filled, canceled, expired):
            with refused(422, 42210000, "order is not open"):
                bench.replace(order, limit_price=99)


def test_row_069_a_replaced_order_cannot_be_replaced_again() -> None:
    with a_bench() as bench:
        old = bench.working()
        bench.replace(old, limit_price=99)
        bench.wait(50)
        with refused(422, 42210000, "order already replaced"):
            bench.replace(old, limit_price=98)


@across(chain_settle_delay=((0, 0), (3000, 3000)))
def test_row_070_a_replacement_that_is_settling_cannot_be_replaced(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        new = bench.replace(bench.working(), limit_price=99)
        with refused(422, 42210000, "order chain not fully replaced"):
            bench.replace(new, limit_price=98)
        bench.wait(50)
        assert bench.status(new) == "new"
        if quirks.chain_settle_delay != (0, 0):
            with refused(422, 42210000, "order chain not fully replaced"):
                bench.replace(new, limit_price=98)
            bench.wait(3000)
        assert bench.replace(new, limit_price=98).limit_price == "98"


@pytest.mark.parametrize("changes", [{"limit_price": 100.0}, {"qty": 10}, {"time_in_force": TimeInForce.DAY}, {}])
def test_row_071_a_replace_that_changes_nothing_is_refused(changes: dict[str, Any]) -> None:
    with a_bench() as bench:
        order = bench.working(price=100)
        with refused(422, 42210000, "order parameters are not changed"):
            bench.trading.replace_order_by_id(order.id, ReplaceOrderRequest(**changes))
        assert bench.status(order) == "new"


@pytest.mark.parametrize("qty", [39, 40])
def test_row_072_a_replace_to_no_more_than_the_filled_qty_is_refused(qty: int) -> None:
    with a_bench(FORTY) as bench:
        order = bench.working(price=100.05, qty=100)
        assert order.filled_qty == "40"
        with refused(422, 42210000, "qty must be > filled_qty"):
            bench.replace(order, qty=qty)


@INHERITANCE
def test_row_073_a_price_only_replace_keeps_the_chains_total(quirks: BrokerQuirks) -> None:
    with a_bench(FORTY, quirks=quirks) as bench:
        new = bench.replace(bench.working(price=100.05, qty=100), limit_price=100.06)
        assert new.qty == "100"
        bench.wait_for("10:31")
        assert bench.status(new) == "filled"
        assert _executed(bench) == 100
        assert bench.trading.get_open_position("AAPL").qty == "100"


@INHERITANCE
def test_row_074_a_replacement_inherits_fills_or_starts_at_zero(quirks: BrokerQuirks) -> None:
    with a_bench(FORTY, quirks=quirks) as bench:
        old = bench.working(price=100.05, qty=100)
        new = bench.replace(old, limit_price=100.01)
        bench.wait(50)
        shown = bench.order(new)
        assert shown.status == "new"
        assert shown.filled_qty == ("40" if quirks.replace_fill_inheritance == "inherit" else "0")
        assert bench.order(old).filled_qty == "40"


@INHERITANCE
def test_row_075_a_replaces_qty_is_the_chains_total(quirks: BrokerQuirks) -> None:
    with a_bench(FORTY, quirks=quirks) as bench:
        new = bench.replace(bench.working(price=100.05, qty=100), qty=60)
        bench.wait_for("10:31")
        done = bench.order(new)
        assert (done.status, done.qty) == ("filled", "60")
        assert done.filled_qty == ("60" if quirks.replace_fill_inheritance == "inherit" else "20")
        assert _executed(bench) == 60


@INHERITANCE
def test_row_076_race_a_a_fill_of_the_old_order_rejects_the_replacement(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        _arm(bench, Race.REPLACE_LOSES)
        old = bench.working(price=99)
        new = bench.replace(old, limit_price=99.5)
        bench.wait(50)
        assert (bench.status(old), bench.order(old).filled_avg_price) == ("filled", "99")
        assert bench.status(new) == "rejected"
        assert bench.order(old).replaced_by is None
        assert _executed(bench) == 10


def test_row_076_the_market_itself_can_win_the_race() -> None:
    book = [*QUIET_BOOK, quote("10:00:00.055", "300 @ 98.00", "300 @ 98.05")]
    with a_bench(book, model=FillModel.TOUCH) as bench:
        old = bench.working(price=99)
        new = bench.replace(old, limit_price=98.5)
        bench.wait(50)
        assert (bench.status(old), bench.status(new)) == ("filled", "rejected")


@INHERITANCE
def test_row_077_race_b_the_replacement_executes_only_the_rest(quirks: BrokerQuirks) -> None:
    book = [*QUIET_BOOK, quote("10:30", "300 @ 98.00", "300 @ 98.05")]
    with a_bench(book, quirks=quirks) as bench:
        _arm(bench, Race.REPLACE_LOSES_PART)
        old = bench.working(price=99, qty=100)
        new = bench.replace(old, limit_price=98.5)
        bench.wait(50)
        assert (bench.status(old), bench.order(old).filled_qty) == ("replaced", "50")
        bench.wait_for("10:31")
        assert bench.status(new) == "filled"
        assert _executed(bench) == 100


@pytest.mark.parametrize("more", [20, 35])
def test_row_077_a_replace_to_an_already_filled_quantity_is_rejected(more: int) -> None:
    book = [*FORTY[:1], quote("10:00:00.055", "300 @ 100.00", f"{more} @ 100.04")]
    with a_bench(book, model=FillModel.TOUCH) as bench:
        old = bench.working(price=100.05, qty=100)
        assert old.filled_qty == "40"
        new = bench.replace(old, qty=60)
        bench.wait(50)
        assert bench.status(new) == "rejected"
        back = bench.order(old)
        assert (back.status, back.replaced_by) == ("partially_filled", None)
        assert back.filled_qty == str(40 + more)


def test_row_078_race_c_the_replacement_is_lost_and_the_old_order_works() -> None:
    with a_bench() as bench:
        _arm(bench, Race.REPLACE_FORGOTTEN)
        old = bench.working(price=99)
        new = bench.replace(old, limit_price=99.5)
        assert bench.status(new) == "pending_new"
        bench.wait(50)
        assert bench.status(new) == "rejected"
        back = bench.order(old)
        assert (back.status, back.limit_price, back.replaced_by) == ("new", "99", None)


def test_row_078_a_replace_can_be_pending_for_hours() -> None:
    with a_bench() as bench:
        bench.on_server(lambda: bench.exchange.races.arm(Race.REPLACE_STUCK, seconds=2 * 3600))
        old = bench.working(price=90)
        new = bench.replace(old, limit_price=90.5)
        bench.wait_for("11:59")
        assert (bench.status(old), bench.status(new)) == ("pending_replace", "pending_new")
        with refused(422, 42210000, "order pending replace"):
            bench.trading.cancel_order_by_id(old.id)
        bench.wait_for("12:01")
        assert (bench.status(old), bench.status(new)) == ("replaced", "new")


@pytest.mark.parametrize(
    ("status", "body"),
    [(422, {"code": 40010001, "message": "unable to replace order, order isn't sent to exchange yet"}), (500, None)],
)
def test_row_079_race_d_a_replace_can_happen_despite_its_error_answer(status: int, body: Any) -> None:
    with a_bench() as bench:
        old = bench.working(price=99)
        fault = Fault(kind=Kind.ANSWER_AFTER, method="PATCH", status=status, body=body)
        bench.on_server(lambda: bench.exchange.faults.arm(fault))
        with pytest.raises(APIError) as caught:
            bench.replace(old, limit_price=99.5)
        assert caught.value.status_code == status
        bench.wait(50)
        replaced = bench.order(old)
        assert replaced.status == "replaced"
        assert bench.trading.get_order_by_id(str(replaced.replaced_by)).limit_price == "99.5"


@INHERITANCE
def test_row_080_race_e_a_rejected_replacement_shows_its_parents_fills(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        _arm(bench, Race.REPLACE_SHOWS_PARENT)
        old = bench.working(price=99)
        new = bench.replace(old, limit_price=99.5)
        bench.wait(50)
        parent, shown = bench.order(old), bench.order(new)
        assert shown.status == "rejected"
        assert (
            (shown.filled_qty, shown.filled_avg_price) == (parent.filled_qty, parent.filled_avg_price) == ("10", "99")
        )
        assert shown.filled_at == parent.filled_at
        assert _executed(bench) == 10


def test_row_081_fractional_and_notional_orders_cannot_be_replaced() -> None:
    with a_bench() as bench:
        fractional = bench.working(price=99, qty=0.5)
        with refused(422, 42210000, "qty of a fractional order cannot be changed"):
            bench.replace(fractional, qty=2)
        assert bench.replace(fractional, limit_price=98).limit_price == "98"
        whole = bench.working(price=99)
        answer = bench.raw("PATCH", f"/v2/orders/{whole.id}", json={"qty": "1.5"})
        assert answer.status_code == 422
        notional = bench.post(notional="100", qty=None, limit_price="99").json()
        bench.wait(50)
        with refused(422, 42210000, "notional orders cannot be replaced"):
            bench.trading.replace_order_by_id(notional["id"], ReplaceOrderRequest(limit_price=98))


def test_row_082_a_replace_to_a_price_off_the_tick_is_refused() -> None:
    with a_bench() as bench:
        order = bench.working()
        message = "sub-penny increment does not fulfill minimum pricing criteria"
        with refused(422, 42210000, f"invalid limit_price 99.001. {message}"):
            bench.replace(order, limit_price=99.001)
        assert bench.status(order) == "new"


@pytest.mark.parametrize(("price", "held"), [(99.5, "9950"), (98, "9900")])
def test_row_083_a_pending_replace_holds_the_larger_of_the_two(price: float, held: str) -> None:
    with a_bench() as bench:
        old = bench.working(price=99, qty=100)
        bench.replace(old, limit_price=price)
        assert bench.account()["buying_power"] == str(100_000 - int(held))
        bench.wait(50)
        assert bench.account()["buying_power"] == str(100_000 - round(price * 100))


def test_row_083_a_replace_beyond_buying_power_is_refused() -> None:
    with a_bench() as bench:
        order = bench.working(price=99, qty=1000)
        with refused(403, 40310000, "insufficient buying power"):
            bench.replace(order, qty=1011)
        assert bench.status(order) == "new"


def test_row_083_a_replace_beyond_the_shares_held_is_refused() -> None:
    with a_bench(positions=shares("10")) as bench:
        order = bench.working(price=101, qty=10, side="sell")
        with refused(403, 40310000, "insufficient qty available for order (requested: 1, available: 0)"):
            bench.replace(order, qty=11)


def test_row_084_a_price_only_replace_can_be_refused_for_lack_of_shares() -> None:
    with a_bench(positions=shares("10")) as bench:
        order = bench.working(price=101, qty=10, side="sell")
        body = {"code": 40310000, "message": "insufficient qty available for order (requested: 10, available: 0)"}
        fault = Fault(kind=Kind.ANSWER_BEFORE, method="PATCH", status=403, body=body)
        bench.on_server(lambda: bench.exchange.faults.arm(fault))
        with refused(403, 40310000, body["message"]):  # type: ignore[arg-type]
            bench.replace(order, limit_price=102)
        assert bench.status(order) == "new"
        assert bench.replace(order, limit_price=102).limit_price == "102"


def test_a_replacement_has_the_same_fields_as_any_order() -> None:
    with a_bench(quirks=replace(PROMPT, replace_delay=(0, 0))) as bench:
        old = bench.working(price=99)
        new = bench.replace(old, limit_price=98)
        assert set(bench.wire(new)) == set(bench.wire(old))


def _arm(bench: Bench, race: Race) -> None:
    bench.on_server(lambda: bench.exchange.races.arm(race))


def _executed(bench: Bench) -> int:
    return sum(int(fill["qty"]) for fill in bench.trading.get("/account/activities/FILL"))
