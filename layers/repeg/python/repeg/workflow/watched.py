"""The result of one pass of the watchdog."""

from __future__ import annotations

from dataclasses import dataclass, field

from repeg.domain.run_health import Alert


@dataclass
class Watched:
    """The result of one pass: its alerts, each published, and the first failure, if there was one.

    `lacks_keys` says that nothing could be looked at, because the stack has no keys yet. That is no failure.
    """

    alerts: list[Alert] = field(default_factory=list)
    failure: Exception | None = None
    lacks_keys: bool = False

    def raise_failure(self) -> None:
        """Raise the first failure, so that the service records the pass as failed."""
        if self.failure is not None:
            raise self.failure
