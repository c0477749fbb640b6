"""The text of a plan file: UTF-8 or UTF-16, with or without a byte order mark, or Excel's own code page."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from repeg.domain.errors import InvalidPlan

# The code page that Excel on Windows saves a CSV file in.
_EXCEL = "cp1252"
_MARKS = (
    (codecs.BOM_UTF32_LE, ""), (codecs.BOM_UTF32_BE, ""), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


class Decoded(NamedTuple):
    """A text, and a note where it was not UTF-8."""

    text: str
    notes: tuple[str, ...] = ()


def decoded(body: bytes, source: str) -> Decoded:
    """The text of a file. Raises InvalidPlan if it is none."""
    encoding = _encoding(body)
    for name in (encoding, _EXCEL) if encoding == "utf-8" else (encoding,):
        try:
            text = body.decode(name) if name else ""
        except UnicodeDecodeError:
            continue
        if text and "\0" not in text:
            is_usual = name in {"utf-8", "utf-8-sig"}
            return Decoded(text, () if is_usual else (f"the file is not UTF-8 and was read as {name.upper()}",))
    if not body.strip():
        raise InvalidPlan("plan", source, "a plan: the file is empty")
    raise InvalidPlan("plan", source, "text in UTF-8 or UTF-16: save the file as CSV or JSON in UTF-8")


def _encoding(body: bytes) -> str:
    """The encoding by the mark at the beginning, or by the zeros that UTF-16 has in every second place; empty if it is
    none of ours."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return name
    start = body[:64]
    if len(start) >= 4 and not any(start[1::2]) and all(start[::2]):
        return "utf-16-le"
    if len(start) >= 4 and not any(start[::2]) and all(start[1::2]):
        return "utf-16-be"
    return "utf-8"
