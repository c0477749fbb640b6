"""What can go wrong between a client and the exchange, decided before a call is routed and after it was answered."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from repeg_workbench.exchange.faults.rewrites import REWRITES, Rewrite
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
    """The peer says nothing for a long time, then closes."""


class TransportFault(Exception):
    """No answer reaches the client; what carries calls turns this into what a real network would have done."""

    def __init__(self, failure: Failure, seconds: float = 0) -> None:
        super().__init__(f"{failure} after {seconds} s")
        self.failure = failure
        self.seconds = seconds


class Kind(StrEnum):
    """What a fault does to a call."""

    RESET_BEFORE = "reset_before"
    """The connection breaks and nothing was done."""
    RESET_AFTER = "reset_after"
    """The call is carried out, then the connection breaks."""
    HANG_BEFORE = "hang_before"
    """Silence for `seconds`, and nothing was done."""
    HANG_AFTER = "hang_after"
    """The call is carried out, then silence for `seconds`."""
    LATE = "late"
    """Silence for `seconds`; the call arrives and is carried out `delay` seconds after it was sent."""
    SLOW = "slow"
    """The call is carried out, and the answer comes `seconds` later."""
    ANSWER_BEFORE = "answer_before"
    """Nothing is done, and the answer is `status` with `body`."""
    ANSWER_AFTER = "answer_after"
    """The call is carried out, and the answer is `status` with `body` all the same."""
    REWRITE = "rewrite"
    """The call is carried out, and its answer is changed."""


_BEFORE: Final = frozenset({Kind.RESET_BEFORE, Kind.HANG_BEFORE, Kind.LATE, Kind.ANSWER_BEFORE})
_AFTER: Final = frozenset(Kind) - _BEFORE


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault and the calls it is meant for: a method (or *) and a regular expression that the whole path matches.

    A body of None is the page that a proxy would send with that status, a string is sent as it is with the content
    type text/html, anything else as JSON.
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
        """Whether the call is one of those it is meant for."""
        return self.method in {"*", request.method} and re.fullmatch(self.path, request.path) is not None

    def answer(self) -> Response:
        """The answer in place of the exchange's."""
        if self.body is None:
            response = html_response(self.status, _REASONS.get(self.status, "Error"))
        elif isinstance(self.body, str):
            response = Response(self.status, {"Content-Type": "text/html"} if self.body else {}, self.body.encode())
        else:
            response = json_response(self.body, self.status)
        response.headers.update(self.headers)
        return response

    def rewritten(self, response: Response) -> Response:
        """The exchange's answer, changed; an answer that is a refusal stays as it is."""
        if not response.body or response.status >= 300:
            return response
        change = REWRITES[self.rewrite] if isinstance(self.rewrite, str) else self.rewrite
        changed = json_response(change(json.loads(response.body)), response.status)
        changed.headers.update(response.headers)
        return changed


class StreamFailure(StrEnum):
    """How a stream fails a client."""

    DROP = "drop"
    """The event is never told."""
    DUPLICATE = "duplicate"
    """The event is told twice."""
    DISCONNECT = "disconnect"
    """The event is told, then the connection closes."""
    SILENT = "silent"
    """A connection is taken, and nothing is ever said on it; its event is `connect`."""


@dataclass(frozen=True, kw_only=True)
class StreamFault:
    """One failure of the streams, at the events of that name (or any, *)."""

    failure: StreamFailure
    event: str = "*"


class Faults:
    """The faults that are armed. `postpone` has a call carried out so many seconds later."""

    def __init__(self, seed: int = 0) -> None:
        self.armed = Armed[Fault](seed)
        self.armed_streams = Armed[StreamFault](seed)
        self.postpone: Callable[[float, Request], None] = _nowhere

    def arm(self, fault: Fault, when: When | None = None) -> None:
        """Have the next call that fits suffer it; KeyError for a rewrite that has no such name."""
        if isinstance(fault.rewrite, str) and fault.kind is Kind.REWRITE:
            REWRITES[fault.rewrite]
        self.armed.arm(fault, when or When())

    def arm_stream(self, fault: StreamFault, when: When | None = None) -> None:
        """Have the next event that fits suffer it."""
        self.armed_streams.arm(fault, when or When())

    def disarm(self) -> None:
        """Everything is well again."""
        self.armed.disarm()
        self.armed_streams.disarm()

    def stream(self, event: str) -> StreamFailure | None:
        """What happens to an event on the streams; a new connection is the event `connect`."""
        if not self.armed_streams:
            return None
        fault = self.armed_streams.take(lambda each: each.event in {"*", event})
        return fault.failure if fault else None

    def before(self, request: Request) -> Response | None:
        """What keeps the call from being carried out: an answer, or a TransportFault raised."""
        fault = self._take(request, _BEFORE)
        if fault is None:
            return None
        if fault.kind is Kind.ANSWER_BEFORE:
            return fault.answer()
        if fault.kind is Kind.LATE:
            self.postpone(fault.delay, request)
        raise _failure(fault)

    def after(self, request: Request, response: Response) -> Response:
        """What the client gets to see of the answer; or a TransportFault raised."""
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
        return self.armed.take(lambda fault: fault.kind in kinds and fault.fits(request))


def _failure(fault: Fault) -> TransportFault:
    if fault.kind in {Kind.RESET_BEFORE, Kind.RESET_AFTER}:
        return TransportFault(Failure.RESET)
    return TransportFault(Failure.HANG, fault.seconds)


def _nowhere(delay: float, request: Request) -> None:
    raise RuntimeError(f"{request.method} {request.path} cannot arrive {delay} s late: no exchange to arrive at")
