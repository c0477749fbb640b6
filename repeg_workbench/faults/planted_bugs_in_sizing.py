"""Planted bugs of planning: weights, holdings, open orders, prices without their age, and a run's identity."""

from __future__ import annotations

from repeg.domain import open_orders, run_identity, sizing, sizing_price
from repeg.workflow import opening, planning
from repeg_workbench.faults.planting import Edit, PlantedBug, edited

SIZING_BUGS: dict[str, PlantedBug] = {
    "target_overshot": edited(
        "a weight is rounded to the nearest share",
        Edit(
            sizing,
            "_change",
            "return _missing(wanted, held, others).to_integral_value(ROUND_DOWN)",
            "return _missing(wanted, held, others).to_integral_value()",
        ),
        seen_by="tests/domain/test_sizing.py::test_a_weight_becomes_whole_shares",
    ),
    "exit_in_whole_shares": edited(
        "a full exit leaves the fraction of a share",
        Edit(
            sizing,
            "_change",
            "return -max(held - others.selling, Decimal(0))",
            "return -max(held - others.selling, Decimal(0)).to_integral_value(ROUND_FLOOR)",
        ),
        seen_by="tests/domain/test_sizing.py::test_an_exit_needs_no_fresh_price",
    ),
    "open_buys_not_counted": edited(
        "open buys are not counted when a weight is sized",
        Edit(
            sizing,
            "_missing",
            "buys = wanted - held - others.buying",
            "buys = wanted - held",
        ),
        seen_by="tests/domain/test_sizing.py::test_open_buys_count_as_bought",
    ),
    "reserved_shares_sold": edited(
        "shares that another order has reserved are sold",
        Edit(
            sizing,
            "_from_order",
            "held, free = holdings.owned(wanted.symbol), holdings.free(wanted.symbol)",
            "held = free = holdings.owned(wanted.symbol)",
        ),
        seen_by="tests/domain/test_sizing.py::test_a_sell_of_all_leaves_reserved_shares",
    ),
    "short_bought_back": edited(
        "a short position is bought back",
        Edit(sizing, "_from_order", "if wanted.side is Side.BUY and held < 0:", "if False:"),
        seen_by="tests/domain/test_sizing.py::test_a_short_position_is_not_bought_back",
    ),
    "old_price_sizes": edited(
        "a weight is sized at a price of any age",
        Edit(
            sizing_price,
            "is_fresh",
            "at is not None and -timedelta(seconds=CLOCK_ERROR_SECONDS) <= now - at <= MAX_AGE",
            "True",
        ),
        seen_by="tests/domain/test_sizing_price.py::test_an_old_trade_never_replaces_a_fresh_quote",
    ),
    "contradicted_price_sizes": edited(
        "a weight is sized although quote and trade contradict each other",
        Edit(sizing_price, "sizing_price", "and are_apart(traded, mid):", "and False:"),
        seen_by="tests/domain/test_sizing_price.py::test_a_missing_price_names_what_there_was",
    ),
    "stub_quote_sizes": edited(
        "a weight is sized at the mid of a stub quote",
        Edit(sizing_price, "_is_usable", " and not are_apart(quote.ask, quote.bid)", ""),
        seen_by="tests/domain/test_sizing_price.py::test_a_fresh_trade_replaces_a_quote_that_is_no_price",
    ),
    "exit_below_the_minimum": edited(
        "a full exit below min_trade_notional is not traded",
        Edit(
            sizing,
            "_reason_not_to_trade",
            "if weight > 0 and worth < plan.min_trade_notional:",
            "if worth < plan.min_trade_notional:",
        ),
        seen_by="tests/domain/test_sizing.py::test_a_weight_of_zero_is_sold_whole_whatever_the_minimum",
    ),
    "other_runs_not_counted": edited(
        "what the day's other runs have yet to fill is not counted when a weight is sized",
        Edit(
            planning,
            "_open_orders",
            "others = [order for order in planned if order.outcome is None]",
            "others = []",
        ),
        seen_by="tests/guards/test_two_plans.py::test_a_second_plan_counts_the_first_ones_unfilled_target",
    ),
    "dollar_orders_not_counted": edited(
        "open orders in dollars are not counted when weights are sized",
        Edit(open_orders, "_remaining", "if qty <= 0 and report.notional is not None and", "if False and"),
        seen_by="tests/domain/test_open_orders.py::test_an_open_order_in_dollars_counts_at_the_price",
    ),
    "identity_without_content": edited(
        "a start with other content under a used name is taken for a duplicate",
        Edit(run_identity, "_difference", "if _content(run.plan) != _content(plan):", "if False:"),
        Edit(run_identity, "_difference", "if run.settings != settings:", "if False:"),
        seen_by="tests/functions/test_open_run_identity.py::test_another_plan_of_the_same_name_and_day_fails",
    ),
    "failed_run_is_duplicate": edited(
        "a start after a failed run is taken for a duplicate",
        Edit(run_identity, "_difference", "if has_failed(run):", "if False:"),
        seen_by="tests/functions/test_open_run_identity.py"
        "::test_a_run_that_failed_before_its_first_order_is_no_duplicate",
    ),
    "preview_takes_the_day": edited(
        "a preview takes the day's run",
        Edit(opening, "_run_id", "if start.preview:", "if False:"),
        seen_by="tests/functions/test_open_run_identity.py::test_a_preview_has_an_id_of_its_own_for_each_execution",
    ),
    "further_run_at_once": edited(
        "a further run of the day starts while the first one is working",
        Edit(opening, "require_earlier_runs_closed", "if run is not None and", "if False and"),
        seen_by="tests/functions/test_open_run.py::test_a_further_run_is_refused_until_the_earlier_one_is_closed",
    ),
    "started_after_the_window": edited(
        "a run starts after its window has closed",
        Edit(opening, "session_for", "if now >= window.closes:", "if False:"),
        seen_by="tests/functions/test_open_run.py::test_a_start_after_the_window_is_refused",
    ),
    "yesterdays_start": edited(
        "a start that was scheduled for another day trades today",
        Edit(opening, "session_for", "start.scheduled_time is not None and", "False and"),
        seen_by="tests/functions/test_open_run.py::test_invalid_input_is_refused_by_field_before_the_claim",
    ),
    "started_under_kill_switch": edited(
        "a run starts under the kill switch",
        Edit(opening, "prepare", "if ports.store.kill_switch() is not KillSwitch.ACTIVE:", "if False:"),
        seen_by="tests/functions/test_open_run.py::test_no_run_is_opened_while_the_kill_switch_is_set",
    ),
    "live_account_may_short": edited(
        "a live account that may sell short is not refused",
        Edit(opening, "_open_account", "if start.is_live:", "if False:"),
        seen_by="tests/functions/test_open_run_shorting.py"
        "::test_a_live_account_that_does_not_forbid_short_sales_is_refused",
    ),
}
