"""HTTP without retries, on which an answer is bounded as a whole: in time, and in the size of its head and body."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from repeg.domain.time_limits import CONNECT_SECONDS, READ_SECONDS

# Twice the largest real answer, the listing of all assets (6 MB). JSON takes up to 28 times its size once it is parsed
# (a list of empty objects), so a body of this size still fits into a function of 512 MB; one of 16 MB would not.
MAX_BODY_BYTES = 12_000_000

# A real head has 1 kB.
MAX_HEAD_BYTES = 65_536

_CHUNK_BYTES = 65_536


class AnswerTooLarge(requests.exceptions.RequestException):
    """The answer exceeds a size limit."""


class _Bounds:
    """What is left of an answer's time and bytes."""

    def __init__(self, deadline: float, monotonic: Callable[[], float]) -> None:
        self._deadline = deadline
        self._monotonic = monotonic
        self._bytes = 0
        self.is_exceeded = False

    def allow(self, count: int) -> None:
        """Set the number of bytes that may still arrive."""
        self._bytes = count

    def take(self, count: int) -> None:
        """Count bytes that have arrived. Raises AnswerTooLarge."""
        self._bytes -= count
        if self._bytes < 0:
            self.is_exceeded = True
            raise AnswerTooLarge("the answer exceeds its size limit")

    def seconds_left(self) -> float:
        """The time until the deadline. Raises TimeoutError after it."""
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError("the answer exceeded its deadline")
        return left


_current: ContextVar[_Bounds] = ContextVar("bounds of the answer that is being read")


class _BoundedSocket(io.RawIOBase):
    """Reads from a socket within bounds.

    A socket's timeout limits each read, not their sum: a server that sends a byte now and then would block its caller
    for ever.
    """

    def __init__(self, inner: io.RawIOBase, sock: socket.socket, bounds: _Bounds) -> None:
        self._inner = inner
        self._socket = sock
        self._timeout = sock.gettimeout()
        self._bounds = bounds

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read what has arrived. Raises TimeoutError and AnswerTooLarge."""
        left = self._bounds.seconds_left()
        self._socket.settimeout(left if self._timeout is None else min(left, self._timeout))
        count = self._inner.readinto(buffer)
        self._bounds.take(count or 0)
        return count

    def close(self) -> None:
        """Close the inner file, which releases the socket."""
        self._inner.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    """An answer within the bounds that its caller has set; interim answers and trailers count as well."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._bounds = _current.get()
        self.fp = io.BufferedReader(_BoundedSocket(self.fp.detach(), sock, self._bounds))

    def begin(self) -> None:
        """Read the head."""
        self._bounds.allow(MAX_HEAD_BYTES)
        super().begin()
        self._bounds.allow(MAX_BODY_BYTES + MAX_HEAD_BYTES)  # with the trailers


class _Connection(HTTPConnection):
    response_class = _BoundedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _BoundedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class BoundedTransport(HTTPAdapter):
    """A transport with a connect timeout, a read timeout, a deadline for the whole answer, and limits on its size.

    The deadline is the sum of both timeouts. The body's limit is that of the decoded body: a compressed one may expand
    to a thousand times its size. Proxies are ignored.
    """

    def __init__(
        self,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(max_retries=0)
        self._timeouts = (connect_seconds, read_seconds)
        self._monotonic = monotonic

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Open connections whose answers are bounded."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the signature is the library's
        timeout: Any = None,  # noqa: ARG002 - the caller's timeout is ignored
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Any = None,  # noqa: ARG002
    ) -> requests.Response:
        """Send one request and read its whole answer. Raises AnswerTooLarge, and the errors of requests."""
        bounds = _Bounds(self._monotonic() + sum(self._timeouts), self._monotonic)
        token = _current.set(bounds)
        try:
            response = super().send(request, True, self._timeouts, verify, cert, None)  # noqa: FBT003
            response.raw = io.BytesIO(_body(response.raw, bounds))
        except requests.exceptions.RequestException:
            if bounds.is_exceeded:
                raise AnswerTooLarge("the answer exceeds its size limit") from None
            raise
        finally:
            _current.reset(token)
        return response


def _body(raw: BaseHTTPResponse, bounds: _Bounds) -> bytes:
    """The whole decoded body."""
    chunks: list[bytes] = []
    size = 0
    try:
        while chunk := raw.read1(_CHUNK_BYTES, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise AnswerTooLarge("the decoded body exceeds its size limit")
            bounds.seconds_left()
    except (ReadTimeoutError, TimeoutError):
        raise requests.exceptions.ReadTimeout("the answer did not arrive in time") from None
    except HTTPError as error:
        raise requests.exceptions.ConnectionError(
            f"the connection failed during the answer ({type(error).__name__})"
        ) from None
    finally:
        raw.close()  # a connection read to its end is already back in the pool
    return b"".join(chunks)
