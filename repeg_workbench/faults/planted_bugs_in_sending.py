"""Planted bugs of sending: what an intent says, how much is sent, and what an order in flight counts as."""

from __future__ import annotations

from repeg.domain import order_ids, replacement, run, session, time_limits
from repeg.workflow import in_flight, intents, placement, proposals, sellable, turn, working
from repeg_workbench.faults.planting import Edit, PlantedBug, edited, set_to

_LEFT = "[child.qty - child.filled for child in cancelled.children if child.n in asked]"

SENDING_BUGS: dict[str, PlantedBug] = {
    "market_without_grant": edited(
        "a decision made once more sends a market order without cash that was granted for it",
        Edit(placement, "send_order", "if not is_granted(order, proposal, qty):", "if False:"),
        seen_by="tests/guards/test_market_moves.py"
        "::test_a_successor_that_turns_into_a_market_order_stays_at_its_collar",
    ),
    "market_beyond_its_grant": edited(
        "a market order is sent with the cash that was granted for a limit at the collar",
        Edit(proposals, "is_granted", "bool(proposal.funds.lease) and", "bool(proposal.funds.lease) or"),
        seen_by="tests/guards/test_market_moves.py"
        "::test_a_first_order_that_turns_into_a_market_order_stays_at_its_collar",
    ),
    "resent_unlisted": edited(
        "an order in flight is sent again without a look at the day's orders",
        Edit(in_flight, "_resolve_never_seen", "if listed is not None:", "if False:"),
        seen_by="tests/functions/test_repeg_orders_unknown.py::test_an_order_that_only_a_list_shows_is_not_resent",
    ),
    "unseen_trade_resent": edited(
        "an order in flight is sent again although its symbol has traded in an order that the broker does not show",
        Edit(in_flight, "_resolve_never_seen", "if traded := lists.unaccounted(order, child):", "if False:"),
        seen_by="tests/functions/test_unseen_trades.py::test_an_order_that_has_traded_unseen_is_not_resent",
    ),
    "market_order_resent": edited(
        "an order without a limit is sent again",
        Edit(in_flight, "_may_resend", "child.limit is None or", ""),
        seen_by="tests/functions/test_market_orders_unknown.py"
        "::test_a_market_order_without_an_answer_is_not_sent_again",
    ),
    "market_order_given_up_early": edited(
        "an order without a limit is given up while its request may still be under way",
        Edit(in_flight, "_resolve_never_seen", "age >= UNPRICED_LOST_AFTER", "age >= RESEND_AFTER"),
        seen_by="tests/functions/test_market_orders_unknown.py"
        "::test_a_market_order_without_an_answer_is_not_sent_again",
    ),
    "resent_beside_another": edited(
        "an order in flight is sent again beside one that has turned up",
        Edit(in_flight, "_may_resend", "child.qty + others > order.remaining", "False"),
        seen_by="tests/functions/test_repeg_orders_unknown.py"
        "::test_an_unknown_order_is_not_resent_beside_one_that_turns_up",
    ),
    "refused_resend_is_final": edited(
        "a refused resend ends the child although its first request may still arrive",
        Edit(
            in_flight,
            "_resend",
            "answer = refused if found is None else Accepted(report=found)",
            "answer = answer if found is None else Accepted(report=found)",
        ),
        seen_by="tests/functions/test_repeg_orders_unknown.py"
        "::test_an_order_that_arrives_after_its_refused_resend_is_adopted",
    ),
    "resend_of_the_latest_price": edited(
        "an order in flight is sent again at a new price",
        Edit(
            in_flight,
            "_resend",
            "turn.ports.broker.submit(intent.resent_until(until))",
            "turn.ports.broker.submit(intent.resent_until(until).model_copy(update={'limit': order.collar}))",
        ),
    ),
    "remainder_of_last_child": edited(
        "after a partial fill the successor is sent for the old child's quantity",
        Edit(working, "_left_of", f"left = {_LEFT}", "left = [child.qty for child in before.open_children]"),
        Edit(working, "_left_of", "min([cancelled.remaining, *left])", "min([before.remaining, *left])"),
        seen_by="tests/functions/test_repeg_orders_races.py::test_a_partial_fill_during_the_cancel_is_counted",
    ),
    "remainder_of_the_target": edited(
        "a buy that was scaled to the cash is moved for all that its order still needs",
        Edit(working, "_left_of", "min([cancelled.remaining, *left])", "cancelled.remaining"),
        seen_by="tests/functions/test_place_orders_funding.py::test_a_scaled_buy_keeps_its_quantity_when_it_moves",
    ),
    "whole_shares_only": edited(
        "quantities are rounded to whole shares",
        Edit(intents, "new_intent", "qty=qty,", "qty=max(Decimal(1), qty.to_integral_value()),"),
        seen_by="tests/functions/test_place_orders_funding.py::test_a_full_exit_sends_the_exact_fractional_quantity",
    ),
    "attempt_counted_from_children": edited(
        "the attempt is the number of children, not one more than the last attempt",
        Edit(
            intents, "new_intent", "order.children[-1].n + 1 if order.children else 1", "len(order.open_children) + 1"
        ),
        seen_by="tests/functions/test_place_orders_funding.py::test_a_scaled_buy_keeps_its_quantity_when_it_moves",
    ),
    "attempts_one_more": edited(
        "an order gets one attempt more than it may have",
        Edit(placement, "attempts_exhausted", "<= 0", "< 0"),
        seen_by="tests/guards/test_limits.py::test_an_order_out_of_attempts_rests_unmoved_until_the_close",
    ),
    "refused_for_good": edited(
        "a refusal that would pass counts as a rejection",
        Edit(placement, "_after_refusal", "if reason is None or", "if True or"),
        seen_by="tests/functions/test_place_orders_funding.py"
        "::test_a_buy_refused_for_cash_waits_and_is_sent_under_the_next_id",
    ),
    "retry_at_once": edited(
        "a refused order is tried again on each turn",
        Edit(placement, "_retry_at", "return min(due, last_turn) if last_turn > turn.now else due", "return turn.now"),
        seen_by="tests/functions/test_place_orders_funding.py"
        "::test_a_buy_refused_for_cash_waits_and_is_sent_under_the_next_id",
    ),
    "refused_sell_is_dropped": edited(
        "an order that was refused for now is not tried again",
        Edit(
            placement,
            "_retry_at",
            "return min(due, last_turn) if last_turn > turn.now else due",
            "return turn.window.closes",
        ),
        seen_by="tests/functions/test_place_orders_funding.py"
        "::test_a_buy_refused_for_cash_waits_and_is_sent_under_the_next_id",
    ),
    "sold_without_a_look": edited(
        "a sell is sent without a look at the holdings",
        Edit(sellable, "limit_to_holdings", "if order.side is Side.BUY:", "if True:"),
        Edit(sellable, "_at_most", "if qty <= held:", "if True:"),
        seen_by="tests/functions/test_other_hands.py::test_a_sell_is_not_sent_again_once_its_shares_are_sold_by_hand",
    ),
    "owners_order_moved": edited(
        "an order that its owner has moved is worked on",
        Edit(working, "work_order", "if order.held is HoldReason.OWNER:", "if False:"),
        seen_by="tests/functions/test_other_hands.py::test_an_order_moved_by_its_owner_is_followed_and_not_sent_again",
    ),
    "half_chain_moved": edited(
        "an order is moved while its replacement is in flight",
        Edit(working, "work_order", " and len(order.open_children) == 1", ""),
        seen_by="tests/functions/test_repeg_orders_replace.py::test_no_decision_is_made_while_both_orders_may_fill",
    ),
    "unresolved_moved": edited(
        "an order is moved while its outcome is unknown",
        Edit(working, "work_order", "child is not None and child.state not in UNRESOLVED and", "child is not None and"),
        seen_by="tests/functions/test_repeg_orders_unknown.py"
        "::test_an_unacknowledged_order_is_resent_under_its_id_after_a_minute",
    ),
    "replaced_when_filled": edited(
        "a partly filled order is moved by replace",
        Edit(
            replacement,
            "is_replaceable",
            "not any(each.filled for each in (child, *order.predecessors(child)))",
            "True",
        ),
        Edit(replacement, "is_replaceable", " and child.qty == order.remaining", ""),
        seen_by="tests/functions/test_repeg_orders_replace.py::test_a_partly_filled_order_moves_by_cancel_and_resubmit",
    ),
    "replaced_twice": edited(
        "a child whose replace failed is replaced again",
        Edit(replacement, "is_replaceable", "replacement_of(order, child) is None and ", ""),
        seen_by="tests/functions/test_repeg_orders_replace.py::test_a_refused_replace_is_followed_by_a_cancel",
    ),
    "half_day_forgotten": edited(
        "the early close is forgotten once the run is planned",
        Edit(
            run.Run,
            "window",
            "        return trading_window(\n            self.trading_day,",
            "        close = self.trading_day.open + (self.trading_day.close - self.trading_day.open) * 13 / 7\n"
            "        whole = self.trading_day.model_copy(update={'close': close})\n"
            "        return trading_window(\n            whole if self.is_planned else self.trading_day,",
        ),
        seen_by="tests/simulation/test_golden_days.py::test_the_days_tape_equals_its_golden_file",
    ),
    "opening_minutes_traded": edited(
        "the opening delay is left out of the window",
        Edit(session, "trading_window", "day.open + timedelta(minutes=open_delay_minutes)", "day.open"),
    ),
    "margin_of_the_answer": set_to(
        "a request is sent in the last seconds of the window",
        time_limits,
        "SEND_MARGIN",
        time_limits.SEND_MARGIN * 0,
        seen_by="tests/functions/test_place_orders.py::test_no_order_is_sent_in_the_last_ten_seconds_of_the_window",
    ),
    "window_closed_at_both_ends": edited(
        "an order is sent at the very end of the window",
        Edit(turn.Turn, "is_in_window", "< self.window.closes - SEND_MARGIN", "<= self.window.closes"),
        Edit(intents, "new_intent", "turn.sends_until", "None"),
        seen_by="tests/functions/test_place_orders.py::test_no_order_is_sent_in_the_last_ten_seconds_of_the_window",
    ),
    "two_runs_one_prefix": edited(
        "the ids of a further run of the day are those of the first",
        Edit(order_ids, "run_prefix", "{suffix or ''}.", "."),
        seen_by="tests/domain/test_order.py::test_the_longest_client_order_id_fits_the_brokers_limit",
    ),
    "old_holdings": edited(
        "holdings are read once for the whole step, however long it takes",
        Edit(
            sellable,
            "current_holdings",
            "known is not None and turn.ports.runtime.now() - known.at <= HOLDINGS_AGE",
            "known is not None",
        ),
        seen_by="tests/functions/test_other_hands.py"
        "::test_a_sell_sent_late_in_a_step_is_checked_against_fresh_holdings",
    ),
}
