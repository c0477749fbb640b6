"""The settings of a run, as they are frozen into it: their types, ranges and defaults."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from repeg.domain.contradictions import Contradiction, require_consistent
from repeg.domain.setting_types import (
    HORIZONS,
    Arms,
    Attempts,
    BasisPoints,
    Count,
    Dollars,
    Escalation,
    Fallback,
    FallbackMinutes,
    Feed,
    FundBuysFrom,
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
from repeg.domain.symbol_settings import USE_SMART, Preferences, SymbolSettings, is_stored

# The oldest quote of a single venue, in seconds: a moment less than what counts as a sign of a halt.
OLDEST_QUIET = 299
# The shortest core session: an early close at 13:00.
HALF_DAY_MINUTES = 210


class Settings(Preferences):
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
    hurry_sells: bool = Field(
        default=False, description="Work sells as under `urgent` while a buy waits for their cash; not with anchor"
    )
    fund_buys_from: FundBuysFrom = Field(
        FundBuysFrom.CASH,
        description="What buys are funded from: cash, or buying_power, which may borrow within the account's margin",
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
    control_share: Arms = Field(
        Decimal(0),
        description="Share of the small orders that are sent at the market at arrival, drawn by run and symbol, to "
        "measure what that costs; 0: none",
    )
    control_max_notional: Dollars = Field(
        Decimal(5_000), description="Most that an order may cost at the market to be drawn, dollars"
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
        """These settings for a sell that a buy waits for: with the patience of `urgent`, where sells may be hurried."""
        return self.model_copy(update={"policy": Policy.URGENT}) if self.hurry_sells and self.looks else self

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
        return {**values, "policy": Policy.ANCHOR} if is_stored(info) else values

    @model_validator(mode="after")
    def _no_contradiction(self, info: ValidationInfo) -> Settings:
        if is_stored(info):
            return self  # the combination was allowed when the run was opened
        most = HALF_DAY_MINUTES - self.market_open_delay_minutes
        if self.close_margin_minutes >= most:
            expected = f"fewer than {most}: a half day has {HALF_DAY_MINUTES} minutes less the open delay"
            raise Contradiction("close_margin_minutes", self.close_margin_minutes, expected)
        require_consistent("", self)
        for symbol in self.symbols:
            require_consistent(f"symbols.{symbol}.", self.for_symbol(symbol))
        return self
