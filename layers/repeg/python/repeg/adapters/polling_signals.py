"""Signals without a stream: nothing is hinted, and waiting is a plain pause."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from repeg.domain.hints import Hints
from repeg.domain.quote import Quote
from repeg.ports import Listener, Runtime

POLL = "poll"


class PollingSignals:
    """Signals for a step that reads everything itself."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def open(self, prefix: str, symbols: Sequence[str]) -> Listener:  # noqa: ARG002 - the signature is the port's
        """A listener that hears nothing."""
        return PollingListener(self._runtime)


class PollingListener:
    """A listener that hears nothing; `reason`, if given, says why there is no stream."""

    def __init__(self, runtime: Runtime, reason: str = "") -> None:
        self._runtime = runtime
        self._reason = reason

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing to close."""

    def wait(self, seconds: float) -> Hints:
        """Pause; there is never a hint."""
        self._runtime.pause(max(0.0, seconds))
        return Hints()

    def watch(self, symbols: Sequence[str]) -> None:
        """Does nothing: every quote is read by the caller."""

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:  # noqa: ARG002 - the signature is the port's
        """No quotes."""
        return {}

    @property
    def source(self) -> str:
        """`poll`, or `poll: ` and the reason."""
        return f"{POLL}: {self._reason}" if self._reason else POLL

    @property
    def quote_source(self) -> str:
        """The same, for the quotes."""
        return self.source

    @property
    def followed(self) -> frozenset[str]:
        """No symbols."""
        return frozenset()
