"""Settings for behaviour of the real broker that is uncertain, or that differs between accounts."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

Milliseconds = tuple[int, int]
"""A delay, drawn evenly from [low, high] with the exchange's seed."""


Permille = Annotated[int, Field(ge=0, le=1_000)]
"""A share in thousandths."""


@dataclass(frozen=True, kw_only=True)
class BrokerQuirks:
    """One simulated broker's behaviour. Numbers in brackets are rows of the conformance list in docs/simulator.md."""

    ack_delay: Milliseconds = (5, 40)
    """Time from pending_new to new, when the order enters the book [8]."""
    cancel_delay: Milliseconds = (5, 60)
    """Time from pending_cancel to canceled [85]."""
    replace_delay: Milliseconds = (10, 80)
    """Time from pending_replace to replaced [65]."""
    release_delay: Milliseconds = (0, 20)
    """How long an unfilled order's shares and buying power stay held after it ends [30, 34]."""
    chain_settle_delay: Milliseconds = (0, 0)
    """How long after `replaced` another replace is refused with "order chain not fully replaced" [70]."""
    list_lag: Milliseconds = (0, 0)
    """How long a new order is missing from lists, though readable by id [51]."""
    client_id_lag: Milliseconds = (0, 0)
    """How long a new order cannot be found by its client_order_id [112]."""

    accepted_status: Literal["pending_new", "accepted", "new"] = "pending_new"
    """The status in the answer to a POST during the session [7]."""
    simple_order_class: Literal["", "simple"] = ""
    """The order_class of an order without legs [7]."""
    client_order_id_scope: Literal["forever", "active"] = "forever"
    """How long a client_order_id stays taken: for ever, or until its order ends [14]."""
    replace_fill_inheritance: Literal["inherit", "zero"] = "inherit"
    """Whether a replacement's filled_qty starts at its predecessor's or at zero [74]."""
    cancel_of_canceled: Literal["204", "422"] = "204"
    """The answer to a DELETE of a canceled order [87]."""
    second_cancel: Literal["422", "204"] = "422"
    """The answer to a DELETE of an order whose cancel is pending [88]."""
    cancel_while_closed: Literal["immediate", "at_open"] = "immediate"
    """Whether a cancel sent while the market is closed completes immediately or at the next open [91]."""
    wash_trade_counts_pending_cancel: bool = True
    """Whether an opposite order whose cancel is pending still counts as open [41]."""
    market_without_quote: Literal["rejected", "resting"] = "rejected"
    """What happens to a market order when the far side is empty [47]."""
    partial_day_status: Literal["expired", "canceled"] = "expired"
    """The final status of a partly filled day order at the close [62]."""
    partial_filled_at: Literal["null", "last_fill"] = "null"
    """The filled_at of a partly filled order [57]."""
    auction_orders: Literal["expire", "immediate"] = "expire"
    """Whether opg and cls orders expire unfilled, as on paper, or execute immediately against the quote [45]."""
    price_improvement: Permille = 0
    """By how many permille of the quoted half-spread a marketable order trades better than the displayed far side, on
    average; 0: not at all, 600: it pays 0.4 half-spreads [55]."""
    improvement_by_size: Permille = 0
    """How many permille of its improvement an order loses that takes the whole displayed size; a smaller one in
    proportion [55]."""
    improvement_by_imbalance: Permille = 0
    """How many permille of its improvement an order loses whose own side has all of the displayed size; in proportion
    down to none in a balanced book [55]."""
    order_protection: bool = True
    """Whether an order in the queue that is alone at the best price fills by prints at it on any lit venue [56]."""
    split_orders: Literal["cancel", "keep"] = "cancel"
    """What a split does to open good-till-canceled orders: cancel or keep them [64]."""

    missing_headers: Literal["html401", "json403"] = "html401"
    """The answer to a call without keys [2]."""
    unknown_route: Literal["404", "405"] = "404"
    """The answer to a known path with an unsupported method [4]."""
    pdt_fields: bool = False
    """Whether the account still has the pattern-day-trader fields removed in July 2026 [94]."""
    easy_to_borrow: bool = True
    """Whether assets still have easy_to_borrow, due to be removed in September 2026 [95]."""
    hard_to_borrow_short: Literal["refused", "allowed"] = "refused"
    """Whether an asset that is not easy to borrow may be sold short [37]."""
    list_limit_excess: Literal["422", "clamp"] = "422"
    """How GET /v2/orders handles a limit above 500: refuse it or use 500 [48]."""
    snapshot_of_illiquid: Literal["null", "absent"] = "null"
    """How a snapshot shows parts without data: as null, or not at all [103]."""

    requests_per_minute: int | None = 200
    """Trading calls in any sixty seconds; None lifts the limit [105]."""
    data_requests_per_minute: int | None = 200
    """Market data calls in any sixty seconds; None lifts the limit [105]."""
    data_rate_headers: bool = True
    """Whether market data answers carry X-RateLimit headers [105]."""
    sip_entitled: bool = False
    """Whether the subscription covers the consolidated feed [101, 118]."""
    iex_feed: Literal["consolidated", "venue"] = "consolidated"
    """Whether the iex feed shows the consolidated market, or one venue's quotes and trades in it [138]."""
    iex_at_best: int | None = None
    """For how many permille of the day that venue is at the national best on both sides; None: by the stock's usual
    spread, 290 on average [138]."""
    iex_volume: int = 32
    """How many permille of the shares trade there [138]."""
    stream_symbol_limit: int | None = 30
    """Symbols per market data stream; None lifts the limit [118]."""
    stream_connection_limit: int = 1
    """Market data connections at once [118]."""
    dead_stream_held: int = 90
    """Seconds for which a market data connection that died without closing keeps its place [141]."""
