"""The control plane: arms faults and races, moves clocks, and shows the truth, on paths outside the broker's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from repeg_workbench.exchange.api.params import Params
from repeg_workbench.exchange.api.views import side_word
from repeg_workbench.exchange.broker.ledger import Execution, OrderEvent
from repeg_workbench.exchange.control.bodies import (
    ArmFault,
    ArmRace,
    ArmStreamFault,
    BrewStorm,
    MoveClock,
    SetKeys,
    Split,
)
from repeg_workbench.exchange.control.storm import brew
from repeg_workbench.exchange.faults.arming import When
from repeg_workbench.exchange.faults.transport_faults import Fault, StreamFault
from repeg_workbench.exchange.figures import money_text, price_text, qty_text
from repeg_workbench.exchange.messages import Request, Response, json_response
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.time.stamps import utc

if TYPE_CHECKING:
    from repeg_workbench.exchange.core import Exchange

PREFIX: Final = "/_sim"


class Control:
    """Answers the control plane's calls; `move` is how a clock that does not run by itself is moved on (seconds)."""

    def __init__(self, exchange: Exchange, move: Callable[[float], None] | None = None) -> None:
        self.move = move
        self._exchange = exchange
        self.calls: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", ""): self._overview,
            ("GET", "/ledger"): self._ledger,
            ("GET", "/faults"): self._armed,
            ("POST", "/faults"): self._arm_fault,
            ("POST", "/stream-faults"): self._arm_stream_fault,
            ("POST", "/races"): self._arm_race,
            ("POST", "/storm"): self._brew,
            ("DELETE", "/faults"): self._disarm,
            ("POST", "/keys"): self._set_keys,
            ("POST", "/clock"): self._move_clock,
            ("POST", "/splits"): self._split,
        }

    def handle(self, request: Request) -> Response:
        """Answer one call; a bad one names the field."""
        call = self.calls.get((request.method, request.path.removeprefix(PREFIX).rstrip("/")))
        if call is None:
            return json_response({"message": "the control plane has no such call"}, 404)
        try:
            return json_response(call(request))
        except ValidationError as error:
            return json_response({"message": str(error)}, 422)
        except Refusal as refusal:
            return refusal.response()

    def _overview(self, request: Request) -> Any:  # noqa: ARG002
        exchange = self._exchange
        ledger = exchange.ledger
        return {
            "now": utc(exchange.now),
            "symbols": list(exchange.market.symbols()),
            "open_orders": len(exchange.account.orders.open),
            "cash": money_text(ledger.cash),
            "held_cash": money_text(ledger.held_cash),
            "equity": money_text(exchange.account.portfolio.equity()),
            "knobs": vars(exchange.knobs),
        }

    def _ledger(self, request: Request) -> Any:
        since = Params(request.query).integer("since", 1) - 1
        ledger = self._exchange.ledger
        return {
            "events": [_event_view(event) for event in ledger.events[since:]],
            "executions": [_execution_view(execution) for execution in ledger.executions],
            "next": len(ledger.events) + 1,
        }

    def _armed(self, request: Request) -> Any:  # noqa: ARG002
        exchange = self._exchange
        armories: dict[str, Sequence[tuple[object, When, int]]] = {
            "faults": exchange.faults.armory.armed(),
            "stream_faults": exchange.faults.stream_armory.armed(),
            "races": exchange.races.entries.armed(),
        }
        return {
            name: [{"what": str(what), "when": vars(when), "taken": taken} for what, when, taken in armed]
            for name, armed in armories.items()
        }

    def _arm_fault(self, request: Request) -> Any:
        order = ArmFault.model_validate_json(request.body)
        details = order.model_dump(exclude={"times", "skip", "chance"})
        self._exchange.faults.arm(Fault(**details), order.when)
        return {"armed": order.kind}

    def _arm_stream_fault(self, request: Request) -> Any:
        order = ArmStreamFault.model_validate_json(request.body)
        self._exchange.faults.arm_stream(StreamFault(failure=order.failure, event=order.event), order.when)
        return {"armed": order.failure}

    def _arm_race(self, request: Request) -> Any:
        order = ArmRace.model_validate_json(request.body)
        self._exchange.races.arm(order.race, symbol=order.symbol, seconds=order.seconds, when=order.when)
        return {"armed": order.race}

    def _brew(self, request: Request) -> Any:
        order = BrewStorm.model_validate_json(request.body)
        brew(self._exchange, order.chance)
        return {"chance": order.chance}

    def _disarm(self, request: Request) -> Any:  # noqa: ARG002
        self._exchange.faults.disarm()
        self._exchange.races.entries.disarm()
        return {}

    def _set_keys(self, request: Request) -> Any:
        order = SetKeys.model_validate_json(request.body)
        gate = self._exchange.gate
        for key_id in gate.keys:
            (gate.revoke if order.revoked else gate.restore)(key_id)
        return {"revoked": order.revoked}

    def _move_clock(self, request: Request) -> Any:
        order = MoveClock.model_validate_json(request.body)
        if order.skew_seconds is not None:
            self._exchange.skew_clock(order.skew_seconds)
        if order.advance_seconds is not None:
            if self.move is None:
                raise Refusal.unprocessable("this exchange's clock runs by itself")
            self.move(order.advance_seconds)
            self._exchange.advance()
        return {"now": utc(self._exchange.now)}

    def _split(self, request: Request) -> Any:
        order = Split.model_validate_json(request.body)
        if self._exchange.market.listing(order.symbol) is None:
            raise Refusal.unprocessable(f'asset "{order.symbol}" not found')
        self._exchange.split(order.symbol, order.new, order.old)
        return {"symbol": order.symbol}


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
