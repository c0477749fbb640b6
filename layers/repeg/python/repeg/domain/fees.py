"""Regulatory fees of a run's executions, estimated by the rates of the trading date.

The broker charges each fee once a day, rounded up to a cent, over all of an account's trades of the day: a run that
shares its day with others pays at most a cent less of each. Paper accounts are charged none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from repeg.domain.amount import CENT, Amount
from repeg.domain.broker import Execution
from repeg.domain.frozen import Frozen
from repeg.domain.quote import Side


class Rates(NamedTuple):
    """Fees from a date on: dollars a million dollars sold (Section 31), dollars a share sold and at most an execution
    (FINRA's trading activity fee), dollars a share bought or sold (consolidated audit trail)."""

    since: date
    sec_per_million: Decimal
    taf_per_share: Decimal
    taf_at_most: Decimal
    cat_per_share: Decimal


# The Section 31 rate holds since 2026-04-04. FINRA charges no trading activity fee in the last quarter of 2026.
RATES = (
    Rates(date(2026, 10, 1), Decimal("20.60"), Decimal(0), Decimal(0), Decimal("0.000003")),
    Rates(date(2027, 1, 1), Decimal("20.60"), Decimal("0.000195"), Decimal("9.79"), Decimal("0.000003")),
)
"""Rates by the date from which they hold; no earlier ones are known here."""


class Fees(Frozen):
    """Estimated dollars of each fee, and the date since which their rates hold."""

    sec: Amount
    taf: Amount
    cat: Amount
    rates_since: date

    @property
    def dollars(self) -> Decimal:
        """All fees together."""
        return self.sec + self.taf + self.cat


def fees_on(day: date, executions: Sequence[Execution]) -> Fees | None:
    """The fees of a day's executions; None for a date whose rates are not known here."""
    rates = max((each for each in RATES if each.since <= day), default=None)
    if rates is None:
        return None
    sold = [execution for execution in executions if execution.side is Side.SELL]
    return Fees(
        sec=_charged(sum((e.qty * e.price for e in sold), Decimal(0)) * rates.sec_per_million / 1_000_000),
        taf=_charged(sum((min(e.qty * rates.taf_per_share, rates.taf_at_most) for e in sold), Decimal(0))),
        cat=_charged(sum((e.qty for e in executions), Decimal(0)) * rates.cat_per_share),
        rates_since=rates.since,
    )


def _charged(dollars: Decimal) -> Decimal:
    return dollars.quantize(CENT, ROUND_CEILING)
