"""What nobody outside the broker can know for sure, or what differs between accounts: each a knob with a default."""

from dataclasses import dataclass
from typing import Literal

Milliseconds = tuple[int, int]
"""A delay is drawn evenly from [low, high], by the exchange's seed."""


@dataclass(frozen=True, kw_only=True)
class BrokerQuirks:
    """One simulated broker's habits; numbers in brackets are rows of the conformance list in docs/simulator.md."""

    ack_delay: Milliseconds = (5, 40)
    """From pending_new to new, when the order reaches the book [8]."""
    cancel_delay: Milliseconds = (5, 60)
    """From pending_cancel to canceled [85]."""
    replace_delay: Milliseconds = (10, 80)
    """From pending_replace to replaced [65]."""
    release_delay: Milliseconds = (0, 20)
    """How long shares and buying power stay held after an order ended unfilled [30, 34]."""
    chain_settle_delay: Milliseconds = (0, 0)
    """How long after `replaced` a further replace is refused: order chain not fully replaced [70]."""
    list_lag: Milliseconds = (0, 0)
    """How long a new order is missing from lists while readable by id [51]."""
    client_id_lag: Milliseconds = (0, 0)
    """How long a new order cannot be found by its client_order_id [112]."""

    accepted_status: Literal["pending_new", "accepted", "new"] = "pending_new"
    """What a POST in session answers with [7]."""
    simple_order_class: Literal["", "simple"] = ""
    """How an order without legs names its class [7]."""
    client_order_id_scope: Literal["forever", "active"] = "forever"
    """Whether an ended order's client_order_id may be used again [14]."""
    replace_fill_inheritance: Literal["inherit", "zero"] = "inherit"
    """Whether a replacement's filled_qty starts with its predecessor's [74]."""
    cancel_of_canceled: Literal["204", "422"] = "204"
    """DELETE of an order that is canceled already [87]."""
    second_cancel: Literal["422", "204"] = "422"
    """DELETE of an order whose cancel is pending [88]."""
    cancel_while_closed: Literal["immediate", "at_open"] = "immediate"
    """Whether a cancel sent while the market is closed completes before the next open [91]."""
    wash_trade_counts_pending_cancel: bool = True
    """Whether an opposite order whose cancel is pending still counts as open [41]."""
    market_without_quote: Literal["rejected", "resting"] = "rejected"
    """A market order that meets an empty far side [47]."""
    partial_day_status: Literal["expired", "canceled"] = "expired"
    """How a partly filled day order ends at the close [62]."""
    partial_filled_at: Literal["null", "last_fill"] = "null"
    """filled_at while only partly filled [57]."""
    auction_orders: Literal["expire", "immediate"] = "expire"
    """opg and cls orders: end unfilled, as on paper, or execute at once against the quote [45]."""
    split_orders: Literal["cancel", "keep"] = "cancel"
    """What a split does to open good-till-canceled orders [64]."""

    missing_headers: Literal["html401", "json403"] = "html401"
    """A call without keys [2]."""
    unknown_route: Literal["404", "405"] = "404"
    """A known path with a method it does not have [4]."""
    pdt_fields: bool = False
    """Whether the account still shows its pattern-day-trader fields, gone since July 2026 [94]."""
    easy_to_borrow: bool = True
    """Whether an asset still shows easy_to_borrow, due to go in September 2026 [95]."""
    hard_to_borrow_short: Literal["refused", "allowed"] = "refused"
    """Short sale of an asset that is not easy to borrow [37]."""
    list_limit_excess: Literal["422", "clamp"] = "422"
    """limit above 500 in GET /v2/orders [48]."""
    snapshot_of_illiquid: Literal["null", "absent"] = "null"
    """A snapshot's parts for which nothing has happened yet [103]."""

    requests_per_minute: int | None = 200
    """Trading calls in any sixty seconds; None lifts the limit [105]."""
    data_requests_per_minute: int | None = 200
    """Market data calls in any sixty seconds; None lifts the limit [105]."""
    data_rate_headers: bool = True
    """Whether market data answers carry X-RateLimit headers [105]."""
    sip_entitled: bool = False
    """Whether the subscription covers the consolidated feed [101, 118]."""
    stream_symbol_limit: int | None = 30
    """Symbols per market data stream; None lifts the limit [118]."""
    stream_connection_limit: int = 1
    """Market data connections at once [118]."""
