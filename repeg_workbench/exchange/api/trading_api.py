"""The trading API's order calls, with their checks in the broker's order."""

from dataclasses import replace
from typing import Any, Final

from repeg_workbench.exchange.api import fields, intake
from repeg_workbench.exchange.api.order_list import OrderFilter
from repeg_workbench.exchange.api.params import Params
from repeg_workbench.exchange.api.parts import Parts
from repeg_workbench.exchange.api.views import OrderTexts, order_view
from repeg_workbench.exchange.broker.orders import Order, Status, Terms
from repeg_workbench.exchange.broker.replacing import Changes
from repeg_workbench.exchange.broker.rules import (
    check_auction_window,
    check_buying_power,
    check_class,
    check_opening,
    check_shares,
    check_switches,
    check_wash_trade,
    reserve_price,
    size,
)
from repeg_workbench.exchange.messages import Request, Response, empty_response, json_response, json_text, text_response
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.seeds import is_uuid
from repeg_workbench.exchange.units import QTY_SCALE

_REPLACEABLE: Final = frozenset({Status.NEW, Status.PARTIALLY_FILLED})
_FINISHED_FOR_TODAY: Final = frozenset({Status.DONE_FOR_DAY, Status.CALCULATED})


class TradingApi:
    """The order calls."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._account = parts.account
        self._quirks = parts.quirks
        self._texts = OrderTexts()

    def submit(self, request: Request) -> Response:
        """POST /v2/orders."""
        terms = intake.read_terms(fields.read_body(request.body))
        # The symbol may be given as an asset id.
        terms = replace(terms, symbol=self._parts.symbol_of(terms.symbol))
        return json_response(self.view(self.place(terms)))

    def place(self, terms: Terms) -> Order:
        """Check an order against every rule, in the broker's order, and accept it. Raises Refusal."""
        parts, account, quirks, at = self._parts, self._account, self._quirks, self._parts.now
        listing = parts.listing(terms.symbol)
        if listing is None:
            raise Refusal.unprocessable(f'asset "{terms.symbol}" not found')
        intake.check_rules(terms, listing)
        self._require_free_id(terms.client_order_id)
        check_auction_window(terms, parts.hours, at)
        check_wash_trade(account, terms, quirks)
        is_closing = account.portfolio.quantity(terms.symbol) * terms.side < 0
        check_switches(account.switches, terms, is_closing=is_closing)
        if not is_closing:
            check_opening(account, terms, listing, quirks)
        check_class(terms, parts.price(terms.symbol), is_closing=is_closing)
        quantity, price = size(terms, parts.venue, at), reserve_price(terms, parts.venue, at)
        if not quantity * price:
            raise Refusal.unprocessable(f'asset "{terms.symbol}" has no market price')
        if is_closing:
            check_shares(account, terms.symbol, quantity)
        else:
            check_buying_power(account, price * quantity)
        return parts.desk.submit(terms, at, is_closing=is_closing)

    def list_orders(self, request: Request) -> Response:
        """GET /v2/orders."""
        wanted = OrderFilter.read(Params(request.query), self._quirks)
        orders = wanted.select(self._account.orders, self._parts.now)
        return text_response(f"[{','.join([self._text(order, is_nested=wanted.is_nested) for order in orders])}]")

    def get(self, request: Request, order_id: str) -> Response:
        """GET /v2/orders/{id}."""
        order = self._order(order_id)
        return json_response(self.view(order, is_nested=Params(request.query).flag("nested")))

    def get_by_client_id(self, request: Request) -> Response:
        """GET /v2/orders:by_client_order_id."""
        client_order_id = Params(request.query).text("client_order_id")
        if client_order_id is None:
            raise Refusal.parameter("client_order_id is required")
        order = self._account.orders.by_client_id.get(client_order_id)
        if order is None or order.is_forgotten or self._parts.now < order.findable_at:
            raise Refusal.not_found(f"order not found for {client_order_id}")
        return json_response(self.view(order))

    def replace(self, request: Request, order_id: str) -> Response:
        """PATCH /v2/orders/{id}."""
        old = self._order(order_id)
        body = fields.read_body(request.body)
        self._require_replaceable(old)
        changes = self._changes(old, body)
        self._require_free_id(changes.client_order_id)
        check_wash_trade(self._account, changes.applied(old.terms), self._quirks)
        new = self._parts.replacing.begin(old, changes, self._parts.now)
        return json_response(self.view(new))

    def cancel(self, request: Request, order_id: str) -> Response:  # noqa: ARG002
        """DELETE /v2/orders/{id}."""
        order = self._order(order_id)
        self._parts.desk.cancel_first(order, self._parts.now)
        if self._require_cancelable(order):
            self._parts.desk.cancel(order, self._parts.now)
        return empty_response()

    def cancel_all(self, request: Request) -> Response:  # noqa: ARG002
        """DELETE /v2/orders."""
        orders = [order for order in self._account.orders.open.values() if not order.is_forgotten]
        outcomes = [self._cancel_one(order) for order in orders]
        return json_response(outcomes, 207)

    def view(self, order: Order, *, is_nested: bool = True) -> dict[str, Any]:
        """The order as JSON."""
        if order.terms.is_trailing:
            self._parts.desk.floor.follow(order, self._parts.now)
        return order_view(order, self._quirks, is_nested=is_nested)

    def _text(self, order: Order, *, is_nested: bool) -> str:
        if order.legs or order.terms.is_trailing:
            return json_text(self.view(order, is_nested=is_nested))
        return self._texts.of(order, self._quirks)

    def _order(self, order_id: str) -> Order:
        found = self._account.orders.by_id.get(order_id.lower())
        if found is None and not is_uuid(order_id):
            raise Refusal.parameter("order_id is missing")
        if found is None or found.is_forgotten:
            raise Refusal.not_found(f"order not found for {order_id}")
        return found

    def _require_free_id(self, client_order_id: str | None) -> None:
        scope = self._quirks.client_order_id_scope
        if client_order_id and self._account.orders.is_taken(client_order_id, scope):
            raise Refusal.parameter("client_order_id must be unique")

    def _require_replaceable(self, order: Order) -> None:
        if order.status is Status.REPLACED:
            raise Refusal.unprocessable("order already replaced")
        if not order.is_open:
            raise Refusal.unprocessable("order is not open")
        if order.terms.notional is not None:
            raise Refusal.unprocessable("notional orders cannot be replaced")
        is_settling = order.replaces is not None and (not order.is_working or self._parts.now < order.settled_at)
        if is_settling:
            raise Refusal.unprocessable("order chain not fully replaced")
        if order.status not in _REPLACEABLE:
            raise Refusal.unprocessable(f"cannot replace order in {order.status} status")

    def _changes(self, old: Order, body: fields.Body) -> Changes:
        terms = old.terms
        changes = Changes(
            quantity=self._quantity(old, body),
            limit=fields.read_price(body, "limit_price", "limit price"),
            stop=fields.read_price(body, "stop_price", "stop price"),
            trail=fields.read_price(body, "trail", "trail"),
            time_in_force=fields.read_time_in_force(body),
            client_order_id=fields.read_client_order_id(body),
        )
        self._require_fitting(terms, changes)
        new = changes.applied(terms)
        if all(getattr(new, name) == getattr(terms, name) for name in _CHANGEABLE):
            raise Refusal.unprocessable("order parameters are not changed")
        return changes

    def _quantity(self, old: Order, body: fields.Body) -> int | None:
        quantity = fields.read_quantity(body)
        if quantity is None or quantity == old.quantity:
            return None
        if old.terms.is_advanced or old.parent is not None:
            raise Refusal.unprocessable("qty cannot be changed for advanced orders")
        if old.terms.is_fractional or quantity % QTY_SCALE:
            raise Refusal.unprocessable("qty of a fractional order cannot be changed")
        if quantity <= old.total_executed:
            raise Refusal.unprocessable("qty must be > filled_qty")
        return quantity

    @staticmethod
    def _require_fitting(terms: Terms, changes: Changes) -> None:
        if changes.limit is not None and not terms.has_limit:
            raise Refusal.parameter(f"{terms.type.replace('_', ' ')} orders require no limit price")
        if changes.stop is not None and terms.type not in {"stop", "stop_limit"}:
            raise Refusal.parameter(f"{terms.type.replace('_', ' ')} orders require no stop price")
        if changes.trail is not None and not terms.is_trailing:
            raise Refusal.parameter(f"{terms.type.replace('_', ' ')} orders require no trail")
        force = changes.time_in_force
        if force is not None and force != "day" and terms.is_fractional:
            raise Refusal.unprocessable("fractional orders must be DAY orders")

    def _require_cancelable(self, order: Order) -> bool:
        status, quirks = order.status, self._quirks
        if status is Status.CANCELED and quirks.cancel_of_canceled == "204":
            return False
        if not order.is_open or status in _FINISHED_FOR_TODAY:
            raise Refusal.unprocessable(f'order is already in "{status}" state')
        if status is Status.PENDING_CANCEL:
            if quirks.second_cancel == "422":
                raise Refusal.unprocessable("order pending cancel")
            return False
        if status is Status.PENDING_REPLACE or (order.replaces is not None and not order.is_working):
            raise Refusal.unprocessable("order pending replace")
        return True

    def _cancel_one(self, order: Order) -> dict[str, Any]:
        try:
            if order.is_open and self._require_cancelable(order):
                self._parts.desk.cancel(order, self._parts.now)
        except Refusal as refusal:
            return {"id": order.id, "status": refusal.status, "body": refusal.body}
        return {"id": order.id, "status": 200}


_CHANGEABLE: Final = ("quantity", "limit", "stop", "trail_price", "trail_percent", "time_in_force")
