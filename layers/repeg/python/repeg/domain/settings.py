"""The settings of a run, as they are frozen into it: their types, ranges and defaults."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from repeg.domain.contradictions import Contradiction, require_consistent
from repeg.domain.setting_types import (
    HORIZONS,
    Attempts,
    BasisPoints,
    Count,
    Dollars,
    Escalation,
    Fallback,
    FallbackMinutes,
    Feed,
    HalfSpreads,
    Imbalance,
    ListenSeconds,
    Minutes,
    Orders,
    Percent,
    Policy,
    Seconds,
    Share,
    Step,
    Threshold,
    Ticker,
    Tickers,
    Wait,
    Waiting,
    is_off,
    json_object,
)

# The two names of market orders are `policy` of `market`, and this one off.
USE_SMART = "use_smart_limit_execution"
# The oldest quote of a single venue, in seconds: a moment less than what counts as a sign of a halt.
OLDEST_QUIET = 299
# The shortest core session: an early close at 13:00.
HALF_DAY_MINUTES = 210
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
        if known.get("waiting") not in {None, *Waiting}:
            known["waiting"] = Waiting.POLL
        return known


class SymbolSettings(_Preferences):
    """Overrides for one symbol; None means the run's own setting."""

    use_smart_limit_execution: bool | None = None
    policy: Policy | None = None
    follow_after_seconds: Wait | None = None
    imbalance_cross: Imbalance | None = None
    tight_share: Share | None = None
    crossing_cost: HalfSpreads | None = None
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

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: object) -> object:
        """A symbol that gives one of the two names of market orders does not have the run's other one."""
        if not isinstance(values, dict):
            return values
        policy, is_smart = values.get("policy"), values.get(USE_SMART)
        if policy is None and is_off(is_smart):
            return {**values, "policy": Policy.MARKET}
        return {**values, USE_SMART: True} if is_smart is None and policy not in {None, Policy.MARKET} else values


class Settings(_Preferences):
    """Every setting of a run, with its default. Percentages are of a price, money is in dollars, sizes are shares."""

    use_smart_limit_execution: bool = Field(
        default=True, description="Limit orders at the top of the book; off: the same as `policy` of `market`"
    )
    policy: Policy = Field(Policy.NORMAL, description="How orders are worked: anchor, patient, normal, urgent, market")
    look_seconds: Seconds = Field(2, description="Time between two looks of a turn; not with anchor")
    waiting: Waiting = Field(
        Waiting.POLL, description="Between two turns: poll, or stream, which listens to fills and quotes meanwhile"
    )
    listen_seconds: ListenSeconds = Field(290, description="Time for which a step listens; only with stream")
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
    crossing_cost: HalfSpreads = Field(
        Decimal("1.0"),
        description="Assumed cost of taking, in quoted half-spreads, which the report compares with; no rule reads it",
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
    max_attempts: Attempts = Field(
        100, description="Most orders sent for one parent order without a fill since; 400 in all"
    )
    allowed_symbols: Tickers | None = Field(None, description="The only symbols that may be traded; none: all")
    data_feed: Feed | None = Field(
        None, description="The deployment's feed of quotes, kept with the run; on `iex` no rule reads displayed sizes"
    )
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
    def sees_one_venue(self) -> bool:
        """Whether the feed shows one venue's own book, which lies inside or outside of the market's without warning."""
        return self.data_feed is Feed.IEX

    @property
    def oldest_quote_seconds(self) -> int:
        """The oldest quote to trade on. One venue's quote stands until that venue changes it, which takes minutes in a
        quiet symbol, so for a limit order its age says nothing until it is the sign of a halt."""
        stands = self.sees_one_venue and not self.trades_at_market
        return max(self.max_quote_age_seconds, OLDEST_QUIET) if stands else self.max_quote_age_seconds

    @property
    def horizon_seconds(self) -> int:
        """The patience of an order of one slice, under this policy."""
        return max(1, int(self.patience_seconds * HORIZONS.get(self.policy, Decimal(1))))

    def hurried(self) -> Settings:
        """These settings for a sell that a buy waits for: with the patience of `urgent`, under the policy of looks."""
        return self.model_copy(update={"policy": Policy.URGENT}) if self.looks else self

    def with_close_margin(self, minutes: int) -> Settings:
        """These settings with another close margin."""
        return self.model_copy(update={"close_margin_minutes": minutes})

    def for_symbol(self, symbol: str) -> Settings:
        """These settings as they hold for one symbol."""
        own = self.symbols.get(symbol)
        if own is None:
            return self
        is_smart_again = own.use_smart_limit_execution and self.policy is Policy.MARKET
        changes = {"policy": Policy.NORMAL} if is_smart_again else {}
        return self.model_copy(update=changes | own.model_dump(exclude_none=True))

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: object, info: ValidationInfo) -> object:
        """Market orders have two names, and a run that was stored before there were policies has the original rule."""
        if not isinstance(values, dict) or "policy" in values:
            return values
        if is_off(values.get(USE_SMART)):
            return {**values, "policy": Policy.MARKET}
        return {**values, "policy": Policy.ANCHOR} if _is_stored(info) else values

    @model_validator(mode="after")
    def _no_contradiction(self, info: ValidationInfo) -> Settings:
        if _is_stored(info):
            return self  # the combination was allowed when the run was opened
        most = HALF_DAY_MINUTES - self.market_open_delay_minutes
        if self.close_margin_minutes >= most:
            expected = f"fewer than {most}: a half day has {HALF_DAY_MINUTES} minutes less the open delay"
            raise Contradiction("close_margin_minutes", self.close_margin_minutes, expected)
        require_consistent("", self)
        for symbol in self.symbols:
            require_consistent(f"symbols.{symbol}.", self.for_symbol(symbol))
        return self
