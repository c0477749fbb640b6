"""The journal: every decision with its reason and its inputs, one entry a decision."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Entry(BaseModel):
    """Something decided or seen. `subject` is a symbol or a part of the run (`session`, `run`).

    `rule` names the pure function that decided, and `inputs` are its arguments as JSON, so that the same question can be
    put again; both are empty where something was only seen (a fill, an answer of the broker).
    """

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    run_id: str
    subject: str
    verb: str
    detail: str = ""
    reason: str = ""
    rule: str = ""
    inputs: dict[str, Any] = {}
    answer: dict[str, Any] = {}
