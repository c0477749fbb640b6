"""Planted bugs of the send deadline and of the step lease: an order sent too late, or by a step that has a twin."""

from __future__ import annotations

from repeg.adapters.alpaca import http
from repeg.adapters.dynamodb import order_write
from repeg.domain import store_rules
from repeg.workflow import in_flight, placement, turn
from repeg_workbench.faults.planting import Edit, PlantedBug, edited
from repeg_workbench.twins import memory_store

_DEADLINES = "tests/functions/test_send_deadline.py"
_LEASES = "tests/functions/test_step_lease.py"
_STEPS = "tests/contracts/test_store_steps.py"

STEP_BUGS: dict[str, PlantedBug] = {
    "no_send_deadline": edited(
        "an order may be sent as long as the window is open, however old its decision is",
        Edit(turn.Turn, "sends_until", "min(self.ports.runtime.now() + SENDS_FOR, ", "("),
        seen_by=f"{_DEADLINES}::test_an_order_may_be_sent_for_ten_seconds_after_its_decision",
    ),
    "deadline_by_the_brokers_clock": edited(
        "the deadline of the window's last orders is a time of the broker's clock, and is compared with ours",
        Edit(turn.Turn, "sends_until", "self.moment.now - self.started", "self.moment.now - self.moment.now"),
        seen_by=f"{_DEADLINES}::test_no_order_may_be_sent_too_late_for_an_answer_inside_the_window",
    ),
    "deadline_before_the_keys": edited(
        "the deadline is not checked again after the keys have been renewed",
        Edit(http.Connection, "_attempt", "if why := refusal():", "if why := '':"),
        seen_by="tests/adapters/test_account_of_keys.py"
        "::test_no_order_is_sent_after_its_deadline_once_the_keys_are_renewed",
    ),
    "resend_under_the_old_deadline": edited(
        "an order is sent again under the deadline of its first request, which has passed",
        Edit(in_flight, "_resend", "intent.resent_until(until)", "intent"),
        seen_by=f"{_DEADLINES}::test_a_resend_has_a_deadline_of_its_own",
    ),
    "unsent_order_waits": edited(
        "an order that never left the program waits like one that may be on its way",
        Edit(placement, "record_answer", "if not answer.was_sent:", "if not answer.was_sent and child.limit is None:"),
        seen_by=f"{_DEADLINES}::test_an_order_that_never_left_is_decided_anew_on_the_next_book",
    ),
    "unsent_order_keeps_a_place": edited(
        "an order that never left the program takes its place in the order budget with it",
        Edit(placement, "_without_unsent", "refused.reserving(refused.committed)", "refused"),
        seen_by=f"{_DEADLINES}::test_an_order_that_never_left_is_decided_anew_on_the_next_book",
    ),
    "unsent_resend_ends_the_child": edited(
        "a resend that never left the program is taken for the end of the order's first request too",
        Edit(in_flight, "_resend", "order.with_child(child))", "order.with_child(child.refused('', may_pass=True)))"),
        seen_by=f"{_DEADLINES}::test_a_resend_that_never_left_is_tried_again_in_the_next_turn",
    ),
    "step_not_a_condition": edited(
        "a step that has a later twin writes intents",
        Edit(order_write.OrderWrite, "_named", "step_is_latest(self.order.run_id, self.epoch, self.step)",
             "run_is_running(self.order.run_id, self.epoch)"),
        Edit(store_rules, "of_step", "found.step == step", "True"),
        seen_by=f"{_LEASES}::test_a_turn_that_is_overtaken_after_its_cancel_sends_no_successor",
    ),
    "step_not_a_condition_in_the_table": edited(
        "a step that has a later twin writes intents to the table",
        Edit(order_write.OrderWrite, "_named", "step_is_latest(self.order.run_id, self.epoch, self.step)",
             "run_is_running(self.order.run_id, self.epoch)"),
        seen_by=f"{_STEPS}::test_only_the_latest_step_writes_intents",
    ),
    "overtaken_step_finds_its_write": edited(
        "a step whose write had arrived sends its order, although a twin has begun since",
        Edit(order_write.OrderWrite, "refusal", "refused = self._refusal_of_step(failed)",
             "refused = None if self._is_written(failed) else self._refusal_of_step(failed)"),
        Edit(order_write.OrderWrite, "_is_written", "failed.get(name) == row", "failed.get(name) in (None, row)"),
        seen_by=f"{_STEPS}::test_an_overtaken_step_is_refused_although_its_write_had_arrived",
    ),
    "step_goes_on_overtaken": edited(
        "a listening step goes on although a later step of its run has begun",
        Edit(order_write, "step_kept", "step_is_latest(run_id, epoch, step)", "run_is_running(run_id, epoch)"),
        Edit(memory_store.MemoryStore, "keep_step", "self.guard(run_id), epoch, step)",
             "self.guard(run_id), epoch, self._steps[run_id])"),
        seen_by=f"{_STEPS}::test_only_the_latest_step_goes_on",
    ),
    "twins_share_a_step": edited(
        "a step goes on under the number of the step before it",
        Edit(order_write, "step_taken", " ADD #step :one", " ADD #taken :one"),
        Edit(memory_store.MemoryStore, "take_step", "self._steps[run_id] += 1", "self._steps[run_id] = 1"),
        seen_by=f"{_LEASES}::test_a_turn_that_was_overtaken_neither_cancels_nor_sends",
    ),
    "resend_by_an_overtaken_step": edited(
        "a step that has a later twin sends an order again",
        Edit(in_flight, "_resend", "turn.ports.store.reserve(resent, turn.run.epoch, (), turn.step)",
             "save_order(turn, resent)"),
        seen_by=f"{_LEASES}::test_a_turn_that_was_overtaken_resends_nothing",
    ),
    "cancel_by_an_overtaken_step": edited(
        "a step that has a later twin reserves a successor and cancels for it",
        Edit(placement, "reserve_successor", "budgets(turn, order, reserving), turn.step)",
             "budgets(turn, order, reserving), turn.ports.store.guard(turn.run.run_id).step)"),
        seen_by=f"{_LEASES}::test_a_turn_that_was_overtaken_neither_cancels_nor_sends",
    ),
    "sent_on_an_old_quote": edited(
        "an order that follows a cancel is sent on the quote of before it, however long that took",
        Edit(placement, "send_order", "proposal.outdated(turn.now, turn.settings(order.symbol))", '""'),
        seen_by="tests/functions/test_send_deadline.py"
        "::test_an_order_is_not_sent_on_the_quote_of_before_a_slow_cancel",
    ),
}  # fmt: skip
