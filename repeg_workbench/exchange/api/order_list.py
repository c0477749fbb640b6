"""The filters of the list of orders."""

from dataclasses import dataclass
from typing import Final, Self

from repeg_workbench.exchange.api.params import Params
from repeg_workbench.exchange.broker.account import Blotter
from repeg_workbench.exchange.broker.orders import Order
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.refusal import Refusal

_DEFAULT: Final = 50
_MOST: Final = 500
_SIDES: Final = {"buy": 1, "sell": -1}
_ASSET_CLASSES: Final = frozenset({"us_equity", "us_option", "crypto", "crypto_perp", "all"})


@dataclass(frozen=True, kw_only=True)
class OrderFilter:
    """One call's filters; times in ns, and orders by id, are exclusive."""

    status: str
    is_nested: bool
    is_ascending: bool
    limit: int
    after: int | None
    until: int | None
    after_id: str | None
    before_id: str | None
    symbols: frozenset[str]
    side: int | None
    is_equity: bool

    @classmethod
    def read(cls, params: Params, quirks: BrokerQuirks) -> Self:
        """The filters in a query. Raises Refusal."""
        classes = set(params.words("asset_class")) or {"us_equity"}
        if not classes <= _ASSET_CLASSES:
            raise Refusal.parameter("invalid asset_class")
        wanted = cls(
            status=params.choice("status", ("open", "closed", "all")),
            is_nested=params.flag("nested"),
            is_ascending=params.choice("direction", ("desc", "asc")) == "asc",
            limit=_limit(params, quirks),
            after=params.stamp("after"),
            until=params.stamp("until"),
            after_id=params.text("after_order_id"),
            before_id=params.text("before_order_id"),
            symbols=frozenset(params.words("symbols")),
            side=_SIDES.get(params.choice("side", ("", "buy", "sell"))),
            is_equity=bool(classes & {"us_equity", "all"}),
        )
        wanted._require_one_bound()
        return wanted

    def select(self, orders: Blotter, now: int) -> list[Order]:
        """The orders that lists show now and that pass every filter, in the order asked for."""
        found = list[Order]()
        pool = self._between(orders) if self.is_equity else []
        for order in pool if self.is_ascending else reversed(pool):
            if self._passes(order, now):
                found.append(order)
                if len(found) == self.limit:
                    break
        return found

    def _require_one_bound(self) -> None:
        if self.after_id and self.before_id:
            raise Refusal.parameter("only one of after_order_id or before_order_id is accepted")
        if (self.after_id or self.before_id) and (self.after is not None or self.until is not None):
            raise Refusal.parameter("after_order_id and before_order_id cannot be combined with after or until")

    def _between(self, orders: Blotter) -> list[Order]:
        """The pool of orders, oldest first; orders are in the order of their submission."""
        bound = self.after_id or self.before_id
        if bound is None:
            return list(orders.open.values() if self.status == "open" else orders.by_id.values())
        ids = list(orders.by_id)
        if bound.lower() not in orders.by_id:
            raise Refusal.parameter(f"invalid {'after' if self.after_id else 'before'}_order_id")
        place = ids.index(bound.lower())
        pool = ids[place + 1 :] if self.after_id else ids[:place]
        return [order for order in map(orders.by_id.__getitem__, pool) if self.status != "open" or order.is_open]

    def _passes(self, order: Order, now: int) -> bool:
        return (
            now >= order.listed_at
            and not order.is_forgotten
            and (self.status != "closed" or not order.is_open)
            and not (self.is_nested and order.parent)
            and (self.after is None or order.submitted_at > self.after)
            and (self.until is None or order.submitted_at < self.until)
            and (not self.symbols or order.terms.symbol in self.symbols)
            and (self.side is None or order.terms.side == self.side)
        )


def _limit(params: Params, quirks: BrokerQuirks) -> int:
    limit = params.integer("limit", _DEFAULT)
    if limit > _MOST and quirks.list_limit_excess == "422":
        raise Refusal.parameter("limit must be <= 500")
    return min(limit, _MOST)
