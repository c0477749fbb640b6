"""Request bodies of the control plane."""

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.rewrites import REWRITES
from repeg_workbench.exchange.faults.stream_faults import StreamFailure
from repeg_workbench.exchange.faults.transport_faults import Kind
from repeg_workbench.exchange.triggers import When

_YEAR = 366 * 86_400
_MOST_SHARES = 10_000

Seconds = Annotated[float, Field(ge=0, le=_YEAR)]


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class _Timed(_Order):
    times: int | None = Field(1, ge=1)
    skip: int = Field(0, ge=0)
    chance: float = Field(1.0, gt=0, le=1)

    @property
    def when(self) -> When:
        return When(times=self.times, skip=self.skip, chance=self.chance)


class ArmFault(_Timed):
    """POST /_sim/faults."""

    kind: Kind
    method: str = "*"
    path: str = ".*"
    seconds: Seconds = 30
    delay: Seconds = 5
    status: int = Field(504, ge=200, le=599)
    body: Any = None
    rewrite: str = ""

    @field_validator("path")
    @classmethod
    def _is_expression(cls, path: str) -> str:
        try:
            re.compile(path)
        except re.error as error:
            raise ValueError(f"path {path!r} is not a regular expression: {error}") from error
        return path

    @field_validator("body")
    @classmethod
    def _is_json(cls, body: Any) -> Any:
        # A number that was parsed from JSON can be too large to serialise (infinity).
        json.dumps(body, allow_nan=False)
        return body

    @model_validator(mode="after")
    def _require_known_rewrite(self) -> Self:
        if (self.rewrite or self.kind is Kind.REWRITE) and self.rewrite not in REWRITES:
            raise ValueError(f"unknown rewrite {self.rewrite!r}; expected one of {', '.join(REWRITES)}")
        return self


class ArmStreamFault(_Timed):
    """POST /_sim/stream-faults."""

    failure: StreamFailure
    event: str = "*"
    seconds: Seconds = 5
    status: int = Field(429, ge=400, le=599)


class ArmRace(_Timed):
    """POST /_sim/races."""

    race: Race
    symbol: str | None = None
    seconds: Seconds = 0


class ArmAll(_Order):
    """POST /_sim/chaos."""

    chance: float = Field(gt=0, le=1)


class SetKeys(_Order):
    """POST /_sim/keys."""

    revoked: bool


class MoveClock(_Order):
    """POST /_sim/clock: sets the error of the clock endpoint and moves time forward."""

    skew_seconds: float | None = Field(None, ge=-_YEAR, le=_YEAR)
    advance_seconds: Seconds | None = None


class SetOrder(_Order):
    """POST /_sim/orders: names an order by either id, and gives it a rare status or makes the broker forget it."""

    order_id: str | None = None
    client_order_id: str | None = None
    status: (
        Literal[
            "done_for_day",
            "suspended",
            "stopped",
            "calculated",
            "pending_review",
            "held",
            "accepted_for_bidding",
            "working",
        ]
        | None
    ) = None
    forgotten: bool | None = None

    @model_validator(mode="after")
    def _require_one_id(self) -> Self:
        if (self.order_id is None) == (self.client_order_id is None):
            raise ValueError("expected either order_id or client_order_id")
        return self


class Split(_Order):
    """POST /_sim/splits."""

    symbol: str
    new: int = Field(ge=1, le=_MOST_SHARES)
    old: int = Field(ge=1, le=_MOST_SHARES)
