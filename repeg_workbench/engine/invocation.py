"""A deployed function, one invocation of it, and its handler's context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repeg_workbench.engine.scheduler import VirtualThread


@dataclass(frozen=True)
class Function:
    """A deployed function's configuration."""

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
    """One invocation of a function, from before its start until after its end; the handle for fault injection."""

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
        """Everything written to standard output."""
        return "".join(self.written)

    def kill(self) -> None:
        """End the invocation now, as when its sandbox dies. Requests already sent stay sent."""
        if self.thread is not None:
            self.thread.kill()

    def pause(self) -> None:
        """Freeze the invocation; it may continue later."""
        if self.thread is not None:
            self.thread.pause()

    def resume(self) -> None:
        """Continue a frozen invocation."""
        if self.thread is not None:
            self.thread.resume()


@dataclass(frozen=True)
class Context:
    """The context object of a handler."""

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
