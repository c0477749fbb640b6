"""What an unmodified alpaca-py experiences for each fault and race, as shown by the tests in this folder."""

FAULTS = {
    "reset_before": "requests.ConnectionError; no order exists",
    "reset_after": "requests.ConnectionError; the order exists",
    "hang_before": "waits for ever, as it sets no timeout; with one, ReadTimeout; no order exists",
    "hang_after": "the same, and the order exists",
    "late": "ReadTimeout, and a lookup that finds nothing; the order appears later",
    "slow": "the order, later",
    "answer_before": "APIError with that status; 429 and 504 are tried four times, POST included",
    "answer_after": "504: posts again and is refused for its own order's id, or places a second order; page: "
    "JSONDecodeError; nothing: TypeError",
    "rewrite": "see the rewrites",
}
REWRITES = {
    "unknown_status": "ValidationError after the order was accepted; one such order breaks the whole list",
    "unknown_asset_class": "ValidationError for the whole list",
    "unknown_exchange": "ValidationError for all positions",
    "null_submitted_at": "ValidationError",
    "null_created_at": "ValidationError",
    "numbers_for_strings": "ValidationError for the account",
    "quote_stale": "an old quote that looks like any other",
    "quote_crossed": "a bid above the ask",
    "quote_locked": "a bid at the ask",
    "quote_wide": "a spread of forty percent",
    "quote_without_bid": "a bid of 0",
    "quote_without_ask": "an ask of 0",
    "quote_null_price": "ValidationError",
    "quote_null": "the symbol is missing from the answer",
    "quote_absent": "the symbol is missing from the answer",
}
RACES = {
    "rejected_later": "an accepted order, then status rejected without a reason",
    "cancel_loses": "None from the cancel, then status filled",
    "cancel_stuck": "status pending_cancel for all that time",
    "replace_stuck": "status pending_replace, the replacement pending_new, for all that time",
    "replace_loses": "a replacement that is rejected, and a filled order under the old id",
    "replace_loses_part": "a replacement for less than expected; the chain's total holds",
    "replace_forgotten": "a replacement that is rejected, and the old order at its old price",
    "replace_shows_parent": "a rejected replacement with filled_qty of its parent",
    "late_in_lists": "get_orders without the order, get_order_by_id with it",
    "late_by_client_id": "404 by client_order_id for an order that exists",
    "one_share_fills": "many executions, and many partial_fill updates",
}
STREAM_FAULTS = {
    "drop": "no update; the order read by id is filled",
    "duplicate": "the same update twice, with one execution_id",
    "delay": "the update, later, and later ones before it",
    "reorder": "a fill before the order is new",
    "forged": "a fill of a million shares that the order read by id does not have",
    "unknown_order": "an update of an order that cannot be read by any id",
    "unknown_event": "nothing: its model does not know the event, and only the log shows it",
    "nameless": "nothing, likewise",
    "disconnect": "a reconnect after its backoff; events in the meantime are never sent",
    "freeze": "nothing, for three minutes; then its ping has timed out and it reconnects",
    "slow": "a reconnect after its backoff",
    "silent": "nothing, without an error",
    "refuse": "attempts after its backoff until one succeeds; `run` raises nothing",
}
