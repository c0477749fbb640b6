"""The trading API's calls other than orders: account, positions, activities, assets, clock, calendar."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

from repeg_workbench.exchange.api import fields
from repeg_workbench.exchange.api.account_views import (
    account_view,
    asset_view,
    calendar_view,
    configuration_view,
    position_view,
)
from repeg_workbench.exchange.api.params import Params
from repeg_workbench.exchange.api.parts import Parts
from repeg_workbench.exchange.api.trading_api import TradingApi
from repeg_workbench.exchange.api.views import activity_id, activity_view
from repeg_workbench.exchange.broker.ledger import Execution
from repeg_workbench.exchange.broker.orders import BUY, SELL, Terms
from repeg_workbench.exchange.broker.portfolio import Holding
from repeg_workbench.exchange.figures import QTY_DIGITS, number
from repeg_workbench.exchange.messages import Request, Response, json_response
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.time.stamps import local_day, new_york

_PAGE_MOST: Final = 100
# The broker's calendar covers these days and all between.
FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2029, 12, 31)
_WHOLE: Final = 100
_FLAGS: Final = {
    "suspend_trade": "trade_suspended_by_user",
    "no_shorting": "no_shorting",
    "fractional_trading": "fractional_trading",
    "ptp_no_exception_entry": "ptp_no_exception_entry",
    "disable_overnight_trading": "disable_overnight_trading",
}
_EMAILS: Final = frozenset({"all", "none"})
_MULTIPLIERS: Final = frozenset({"1", "2", "4"})
_OPTIONS_LEVELS: Final = frozenset({0, 1, 2, 3})


class AccountApi:
    """All calls of the trading API other than orders. `clock_skew` (ns) is the error of the clock endpoint."""

    def __init__(self, parts: Parts, trading: TradingApi) -> None:
        self._parts, self._trading = parts, trading
        self._account = parts.account
        self.clock_skew = 0

    def account(self, request: Request) -> Response:  # noqa: ARG002
        """GET /v2/account."""
        return json_response(account_view(self._account, self._parts.quirks))

    def configurations(self, request: Request) -> Response:  # noqa: ARG002
        """GET /v2/account/configurations."""
        return json_response(configuration_view(self._account))

    def configure(self, request: Request) -> Response:
        """PATCH /v2/account/configurations."""
        body = fields.read_body(request.body)
        flags = {name: fields.read_flag(body, name) for name in _FLAGS if body.get(name) is not None}
        email = fields.read_choice(body, "trade_confirm_email", _EMAILS)
        multiplier = fields.read_choice(body, "max_margin_multiplier", _MULTIPLIERS)
        level = fields.read_number(body, "max_options_trading_level")
        if level is not None and level not in _OPTIONS_LEVELS:
            raise Refusal.parameter("invalid max_options_trading_level")
        switches = self._account.switches
        for name, value in flags.items():
            setattr(switches, _FLAGS[name], value)
        switches.trade_confirm_email = email or switches.trade_confirm_email
        switches.max_margin_multiplier = multiplier or switches.max_margin_multiplier
        switches.max_options_trading_level = switches.max_options_trading_level if level is None else int(level)
        return json_response(configuration_view(self._account))

    def positions(self, request: Request) -> Response:  # noqa: ARG002
        """GET /v2/positions."""
        return json_response([self._position_view(h) for h in self._account.portfolio.holdings.values()])

    def position(self, request: Request, key: str) -> Response:  # noqa: ARG002
        """GET /v2/positions/{symbol or asset id}."""
        return json_response(self._position_view(self._holding(key)))

    def close_position(self, request: Request, key: str) -> Response:
        """DELETE /v2/positions/{symbol or asset id}."""
        holding = self._holding(key)
        quantity = self._closing_quantity(Params(request.query), holding)
        return json_response(self._close(holding, quantity))

    def close_positions(self, request: Request) -> Response:
        """DELETE /v2/positions."""
        if Params(request.query).flag("cancel_orders"):
            self._trading.cancel_all(request)
        return json_response([self._close_outcome(h) for h in list(self._account.portfolio.holdings.values())], 207)

    def activities(self, request: Request) -> Response:
        """GET /v2/account/activities, with the types in the query."""
        params = Params(request.query)
        category = params.choice("category", ("", "trade_activity", "non_trade_activity"))
        types = params.words("activity_types")
        if types and category:
            raise Refusal.parameter("category cannot be combined with activity_types")
        return self._activities(request, types or (["FEE"] if category == "non_trade_activity" else ["FILL"]))

    def activities_of(self, request: Request, kind: str) -> Response:
        """GET /v2/account/activities/{type}."""
        return self._activities(request, [kind])

    def asset(self, request: Request, key: str) -> Response:  # noqa: ARG002
        """GET /v2/assets/{symbol or asset id}."""
        listing = self._parts.listing(self._parts.symbol_of(key))
        if listing is None:
            raise Refusal.not_found(f"asset not found for {key}")
        return json_response(asset_view(listing, self._parts.quirks))

    def assets(self, request: Request) -> Response:
        """GET /v2/assets."""
        params, market = Params(request.query), self._parts.market
        is_active = params.choice("status", ("active", "inactive", "all")) != "inactive"
        is_equity = params.text("asset_class") in {None, "us_equity"}
        exchange = params.text("exchange")
        listings = [market.listing(symbol) for symbol in market.symbols()] if is_active and is_equity else []
        wanted = [x for x in listings if x is not None and exchange in {None, x.exchange}]
        return json_response([asset_view(listing, self._parts.quirks) for listing in wanted])

    def clock(self, request: Request) -> Response:  # noqa: ARG002
        """GET /v2/clock."""
        at, hours = self._parts.now + self.clock_skew, self._parts.hours
        session = hours.upcoming(at)
        is_open = session.is_core(at)
        return json_response(
            {
                "timestamp": new_york(at),
                "is_open": is_open,
                "next_open": new_york(hours.after(session).open if is_open else session.open),
                "next_close": new_york(session.close),
            }
        )

    def calendar(self, request: Request) -> Response:
        """GET /v2/calendar."""
        params = Params(request.query)
        start, end = self._day(params, "start", FIRST_DAY), self._day(params, "end", LAST_DAY)
        start, end = max(start, FIRST_DAY), min(end, LAST_DAY)
        if start > end:
            return json_response([])
        sessions = self._parts.hours.calendar.sessions(start, end + timedelta(days=10))
        return json_response([calendar_view(s, after) for s, after in pairwise(sessions) if s.day <= end])

    def announcements(self, request: Request) -> Response:  # noqa: ARG002
        """GET /v1/corporate-actions: always an empty page, as corporate actions are not simulated."""
        return json_response({"corporate_actions": {}, "next_page_token": None})

    def _position_view(self, holding: Holding) -> dict[str, Any]:
        parts, symbol = self._parts, holding.symbol
        price = parts.price(symbol)
        last_close = parts.venue.reference_price(symbol) or price
        return position_view(holding, self._account, parts.listing(symbol), price, last_close)

    def _holding(self, key: str) -> Holding:
        holding = self._account.portfolio.holdings.get(self._parts.symbol_of(key))
        if holding is None:
            raise Refusal.not_found("position does not exist")
        return holding

    @staticmethod
    def _closing_quantity(params: Params, holding: Holding) -> int:
        shares, percentage, held = params.text("qty"), params.text("percentage"), abs(holding.quantity)
        if shares is None and percentage is None:
            return held
        if shares is not None and percentage is not None:
            raise Refusal.parameter("only one of qty or percentage is accepted")
        value = number(shares or percentage)
        if value is None or value <= 0 or (shares is None and value > _WHOLE):
            raise Refusal.parameter("qty must be > 0" if shares else "percentage must be between 0 and 100")
        if shares is not None:
            return fields.nine_decimals(value, "qty")
        quantity = held * fields.nine_decimals(value, "percentage") // (_WHOLE * 10**QTY_DIGITS)
        if not quantity:
            raise Refusal.parameter("qty must be > 0")
        return quantity

    def _close(self, holding: Holding, quantity: int) -> dict[str, Any]:
        side = SELL if holding.quantity > 0 else BUY
        terms = Terms(symbol=holding.symbol, side=side, type="market", time_in_force="day", quantity=quantity)
        return self._trading.view(self._trading.place(terms))

    def _close_outcome(self, holding: Holding) -> dict[str, Any]:
        try:
            body = self._close(holding, abs(holding.quantity))
        except Refusal as refusal:
            return {"symbol": holding.symbol, "status": refusal.status, "body": refusal.body}
        return {"symbol": holding.symbol, "status": 200, "body": body}

    def _activities(self, request: Request, types: list[str]) -> Response:
        if not all(kind.isalpha() and kind.isupper() and kind.isascii() for kind in types):
            raise Refusal.parameter("invalid activity type")
        params = Params(request.query)
        size = params.integer("page_size", _PAGE_MOST)
        if size > _PAGE_MOST:
            raise Refusal.parameter("page_size must be <= 100")
        executions = self._selected(params) if "FILL" in types else []
        return json_response([activity_view(execution) for execution in self._page(params, executions)[:size]])

    def _selected(self, params: Params) -> list[Execution]:
        after, until, day = params.stamp("after"), params.stamp("until"), params.text("date")
        order_id, executions = params.text("order_id"), self._account.ledger.executions
        if order_id is not None:
            executions = [e for e in executions if e.order_id == order_id.lower()]
        if day is not None:
            wanted = self._day(params, "date", FIRST_DAY)
            found = [e for e in executions if local_day(e.at) == wanted]
        else:
            found = [e for e in executions if (after is None or e.at > after) and (until is None or e.at < until)]
        return found if params.choice("direction", ("desc", "asc")) == "asc" else found[::-1]

    @staticmethod
    def _page(params: Params, executions: list[Execution]) -> list[Execution]:
        token = params.text("page_token")
        if token is None:
            return executions
        wanted = token.rpartition("::")[2]  # a whole id costs too much to make for each of a day's thousands
        for index, execution in enumerate(executions):
            if execution.id == wanted and activity_id(execution) == token:
                return executions[index + 1 :]
        raise Refusal.parameter("invalid page_token")

    @staticmethod
    def _day(params: Params, name: str, default: date) -> date:
        value = params.text(name)
        if value is None:
            return default
        try:
            return date.fromisoformat(value[:10])
        except ValueError as error:
            raise Refusal.parameter(f"invalid {name}") from error
