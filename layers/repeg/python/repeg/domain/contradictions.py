"""Settings that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repeg.domain.setting_types import Escalation, Fallback, Policy

if TYPE_CHECKING:
    from repeg.domain.settings import Settings


class Contradiction(ValueError):
    """Two settings that contradict each other: the setting it is reported under, its value, and what is expected."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        super().__init__(expected)


def require_consistent(where: str, own: Settings) -> None:
    """Refuse settings that contradict each other; `where` is the path of their fields. Raises Contradiction."""
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
    if own.control_share > 0 and own.escalation in {Escalation.NONE, Escalation.MID}:
        raise Contradiction(
            f"{where}control_share", own.control_share, f"0: escalation={own.escalation} permits no market order"
        )
    most = own.max_run_notional
    if own.max_order_notional is not None and most is not None and own.max_order_notional > most:
        raise Contradiction(f"{where}max_order_notional", own.max_order_notional, f"at most max_run_notional={most}")


def _require_one_policy(where: str, own: Settings) -> None:
    if not own.use_smart_limit_execution and own.policy is not Policy.MARKET:
        raise Contradiction(
            f"{where}policy", own.policy, "market, or none: use_smart_limit_execution is off, which means policy=market"
        )
    if own.policy is Policy.MARKET and own.escalation in {Escalation.NONE, Escalation.MID}:
        is_named = own.use_smart_limit_execution
        raise Contradiction(
            f"{where}{'policy' if is_named else 'use_smart_limit_execution'}",
            own.policy if is_named else False,
            f"{'another one' if is_named else 'true'}: escalation={own.escalation} permits no market order",
        )
