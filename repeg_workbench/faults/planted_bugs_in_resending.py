"""Planted bugs of resending: when an order in flight is sent again, and what is written before."""

from __future__ import annotations

from repeg.workflow import in_flight
from repeg_workbench.faults.planting import Edit, PlantedBug, edited

_CHECKED = "is_ours and turn.may_send and switch_now(turn.run, turn.now, turn.ports) is KillSwitch.ACTIVE"

# A resend is written under the conditions of an intent, so what is checked before is checked once more there.
_WRITE = "turn.ports.store.reserve(resent, turn.run.epoch, (), turn.step)"
_UNCONDITIONAL = Edit(in_flight, "_resend", _WRITE, "save_order(turn, resent)")

RESENDING_BUGS: dict[str, PlantedBug] = {
    "resend_under_kill_switch": edited(
        "an order in flight is sent again under the kill switch, without a conditional write before it",
        Edit(in_flight, "_may_resend", _CHECKED, "is_ours and turn.may_send"),
        _UNCONDITIONAL,
        seen_by="tests/functions/test_repeg_orders_unknown.py"
        "::test_an_unknown_order_is_not_resent_under_the_kill_switch",
    ),
    "resend_by_dead_run": edited(
        "a run that has been swept or closed sends its order in flight again, without a conditional write before it",
        Edit(in_flight, "_may_resend", _CHECKED, _CHECKED.removeprefix("is_ours and ")),
        _UNCONDITIONAL,
        seen_by="tests/functions/test_repeg_orders_unknown.py"
        "::test_an_unknown_order_is_not_resent_by_a_former_execution",
    ),
    "resend_by_fenced_run": edited(
        "an execution that has lost its run sends the order in flight again, without a conditional write before it",
        Edit(in_flight, "_may_resend", " and run.epoch == turn.run.epoch", ""),
        _UNCONDITIONAL,
        seen_by="tests/functions/test_repeg_orders_unknown.py"
        "::test_an_unknown_order_is_not_resent_by_a_former_execution",
    ),
    "resend_after_the_window": edited(
        "an order in flight is sent again after the window",
        Edit(in_flight, "_may_resend", " and turn.may_send", ""),
        Edit(
            in_flight,
            "_resend",
            "turn.ports.broker.submit(intent.resent_until(until))",
            "turn.ports.broker.submit(intent.model_copy(update={'not_after': None}))",
        ),
        seen_by="tests/functions/test_repeg_orders_unknown.py"
        "::test_an_unknown_order_is_not_resent_in_the_last_seconds_of_the_window",
    ),
    "resend_without_shares": edited(
        "a sell is sent again without a look at the holdings",
        Edit(in_flight, "_resolve_never_seen", "order.side is Side.SELL and", "False and"),
        seen_by="tests/functions/test_place_orders_held.py::test_a_lost_sell_is_not_resent_once_its_shares_are_sold",
    ),
    "resend_not_stored": edited(
        "a resend is not stored before it is sent",
        Edit(
            in_flight,
            "_resend",
            _WRITE,
            "order",
        ),
        seen_by="tests/functions/test_close_run_unaccounted.py"
        "::test_a_resent_order_is_abandoned_two_minutes_after_its_resend",
    ),
}
