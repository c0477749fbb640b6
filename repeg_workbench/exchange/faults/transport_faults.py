"""Faults at the transport, applied before a call is routed or after it is answered."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from repeg_workbench.exchange.faults.rewrites import REWRITES, Rewrite
from repeg_workbench.exchange.faults.stream_faults import StreamFailure, StreamFault
from repeg_workbench.exchange.messages import Request, Response, html_response, json_response
from repeg_workbench.exchange.triggers import Armed, When

_REASONS: Final = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}


class Failure(StrEnum):
    """How a connection fails a client."""

    RESET = "reset"
    """The peer closes the connection without an answer."""
    HANG = "hang"
    """The peer sends nothing for a long time, then closes the connection."""


class TransportFault(Exception):
    """No answer reaches the client; the transport turns this into the behaviour of a real network."""

    def __init__(self, failure: Failure, seconds: float = 0) -> None:
        super().__init__(f"{failure} after {seconds} s")
        self.failure = failure
        self.seconds = seconds


class Kind(StrEnum):
    """The kinds of fault."""

    RESET_BEFORE = "reset_before"
    """The connection breaks before the call is carried out."""
    RESET_AFTER = "reset_after"
    """The call is carried out, then the connection breaks."""
    HANG_BEFORE = "hang_before"
    """No answer for `seconds`; the call is not carried out."""
    HANG_AFTER = "hang_after"
    """The call is carried out, then no answer for `seconds`."""
    LATE = "late"
    """No answer for `seconds`; the call arrives and is carried out `delay` seconds after it was sent."""
    SLOW = "slow"
    """The call is carried out and answered `seconds` late."""
    ANSWER_BEFORE = "answer_before"
    """The call is not carried out; the answer is `status` with `body`."""
    ANSWER_AFTER = "answer_after"
    """The call is carried out, but the answer is `status` with `body`."""
    REWRITE = "rewrite"
    """The call is carried out and its answer is rewritten."""


_BEFORE: Final = frozenset({Kind.RESET_BEFORE, Kind.HANG_BEFORE, Kind.LATE, Kind.ANSWER_BEFORE})
_AFTER: Final = frozenset(Kind) - _BEFORE


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault and the calls it applies to: a method (or *) and a regular expression that must match the whole path.

    A body of None is sent as a proxy's error page for that status, a string unchanged as text/html, and anything else
    as JSON.
    """

    kind: Kind
    method: str = "*"
    path: str = ".*"
    seconds: float = 30
    delay: float = 5
    status: int = 504
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    rewrite: str | Rewrite = ""

    def fits(self, request: Request) -> bool:
        """Whether the fault applies to the call."""
        return self.method in {"*", request.method} and re.fullmatch(self.path, request.path) is not None

    def answer(self) -> Response:
        """The answer that replaces the exchange's."""
        if self.body is None:
            response = html_response(self.status, _REASONS.get(self.status, "Error"))
        elif isinstance(self.body, str):
            response = Response(self.status, {"Content-Type": "text/html"} if self.body else {}, self.body.encode())
        else:
            response = json_response(self.body, self.status)
        response.headers.update(self.headers)
        return response

    def rewritten(self, response: Response) -> Response:
        """The exchange's answer, rewritten; refusals stay as they are."""
        if not response.body or response.status >= 300:
            return response
        change = REWRITES[self.rewrite] if isinstance(self.rewrite, str) else self.rewrite
        changed = json_response(change(json.loads(response.body)), response.status)
        changed.headers.update(response.headers)
        return changed


class Faults:
    """The armed transport faults. `postpone` carries out a call a number of seconds later."""

    def __init__(self, seed: int = 0) -> None:
        self.armed = Armed[Fault](seed)
        self.armed_streams = Armed[StreamFault](seed)
        self.postpone: Callable[[float, Request], None] = _nowhere
        self.on_strike: list[Callable[[], None]] = []

    def arm(self, fault: Fault, when: When | None = None) -> None:
        """Apply a fault to the next matching call. Raises KeyError for an unknown rewrite."""
        if isinstance(fault.rewrite, str) and fault.kind is Kind.REWRITE:
            REWRITES[fault.rewrite]
        self.armed.arm(fault, when or When())

    def arm_stream(self, fault: StreamFault, when: When | None = None) -> None:
        """Apply a fault to the next matching stream event."""
        self.armed_streams.arm(fault, when or When())

    def disarm(self) -> None:
        """Disarm all faults."""
        self.armed.disarm()
        self.armed_streams.disarm()

    def stream(self, event: str) -> StreamFault | None:
        """The fault that strikes an order's event, if any; a new connection is the event `connect`."""
        if not self.armed_streams:
            return None
        return self.armed_streams.take(lambda each: each.failure is not StreamFailure.REFUSE and each.fits(event))

    def refusal(self, stream: str) -> StreamFault | None:
        """The fault that refuses the upgrade of a connection to that stream, if any."""
        if not self.armed_streams:
            return None
        return self.armed_streams.take(lambda each: each.failure is StreamFailure.REFUSE and each.fits(stream))

    def market_data(self, channel: str) -> StreamFault | None:
        """The fault that strikes a message of a market data channel, if one names that channel."""
        if not self.armed_streams:
            return None
        return self.armed_streams.take(lambda each: each.event == channel)

    def before(self, request: Request) -> Response | None:
        """The answer in place of carrying out the call, or None. Raises TransportFault for no answer at all."""
        fault = self._take(request, _BEFORE)
        if fault is None:
            return None
        if fault.kind is Kind.ANSWER_BEFORE:
            return fault.answer()
        if fault.kind is Kind.LATE:
            self.postpone(fault.delay, request)
        raise _failure(fault)

    def after(self, request: Request, response: Response) -> Response:
        """The answer as the client receives it. Raises TransportFault if none reaches it."""
        fault = self._take(request, _AFTER)
        if fault is None:
            return response
        if fault.kind is Kind.ANSWER_AFTER:
            return fault.answer()
        if fault.kind is Kind.REWRITE:
            return fault.rewritten(response)
        if fault.kind is Kind.SLOW:
            response.delay = fault.seconds
            return response
        raise _failure(fault)

    def _take(self, request: Request, kinds: frozenset[Kind]) -> Fault | None:
        if not self.armed:
            return None
        fault = self.armed.take(lambda fault: fault.kind in kinds and fault.fits(request))
        for listener in self.on_strike if fault is not None else ():
            listener()
        return fault


def _failure(fault: Fault) -> TransportFault:
    if fault.kind in {Kind.RESET_BEFORE, Kind.RESET_AFTER}:
        return TransportFault(Failure.RESET)
    return TransportFault(Failure.HANG, fault.seconds)


def _nowhere(delay: float, request: Request) -> None:
    raise RuntimeError(f"{request.method} {request.path} cannot arrive {delay} s late: no exchange to arrive at")
