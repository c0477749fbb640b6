"""Requests and responses, independent of any web framework."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

JSON_HEADERS: Final = {"Content-Type": "application/json; charset=UTF-8"}


@dataclass(slots=True)
class Request:
    """One call: the path as sent without its query, the query's pairs in order, and the raw body."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The header's value, whatever the case of its name; None if it was not sent."""
        value = self.headers.get(name)
        if value is None:
            value = self.headers.get(name.lower())
        return value


@dataclass(slots=True)
class Response:
    """One answer, which arrives `delay` seconds late."""

    status: int
    headers: dict[str, str]
    body: bytes
    delay: float = 0

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


json_text: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""Writes JSON as the broker does, without spaces."""


def json_response(value: object, status: int = 200) -> Response:
    """An answer whose body is JSON."""
    return text_response(json_text(value), status)


def text_response(text: str, status: int = 200) -> Response:
    """An answer whose body is this JSON."""
    return Response(status, dict(JSON_HEADERS), text.encode())


def empty_response(status: int = 204) -> Response:
    """An answer without a body."""
    return Response(status, {}, b"")


def html_response(status: int, reason: str) -> Response:
    """The HTML error page of a proxy in front of the API."""
    page = (
        f"<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Response(status, {"Content-Type": "text/html"}, page.encode())
