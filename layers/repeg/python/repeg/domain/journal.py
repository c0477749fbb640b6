"""The journal: every decision with its reason and its inputs, one entry a decision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from pydantic import BaseModel

from repeg.domain.order_news import OrderNews

# Entries are named tuples because a turn makes one for every order, and most of them are not kept.
_NO_INPUTS: Mapping[str, BaseModel | None] = MappingProxyType({})


class Ruling(NamedTuple):
    """A journalled decision: the rule's name, the arguments it was called with, and its answer.

    The name is the rule's key in `journalled_rules`, so that the same decision can be made again from the journal.
    """

    rule: str
    inputs: Mapping[str, BaseModel | None]
    answer: BaseModel


class Entry(NamedTuple):
    """A decision or an observation. `subject` is a symbol or a part of the run (`session`, `run`).

    `rule`, `inputs` and `answer` are those of a Ruling; they are empty for an observation (a fill, a broker's answer).
    `is_abnormal` marks what an operator should see in the log, however often it happens. `news` is what is published of
    the order; it is not written to the journal.
    """

    at: datetime
    run_id: str
    subject: str
    verb: str
    detail: str = ""
    reason: str = ""
    rule: str = ""
    inputs: Mapping[str, BaseModel | None] = _NO_INPUTS
    answer: BaseModel | None = None
    is_abnormal: bool = False
    news: OrderNews | None = None

    def line(self) -> str:
        """The entry as one line of JSON. Serialised only when it is kept: most holds never are."""
        return json.dumps(
            {
                "at": self.at.isoformat(),
                "run_id": self.run_id,
                "subject": self.subject,
                "verb": self.verb,
                "detail": self.detail,
                "reason": self.reason,
                "rule": self.rule,
                "inputs": {name: _json(value) for name, value in self.inputs.items()},
                "answer": _json(self.answer),
                "is_abnormal": self.is_abnormal,
            },
            separators=(",", ":"),
        )


def _json(value: BaseModel | None) -> object:
    return None if value is None else value.model_dump(mode="json")
