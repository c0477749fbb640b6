"""Connects a requests session, and so the unmodified alpaca-py, to an exchange in the same process."""

from collections.abc import Callable, Mapping
from http.client import RemoteDisconnected
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest, Session
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError, ReadTimeout  # noqa: A004 - the library's own name
from requests.models import Response as HttpResponse
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.exceptions import ProtocolError

from repeg_workbench.exchange.faults.transport_faults import Failure, TransportFault
from repeg_workbench.exchange.messages import Request, Response

Handle = Callable[[Request], Response]


def without_time(seconds: float) -> None:
    """Wait for no time."""


class ExchangeTransport(BaseAdapter):
    """Sends requests to a handler as HTTP would: with the same status, headers, bytes and exceptions.

    `handle` is usually `Exchange.handle` or a wrapper of it, for example one that advances virtual time. `wait` lets
    seconds pass: a client without an answer waits for its read timeout, or without one until the server gives up.
    """

    def __init__(self, handle: Handle, wait: Callable[[float], None] = without_time) -> None:
        super().__init__()
        self._handle, self._wait = handle, wait

    def mount(self, session: Session) -> None:
        """Route all of the session's requests here, whatever the host."""
        session.mount("http://", self)
        session.mount("https://", self)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the signature is the library's
        timeout: Any = None,
        verify: Any = True,  # noqa: ARG002, FBT002
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Deliver one request and return the answer."""
        patience = _read_timeout(timeout)
        try:
            response = self._handle(exchange_request(request))
        except TransportFault as fault:
            if fault.failure is Failure.HANG:
                self._await(fault.seconds, patience, request)
            raise _aborted(request) from fault
        if response.delay:
            self._await(response.delay, patience, request)
        return http_response(response, request)

    def close(self) -> None:
        """Nothing to close."""

    def _await(self, seconds: float, patience: float | None, request: PreparedRequest) -> None:
        if patience is None or seconds < patience:
            self._wait(seconds)
            return
        self._wait(patience)
        raise ReadTimeout(f"Read timed out. (read timeout={patience})", request=request)


def _read_timeout(timeout: Any) -> float | None:
    value = timeout[1] if isinstance(timeout, tuple) else timeout
    return None if value is None else float(value)


def _aborted(request: PreparedRequest) -> ConnectionError:
    cause = RemoteDisconnected("Remote end closed connection without response")
    return ConnectionError(ProtocolError("Connection aborted.", cause), request=request)


def exchange_request(request: PreparedRequest) -> Request:
    """The prepared request as the exchange's request."""
    parts = urlsplit(request.url or "")
    body = request.body or b""
    return Request(
        method=request.method or "GET",
        path=parts.path,
        query=parse_qsl(parts.query, keep_blank_values=True),
        headers=request.headers,
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


def http_response(response: Response, request: PreparedRequest) -> HttpResponse:
    """The exchange's answer as a requests response."""
    answer = HttpResponse()
    answer.status_code = response.status
    answer.headers = CaseInsensitiveDict(response.headers)
    answer.headers["Content-Length"] = str(len(response.body))
    answer.encoding = get_encoding_from_headers(answer.headers)
    answer.raw = BytesIO(response.body)
    answer.url = request.url or ""
    answer.request = request
    return answer
