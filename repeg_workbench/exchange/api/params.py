"""Query parameters, parsed as the real API does."""

import re
from collections.abc import Iterable
from datetime import date, time
from typing import Final, TypeGuard

from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.time.stamps import at_local, parsed

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})


class Params:
    """One call's query; of two parameters with the same name, the last counts."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values = dict(pairs)

    def text(self, name: str) -> str | None:
        """The value; None if missing or empty."""
        return self._values.get(name) or None

    def flag(self, name: str) -> bool:
        """A boolean such as True, true or 1; False if missing."""
        value = self.text(name)
        if value is None or value in _FALSE:
            return False
        if value in _TRUE:
            return True
        raise Refusal.parameter(f"invalid {name}")

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed words; the first if missing."""
        value = self.text(name)
        if value is None:
            return allowed[0]
        if value not in allowed:
            raise Refusal.parameter(f"invalid {name}")
        return value

    def integer(self, name: str, default: int) -> int:
        """A positive whole number; the default if missing."""
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and 0 < len(value) <= 9) or int(value) == 0:
            raise Refusal.parameter(f"invalid {name}")
        return int(value)

    def stamp(self, name: str) -> int | None:
        """A time or a date as nanoseconds; None if missing."""
        value = self.text(name)
        if value is None:
            return None
        # A plus sign that was not percent-encoded arrives as a space.
        at = parsed(value.replace(" ", "+"))
        if at is None:
            raise Refusal.parameter(f"invalid {name}")
        return at

    def data_integer(self, name: str, default: int, most: int) -> int:
        """A positive whole number, refused as the market data API does."""
        try:
            value = self.integer(name, default)
        except Refusal:
            value = 0
        if not 0 < value <= most:
            raise Refusal.data(f"invalid {name}: expected 1 to {most}")
        return value

    def data_stamp(self, name: str, clock: time) -> int | None:
        """A time, or a date at this time of day in New York, as nanoseconds; None if missing.

        Refused as the market data API does.
        """
        value = self.text(name)
        try:
            return at_local(date.fromisoformat(value), clock) if _is_date(value) else self.stamp(name)
        except (Refusal, ValueError, OverflowError) as error:
            raise Refusal.data(f"invalid {name}") from error

    def words(self, name: str) -> list[str]:
        """A comma-separated list; empty if missing."""
        value = self.text(name)
        return [word.strip() for word in value.split(",") if word.strip()] if value else []

    def require_known(self, known: frozenset[str]) -> None:
        """Refuse unknown parameters, as the market data API does."""
        unknown = [name for name in self._values if name not in known]
        if unknown:
            raise Refusal.data(f"unexpected query parameter(s): {', '.join(unknown)}")


def _is_date(value: str | None) -> TypeGuard[str]:
    return value is not None and _DATE.fullmatch(value) is not None
