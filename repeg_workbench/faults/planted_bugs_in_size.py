"""Planted bugs of size: placing in batches, closing in steps, the time and the requests that both take."""

from __future__ import annotations

from functions.close_run import app as close_run
from functions.place_orders import app as place_orders
from repeg.adapters import request_limiter
from repeg.domain import pace
from repeg.workflow import batches, cancellation, closing, looking, reconciliation, reporting
from repeg_workbench.faults.planting import Edit, PlantedBug, edited

_MANY = "tests/functions/test_many_orders.py::"
_QUOTA = "tests/domain/test_request_room.py::"
_PACE = "tests/domain/test_pace.py::"

SIZE_BUGS: dict[str, PlantedBug] = {
    "aged_quotes": edited(
        "a batch that waited for its requests is decided on the quotes of before",
        Edit(batches.Placing, "refresh", "<= BATCH_QUOTES_AGE", "<= BATCH_QUOTES_AGE * 100"),
        seen_by=_MANY + "test_all_orders_are_placed_in_a_few_steps_and_none_is_held_as_stale",
    ),
    "buys_before_all_sells": edited(
        "buys are placed before the sells that bring their cash",
        Edit(
            place_orders,
            "place_ready",
            "    _place_sells(placing, ",
            "    _place_buys(placing, buys, orders)\n    _place_sells(placing, ",
        ),
        seen_by=_MANY + "test_sells_come_before_all_buys_even_over_several_steps",
    ),
    "placing_in_circles": edited(
        "a step that has placed nothing is repeated at once",
        Edit(place_orders, "place_orders", "placing.left if placing.placed else 0", "placing.left"),
        seen_by=_MANY + "test_a_step_that_places_none_is_not_repeated_at_once",
    ),
    "left_after_the_window": edited(
        "orders are left for a later step although the window is over",
        Edit(batches.Placing, "_room", "if not self.turn.is_in_window:", "if False:"),
        seen_by=_MANY + "test_no_order_is_left_for_a_later_step_once_the_window_is_over",
    ),
    "endless_batches": edited(
        "a step begins batches for as long as orders are left",
        Edit(batches.Placing, "_room", "if not self.turn.has_time_for_a_batch:", "if False:"),
        seen_by=_MANY + "test_a_step_places_what_it_has_requests_for_and_leaves_the_rest",
    ),
    "moves_without_room": edited(
        "moves wait for their requests one by one, and their quotes age",
        Edit(looking, "_with_room", "len(moving) <= MOVES_WITHOUT_ROOM or", "True or"),
        seen_by=_MANY + "test_moves_that_the_quota_has_no_room_for_wait_for_the_next_look",
    ),
    "asked_is_closed": edited(
        "the run ends once the cancels of its orders have been requested",
        Edit(closing, "close_orders", "for child in order.open_children if not", "for child in () if not"),
        Edit(reporting, "require_closed", "if left or unfinished:", "if False:"),
        seen_by=_MANY + "test_an_order_that_the_list_does_not_show_as_closed_keeps_the_run_open",
    ),
    "unlisted_is_closed": edited(
        "many orders that no list shows are not read one by one",
        Edit(
            cancellation,
            "_read_again",
            "reported(order, child, reports) or fetch_report(turn, order, child)",
            "reported(order, child, reports)",
        ),
        seen_by=_MANY + "test_cancelled_orders_that_no_list_shows_are_read_by_their_ids",
    ),
    "closing_without_end": edited(
        "a closing step goes on for as long as orders are open",
        Edit(closing, "close_orders", "turn.elapsed > CLOSES_FOR", "False"),
        seen_by=_MANY + "test_a_closing_step_ends_long_before_its_functions_limit",
    ),
    "closing_forgets_the_failure": edited(
        "a run that takes several steps to close settles although a failure has ended it",
        Edit(close_run, "_closes_on", "failure or StepFailure(", "StepFailure("),
        seen_by=_MANY + "test_a_closing_step_leaves_what_it_has_no_time_for_to_the_next",
    ),
    "closing_in_silence": edited(
        "a closing step that goes on writes no heartbeat",
        Edit(close_run, "_closes_on", "    turn.ports.store.record_heartbeat(turn.run.run_id, turn.now)\n", ""),
        seen_by=_MANY + "test_a_closing_step_that_goes_on_keeps_the_watchdog_away",
    ),
    "closing_in_circles": edited(
        "a closing step that has closed nothing is repeated without an error",
        Edit(closing, "close_orders", "unasked if ended else 0", "unasked"),
        seen_by=_MANY + "test_a_closing_step_that_gets_no_request_is_a_failure",
    ),
    "place_in_a_past_bucket": edited(
        "a request that was booked in a bucket is sent after that bucket",
        Edit(
            request_limiter.RequestLimiter,
            "_wait_for_bucket",
            "is_booked and self._kind + bucket_of(self._runtime.now()) == upcoming",
            "is_booked",
        ),
        seen_by=_QUOTA + "test_a_place_in_a_bucket_lapses_with_it",
    ),
    "no_place_in_the_next_bucket": edited(
        "cancels that wait compete with everything else for the next bucket",
        Edit(request_limiter.RequestLimiter, "_wait_for_bucket", "quota is Quota.RESERVED and", "False and"),
        seen_by=_QUOTA + "test_a_cancel_that_waits_comes_before_the_orders_of_the_next_bucket",
    ),
    "room_for_all": edited(
        "room is made for more orders than the bucket has",
        Edit(
            request_limiter.RequestLimiter,
            "_lease_most",
            "if self._store.lease_requests(bucket, count, limit):",
            "if True:",
        ),
        seen_by=_QUOTA + "test_room_is_made_for_what_the_bucket_has",
    ),
    "list_of_a_day_unread": edited(
        "many orders that are not open any more are read one by one",
        Edit(reconciliation, "list_reports", "if not is_listing_cheaper(unlisted):", "if True:"),
        seen_by=_MANY + "test_closing_takes_a_cancel_an_order_and_is_confirmed_by_list",
    ),
    "too_late_to_close": edited(
        "the window closes five minutes before the session, however many orders are to be closed",
        Edit(pace, "with_time_to_close", "if needed <= settings.close_margin_minutes:", "if True:"),
        seen_by=_PACE + "test_a_plan_of_many_orders_closes_its_window_earlier",
    ),
}
