"""A deployed function, one call of it, and the context that its handler gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repeg_workbench.engine.scheduler import VirtualThread


@dataclass(frozen=True)
class Function:
    """A deployed function, as its configuration says."""

    name: str
    arn: str
    version: str
    handler: str
    folder: Path
    timeout: int
    memory: int
    environment: dict[str, str]
    region: str


@dataclass
class Invocation:
    """One call of a function, from before it starts until after it ended; what fault injection holds in its hand."""

    function: Function
    event: Any
    request_id: str
    number: int
    started_ns: int
    thread: VirtualThread[Any] | None = None
    payload: str = ""
    error: str | None = None
    written: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        """What it wrote to standard output."""
        return "".join(self.written)

    def kill(self) -> None:
        """End it now, as when its sandbox dies: whatever it has sent is sent, and it does nothing more."""
        if self.thread is not None:
            self.thread.kill()

    def pause(self) -> None:
        """Freeze it: a zombie that may go on later."""
        if self.thread is not None:
            self.thread.pause()

    def resume(self) -> None:
        """Let it go on."""
        if self.thread is not None:
            self.thread.resume()


@dataclass(frozen=True)
class Context:
    """The context object that a handler gets."""

    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    aws_request_id: str
    log_group_name: str
    log_stream_name: str
    remaining: Callable[[], int]
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds of virtual time until the function times out."""
        return self.remaining()
