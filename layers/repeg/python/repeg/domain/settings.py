"""The settings of a run, as they are frozen into it: their types, ranges and defaults."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from repeg.domain.plan import SYMBOL


def _not_a_flag(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("whole_number", "input should be a whole number")
    return value


Count = Annotated[int, Field(ge=0), BeforeValidator(_not_a_flag)]
Seconds = Annotated[int, Field(ge=1, le=23_400), BeforeValidator(_not_a_flag)]
Minutes = Annotated[int, Field(ge=0, le=180), BeforeValidator(_not_a_flag)]
# At least a minute: the fallback needs a turn to be sent in.
FallbackMinutes = Annotated[int, Field(ge=1, le=180), BeforeValidator(_not_a_flag)]
Percent = Annotated[Decimal, Field(gt=0, le=100, allow_inf_nan=False)]
Threshold = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)]
# Below 10,000: at 10,000 a sell's collar would be zero.
BasisPoints = Annotated[Decimal, Field(ge=0, lt=10_000, allow_inf_nan=False)]
Dollars = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
# Whole cents: there is no finer step from a dollar up. At most a dollar: more could round a price to zero.
Step = Annotated[Decimal, Field(gt=0, le=1, multiple_of=Decimal("0.01"), allow_inf_nan=False)]
Orders = Annotated[int, Field(ge=1, le=100_000), BeforeValidator(_not_a_flag)]
# An order's row holds all its attempts, and a DynamoDB item at most 400 KB.
Attempts = Annotated[int, Field(ge=1, le=400), BeforeValidator(_not_a_flag)]
Ticker = Annotated[str, Field(pattern=f"^{SYMBOL.pattern}$")]


def _listed(value: object) -> object:
    """A list, or its names in one text between commas, as an environment variable can hold them."""
    return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value


Tickers = Annotated[tuple[Ticker, ...], BeforeValidator(_listed)]


class Escalation(StrEnum):
    """How far an order may escalate once its patience is exhausted: no further, to the mid, the far side, or market."""

    NONE = "none"
    MID = "mid"
    CROSS = "cross"
    MARKET = "market"


class Fallback(StrEnum):
    """How an order that its book still holds near the close is sent: not at all, at its collar, or at the market."""

    NONE = "none"
    COLLAR = "collar"
    MARKET = "market"


# The context for reading the settings of a stored run, which another release may have written.
STORED = {"stored": True}


def _is_stored(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("stored"))


class _Preferences(BaseModel):
    """Settings. An unknown name is an error in an input and is ignored in a stored run, where an unknown escalation
    or fallback counts as none: the run then never pays more than it was allowed to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: object, info: ValidationInfo) -> object:
        if not _is_stored(info) or not isinstance(values, dict):
            return values
        known = {name: value for name, value in values.items() if name in cls.model_fields}
        if known.get("escalation") not in {None, *Escalation}:
            known["escalation"] = Escalation.NONE
        if known.get("fallback") not in {None, *Fallback}:
            known["fallback"] = Fallback.NONE
        return known


class SymbolSettings(_Preferences):
    """Overrides for one symbol; None means the run's own setting."""

    max_spread_pct: Percent | None = None
    min_volume_shares: Count | None = None
    repeg_threshold_pct: Threshold | None = None
    tick_size: Step | None = None
    max_repegs: Count | None = None
    patience_seconds: Seconds | None = None
    max_quote_age_seconds: Seconds | None = None
    max_slippage_bps: BasisPoints | None = None
    escalation: Escalation | None = None
    fallback: Fallback | None = None
    fallback_minutes: FallbackMinutes | None = None
    max_order_notional: Dollars | None = None


def _object(value: object) -> object:
    """An object, or its JSON in a text, as an environment variable can hold it."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise PydanticCustomError("json", "an object of symbols with settings, as JSON") from None


class Settings(_Preferences):
    """Every setting of a run, with its default. Percentages are of a price, money is in dollars, sizes are shares."""

    use_smart_limit_execution: bool = Field(
        default=True, description="Limit orders at the top of the book; off: market orders"
    )
    use_async_execution: bool = Field(
        default=True, description="Work the symbols concurrently; off: one after the other"
    )
    use_replace: bool = Field(
        default=False,
        description="Move an unfilled order with one replace request; off: cancel, confirm, send a new one",
    )
    market_open_delay_minutes: Minutes = Field(5, description="Minutes after the open during which no orders are sent")
    max_spread_pct: Percent = Field(Decimal("0.25"), description="Widest spread to trade on, percent of the mid")
    min_volume_shares: Count = Field(100, description="Fewest shares displayed on our side of the book")
    repeg_threshold_pct: Threshold = Field(
        Decimal("0.1"), description="How far the near side must have moved away from us, percent of our limit"
    )
    order_monitoring_seconds: Seconds = Field(30, description="The period of a turn")
    tick_size: Step = Field(
        Decimal("0.01"), description="Price step from a dollar up; below a dollar the legal increment applies"
    )
    max_repegs: Count = Field(10, description="Moves before patience counts as exhausted")
    patience_seconds: Seconds = Field(300, description="Time at the near side before escalating")
    close_margin_minutes: Minutes = Field(5, description="Minutes before the close during which no orders are sent")
    max_quote_age_seconds: Seconds = Field(10, description="Oldest quote to trade on")
    max_slippage_bps: BasisPoints = Field(Decimal(50), description="The collar, against the arrival mid")
    escalation: Escalation = Field(Escalation.CROSS, description="How far to escalate: none, mid, cross, market")
    fallback: Fallback = Field(
        Fallback.NONE,
        description="What becomes of an order still held by its book near the close: none, collar, market",
    )
    fallback_minutes: FallbackMinutes = Field(
        5, description="Minutes before the window closes from which the fallback applies"
    )
    max_order_notional: Dollars | None = Field(None, description="Largest parent order, dollars; none: no limit")
    max_run_notional: Dollars | None = Field(None, description="Largest sum of parent orders, dollars; none: no limit")
    max_day_notional: Dollars | None = Field(
        None, description="Most that all runs of a day together may commit, dollars; none: no limit"
    )
    max_run_orders: Orders | None = Field(None, description="Most orders that a run may send; none: no limit")
    max_attempts: Attempts = Field(50, description="Most orders sent for one parent order")
    allowed_symbols: Tickers | None = Field(None, description="The only symbols that may be traded; none: all")
    symbols: Annotated[dict[Ticker, SymbolSettings], BeforeValidator(_object)] = Field(
        default_factory=dict, description="Overrides by symbol"
    )

    def for_symbol(self, symbol: str) -> Settings:
        """These settings as they hold for one symbol."""
        own = self.symbols.get(symbol)
        return self.model_copy(update=own.model_dump(exclude_none=True)) if own else self

    @model_validator(mode="after")
    def _no_contradiction(self, info: ValidationInfo) -> Settings:
        if _is_stored(info):
            return self  # the combination was allowed when the run was opened
        # 210 minutes is the shortest core session: an early close at 13:00.
        if self.market_open_delay_minutes + self.close_margin_minutes >= 210:
            raise Contradiction(
                "close_margin_minutes",
                self.close_margin_minutes,
                f"fewer than {210 - self.market_open_delay_minutes}: a half day has 210 minutes less the open delay",
            )
        _require_consistent("", self)
        for symbol in self.symbols:
            _require_consistent(f"symbols.{symbol}.", self.for_symbol(symbol))
        return self


def _require_consistent(where: str, own: Settings) -> None:
    if own.patience_seconds < own.order_monitoring_seconds:
        raise Contradiction(
            f"{where}patience_seconds",
            own.patience_seconds,
            f"at least order_monitoring_seconds={own.order_monitoring_seconds}: patience is checked once a turn",
        )
    may_use_market = own.escalation is Escalation.MARKET or not own.use_smart_limit_execution
    if own.fallback is Fallback.MARKET and not may_use_market:
        raise Contradiction(
            f"{where}fallback", own.fallback, f"none or collar: escalation={own.escalation} permits no market order"
        )
    most = own.max_run_notional
    if own.max_order_notional is not None and most is not None and own.max_order_notional > most:
        raise Contradiction(f"{where}max_order_notional", own.max_order_notional, f"at most max_run_notional={most}")


class Contradiction(ValueError):
    """Two settings that contradict each other: the setting it is reported under, its value, and what is expected."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        super().__init__(expected)
