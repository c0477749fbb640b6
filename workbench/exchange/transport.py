"""Lets a requests session, and so the unmodified alpaca-py, reach an exchange in the same process."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest, Session
from requests.adapters import BaseAdapter
from requests.models import Response as HttpResponse
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from workbench.exchange.wire import Request, Response

Handle = Callable[[Request], Response]


class ExchangeTransport(BaseAdapter):
    """Carries requests to a handler as HTTP would: same status, headers and bytes.

    `handle` is usually `Exchange.handle`, or a caller's function around it (one that lets virtual time pass, say).
    """

    def __init__(self, handle: Handle) -> None:
        super().__init__()
        self._handle = handle

    def mount(self, session: Session) -> None:
        """Have the session send everything here, whatever the host."""
        session.mount("http://", self)
        session.mount("https://", self)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the signature is the library's
        timeout: Any = None,  # noqa: ARG002
        verify: Any = True,  # noqa: ARG002, FBT002
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Deliver one request and bring back the answer."""
        return http_response(self._handle(exchange_request(request)), request)

    def close(self) -> None:
        """Nothing to close."""


def exchange_request(request: PreparedRequest) -> Request:
    """The prepared request as the exchange reads it."""
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
    """The exchange's answer as requests hands it to its caller."""
    answer = HttpResponse()
    answer.status_code = response.status
    answer.headers = CaseInsensitiveDict(response.headers)
    answer.headers["Content-Length"] = str(len(response.body))
    answer.encoding = get_encoding_from_headers(answer.headers)
    answer.raw = BytesIO(response.body)
    answer.url = request.url or ""
    answer.request = request
    return answer
