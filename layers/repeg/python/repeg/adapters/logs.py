"""The journal in the function's log: one line a decision, the same message each time, the rest in fields."""

from __future__ import annotations

import json
from logging import DEBUG, INFO, WARNING

from aws_lambda_powertools import Logger

from repeg.domain.journal import Entry

MESSAGE = "decision"
_ROUTINE = frozenset({"hold", "held_long", "measure"})


class LogJournal:
    """A Journal on a logger. Abnormal entries are warnings; a routine hold, the usual answer of a turn, is debug."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def record(self, entry: Entry) -> None:
        """Write one line."""
        level = _level(entry)
        if level < self._logger.log_level:  # most entries are holds, and serialising them costs time
            return
        write = {WARNING: self._logger.warning, INFO: self._logger.info, DEBUG: self._logger.debug}[level]
        write(MESSAGE, extra=json.loads(entry.line()))


def _level(entry: Entry) -> int:
    if entry.is_abnormal:
        return WARNING
    return DEBUG if entry.verb in _ROUTINE else INFO
