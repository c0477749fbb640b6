"""Rows that need orders: buys of one share far below the market, each cancelled by its id."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from repeg_workbench.operate.broker_line import Reply
from repeg_workbench.operate.conformance.bench import Bench, Delay
from repeg_workbench.operate.conformance.probe import Outcome, Seen, chosen, plain, probe, timed, unseen

_ACCEPTED = ("pending_new", "accepted", "new")
_TAKEN = frozenset({"pending_new", "accepted", "new"})


def _refused(bench: Bench, **terms: Any) -> Reply:
    """Send an order that ought to be refused; one that is accepted all the same is cancelled at once."""
    reply = bench.post(**terms)
    if reply.status == 200:
        bench.cancel(str(reply.body["id"]))
    return reply


def _said(reply: Reply) -> str:
    return "accepted" if reply.status == 200 else f"{reply.status} {reply.message}"


@probe(7, "a day limit order answers pending_new, its order_class is empty", needs_session=True)
def _answer_to_an_order(bench: Bench) -> Seen:
    body = bench.placed()
    bench.cancel(str(body["id"]))
    status, order_class = str(body.get("status")), str(body.get("order_class"))
    if status not in _ACCEPTED or order_class not in {"", "simple"}:
        return Seen(f"{status}, order_class {order_class!r}", Outcome.DIFFERS)
    found = f"{status}, order_class {order_class!r}"
    parts = [chosen("accepted_status", status, found), chosen("simple_order_class", order_class, found)]
    knobs = tuple(knob for part in parts for knob in part.knobs)
    return Seen(found, Outcome.KNOB if knobs else Outcome.SAME, knobs)


@probe(8, "an order is new within 40 ms", needs_session=True)
def _acknowledged(bench: Bench) -> Seen:
    order_id = str(bench.placed()["id"])
    delay = bench.until(order_id, "new")
    bench.cancel(order_id)
    return timed("ack_delay", delay, "new")


@probe(9, "while the market is closed an order stays accepted")
def _while_closed(bench: Bench) -> Seen:
    if bench.is_open:
        return unseen("the market is open")
    body = bench.placed()
    bench.cancel(str(body["id"]))
    return plain(str(body.get("status")), is_expected=body.get("status") == "accepted")


@probe(10, "quantity and price are taken as numbers and echoed without noise")
def _numbers(bench: Bench) -> Seen:
    body = bench.placed(qty=1, limit_price=float(bench.price))
    bench.cancel(str(body["id"]))
    found = f"qty {body.get('qty')!r}, limit {body.get('limit_price')!r}"
    is_same = str(body.get("qty")) == "1" and Decimal(str(body.get("limit_price"))) == bench.price
    return plain(found, is_expected=is_same)


@probe(12, "a client_order_id over 128 characters is refused")
def _long_id(bench: Bench) -> Seen:
    reply = _refused(bench, client_order_id=bench.new_id().ljust(129, "x"))
    return plain(_said(reply), is_expected=reply.status == 422)


@probe(13, "the client_order_id of an open order is refused")
def _id_of_an_open_order(bench: Bench) -> Seen:
    terms = bench.terms()
    first = bench.trading("POST", "/orders", json=terms)
    second = bench.trading("POST", "/orders", json=terms)
    for reply in (first, second):
        if reply.status == 200:
            bench.cancel(str(reply.body["id"]))
    return plain(_said(second), is_expected=(first.status, second.status) == (200, 422))


@probe(14, "the client_order_id of an ended order is refused for ever")
def _id_of_an_ended_order(bench: Bench) -> Seen:
    terms = bench.terms()
    body = bench.trading("POST", "/orders", json=terms).body
    if _ended(bench, str(body["id"])) is None:
        return unseen("the first order did not end")
    again = bench.trading("POST", "/orders", json=terms)
    if again.status == 200:
        bench.cancel(str(again.body["id"]))
    value = {422: "forever", 200: "active"}.get(again.status or 0)
    return (
        Seen(_said(again), Outcome.DIFFERS) if value is None else chosen("client_order_id_scope", value, _said(again))
    )


@probe(15, "an order without a symbol or without a size is refused")
def _nothing_to_buy(bench: Bench) -> Seen:
    replies = [_refused(bench, symbol=None), _refused(bench, qty=None)]
    return plain("; ".join(map(_said, replies)), is_expected=all(reply.status == 422 for reply in replies))


@probe(16, "sizes and times in force that cannot be are refused")
def _impossible(bench: Bench) -> Seen:
    replies = [_refused(bench, qty="0"), _refused(bench, time_in_force="sometime")]
    return plain("; ".join(map(_said, replies)), is_expected=all(reply.status == 422 for reply in replies))


@probe(17, "qty and notional together are refused")
def _both_sizes(bench: Bench) -> Seen:
    reply = _refused(bench, notional="1")
    return plain(_said(reply), is_expected=reply.status == 422)


@probe(18, "a price off the tick is refused")
def _off_the_tick(bench: Bench) -> Seen:
    reply = _refused(bench, limit_price=str(bench.price + Decimal("0.001")))
    return plain(_said(reply), is_expected=reply.status == 422)


@probe(20, "an unknown asset is refused")
def _unknown_asset(bench: Bench) -> Seen:
    reply = _refused(bench, symbol="ZZZZZ")
    return plain(_said(reply), is_expected=reply.status == 422)


@probe(25, "more than nine decimals of a share are refused")
def _too_fine(bench: Bench) -> Seen:
    reply = _refused(bench, qty="1.0000000001")
    return plain(_said(reply), is_expected=reply.status == 422)


@probe(30, "an open buy holds buying power, and gives it back within 20 ms of its end")
def _buying_power(bench: Bench) -> Seen:
    bench.settle()
    before = _power(bench)
    order_id = bench.working()
    held = before - _power(bench)
    ended = _ended(bench, order_id)
    if ended is None:
        return unseen("the order did not end")
    delay = bench.when(lambda: _power(bench) >= before)
    if delay is not None:  # it ended somewhere between two polls
        delay = Delay(delay.low, delay.high + ended.high - ended.low)
    if held <= 0:
        return Seen("an open buy holds nothing", Outcome.DIFFERS)
    return timed("release_delay", delay, f"{held} dollars are held, and free again")


@probe(51, "a new order is in the list at once")
def _in_the_list(bench: Bench) -> Seen:
    order_id = str(bench.placed()["id"])
    delay = bench.when(lambda: order_id in {row["id"] for row in bench.listed().body or []})
    bench.cancel(order_id)
    return timed("list_lag", delay, "listed")


@probe(112, "a new order is found by its client_order_id at once")
def _by_client_id(bench: Bench) -> Seen:
    body = bench.placed()
    params = {"client_order_id": body["client_order_id"]}
    delay = bench.when(lambda: bench.trading("GET", "/orders:by_client_order_id", params=params).status == 200)
    bench.cancel(str(body["id"]))
    return timed("client_id_lag", delay, "found")


@probe(65, "a replace answers with a new order; the old one is replaced within 80 ms", needs_session=True)
def _replaced(bench: Bench) -> Seen:
    old = bench.working()
    changes = {"limit_price": str(bench.price + 1), "client_order_id": bench.new_id()}
    reply = bench.trading("PATCH", f"/orders/{old}", json=changes)
    if reply.status != 200 or reply.body["id"] == old:
        bench.cancel(old)
        return Seen(_said(reply), Outcome.DIFFERS)
    delay = bench.until(old, "replaced")
    bench.cancel(str(reply.body["id"]))
    return timed("replace_delay", delay, "replaced")


@probe(71, "a replace that changes nothing is refused", needs_session=True)
def _replaced_by_the_same(bench: Bench) -> Seen:
    old = bench.working()
    reply = bench.trading("PATCH", f"/orders/{old}", json={"limit_price": str(bench.price)})
    for order_id in {old, str(reply.body.get("id", old)) if reply.status == 200 else old}:
        bench.cancel(order_id)
    return plain(_said(reply), is_expected=reply.status == 422)


@probe(85, "a cancel answers 204; the order is canceled within 60 ms", needs_session=True)
def _canceled(bench: Bench) -> Seen:
    order_id = bench.working()
    reply = bench.cancel(order_id)
    if reply.status != 204:
        return Seen(_said(reply), Outcome.DIFFERS)
    return timed("cancel_delay", bench.until(order_id, "canceled"), "canceled")


@probe(87, "a canceled order may be canceled again")
def _canceled_twice(bench: Bench) -> Seen:
    order_id = bench.working()
    if _ended(bench, order_id) is None:
        return unseen("the order did not end")
    reply = bench.cancel(order_id)
    if reply.status not in {204, 422}:
        return Seen(_said(reply), Outcome.DIFFERS)
    return chosen("cancel_of_canceled", str(reply.status), str(reply.status))


@probe(88, "a second cancel while one is pending is refused", needs_session=True)
def _second_cancel(bench: Bench) -> Seen:
    """Seen only if the order is still pending after the second answer, or if that answer says so."""
    for _ in range(5):
        order_id = bench.working()
        bench.cancel(order_id)
        second = bench.cancel(order_id)
        is_pending = bench.status(order_id) == "pending_cancel"
        if second.status == 422 and "pending" in second.message:
            return chosen("second_cancel", "422", _said(second))
        if is_pending and second.status == 204:
            return chosen("second_cancel", "204", "204")
    return unseen("every order was canceled before its second cancel arrived")


@probe(91, "a cancel while the market is closed completes at once")
def _cancel_while_closed(bench: Bench) -> Seen:
    if bench.is_open:
        return unseen("the market is open")
    order_id = str(bench.placed()["id"])
    bench.cancel(order_id)
    is_done = bench.until(order_id, "canceled") is not None
    return chosen("cancel_while_closed", "immediate" if is_done else "at_open", bench.status(order_id))


def _ended(bench: Bench, order_id: str) -> Delay | None:
    """Cancel an order and see it ended; how long that took, None if it has not."""
    bench.until(order_id, *_TAKEN)
    bench.cancel(order_id)
    return bench.until(order_id, "canceled")


def _power(bench: Bench) -> Decimal:
    return Decimal(str(bench.trading("GET", "/account").body["buying_power"]))
