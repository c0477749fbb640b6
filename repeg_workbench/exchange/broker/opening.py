"""The account at the start of the simulation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class OpeningAccount:
    """Cash in dollars, positions as {symbol: (shares, average price)} with negative shares for a short, and switches.

    A multiplier of 1 is a cash account: buying power is cash less the holds of open orders. Short sales need a margin
    account (multiplier 2 or more) and shorting_enabled.
    """

    cash: Decimal = Decimal(100_000)
    positions: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    multiplier: int = 1
    shorting_enabled: bool = False
    trading_blocked: bool = False
    account_blocked: bool = False
    liquidation_only: bool = False
    trade_suspended_by_user: bool = False
    fractional_trading: bool = True
    key_id: str = "PKSIMULATED000000000"
    secret_key: str = "simulated-secret-key-of-forty-characters"  # noqa: S105 - opens nothing but a simulation
