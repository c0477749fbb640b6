"""The control plane: arms faults and races, moves clocks and reads the ledger, on paths outside the broker's API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from pydantic import ValidationError

from repeg_workbench.exchange.api.account_api import LAST_DAY
from repeg_workbench.exchange.api.gate import Gate
from repeg_workbench.exchange.api.params import Params
from repeg_workbench.exchange.api.views import side_word
from repeg_workbench.exchange.broker.account import Account
from repeg_workbench.exchange.broker.ledger import Execution, OrderEvent
from repeg_workbench.exchange.broker.orders import Status
from repeg_workbench.exchange.broker.races import Races
from repeg_workbench.exchange.broker.setting_aside import WORKING, SettingAside
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.control.bodies import (
    ArmAll,
    ArmFault,
    ArmRace,
    ArmStreamFault,
    MoveClock,
    SetKeys,
    SetOrder,
    Split,
)
from repeg_workbench.exchange.control.chaos import arm_all
from repeg_workbench.exchange.faults.stream_faults import StreamFault
from repeg_workbench.exchange.faults.transport_faults import Fault, Faults
from repeg_workbench.exchange.figures import money_text, price_text, qty_text
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.messages import Request, Response, json_response
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.time.stamps import SECOND, at_local, utc
from repeg_workbench.exchange.triggers import Armed, When
from repeg_workbench.exchange.units import QTY_SCALE

PREFIX: Final = "/_sim"
CLOCK: Final = f"{PREFIX}/clock"
_MOST_ARMED: Final = 1_000
_MOST_SHARES: Final = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class ControlParts:
    """The parts of the exchange that the control plane shows and changes.

    `clock` returns the present time (ns), `advance` catches up with it, `skew_clock` takes seconds.
    """

    market: Market
    account: Account
    quirks: BrokerQuirks
    gate: Gate
    faults: Faults
    races: Races
    clock: Callable[[], int]
    advance: Callable[[], object]
    skew_clock: Callable[[float], None]
    split: Callable[[str, int, int], None]
    setting_aside: SettingAside


class Control:
    """Answers the control plane's calls. `move` moves a simulated clock forward by seconds; None for real time."""

    def __init__(self, parts: ControlParts, move: Callable[[float], None] | None = None) -> None:
        self.move = move
        self._parts = parts
        self.calls: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", ""): self._overview,
            ("GET", "/ledger"): self._ledger,
            ("GET", "/faults"): self._armed,
            ("POST", "/faults"): self._arm_fault,
            ("POST", "/stream-faults"): self._arm_stream_fault,
            ("POST", "/races"): self._arm_race,
            ("POST", "/chaos"): self._arm_all,
            ("DELETE", "/faults"): self._disarm,
            ("POST", "/keys"): self._set_keys,
            ("POST", "/clock"): self._move_clock,
            ("POST", "/splits"): self._split,
            ("POST", "/orders"): self._set_order,
        }

    def handle(self, request: Request) -> Response:
        """Answer one call; the answer to an invalid body names the field."""
        call = self.calls.get((request.method, request.path.removeprefix(PREFIX).rstrip("/")))
        if call is None:
            return json_response({"message": "unknown control plane call"}, 404)
        try:
            return json_response(call(request))
        except ValidationError as error:
            return json_response({"message": str(error)}, 422)
        except Refusal as refusal:
            return refusal.response()

    def _overview(self, request: Request) -> Any:  # noqa: ARG002
        parts = self._parts
        ledger = parts.account.ledger
        return {
            "now": utc(parts.clock()),
            "symbols": list(parts.market.symbols()),
            "open_orders": len(parts.account.orders.open),
            "cash": money_text(ledger.cash),
            "held_cash": money_text(ledger.held_cash),
            "equity": money_text(parts.account.portfolio.equity()),
            "knobs": vars(parts.quirks),
        }

    def _ledger(self, request: Request) -> Any:
        since = Params(request.query).integer("since", 1) - 1
        ledger = self._parts.account.ledger
        return {
            "events": [_event_view(event) for event in ledger.events[since:]],
            "executions": [_execution_view(execution) for execution in ledger.executions],
            "next": len(ledger.events) + 1,
        }

    def _armed(self, request: Request) -> Any:  # noqa: ARG002
        parts = self._parts
        kinds: dict[str, Sequence[tuple[object, When, int]]] = {
            "faults": parts.faults.armed.entries(),
            "stream_faults": parts.faults.armed_streams.entries(),
            "races": parts.races.armed.entries(),
        }
        return {
            name: [{"what": str(what), "when": vars(when), "taken": taken} for what, when, taken in armed]
            for name, armed in kinds.items()
        }

    def _arm_fault(self, request: Request) -> Any:
        order = ArmFault.model_validate_json(request.body)
        _require_room(self._parts.faults.armed)
        details = order.model_dump(exclude={"times", "skip", "chance"})
        self._parts.faults.arm(Fault(**details), order.when)
        return {"armed": order.kind}

    def _arm_stream_fault(self, request: Request) -> Any:
        order = ArmStreamFault.model_validate_json(request.body)
        _require_room(self._parts.faults.armed_streams)
        details = order.model_dump(exclude={"times", "skip", "chance"})
        self._parts.faults.arm_stream(StreamFault(**details), order.when)
        return {"armed": order.failure}

    def _arm_race(self, request: Request) -> Any:
        order = ArmRace.model_validate_json(request.body)
        _require_room(self._parts.races.armed)
        self._parts.races.arm(order.race, symbol=order.symbol, seconds=order.seconds, when=order.when)
        return {"armed": order.race}

    def _arm_all(self, request: Request) -> Any:
        order = ArmAll.model_validate_json(request.body)
        _require_room(self._parts.faults.armed)
        arm_all(self._parts.faults, self._parts.races, order.chance)
        return {"chance": order.chance}

    def _disarm(self, request: Request) -> Any:  # noqa: ARG002
        self._parts.faults.disarm()
        self._parts.races.armed.disarm()
        return {}

    def _set_keys(self, request: Request) -> Any:
        order = SetKeys.model_validate_json(request.body)
        gate = self._parts.gate
        for key_id in gate.keys:
            (gate.revoke if order.revoked else gate.restore)(key_id)
        return {"revoked": order.revoked}

    def _move_clock(self, request: Request) -> Any:
        order = MoveClock.model_validate_json(request.body)
        if order.skew_seconds is not None:
            self._parts.skew_clock(order.skew_seconds)
        if order.advance_seconds is not None:
            if self.move is None:
                raise Refusal.unprocessable("this exchange runs in real time; its clock cannot be moved")
            if self._parts.clock() + round(order.advance_seconds * SECOND) > at_local(LAST_DAY, time(23, 59)):
                raise Refusal.unprocessable(f"the broker's calendar ends on {LAST_DAY}")
            self.move(order.advance_seconds)
            self._parts.advance()
        return {"now": utc(self._parts.clock())}

    def _set_order(self, request: Request) -> Any:
        body = SetOrder.model_validate_json(request.body)
        orders = self._parts.account.orders
        order = orders.by_id.get(body.order_id or "") or orders.by_client_id.get(body.client_order_id or "")
        if order is None:
            raise Refusal.not_found("order not found")
        if body.status == WORKING:
            self._parts.setting_aside.resume(order, self._parts.clock())
        elif body.status is not None:
            self._parts.setting_aside.put(order, Status(body.status), self._parts.clock())
        order.is_forgotten = order.is_forgotten if body.forgotten is None else body.forgotten
        return {"id": order.id, "status": order.status, "forgotten": order.is_forgotten}

    def _split(self, request: Request) -> Any:
        order = Split.model_validate_json(request.body)
        if self._parts.market.listing(order.symbol) is None:
            raise Refusal.unprocessable(f'asset "{order.symbol}" not found')
        held = abs(self._parts.account.portfolio.quantity(order.symbol))
        if held * order.new // order.old > _MOST_SHARES * QTY_SCALE:
            raise Refusal.unprocessable(f"a position has at most {_MOST_SHARES} shares")
        self._parts.split(order.symbol, order.new, order.old)
        return {"symbol": order.symbol}


def _require_room(armed: Armed[Any]) -> None:
    if len(armed.entries()) >= _MOST_ARMED:
        raise Refusal.unprocessable(f"at most {_MOST_ARMED} can be armed; DELETE /_sim/faults disarms everything")


def _event_view(event: OrderEvent) -> dict[str, Any]:
    return {
        "at": utc(event.at),
        "order_id": event.order_id,
        "client_order_id": event.client_order_id,
        "symbol": event.symbol,
        "side": side_word(event.side),
        "event": event.event,
        "status": event.status,
        "qty": None if event.quantity is None else qty_text(event.quantity),
        "filled_qty": qty_text(event.filled),
        "limit_price": None if event.limit is None else price_text(event.limit),
        "reason": event.reason,
    }


def _execution_view(execution: Execution) -> dict[str, Any]:
    return {
        "at": utc(execution.at),
        "id": execution.id,
        "order_id": execution.order_id,
        "client_order_id": execution.client_order_id,
        "symbol": execution.symbol,
        "side": side_word(execution.side),
        "qty": qty_text(execution.quantity),
        "price": price_text(execution.price),
        "cum_qty": qty_text(execution.cumulative),
        "leaves_qty": qty_text(execution.leaves),
    }
