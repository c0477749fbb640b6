"""Signals from a script: what a stream would say at which instants of a desk's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from repeg.domain.hints import HintKind, Hints
from repeg.domain.quote import Quote
from repeg.ports import Listener
from tests.functions.desk import Desk


@dataclass
class ScriptedSignals:
    """Opens listeners that hear `script`: hints by the instant from which they are pending, in order of time."""

    desk: Desk
    script: list[tuple[datetime, Hints]] = field(default_factory=list)
    streamed: dict[str, Quote] = field(default_factory=dict)
    opened: list[ScriptedListener] = field(default_factory=list)

    def at(self, time: datetime, *symbols: str, has_gap: bool = False) -> None:
        """Let the stream mention these symbols' orders at that time."""
        by_symbol = dict.fromkeys(symbols, frozenset({HintKind.FILL}))
        self.script.append((time, Hints(by_symbol, has_gap=has_gap)))

    def open(self, prefix: str, symbols: Sequence[str]) -> Listener:
        """A listener that hears what is still to come."""
        self.opened.append(ScriptedListener(self, prefix, list(symbols)))
        return self.opened[-1]


class ScriptedListener:
    """Hears a script."""

    def __init__(self, signals: ScriptedSignals, prefix: str, symbols: list[str]) -> None:
        self._signals = signals
        self.prefix = prefix
        self.symbols = symbols
        self.waits = 0
        self.is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Hear no more."""
        self.is_closed = True

    def wait(self, seconds: float) -> Hints:
        """What is pending, or comes within so many seconds."""
        assert not self.is_closed
        self.waits += 1
        assert self.waits < 10_000, "the step spins"
        runtime, script = self._signals.desk.runtime, self._signals.script
        until = runtime.now() + timedelta(seconds=seconds)
        if script and script[0][0] <= until:
            at, hints = script.pop(0)
            runtime.pause(max(0.0, (at - runtime.now()).total_seconds()))
            return hints
        runtime.pause(seconds)
        return Hints()

    def watch(self, symbols: Sequence[str]) -> None:
        """Follow the quotes of these symbols."""
        self.symbols = list(symbols)

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """The quotes that the test has put."""
        return {symbol: quote for symbol, quote in self._signals.streamed.items() if symbol in symbols}

    @property
    def source(self) -> str:
        """A stream."""
        return "stream"

    @property
    def quote_source(self) -> str:
        """A stream."""
        return "stream"

    @property
    def followed(self) -> frozenset[str]:
        """All that was asked for."""
        return frozenset(self.symbols)
