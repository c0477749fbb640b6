"""Planted bugs of endings: cancelling, closing, outcomes, the next step of a turn, renewals."""

from __future__ import annotations

from functions.close_run import app as close_run
from functions.open_run import app as open_run
from repeg.domain import final_outcome, next_step
from repeg.workflow import cancellation, closing, in_flight, reporting, watchdog
from repeg_workbench.faults.planting import Edit, PlantedBug, edited

# A maintainer who trusts the end of a run compares no books afterwards.
NO_COMPARISON = Edit(watchdog._Pass, "reconcile_ended_runs", "if guard.is_over and", "if False and")

_CLOSING = "ports.store.set_run_state(run_id, epoch, RunState.CLOSING)"

ENDING_BUGS: dict[str, PlantedBug] = {
    "cancel_of_the_latest": edited(
        "only the latest of two open children is cancelled",
        Edit(cancellation, "cancel_children", "order.open_children]", "order.open_children[-1:]]"),
        Edit(closing, "close_orders", "child in order.open_children if", "child in order.open_children[-1:] if"),
        seen_by="tests/functions/test_repeg_orders_replace.py::test_closing_cancels_the_open_one_of_both_orders",
    ),
    "owners_order_cancelled": edited(
        "the order that the account's owner made of ours is cancelled at the close",
        Edit(cancellation, "_is_cancellable", " or child.is_owners", ""),
        seen_by="tests/functions/test_other_hands.py::test_an_owners_order_is_never_cancelled_by_the_closing_step",
    ),
    "close_does_not_wait": edited(
        "the run closes before its cancels are confirmed",
        Edit(reporting, "require_closed", "if left or unfinished:", "if unfinished:"),
        Edit(reporting, "report_on", "orders if left else turn.each(", "turn.each("),
        seen_by="tests/functions/test_close_run.py::test_an_unconfirmed_cancel_keeps_the_run_closing",
    ),
    "unfilled_run_fails": edited(
        "a run with an order that was not filled is reported as failed",
        Edit(
            reporting,
            "unexplained",
            "booked.get(order.symbol, Decimal(0)) != order.filled",
            "booked.get(order.symbol, Decimal(0)) != order.target",
        ),
    ),
    "close_before_the_state": edited(
        "the run is marked as closing only once its orders are closed",
        Edit(close_run, "close_run", f"    {_CLOSING}\n    turn", "    turn"),
        Edit(close_run, "close_run", "= close_orders(turn)\n", f"= close_orders(turn)\n    {_CLOSING}\n"),
        seen_by="tests/functions/test_closing_in_steps.py::test_the_run_is_marked_as_closing_before_its_first_cancel",
    ),
    "close_by_a_former_execution": edited(
        "an execution that has lost its run closes it",
        Edit(close_run, "close_run", " or run.epoch != epoch", ""),
        Edit(
            close_run,
            "close_run",
            "ports.store.set_run_state(run_id, epoch, RunState.CLOSING)",
            "epoch = run.epoch\n    ports.store.set_run_state(run_id, epoch, RunState.CLOSING)",
        ),
        seen_by="tests/functions/test_close_run_unaccounted.py::test_a_fenced_execution_cancels_no_order_at_the_close",
    ),
    "fills_not_booked_at_close": edited(
        "the fills of the closing step are not booked",
        Edit(closing, "close_orders", "    book_executions(turn, after)\n", ""),
        NO_COMPARISON,
        seen_by="tests/functions/test_close_run.py::test_closing_cancels_open_orders_and_books_fills",
    ),
    "close_not_saved": edited(
        "what the closing step reads of its cancels is not stored",
        Edit(closing, "_close", "saved = save_order(turn, after) if after != order else order", "saved = after"),
        seen_by="tests/functions/test_close_run.py::test_a_fill_before_the_closing_cancel_is_reported",
    ),
    "late_arrival_forgotten": edited(
        "an order given up as never arrived is not looked for again",
        Edit(in_flight, "_reopen_found", "if child.state not in NOT_AT_BROKER | GIVEN_UP or", "if True or"),
        seen_by="tests/functions/test_close_run_unaccounted.py"
        "::test_an_abandoned_order_that_arrives_is_cancelled_and_booked",
    ),
    "given_up_after_a_minute": edited(
        "an order in flight is given up after a minute",
        Edit(closing, "_give_up_unknown", "< LOST_AFTER", "< LOST_AFTER / 2"),
        seen_by="tests/functions/test_close_run_unaccounted.py::test_a_lost_order_is_abandoned_only_after_its_timeout",
    ),
    "unseen_trade_given_up": edited(
        "an order in flight that may have traded is given up as never arrived",
        Edit(closing, "_give_up_unknown", "if not traded:", "if True:"),
        seen_by="tests/functions/test_unseen_trades.py::test_a_sell_whose_shares_are_gone_ends_as_unknown",
    ),
    "vanished_is_lost": edited(
        "an order that the broker does not find counts as lost at once",
        Edit(closing, "_give_up_lost", "if turn.now < turn.run.trading_day.close:", "if False:"),
        seen_by="tests/functions/test_after_session.py::test_a_run_whose_order_has_vanished_ends_after_the_session",
    ),
    "strays_left": edited(
        "orders of the run that are not in its books are left open",
        Edit(closing, "cancel_strays", "strays = ids -", "strays = set() and ids -"),
        seen_by="tests/functions/test_close_run_unaccounted.py"
        "::test_a_stray_order_of_the_run_is_cancelled_and_journalled",
    ),
    "unknown_called_partial": edited(
        "an order of unknown outcome is reported as partly filled",
        Edit(
            final_outcome, "outcome_of", "if any(child.state in UNRESOLVED for child in order.children):", "if False:"
        ),
        seen_by="tests/domain/test_final_outcome.py::test_an_unresolved_order_is_reported_as_unknown",
    ),
    "cancel_all_only_halts": edited(
        "cancel_all stops new orders and leaves the resting ones",
        Edit(next_step, "after_turn", "if kill is KillSwitch.CANCEL_ALL:", "if False:"),
        Edit(next_step, "after_turn", "if kill is KillSwitch.HALT_NEW:", "if kill is not KillSwitch.ACTIVE:"),
        seen_by="tests/functions/test_repeg_orders_halted.py::test_cancel_all_closes_the_run",
    ),
    "given_up_when_expired": edited(
        "an order whose child has ended is not placed again",
        Edit(
            next_step,
            "after_turn",
            "NextStep.VALIDATE if any(order.state is ParentState.WAITING for order in orders) else NextStep.WAIT",
            "NextStep.VALIDATE if any(not order.children for order in orders) else NextStep.WAIT",
        ),
        seen_by="tests/domain/test_next_step.py::test_working_orders_wait_for_the_market",
    ),
    "renewal_loses_turns": edited(
        "a renewal starts its turn count at zero",
        Edit(
            open_run,
            "renew_run",
            "first_turn=turns,",
            "first_turn=0,",
        ),
        seen_by="tests/functions/test_open_run.py::test_a_renewal_raises_the_epoch_and_keeps_the_turn_count",
    ),
    "renewal_without_fence": edited(
        "a renewed run keeps its epoch, so the former execution may go on",
        Edit(
            open_run,
            "renew_run",
            'ports.store.take_over(renewal["run_id"], int(renewal["epoch"]), execution)',
            'ports.store.guard(renewal["run_id"])',
        ),
        seen_by="tests/functions/test_open_run.py::test_a_renewal_raises_the_epoch_and_keeps_the_turn_count",
    ),
    "never_renewed": edited(
        "a run is not renewed before its history is full",
        Edit(next_step, "after_turn", "if turns_here >= TURNS_PER_EXECUTION:", "if False:"),
        seen_by="tests/functions/test_repeg_orders_races.py::test_a_long_run_renews_before_its_history_is_full",
    ),
}
