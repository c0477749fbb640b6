"""The journal in the function's log: one line a decision, the same words each time, the rest in fields."""

from __future__ import annotations

import json
from logging import DEBUG

from aws_lambda_powertools import Logger

from repeg.domain.journal import Entry

MESSAGE = "decision"
_QUIET = frozenset({"hold"})


class LogJournal:
    """A Journal on a logger. A hold is the usual answer of every turn, and is told at debug only."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def record(self, entry: Entry) -> None:
        """Write one line."""
        is_quiet = entry.verb in _QUIET
        if is_quiet and self._logger.log_level > DEBUG:
            return
        write = self._logger.debug if is_quiet else self._logger.info
        write(MESSAGE, extra=json.loads(entry.line()))
