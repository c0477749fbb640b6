"""Planted bugs of reading the broker: reports, fills, executions, replace chains, other hands."""

from __future__ import annotations

from repeg.domain import adoption, open_orders, sizing
from repeg.domain.child_order import Child
from repeg.workflow import cancellation, in_flight, planning, reconciliation, working
from repeg_workbench.faults.planted_bugs_in_endings import NO_COMPARISON
from repeg_workbench.faults.planting import Edit, PlantedBug, edited

FILL_BUGS: dict[str, PlantedBug] = {
    "older_report_believed": edited(
        "an older report takes fills back",
        Edit(Child, "after", "filled = max(self.filled, report.filled_qty)", "filled = report.filled_qty"),
        seen_by="tests/domain/test_order_fills.py::test_an_older_report_does_not_undo_a_fill_or_a_cancel",
    ),
    "last_word_is_final": edited(
        "a fill that is reported after the end of its order is ignored",
        Edit(
            Child,
            "after",
            "filled = max(self.filled, report.filled_qty)",
            "filled = self.filled if self.is_closed else max(self.filled, report.filled_qty)",
        ),
        NO_COMPARISON,
        seen_by="tests/domain/test_order_fills.py::test_a_fill_after_a_reported_cancel_is_still_counted",
    ),
    "cancel_undone": edited(
        "an older report takes a cancel in flight back",
        Edit(Child, "after", "if self.is_cancelled_by_us and state is ChildState.LIVE:", "if False:"),
        seen_by="tests/domain/test_order_fills.py::test_an_older_report_does_not_undo_a_fill_or_a_cancel",
    ),
    "prefix_without_separator": edited(
        "the run's orders are found by its prefix without the separator",
        Edit(
            reconciliation, "list_own_orders", "prefix = turn.run.order_prefix", "prefix = turn.run.order_prefix[:-1]"
        ),
        seen_by="tests/functions/test_close_run_unaccounted.py::test_orders_of_other_runs_and_clients_are_not_touched",
    ),
    "every_order_is_ours": edited(
        "the run's orders are found by the program's prefix",
        Edit(reconciliation, "list_own_orders", "prefix = turn.run.order_prefix", "prefix = 'rp'"),
        seen_by="tests/functions/test_two_stacks.py::test_ending_a_run_leaves_another_stacks_orders_alone",
    ),
    "missing_is_cancelled": edited(
        "a resting order that the broker does not find is taken for cancelled",
        Edit(
            in_flight,
            "_resolve_missing",
            'turn.warn(order.symbol, "hold", reason=f"the broker does not find {child.client_order_id}")',
            "return turn.ports.store.save_order(order.with_child(child.becomes(ChildState.CANCELED)))",
        ),
        seen_by="tests/functions/test_rare_answers.py"
        "::test_a_resting_order_that_the_broker_does_not_find_is_left_alone",
    ),
    "listed_is_current": edited(
        "a chain of replaces is read from the list of open orders",
        Edit(in_flight, "refresh_children", "is_chain = len(order.open_children) > 1", "is_chain = False"),
        seen_by="tests/functions/test_repeg_orders_replace.py"
        "::test_both_orders_of_a_replace_are_read_by_their_ids_while_the_list_lags",
    ),
    "refresh_not_saved": edited(
        "what a turn reads of its orders is not stored",
        Edit(
            in_flight,
            "_refresh",
            "save_order(turn, seen) if seen is not order and seen != order else order",
            "seen",
        ),
        seen_by="tests/functions/test_repeg_orders.py::test_a_partial_fill_is_booked_and_the_remainder_keeps_resting",
    ),
    "replacement_given_up_early": edited(
        "a replacement that is not found is given up although the old order is still open",
        Edit(
            in_flight,
            "_resolve_missing_replacement",
            "(RESEND_AFTER if old.is_closed else LOST_AFTER)",
            "LOST_AFTER / 100",
        ),
        seen_by="tests/functions/test_repeg_orders_replace.py::test_a_lost_replace_is_abandoned_after_two_minutes",
    ),
    "executions_lag_ignored": edited(
        "the list of executions is believed although it may lag",
        Edit(
            reconciliation,
            "own_fills",
            "is_complete and is_consistent and all(each.is_closed for each in before)",
            "is_consistent",
        ),
        seen_by="tests/functions/test_repeg_orders_replace.py"
        "::test_a_replacements_own_fills_are_not_taken_for_inherited_ones",
    ),
    "rejected_replacement_filled": edited(
        "what a rejected replacement shows as filled is counted",
        Edit(reconciliation, "own_fills", "if report.state is ChildState.REJECTED:", "if False:"),
        Edit(
            reconciliation,
            "own_fills",
            "if report.filled_qty == 0:",
            "if report.filled_qty == 0 or report.state is ChildState.REJECTED:",
        ),
    ),
    "booked_while_filling": edited(
        "executions are booked only while a turn sees fills, and not at the close",
        Edit(
            reconciliation,
            "book_executions",
            "return turn.ports.store.book(",
            "return [] if turn.run.state is not RunState.RUNNING else turn.ports.store.book(",
        ),
        seen_by="tests/functions/test_close_run.py::test_closing_cancels_open_orders_and_books_fills",
    ),
    "one_rejection_ends": edited(
        "the first rejection ends an order",
        Edit(reconciliation, "after_rejection", "after.rejections >= MAX_REJECTIONS", "after.rejections >= 1"),
        seen_by="tests/functions/test_repeg_orders_unknown.py"
        "::test_an_order_rejected_after_acceptance_is_tried_three_times",
    ),
    "rejections_without_end": edited(
        "a rejected order is sent for ever",
        Edit(reconciliation, "after_rejection", "if is_over else after", "if False else after"),
        seen_by="tests/functions/test_repeg_orders_unknown.py"
        "::test_an_order_rejected_after_acceptance_is_tried_three_times",
    ),
    "owners_cancel_is_ours": edited(
        "an order that the run's first request finds cancelled counts as cancelled by the run",
        Edit(cancellation, "_request_cancel", "answer in _CANCELS_NOTHING and is_first", "False"),
    ),
    "owners_cancel_of_a_piece_is_ours": edited(
        "a piece that the run cancels for the whole rest, and finds cancelled, counts as cancelled by the run",
        Edit(working, "_make_way", "_cancel_reserved(turn, reserved, child)", "cancel_children(turn, reserved)"),
        seen_by="tests/functions/test_cancels_by_hand.py"
        "::test_a_piece_that_makes_way_and_is_found_cancelled_ends_its_order",
    ),
    "own_cancel_is_the_owners": edited(
        "an order that the run's second request finds cancelled counts as cancelled by another hand",
        Edit(
            cancellation,
            "_request_cancel",
            "answer in _CANCELS_NOTHING and is_first",
            "answer in _CANCELS_NOTHING",
        ),
        seen_by="tests/functions/test_cancels_by_hand.py"
        "::test_an_order_that_our_second_cancel_finds_cancelled_was_cancelled_by_us",
    ),
    "owners_cancel_ignored": edited(
        "an order that its owner has cancelled is sent again",
        Edit(
            reconciliation,
            "_is_cancelled_by_others",
            "(held.state, held.epoch) == (RunState.RUNNING, turn.run.epoch)",
            "False",
        ),
        seen_by="tests/functions/test_repeg_orders.py"
        "::test_an_order_cancelled_by_another_hand_ends_and_is_not_sent_again",
    ),
    "owners_move_ignored": edited(
        "an order that its owner has moved is lost",
        Edit(
            reconciliation,
            "_follow_replacement",
            "        return _follow_owner(turn, order, old, found)\n",
            "        return order\n",
        ),
        seen_by="tests/functions/test_other_hands.py::test_an_order_moved_by_its_owner_is_followed_and_not_sent_again",
    ),
    "replaced_without_successor": edited(
        "a replaced child is closed although its replacement is not found",
        Edit(reconciliation, "_follow_replacement", "        return None\n", "        return order\n"),
        seen_by="tests/functions/test_other_hands.py"
        "::test_an_order_is_not_sent_again_while_its_owners_move_is_not_found",
    ),
    "partial_is_filled": edited(
        "an order with any fill at its end is taken for filled",
        Edit(
            Child,
            "after",
            "filled = max(self.filled, report.filled_qty)",
            "filled = self.qty if report.filled_qty and report.is_closed else max(self.filled, report.filled_qty)",
        ),
    ),
    "average_price_of_the_first": edited(
        "the average price stays that of the first fill",
        Edit(
            Child,
            "after",
            "report.filled_qty >= self.filled and report.average_price",
            "self.average_price is None and report.average_price",
        ),
        seen_by="tests/domain/test_order_fills.py::test_a_fill_after_a_reported_cancel_is_still_counted",
    ),
    "stop_counts_as_sold": edited(
        "a stop order counts as a sale when weights are sized",
        Edit(open_orders, "count_open_orders", " or (report.side is Side.SELL and report.is_contingent)", ""),
        seen_by="tests/domain/test_open_orders.py::test_a_contingent_sell_does_not_count_and_a_contingent_buy_does",
    ),
    "own_children_counted_twice": edited(
        "another run's children count beside its orders when weights are sized",
        Edit(open_orders, "count_open_orders", "is_covered or report.broker_id in theirs or", "False or"),
        seen_by="tests/domain/test_open_orders.py::test_another_runs_unfilled_target_counts_once",
    ),
    "another_stacks_piece_is_all": edited(
        "a weight is sized although another stack is trading its symbol",
        Edit(sizing, "_from_weight", "if others.other_stacks and weight > 0:", "if False:"),
        seen_by="tests/functions/test_two_stacks.py::test_a_weight_that_another_stack_is_trading_is_not_sized",
    ),
    "enlarged_order_counts_as_planned": edited(
        "an order that its owner has enlarged counts with its old size when weights are sized",
        Edit(
            open_orders,
            "count_open_orders",
            "max(_unfilled(order, by_id), _left_open(order, by_broker_id))",
            "_unfilled(order, by_id)",
        ),
        seen_by="tests/domain/test_open_orders.py::test_an_order_that_its_owner_has_enlarged_counts_by_what_it_may_fill",
    ),
    "given_up_is_forgotten": edited(
        "an order that was given up unseen does not count when weights are sized",
        Edit(planning, "_find_given_up", "unseen.append(child)", "pass"),
        seen_by="tests/functions/test_open_run_identity.py::test_a_further_run_counts_an_order_that_was_given_up_unseen",
    ),
    "any_order_adopted": edited(
        "whatever order the broker has under a child's id is taken for the child",
        Edit(adoption, "difference", "if child.broker_id is not None:", "if True:\n        return ''\n    if False:"),
        seen_by="tests/functions/test_two_stacks.py::test_another_stacks_order_under_our_id_is_not_adopted",
    ),
    "booked_by_symbol": edited(
        "executions of the account's other orders in the same symbol are booked",
        Edit(
            reconciliation,
            "book_executions",
            "ours = {child.broker_id for order in orders for child in order.children}",
            "ours = {order.symbol for order in orders}",
        ),
        Edit(reconciliation, "book_executions", "execution.broker_order_id in ours", "execution.symbol in ours"),
        seen_by="tests/functions/test_other_hands.py::test_the_owners_own_fills_in_the_same_symbol_are_not_booked",
    ),
}
