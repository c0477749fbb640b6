"""What the judges decide: each rule by the name of its violation."""

from __future__ import annotations

from collections.abc import Mapping

INVARIANTS: Mapping[str, str] = {
    "more_than_target": "The filled and open shares of a parent order never exceed its target.",
    "two_live_children": "A parent order never has two open child orders at the broker.",
    "successor_before_end": "A child order arrives only after its predecessor has ended at the broker.",
    "wrong_side": "Only the plan's symbols are traded, and only on the plan's side.",
    "no_intent": "Every order that arrives has an intent written before it left.",
    "intent_differs": "Every order that arrives has the side, quantity and limit of its intent.",
    "intent_changed": "An intent never changes.",
    "outside_window": "No order arrives outside the window, unless it left in time and the network held it up.",
    "after_kill": "No order leaves later than a second after the kill switch is set, hold-ups of its step not counted.",
    "after_close": "No order leaves once its run has been closed or swept.",
    "sent_while_closing": "No step that closes a run sends an order.",
    "not_a_day_order": "Every order is a day order for the core session.",
    "too_many_orders": "A run never exceeds its limit on the number of orders.",
    "too_many_attempts": "A parent order never exceeds its limit on the number of attempts.",
    "symbol_not_allowed": "Only allowed symbols are traded.",
    "over_budget": "The cost of the orders at their limits never exceeds the budget of the order, the run or the day.",
    "past_the_collar": "No limit is worse than the collar of the order's arrival, the first quote that was accepted.",
    "no_collar": "No limit order arrives before a quote for its parent order was accepted.",
    "off_the_tick": "Every limit is a whole number of ticks.",
    "unchecked_quote": "Every order is sent on a quote that its step was served and that passes the check, a market"
    " order on one that is not too old when its intent is written. A fallback goes to the market only on a two-sided,"
    " current quote with a spread of at most 5 %.",
    "not_a_price_of_the_book": "Every limit is the passive price of a quote that was served, or its mid or the collar"
    " where the order may have climbed to it.",
    "worse_than_limit": "No execution is at a price worse than its order's limit.",
    "market_order_not_allowed": "Market orders are sent only if the settings allow them.",
    "market_order_too_soon": "A market order is sent only where the settings trade at the market, once the order may"
    " have climbed to it, or as a control order or a fallback.",
    "sent_twice": "An order without a limit, or one that replaces another, is sent at most once.",
    "sent_when_overtaken": "No step sends an order later than 17 seconds after a later step of its run has taken over.",
    "sent_late": "An order leaves within ten seconds of its intent; one with a limit may be sent again from a minute"
    " after its last request on.",
    "cash_negative": "After a buy of a run that buys from cash, the account's cash is not negative, but for what runs"
    " on buying power have spent since its cash was granted, and for what a market order that the network held up for"
    " over ten seconds has cost beyond its grant.",
    "power_negative": "After an execution of a run that buys from buying power, the account owes no more than its"
    " margin lends on its holdings, at their highest prices of the day.",
    "loan_not_alerted": "Money that is owed after the close of a run that buys from buying power is an alert.",
    "short": "After an execution of the program no position is negative.",
    "foreign_order_touched": "Another owner's or stack's order in the same account is never cancelled or replaced.",
    "sent_after_owner": "An order that its owner has cancelled or moved is not sent again.",
    "too_many_requests": "No stack exceeds the broker's rate limit in any period of sixty seconds.",
    "payload_too_large": "A step's answer is at most 8 KB.",
    "history_too_long": "An execution has at most 20,000 history events.",
    "unresolved": "An order whose request had no answer is looked for, sent again or closed in time.",
    "unswept": "Five minutes after a run was aborted, or once the watchdog was due, none of its orders is open.",
    "left_open": "At the end no order of the program is open.",
    "settled_open": "A run that is published as settled has no order open that the broker shows.",
    "unknown_settled": "A run with an order whose outcome is unknown has failed.",
    "orders_without_run": "Every order at the broker belongs to a run.",
    "no_report": "Every run has a report.",
    "not_published_once": "A run-ended event is published for the run, and again only under the same id.",
    "no_outcome": "Every parent order has an outcome.",
    "books_differ": "The booked executions are the broker's, each booked once and at the broker's price.",
    "filled_differs": "A parent order's filled quantity is the ledger's.",
    "report_differs": "The quantities in the report are the ledger's.",
    "outcome_untrue": "A parent order's outcome is `filled` if and only if the ledger has its full quantity.",
    "idle": "A line that nothing keeps from trading has an order at the broker within two turns.",
    "stalled": "Inside its window, an open run goes on with its orders every turn.",
    "hint_ignored": "An order that its step's stream mentions is looked at within a second, if no fault is in the way.",
    "not_cancelled": "After `cancel_all` every order of the stack is closed in time.",
    "published_late": "The end of a run is published within minutes.",
    "given_up": "No order that could still trade is given up before the window closes.",
    "not_held_by_its_book": "An order said to be held by its quote was served such a quote when it could last leave.",
    "failed_without_cause": "No run fails unless a fault, another hand, a limit or the kill switch gave it a reason.",
    "killed_without_switch": "No order is said to be killed unless the kill switch was set.",
    "judges_disagree": "Both judges come to the same verdict on each invariant that both check.",
}
