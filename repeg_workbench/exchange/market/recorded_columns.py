"""Reads comma-separated columns of fixed-point numbers with numpy; errors name the line and field."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from repeg_workbench.exchange.market.symbol_day import Flags, Int64s, Letters

_NEWLINE: Final = ord("\n")
_COMMA: Final = ord(",")
_POINT: Final = ord(".")
_ZERO: Final = ord("0")
_MOST_DIGITS: Final = 19
_FIRST_ROW_LINE: Final = 2


class RecordingError(ValueError):
    """An invalid recording: file, line, field, value and the expected value."""


@dataclass(frozen=True)
class Columns:
    """A file's cells as positions in its bytes: the cell in row r, column c is body[starts[r, c]:ends[r, c]]."""

    file: str
    names: tuple[str, ...]
    body: NDArray[np.uint8]
    starts: Int64s
    ends: Int64s

    def __len__(self) -> int:
        return len(self.starts)

    def has(self, name: str) -> bool:
        """Whether the file has the column."""
        return name in self.names

    def text(self, row: int, name: str) -> str:
        """One cell's text."""
        column = self.names.index(name)
        return bytes(self.body[self.starts[row, column] : self.ends[row, column]]).decode("utf-8", "replace")

    def numbers(self, name: str, decimals: int = 0) -> Int64s:
        """A column of numbers times 10**decimals, exactly. Raises RecordingError for anything else."""
        return _Numbers(self, name).parse(decimals)

    def letters(self, name: str) -> Letters:
        """A column of single capital letters; 0 for an empty cell."""
        column = self.names.index(name)
        widths = self.ends[:, column] - self.starts[:, column]
        codes = np.where(widths == 1, self.body[self.starts[:, column]], 0).astype(np.uint8)
        self.refuse((widths > 1) | ((widths == 1) & ~_between(codes, "A", "Z")), name, "one capital letter or nothing")
        return codes

    def refuse(self, bad: Flags, name: str, right: str) -> None:
        """Raise RecordingError for the first bad row, with the expected value."""
        if bad.any():
            row = int(bad.argmax())
            value = self.text(row, name) or "nothing"
            where = f"{self.file}, line {row + _FIRST_ROW_LINE}, field {name}"
            raise RecordingError(f"{where}: found {value}, expected {right}")


def read_columns(path: Path, required: Sequence[str], optional: Sequence[str]) -> Columns:
    """Split a file, gzip or plain, into cells; check its header and the length of its rows."""
    header, _, rows = _content(path).partition(b"\n")
    names = tuple(header.decode("utf-8-sig", "replace").strip().split(","))
    _check_header(path.name, names, required, optional)
    body = np.frombuffer(rows + b"\n" if rows and not rows.endswith(b"\n") else rows, np.uint8)
    separators = np.flatnonzero((body == _COMMA) | (body == _NEWLINE))
    _check_rows(path.name, body, separators, len(names))
    ends = separators.reshape(-1, len(names))
    starts = np.concatenate(([0], separators[:-1] + 1)).reshape(ends.shape) if len(ends) else ends
    return Columns(path.name, names, body, starts, ends)


class _Numbers:
    """Parses one column's numbers, one character position of all rows at a time."""

    def __init__(self, columns: Columns, name: str) -> None:
        column = columns.names.index(name)
        self._columns, self._name = columns, name
        self._starts, self._ends = columns.starts[:, column], columns.ends[:, column]
        self._value = np.zeros(len(columns), np.int64)
        self._digits = np.zeros(len(columns), np.int64)
        self._decimals = np.zeros(len(columns), np.int64)
        self._pointed = np.zeros(len(columns), np.bool_)
        self._unreadable = np.zeros(len(columns), np.bool_)
        self._too_fine = np.zeros(len(columns), np.bool_)

    def parse(self, decimals: int) -> Int64s:
        signed, negative = self._signs()
        for position in range(int((self._ends - signed).max(initial=0))):
            self._read(signed + position, decimals)
        missing = decimals - self._decimals
        value = self._value * 10**missing
        # Nineteen digits fit an unsigned 64-bit number, so a value too large for a signed one is negative.
        too_long = (self._digits + missing > _MOST_DIGITS) | (value < 0)
        self._columns.refuse(self._unreadable | (self._digits == 0) | too_long, self._name, "a number")
        self._columns.refuse(self._too_fine, self._name, _fineness(decimals))
        return np.where(negative, -value, value)

    def _signs(self) -> tuple[Int64s, Flags]:
        first = self._columns.body[self._starts] if len(self._starts) else np.empty(0, np.uint8)
        negative = first == ord("-")
        return self._starts + (negative | (first == ord("+"))), negative

    def _read(self, at: Int64s, decimals: int) -> None:
        inside = at < self._ends
        character = self._columns.body[np.minimum(at, self._ends)]
        digit = character - np.uint8(_ZERO)
        is_digit, is_point = inside & (digit <= 9), inside & (character == _POINT)
        self._unreadable |= inside & ~is_digit & ~(is_point & ~self._pointed)
        kept = is_digit & (~self._pointed | (self._decimals < decimals))
        self._too_fine |= is_digit & ~kept & (digit > 0)
        self._value = np.where(kept, self._value * 10 + digit, self._value)
        self._digits += kept
        self._decimals += kept & self._pointed
        self._pointed |= is_point


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingError(f"{path.name}: cannot be read: {error}") from error
    if not content.strip():
        raise RecordingError(f"{path.name}: is empty, expected a header and rows")
    return content.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"


def _check_header(file: str, names: tuple[str, ...], required: Sequence[str], optional: Sequence[str]) -> None:
    expected = f"{','.join(required)} and optionally {','.join(optional)}"
    for name in required:
        if name not in names:
            raise RecordingError(f"{file}, line 1: column {name} is missing, expected {expected}")
    for name in names:
        if name not in (*required, *optional) or names.count(name) > 1:
            raise RecordingError(f"{file}, line 1: column {name!r} is unknown or a duplicate, expected {expected}")


def _check_rows(file: str, body: NDArray[np.uint8], separators: Int64s, width: int) -> None:
    is_end = body[separators] == _NEWLINE
    line_ends = np.flatnonzero(is_end)
    cells = np.diff(line_ends, prepend=-1)
    if (cells != width).any():
        row = int((cells != width).argmax())
        line = row + _FIRST_ROW_LINE
        raise RecordingError(f"{file}, line {line}: found {cells[row]} fields, expected {width} as in the header")


def _fineness(decimals: int) -> str:
    return f"at most {decimals} decimals" if decimals else "a whole number"


def _between(codes: Letters, first: str, last: str) -> Flags:
    return (codes >= ord(first)) & (codes <= ord(last))
