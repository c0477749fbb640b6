"""The base of every value in the domain."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable value: a change makes a new one."""

    model_config = ConfigDict(frozen=True)

    def __copy__(self) -> Self:
        """A copy without the values of cached properties: `model_copy` changes fields that they are computed from."""
        copied = super().__copy__()
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied
