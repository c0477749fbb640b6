"""The settings of a run, as they are frozen into it: their types, ranges and defaults."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from repeg.domain.setting_types import (
    Attempts,
    BasisPoints,
    Count,
    Dollars,
    FallbackMinutes,
    Imbalance,
    Minutes,
    Orders,
    Percent,
    Seconds,
    Share,
    Step,
    Threshold,
    Ticker,
    Tickers,
    Wait,
    json_object,
)


class Escalation(StrEnum):
    """How far an order may escalate once its patience is exhausted: no further, to the mid, the far side, or market."""

    NONE = "none"
    MID = "mid"
    CROSS = "cross"
    MARKET = "market"


class Policy(StrEnum):
    """How an order is worked: by the original rule, by the rules of `look` under one of three horizons, or market."""

    ANCHOR = "anchor"
    PATIENT = "patient"
    NORMAL = "normal"
    URGENT = "urgent"
    MARKET = "market"


# The policies that follow the rules of `look`, and how many times `patience_seconds` each of them waits.
HORIZONS: dict[Policy, Decimal] = {
    Policy.PATIENT: Decimal(6),
    Policy.NORMAL: Decimal(1),
    Policy.URGENT: Decimal("0.2"),
}


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
    or fallback counts as none, an unknown policy as the original one: the run never pays more than it was allowed to.
    """

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
        if known.get("policy") not in {None, *Policy}:
            known["policy"] = Policy.ANCHOR
        return known


class SymbolSettings(_Preferences):
    """Overrides for one symbol; None means the run's own setting."""

    use_smart_limit_execution: bool | None = None
    policy: Policy | None = None
    follow_after_seconds: Wait | None = None
    imbalance_cross: Imbalance | None = None
    tight_share: Share | None = None
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


class Settings(_Preferences):
    """Every setting of a run, with its default. Percentages are of a price, money is in dollars, sizes are shares."""

    use_smart_limit_execution: bool = Field(
        default=True, description="Limit orders at the top of the book; off: market orders"
    )
    policy: Policy = Field(Policy.ANCHOR, description="How orders are worked: anchor, patient, normal, urgent, market")
    look_seconds: Seconds = Field(2, description="Time between two looks of a turn; not with anchor")
    follow_after_seconds: Wait = Field(
        30, description="Time for which an order rests before it follows others up; not with anchor"
    )
    imbalance_cross: Imbalance = Field(
        Decimal("0.7"),
        description="Near side's share of the displayed size from which a one-tick spread is taken; not with anchor",
    )
    tight_share: Share = Field(
        Decimal("0.334"), description="Part of the usual spread up to which a spread is taken; 0: none; not with anchor"
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
        Fallback.NONE, description="What becomes of an order that its book still holds near the close"
    )
    fallback_minutes: FallbackMinutes = Field(5, description="Minutes before the close of the window")
    max_order_notional: Dollars | None = Field(None, description="Largest parent order, dollars; none: no limit")
    max_run_notional: Dollars | None = Field(None, description="Largest sum of parent orders, dollars; none: no limit")
    max_day_notional: Dollars | None = Field(
        None, description="Most that all runs of a day together may commit, dollars; none: no limit"
    )
    max_run_orders: Orders | None = Field(None, description="Most orders that a run may send; none: no limit")
    max_attempts: Attempts = Field(50, description="Most orders sent for one parent order")
    allowed_symbols: Tickers | None = Field(None, description="The only symbols that may be traded; none: all")
    symbols: Annotated[dict[Ticker, SymbolSettings], BeforeValidator(json_object)] = Field(
        default_factory=dict, description="Overrides by symbol"
    )

    @property
    def trades_at_market(self) -> bool:
        """Whether every order is a market order."""
        return self.policy is Policy.MARKET or not self.use_smart_limit_execution

    @property
    def looks(self) -> bool:
        """Whether orders follow the rules of `look`, not the original rule."""
        return self.policy in HORIZONS and self.use_smart_limit_execution

    @property
    def looks_anywhere(self) -> bool:
        """Whether the orders of any symbol may follow the rules of `look`."""
        return self.looks or any(self.for_symbol(symbol).looks for symbol in self.symbols)

    @property
    def horizon_seconds(self) -> int:
        """The patience of an order of one slice, under this policy."""
        return max(1, int(self.patience_seconds * HORIZONS.get(self.policy, Decimal(1))))

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
    _require_one_policy(where, own)
    if own.patience_seconds < own.order_monitoring_seconds:
        raise Contradiction(
            f"{where}patience_seconds",
            own.patience_seconds,
            f"at least order_monitoring_seconds={own.order_monitoring_seconds}: patience is checked once a turn",
        )
    may_use_market = own.escalation is Escalation.MARKET or own.trades_at_market
    if own.fallback is Fallback.MARKET and not may_use_market:
        raise Contradiction(
            f"{where}fallback", own.fallback, f"none or collar: escalation={own.escalation} permits no market order"
        )
    most = own.max_run_notional
    if own.max_order_notional is not None and most is not None and own.max_order_notional > most:
        raise Contradiction(f"{where}max_order_notional", own.max_order_notional, f"at most max_run_notional={most}")


def _require_one_policy(where: str, own: Settings) -> None:
    if not where and not own.use_smart_limit_execution and own.policy not in {Policy.ANCHOR, Policy.MARKET}:
        raise Contradiction(f"{where}policy", own.policy, "market: use_smart_limit_execution is off, which means that")
    if own.policy is Policy.MARKET and own.escalation in {Escalation.NONE, Escalation.MID}:
        raise Contradiction(
            f"{where}policy", own.policy, f"another one: escalation={own.escalation} permits no market order"
        )


class Contradiction(ValueError):
    """Two settings that contradict each other: the setting it is reported under, its value, and what is expected."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        super().__init__(expected)
