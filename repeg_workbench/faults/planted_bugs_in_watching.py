"""Planted bugs in what ends a run from outside: the sweep, the watchdog, the comparison after the session."""

from __future__ import annotations

from functions.repeg_orders import app as repeg_orders
from functions.sweep_orders import app as sweep_orders
from repeg.domain import final_outcome, run_health
from repeg.workflow import after_session, sweeping, turn, watchdog
from repeg_workbench.faults.planted_bugs_in_endings import NO_COMPARISON
from repeg_workbench.faults.planting import Edit, PlantedBug, edited, set_to

_SWEPT = "ports.store.set_run_state(held.run_id, held.epoch, RunState.SWEPT)"

WATCHING_BUGS: dict[str, PlantedBug] = {
    "sweep_without_fence": edited(
        "a sweep cancels without taking the run over, so the dead execution's step goes on",
        Edit(sweeping, "fence", "take_over(held.run_id, held.epoch, owner)", "guard(held.run_id)"),
        Edit(sweeping, "fence", "ports.store.set_run_state(fenced.run_id, fenced.epoch, RunState.CLOSING)", "pass"),
        Edit(sweeping, "_sweep", f"    {_SWEPT}\n", f"    {_SWEPT.replace('SWEPT', 'CLOSING')}\n    {_SWEPT}\n"),
        seen_by="tests/functions/test_sweep_orders.py::test_an_aborted_run_is_fenced_cancelled_and_reported",
    ),
    "sweep_of_a_renewed_run": edited(
        "the event of a former execution sweeps the run of its successor",
        Edit(sweep_orders, "sweep_orders", "if held.owner not in {execution, sweeper}:", "if False:"),
        seen_by="tests/functions/test_sweep_orders.py::test_a_renewed_run_is_not_swept_for_its_former_execution",
    ),
    "sweep_forgets_the_end": edited(
        "a sweep does not publish the end of the run",
        Edit(sweeping, "_sweep", "    publish(turn, report)\n", ""),
        Edit(watchdog._Pass, "publish_endings", "guard.is_over and not guard.is_announced", "False"),
    ),
    "living_run_fenced": edited(
        "the watchdog counts silence from the start of the run, and fences one that waits for its window",
        Edit(run_health, "is_stuck", "begun = max(run.started_at, run.window.opens)", "begun = run.started_at"),
        seen_by="tests/functions/test_watch_runs.py::test_a_run_waiting_for_its_window_is_not_stuck",
    ),
    "slow_run_fenced": edited(
        "the watchdog does not wait for several of the run's own turns",
        Edit(
            run_health,
            "is_stuck",
            "max(RUN_SILENT, timedelta(seconds=SILENT_TURNS * run.settings.order_monitoring_seconds))",
            "RUN_SILENT",
        ),
        seen_by="tests/functions/test_watch_runs.py::test_a_run_with_long_turns_is_stuck_only_after_a_longer_time",
    ),
    "no_heartbeat": edited(
        "turns leave no heartbeat, and the watchdog fences a living run",
        Edit(turn, "begin_sending_turn", "turn.moment.now", "turn.run.started_at"),
        seen_by="tests/functions/test_watch_runs.py::test_a_run_with_regular_turns_is_not_touched",
    ),
    "no_heartbeat_in_an_outage": edited(
        "a skipped turn leaves no heartbeat, and the run is swept when the broker answers again",
        Edit(repeg_orders, "skip_turn", "    ports.store.record_heartbeat(run_id, now)\n", ""),
        seen_by="tests/functions/test_watch_runs.py::test_a_run_with_turns_during_an_outage_is_not_swept",
    ),
    "stuck_runs_left": edited(
        "the watchdog reports a stuck run and does not sweep it",
        Edit(
            watchdog._Pass,
            "sweep_stuck_runs",
            "self.alone(guard.run_id, partial(self._fence_and_cancel, guard))",
            "pass",
        ),
        Edit(watchdog._Pass, "sweep_stuck_runs", "self.alone(guard.run_id, partial(self._sweep, guard))", "pass"),
        seen_by="tests/functions/test_watch_runs.py::test_a_run_without_turns_for_minutes_is_swept_and_reported",
    ),
    "todays_runs_only": set_to(
        "the watchdog looks at today's runs only",
        watchdog,
        "DAYS_BACK",
        0,
        seen_by="tests/functions/test_watch_runs.py::test_a_run_unreachable_overnight_is_swept_the_next_day",
    ),
    "one_failure_stops_the_watch": edited(
        "a run that cannot be swept stops the watchdog's pass",
        Edit(
            watchdog._Pass,
            "alone",
            "except (RepegError, ValueError, KeyError) as error:",
            "except ZeroDivisionError as error:",
        ),
        seen_by="tests/functions/test_watch_runs.py::test_a_run_that_will_not_close_does_not_stop_the_watchdog",
    ),
    "living_orders_orphaned": edited(
        "the watchdog cancels orders of runs that are still working",
        Edit(watchdog._Pass, "_cancel_orphaned", " or not _has_ended(held, self.now, self.ports)", ""),
        seen_by="tests/functions/test_watch_runs.py::test_a_run_with_regular_turns_is_not_touched",
    ),
    "another_stacks_orphans": edited(
        "the watchdog cancels another stack's orders",
        Edit(watchdog._Pass, "_cancel_orphaned", "return []  # another stack's", "pass"),
        seen_by="tests/functions/test_two_stacks.py::test_the_watchdog_leaves_another_stacks_orders_alone",
    ),
    "orphans_left": edited(
        "orphaned orders are reported and not cancelled",
        Edit(
            watchdog._Pass,
            "_cancel_orphaned",
            "self.ports.broker.cancel(report.broker_id)",
            "pass",
        ),
        seen_by="tests/functions/test_watch_runs.py::test_an_order_open_after_its_window_is_cancelled_and_reported",
    ),
    "late_order_rests": edited(
        "an order that arrives after its run's end is left alone until the window closes",
        Edit(watchdog, "_has_ended", "    if guard.is_over:\n        return True\n", ""),
        Edit(watchdog._Pass, "reconcile_ended_runs", "guard.is_over and", "self.now.hour > 20 and guard.is_over and"),
        seen_by="tests/functions/test_after_session.py::test_an_order_that_arrives_after_its_runs_end_is_cancelled_next_pass",
    ),
    "unpublished_ends": edited(
        "an end that was not published is not published by the watchdog",
        Edit(watchdog._Pass, "publish_endings", "guard.is_over and not guard.is_announced", "False"),
        seen_by="tests/functions/test_watch_runs.py::test_an_unpublished_run_ended_event_is_published_once",
    ),
    "books_not_compared": edited(
        "the books are not compared after the session",
        NO_COMPARISON,
        seen_by="tests/functions/test_after_session.py::test_a_fill_after_the_runs_end_is_booked_and_its_report_corrected",
    ),
    "strays_not_booked": edited(
        "a filled order under the run's ids that is in no book is not booked after the session",
        Edit(after_session, "_refresh", "seen = _with_strays(turn, order, ours)", "seen = order"),
        seen_by="tests/functions/test_after_session.py::test_an_order_of_ours_without_an_intent_is_booked_and_reported",
    ),
    "refusals_believed": edited(
        "an order that was refused is not looked for after the session",
        Edit(after_session, "_is_doubtful", "was_given_up or is_there or", "was_given_up or"),
        seen_by="tests/functions/test_after_session.py::test_a_refused_order_that_has_filled_is_booked_and_reported",
    ),
    "books_final_at_once": edited(
        "the books count as final at the session's close",
        Edit(
            after_session,
            "reconcile_ended_run",
            "turn.now < turn.run.trading_day.close + BOOKS_FINAL_AFTER",
            "False",
        ),
        seen_by="tests/functions/test_after_session.py::test_a_run_is_reconciled_only_long_after_the_close",
    ),
    "late_order_left": edited(
        "an order that arrived after its run's end is not cancelled",
        Edit(after_session, "_refresh", "seen = cancel_children(turn, seen)", "pass"),
        Edit(watchdog, "watch", "look.cancel_orphaned_orders()", "pass"),
        seen_by="tests/functions/test_after_session.py::test_an_order_that_arrives_after_the_session_is_cancelled",
    ),
    "correction_not_stored": edited(
        "a corrected report is published and not stored",
        Edit(after_session, "_publish_correction", "    turn.ports.store.save_report(run_id, after)\n", ""),
        seen_by="tests/functions/test_after_session.py::test_a_corrected_report_is_published_once",
    ),
    "late_fill_without_outcome": edited(
        "a late fill that completes an order leaves its outcome as it was",
        Edit(final_outcome, "corrected", "if after.remaining <= 0:", "if False:"),
        seen_by="tests/domain/test_final_outcome.py::test_a_late_fill_that_completes_an_order_makes_it_filled",
    ),
}
