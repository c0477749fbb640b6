"""Packing of a long body: a row of the table has at most 400 KB, and the report of a thousand orders is longer."""

from __future__ import annotations

import base64
import zlib

from repeg.adapters.dynamodb.encoding import Row

# Longer bodies are packed.
LONGEST_PLAIN_BODY = 200_000
_ZLIB = "zlib"


def packed(row: Row, body: str) -> Row:
    """A row with its body, packed if it is long."""
    if len(body) <= LONGEST_PLAIN_BODY:
        return {**row, "body": body}
    return {**row, "body": base64.b64encode(zlib.compress(body.encode(), 9)).decode(), "packed": _ZLIB}


def unpacked(row: Row) -> str:
    """The body of a row, packed or not. Raises ValueError if it cannot be unpacked, KeyError if there is none."""
    body = str(row["body"])
    if row.get("packed") != _ZLIB:
        return body
    try:
        return zlib.decompress(base64.b64decode(body)).decode()
    except zlib.error as error:
        raise ValueError(f"the body cannot be unpacked: {error}") from None
