"""The settings of one symbol, and what they have in common with the run's: how unknown names and words are read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator

from repeg.domain.setting_types import (
    Arms,
    BasisPoints,
    Count,
    Dollars,
    Escalation,
    Fallback,
    FallbackMinutes,
    FundBuysFrom,
    HalfSpreads,
    Imbalance,
    Percent,
    Policy,
    Seconds,
    Share,
    Step,
    Threshold,
    Wait,
    Waiting,
    is_off,
)

# The two names of market orders are `policy` of `market`, and this one off.
USE_SMART = "use_smart_limit_execution"
# The context for reading the settings of a stored run, which another release may have written.
STORED = {"stored": True}


def is_stored(info: ValidationInfo) -> bool:
    """Whether a stored run is being read."""
    return bool(info.context and info.context.get("stored"))


class Preferences(BaseModel):
    """Settings. An unknown name is an error in an input and is ignored in a stored run, where an unknown escalation
    or fallback counts as none, an unknown policy as the original one: the run never pays more than it was allowed to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: object, info: ValidationInfo) -> object:
        if not is_stored(info) or not isinstance(values, dict):
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
        if known.get("fund_buys_from") not in {None, *FundBuysFrom}:
            known["fund_buys_from"] = FundBuysFrom.CASH
        return known


class SymbolSettings(Preferences):
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
    control_share: Arms | None = None
    control_max_notional: Dollars | None = None

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
