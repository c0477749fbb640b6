"""HTTP with timeouts on every request, a deadline for the whole answer, and no retries."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from repeg.domain.time_limits import CONNECT_SECONDS, READ_SECONDS

_CHUNK_BYTES = 65_536


class BoundedTransport(HTTPAdapter):
    """A transport with a connect timeout, a read timeout, and a deadline for the whole body.

    A read timeout limits each read from the socket, not their sum: a server that sends a byte now and then would block
    its caller forever. The deadline is the sum of both timeouts.
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

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the signature is the library's
        timeout: Any = None,  # noqa: ARG002 - the caller's timeout is ignored
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request and read its whole answer. Raises the timeouts and connection errors of requests."""
        deadline = self._monotonic() + sum(self._timeouts)
        response = super().send(request, True, self._timeouts, verify, cert, proxies)  # noqa: FBT003
        response.raw = BytesIO(self._body(response.raw, deadline))
        return response

    def _body(self, raw: BaseHTTPResponse, deadline: float) -> bytes:
        chunks: list[bytes] = []
        try:
            while chunk := raw.read1(_CHUNK_BYTES, decode_content=True):
                chunks.append(chunk)
                if self._monotonic() > deadline:
                    raise requests.exceptions.ReadTimeout("the answer exceeded its deadline")
        except ReadTimeoutError:
            raise requests.exceptions.ReadTimeout("no data within the read timeout") from None
        except HTTPError as error:
            raise requests.exceptions.ConnectionError(
                f"the connection failed during the answer ({type(error).__name__})"
            ) from None
        finally:
            raw.close()  # a connection read to its end is already back in the pool
        return b"".join(chunks)
