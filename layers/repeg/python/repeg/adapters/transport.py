"""HTTP that always comes back: time-outs on every call, a bound on the whole of it, and no retries."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
_CHUNK_BYTES = 65_536


class BoundedTransport(HTTPAdapter):
    """Carries requests with a connect time-out, a read time-out, and a deadline for the body as a whole.

    A read time-out alone bounds each read from the socket, not their sum: a server that drips a byte now and then would
    keep its caller for ever. The deadline is the sum of both time-outs.
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
        timeout: Any = None,  # noqa: ARG002 - ours, whatever the caller says
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request and read its whole answer. Raises requests' own time-outs and connection errors."""
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
                    raise requests.exceptions.ReadTimeout("the answer did not end in time")
        except ReadTimeoutError:
            raise requests.exceptions.ReadTimeout("the answer stopped coming") from None
        except HTTPError as error:
            raise requests.exceptions.ConnectionError(f"the answer broke off ({type(error).__name__})") from None
        finally:
            raw.close()  # what has been read to its end has gone back to the pool before
        return b"".join(chunks)
