"""Separate environment variables and standard output for functions that share one process."""

# ruff: noqa: SLF001, TID251 - it replaces os.environ
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

_environment: ContextVar[MutableMapping[str, str] | None] = ContextVar("environment of a function", default=None)
_output: ContextVar[Callable[[str], None] | None] = ContextVar("output of a function", default=None)


@contextmanager
def inside(environment: MutableMapping[str, str], output: Callable[[str], None]) -> Iterator[None]:
    """Give this block and the threads it starts one function's own `os.environ` and standard output."""
    variables, lines = _environment.set(environment), _output.set(output)
    try:
        yield
    finally:
        _environment.reset(variables)
        _output.reset(lines)


@contextmanager
def separated() -> Iterator[None]:
    """Make `inside` effective for the duration of the block."""
    real_class, real_output = os.environ.__class__, sys.stdout
    os.environ.__class__ = _Overlaid  # every reference to it sees the change
    if not isinstance(real_output, _Routed):
        sys.stdout = _Routed(real_output)
    try:
        yield
    finally:
        os.environ.__class__ = real_class
        sys.stdout = real_output


@contextmanager
def with_variables(variables: dict[str, str]) -> Iterator[None]:
    """Set variables of the real environment and restore their previous values."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Overlaid(os._Environ[str]):
    """os.environ with the running function's own variables on top; the function's writes stay private."""

    def __getitem__(self, key: str) -> str:
        own = _environment.get()
        if own is not None and key in own:
            return own[key]
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: str) -> None:
        own = _environment.get()
        if own is None:
            super().__setitem__(key, value)
        else:
            own[key] = value

    def __delitem__(self, key: str) -> None:
        own = _environment.get()
        if own is not None and key in own:
            del own[key]
        else:
            super().__delitem__(key)

    def __iter__(self) -> Iterator[str]:
        own = _environment.get() or {}
        yield from own
        yield from (key for key in super().__iter__() if key not in own)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Routed:
    """Standard output, routed to the log of the running function, or to the real stream outside of functions.

    Loggers keep their stream beyond the end of an engine, so the target is looked up at each write.
    """

    def __init__(self, real: TextIO) -> None:
        self._wrapped = real

    def write(self, text: str) -> int:
        output = _output.get()
        if output is None:
            return self._real().write(text)
        output(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def _real(self) -> TextIO:
        return sys.stdout._wrapped if isinstance(sys.stdout, _Routed) else sys.stdout
