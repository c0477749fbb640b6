"""The base of every value in the domain."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable value: a change makes a new one."""

    model_config = ConfigDict(frozen=True)
