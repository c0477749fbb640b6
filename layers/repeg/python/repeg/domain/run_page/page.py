"""What the page of a run shows: values, without a word of markup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from repeg.domain.clustered import Mean
from repeg.domain.crossing import CrossingCost
from repeg.domain.markouts import Markout
from repeg.domain.run_page.record import Fill, Look, Release


@dataclass(frozen=True)
class Usage:
    """What the run used: how often the state machine entered each state, by name, its requests to the broker and for
    quotes, seconds of functions, and dollars at list prices. None: not known."""

    states: Mapping[str, int] = field(default_factory=dict)
    transitions: int | None = None
    trading_requests: int | None = None
    data_requests: int | None = None
    function_seconds: Decimal | None = None
    dollars: Decimal | None = None


@dataclass(frozen=True)
class Circumstances:
    """What is known of a run beside its journal.

    `mode` is `paper`, `live`, `simulated`, or empty if it is not known. `problems` say what of the journal could not be
    read. `outcomes` are of orders that the journal may not show the end of: their outcome and reason, by symbol.
    `crossing` is the measured cost of taking of the account; None if its other runs were not looked at. `markouts` are
    the report's; until it `is_measured`, after the close, they have no figures.
    """

    mode: str = ""
    outcome: str = ""
    reason: str = ""
    feed: str = ""
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    usage: Usage = Usage()
    outcomes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    crossing: CrossingCost | None = None
    markouts: tuple[Markout, ...] = ()
    is_measured: bool = False


@dataclass(frozen=True)
class OrderOnPage:
    """One order. Prices in dollars a share, `cost` in dollars against the arrival mid, positive where we paid, with
    what was not filled at the last mid. `market` is what its whole target would have cost at one half-spread then.

    A figure that cannot be known is None. `left_out` counts looks that were thinned out of its picture.
    """

    symbol: str
    side: str
    target: Decimal | None
    filled: Decimal
    average: Decimal | None
    arrival_bid: Decimal | None
    arrival_ask: Decimal | None
    arrived_at: datetime | None
    collar: Decimal | None
    notional: Decimal | None
    cost: Decimal | None
    cost_bps: Decimal | None
    cost_half_spreads: Decimal | None
    market: Decimal | None
    spread_ticks: int | None
    children: int
    outcome: str
    reason: str
    note: str
    seconds: Decimal | None
    looks: tuple[Look, ...]
    fills: tuple[Fill, ...]
    left_out: int = 0

    @property
    def dollars(self) -> Decimal:
        """Dollars that were traded."""
        return sum((fill.qty * fill.price for fill in self.fills), Decimal(0))


@dataclass(frozen=True)
class MarketOrders:
    """What market orders for the same targets would have cost at arrival, if taking costs `half_spreads`: dollars,
    basis points, and what the run saved against them. `is_measured`: by the account's own control orders."""

    half_spreads: Decimal
    dollars: Decimal
    bps: Decimal | None
    saved: Decimal
    is_measured: bool = False


@dataclass(frozen=True)
class Costs:
    """What the orders with a known cost have cost against their arrival mids.

    `interval` is the mean in basis points by dollars, with its 95 % confidence interval over orders; None for no order.
    `crossing` is the measured cost of taking, or why there is none.
    """

    orders: int
    unknown: int
    notional: Decimal
    dollars: Decimal
    interval: Mean | None
    market: tuple[MarketOrders, ...]
    crossing: CrossingCost


@dataclass(frozen=True)
class Bucket:
    """The orders whose spread at arrival was so wide. Costs as in `Costs`; `half_spreads` is their mean, each alike."""

    name: str
    orders: int
    notional: Decimal
    dollars: Decimal
    bps: Decimal | None
    half_spreads: Mean | None
    market: Decimal


@dataclass(frozen=True)
class Payment:
    """A fill of the timeline: dollars, and all that were received from sells and spent on buys by then."""

    at: datetime
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    dollars: Decimal
    received: Decimal
    spent: Decimal


@dataclass(frozen=True)
class RunPage:
    """The page of one run."""

    run_id: str
    day: date | None
    is_preview: bool
    circumstances: Circumstances
    outcome: str
    reason: str
    began: datetime | None
    ended: datetime | None
    policy: str
    feed: str
    orders: tuple[OrderOnPage, ...]
    costs: Costs
    buckets: tuple[Bucket, ...]
    payments: tuple[Payment, ...]
    releases: tuple[Release, ...]
    events: tuple[Look, ...]
