"""Planted bugs that only a listening step can have: deaf, credulous, or not to be stopped."""

from __future__ import annotations

from repeg.workflow import listening, looking, turn
from repeg_workbench.faults.planting import Edit, PlantedBug, edited

_TESTS = "tests/functions/test_listening.py"
_TESTS_OF_HINTS = "tests/functions/test_hints.py"
_KILL = "if kill is KillSwitch.CANCEL_ALL or kill is not step.kill:"

LISTENING_BUGS: dict[str, PlantedBug] = {
    "hint_ignored": edited(
        "a listening step does not hear what its stream says of its orders",
        Edit(listening._Step, "hear", "self.named |= dict.fromkeys(hints.by_symbol, now)", "self.named = {}"),
    ),
    "hint_not_read_back": edited(
        "an order that a hint names is worked as it was last read",
        Edit(looking, "work_named", "_read_back(turn, named, is_listed=len(named) > LISTED_FROM)", "named"),
        seen_by=f"{_TESTS}::test_a_fill_that_the_stream_mentions_is_acted_on_within_a_second",
    ),
    "hint_for_all": edited(
        "a hint has every order read back",
        Edit(listening, "_work_hinted", "None if step.gap_at is not None else step.named", "None"),
        seen_by=f"{_TESTS}::test_only_the_order_that_a_hint_names_is_read_back",
    ),
    "gap_not_read_back": edited(
        "what was missed before a reconnection is not looked for",
        Edit(listening._Step, "hear", "now if hints.has_gap else self.gap_at", "None"),
        seen_by=f"{_TESTS}::test_a_gap_has_every_order_read_back",
    ),
    "hint_forgotten": edited(
        "what is heard at the end of a turn is forgotten in the next one, which does not read every order",
        Edit(listening._Step, "forget", "symbol in unread or at > shown", "False"),
        seen_by=f"{_TESTS}::test_a_hint_at_the_end_of_a_turn_is_acted_on_in_the_next",
    ),
    "storm_of_hints": edited(
        "each event costs a request",
        Edit(listening, "_follow", "turn.now >= step.reads_at", "True"),
        seen_by=f"{_TESTS}::test_a_storm_of_events_costs_two_requests_a_second",
    ),
    "hint_used_up_by_an_early_read": edited(
        "an order is not read again although the read came before what its hint reports could show",
        Edit(listening._Step, "forget", " or at > shown", ""),
        seen_by=f"{_TESTS_OF_HINTS}::test_a_fill_that_a_read_does_not_show_yet_is_read_half_a_second_later",
    ),
    "hints_use_up_the_quota": edited(
        "reads for hints take the requests of cancels and of timed turns",
        Edit(listening, "_work_hinted", "named and not", "False and not"),
        seen_by=f"{_TESTS_OF_HINTS}::test_a_storm_of_hints_leaves_requests_for_turns_and_cancels",
    ),
    "hint_decides": edited(
        "a hint has an order of the policy anchor decided between two turns",
        Edit(looking, "_is_to_settle", "after != before and not is_resting", "after != before"),
        seen_by=f"{_TESTS_OF_HINTS}::test_an_order_climbs_one_rung_a_turn_whatever_is_heard_of_it",
    ),
    "leaves_at_once_for_ever": edited(
        "a step leaves for an order that cannot be placed now",
        Edit(listening, "_is_time_to_leave", "kill is KillSwitch.ACTIVE and _is_to_be_placed", "_is_to_be_placed"),
        seen_by=f"{_TESTS_OF_HINTS}::test_a_step_waits_for_an_order_that_cannot_be_placed_now",
    ),
    "listens_past_the_kill_switch": edited(
        "a listening step does not see that the kill switch has changed",
        Edit(listening, "_is_time_to_leave", _KILL, "if False:"),
        seen_by=f"{_TESTS}::test_a_step_leaves_when_the_kill_switch_changes",
    ),
    "listens_with_orders_to_place": edited(
        "a listening step does not leave for an order that has lost its child",
        Edit(listening, "_is_to_be_placed", "order.symbol in was_working or order.was_not_sent", "False"),
        seen_by=f"{_TESTS}::test_a_step_leaves_as_soon_as_an_order_has_lost_its_child",
    ),
    "listens_with_freed_cash": edited(
        "a listening step does not leave for buys once a sell has filled",
        Edit(listening, "_is_to_be_placed", "_freed(after) > _freed(before)", "False"),
        seen_by=f"{_TESTS}::test_a_step_leaves_as_soon_as_a_sell_has_freed_cash",
    ),
    "listens_with_orders_waiting": edited(
        "orders that their book holds are not validated again while a step listens",
        Edit(listening, "_next_turn", "is_due and step.kill is KillSwitch.ACTIVE and _has_waiting(orders)", "False"),
        seen_by=f"{_TESTS}::test_a_step_leaves_on_the_grid_for_an_order_that_waits",
    ),
    "two_listeners": edited(
        "a step listens on, although a later one of its run has begun",
        Edit(listening, "_is_time_to_leave", "not _is_latest(turn)", "False"),
        Edit(turn, "continue_step", "following.ports.store.keep_step(run_id, epoch, turn.step, following.moment.now)",
             "following.ports.store.record_heartbeat(run_id, following.moment.now)"),
        seen_by=f"{_TESTS}::test_a_step_that_a_twin_has_overtaken_leaves_with_its_answer",
    ),
    "never_leaves": edited(
        "a step listens on when its time is over",
        Edit(listening, "_follow", "turn.ports.runtime.now() >= step.ends", "False"),
        seen_by=f"{_TESTS}::test_a_listening_step_makes_turns_until_its_time_is_over",
    ),
    "listens_past_its_history": edited(
        "a listening step makes more turns than its execution's history has room for",
        Edit(listening, "listen", "turns < most_turns", "turns >= 0"),
        seen_by=f"{_TESTS}::test_a_step_makes_no_more_turns_than_its_executions_history_has_room_for",
    ),
    "old_streamed_quote": edited(
        "a streamed quote of any age is looked at",
        Edit(turn.Turn, "looked_quotes", " and quote.at >= since", ""),
        seen_by=f"{_TESTS}::test_a_streamed_quote_is_looked_at_while_it_is_new",
    ),
    "spins_at_the_end": edited(
        "a step spins in the last seconds of the window, in which nothing is looked at",
        Edit(listening, "_follow", "            looks_at = turn.now + period\n            if turn.may_send:",
             "            if turn.may_send:"),
        seen_by=f"{_TESTS}::test_a_step_leaves_at_the_end_of_the_window",
    ),
}  # fmt: skip
