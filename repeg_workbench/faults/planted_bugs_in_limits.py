"""Planted bugs of limits and money: budgets, the funding of buys, the leases of cash and of requests."""

from __future__ import annotations

from repeg.adapters import request_limiter
from repeg.domain import funding as funding_rule
from repeg.domain import limits, pricing, request_quota, settings_sources
from repeg.workflow import after_session, funding, intents, placement, planning
from repeg_workbench.faults.planted_bugs_in_store import UNFUNDED
from repeg_workbench.faults.planting import Edit, PlantedBug, edited, set_to

_OPEN = "max((child.notional for child in known if not child.is_closed), default=Decimal(0))"

LIMIT_BUGS: dict[str, PlantedBug] = {
    "budget_of_each_run": edited(
        "the day's budget is kept for each run",
        Edit(intents, "budgets", 'f"day:{day.isoformat()}"', 'f"day:{day.isoformat()}:{turn.run.run_id}"'),
        seen_by="tests/guards/test_day_budget.py::test_concurrent_runs_share_the_day_budget_and_one_waits",
    ),
    "budget_without_fills": edited(
        "what closed children have filled is not counted in the budgets",
        Edit(limits, "committed", "return done + ", "return "),
        seen_by="tests/domain/test_limits.py::test_a_closed_child_commits_only_its_filled_notional",
    ),
    "budget_of_the_rest": edited(
        "an open child counts in the budgets with what is left of it",
        Edit(limits, "committed", _OPEN, "max((c.notional * c.remaining / c.qty for c in known), default=Decimal(0))"),
        seen_by="tests/domain/test_limits.py::test_a_closed_child_commits_only_its_filled_notional",
    ),
    "budget_given_back": edited(
        "a replaced child gives its budget back before its successor is sent",
        Edit(
            intents,
            "budgets",
            "notional = after.committed - before.committed",
            "notional = Decimal(0) if before.children else after.committed",
        ),
        seen_by="tests/guards/test_limits.py::test_a_move_above_the_runs_notional_limit_is_not_sent",
    ),
    "order_not_counted": edited(
        "a successor is not counted as an order",
        Edit(intents, "budgets", "orders = 1 - before.reserved_orders", "orders = 0 if before.children else 1"),
        seen_by="tests/guards/test_limits.py::test_a_cancelled_order_credits_its_notional_to_the_budget",
    ),
    "largest_order_forgotten": edited(
        "max_order_notional is checked for the plan only",
        Edit(placement, "_write_intent", "require_room(grown, turn.run.settings)", "pass"),
        Edit(placement, "reserve_successor", "require_room(reserving, turn.run.settings)", "pass"),
        Edit(pricing, "affordable", "if most is None or", "if True or"),
        seen_by="tests/guards/test_order_notional.py"
        "::test_an_order_just_under_the_limit_crosses_at_the_price_that_fits",
    ),
    "run_limit_forgotten": edited(
        "max_run_notional is checked for the plan only",
        Edit(intents, "budgets", "orders, settings.max_run_notional,", "orders, None,"),
        Edit(intents, "budgets", "orders, settings.max_day_notional,", "orders, None,"),
        seen_by="tests/guards/test_limits.py::test_a_move_above_the_runs_notional_limit_is_not_sent",
    ),
    "plan_over_its_limits": edited(
        "the plan is not checked against the limits",
        Edit(limits, "require_within_limits", "if settings.max_run_notional is not None and", "if False and"),
        seen_by="tests/guards/test_limits.py::test_a_run_over_a_limit_is_refused_before_the_claim",
    ),
    "limit_loosened_by_input": edited(
        "an execution's input may loosen the deployment's limits",
        Edit(settings_sources, "resolve", "    require_no_looser(settings, deployment)\n", ""),
        seen_by="tests/domain/test_settings_limits.py::test_an_input_may_tighten_a_limit_and_not_loosen_it",
    ),
    "any_symbol": edited(
        "the allow-list is not checked",
        Edit(limits, "require_allowed", "settings.allowed_symbols is not None and", "False and"),
        seen_by="tests/guards/test_limits.py::test_a_run_over_a_limit_is_refused_before_the_claim",
    ),
    "market_order_at_the_quote": edited(
        "a market buy counts with the quote, not with what it may cost beyond it",
        Edit(
            limits,
            "notional_of",
            "qty * far * (1 + market_order_collar(far)) if side is Side.BUY else qty * far",
            "qty * far",
        ),
        Edit(funding, "_need", "if quote is not None and decision.sends and decision.limit is None:", "if False:"),
        seen_by="tests/domain/test_limits.py::test_a_market_buy_counts_with_what_it_may_really_cost",
    ),
    "cancelled_before_room": edited(
        "a child is cancelled before its successor's place is reserved",
        Edit(
            placement,
            "reserve_successor",
            "return hold_for_budget(turn, order, exhausted)",
            "return cancelling.reserving(cancelling.committed)",
        ),
        seen_by="tests/guards/test_permission_before_cancel.py::test_a_move_without_budget_leaves_the_order_resting",
    ),
    "collars_not_kept": edited(
        "the cash that open buys may still need up to their collars is spent",
        Edit(funding, "spendable_cash", " - headroom(known)", ""),
        seen_by="tests/functions/test_place_orders_funding.py::test_cash_up_to_an_open_buys_collar_is_reserved",
    ),
    "margin_unasked": edited(
        "buys are funded from buying power although the settings say cash",
        Edit(funding_rule, "balance_for_buys", "if source is FundBuysFrom.CASH else", "if False else"),
        seen_by="tests/guards/test_account_cash.py::test_concurrent_buys_of_two_runs_never_borrow",
    ),
    "margin_unused": edited(
        "buys are funded from cash although the settings say buying power",
        Edit(funding_rule, "balance_for_buys", "if source is FundBuysFrom.CASH else", "if True else"),
        seen_by="tests/functions/test_buying_power.py::test_buys_do_not_wait_for_sells_with_buying_power",
    ),
    "loan_unsaid": edited(
        "money that is owed after the close is no alert",
        Edit(after_session, "_loan", "if cash >= 0:", "if True:"),
        seen_by="tests/functions/test_buying_power.py::test_cash_that_is_negative_after_the_close_is_an_alert",
    ),
    "balance_believed": edited(
        "cash that was spent seconds ago is granted again while the balance still shows it",
        Edit(funding, "spendable_cash", " - late - ", " - "),
        seen_by="tests/functions/test_place_orders_funding.py::test_cash_that_was_just_spent_is_not_granted_again",
    ),
    "reserve_spent": edited(
        "the cash reserve of a plan of weights is spent",
        Edit(funding, "_reserve", "return wanted.cash_reserve * turn.run.opening_equity if", "return Decimal(0) if"),
        seen_by="tests/functions/test_place_orders_funding.py::test_the_cash_reserve_of_a_weights_plan_is_not_spent",
    ),
    "expected_cash_spent": edited(
        "cash that sells are expected to bring is spent before they have filled",
        Edit(
            funding_rule,
            "grant_cash",
            "free = min(cash, cash + expected_from_sells + unsettled - waiting)",
            "free = cash + expected_from_sells - waiting",
        ),
        seen_by="tests/domain/test_funding.py::test_an_unaffordable_buy_waits_for_open_sells",
    ),
    "cash_granted_twice": edited(
        "each buy is granted cash without what the buys before it were granted",
        Edit(funding_rule, "grant_cash", "cash -= granted", "pass"),
        seen_by="tests/domain/test_funding.py::test_the_smallest_buy_is_scaled_if_cash_is_short",
    ),
    "scaled_up": edited(
        "a buy is scaled to the next whole share above the cash",
        Edit(funding_rule, "_whole_shares", "ROUND_FLOOR", "'ROUND_CEILING'"),
        seen_by="tests/domain/test_funding.py::test_the_smallest_buy_is_scaled_if_cash_is_short",
    ),
    "cancelling_needs_nothing": edited(
        "an order in flight or just cancelled counts as if the broker had reserved its cash",
        Edit(
            funding_rule,
            "_needed",
            "if child.state in UNRESOLVED or child.state is ChildState.CANCELLING:",
            "if False:",
        ),
        seen_by="tests/domain/test_funding.py::test_an_in_flight_buy_needs_all_of_its_worst_cost",
    ),
    "lease_not_taken": edited(
        "buys are placed without the account's funding lease",
        Edit(funding, "funding_lease", "if not _acquire(turn, holder, lasts):", "if False:"),
        *UNFUNDED,
        seen_by="tests/guards/test_account_cash.py::test_concurrent_buys_of_two_runs_never_borrow",
    ),
    "quota_of_each_container": edited(
        "each container counts the account's requests for itself",
        Edit(
            request_limiter.RequestLimiter,
            "_lease",
            "if not self._store.lease_requests(bucket, count, bucket_limit(self._per_minute, quota)):",
            "if False:",
        ),
        seen_by="tests/guards/test_request_budget.py::test_forty_moving_orders_stay_within_the_rate_limit",
    ),
    "nothing_reserved": edited(
        "ordinary requests use the requests that are reserved for cancels",
        Edit(
            request_quota,
            "bucket_limit",
            "size if quota is Quota.RESERVED else int(size * (1 - RESERVED_FOR_CLOSING))",
            "size",
        ),
        seen_by="tests/domain/test_request_quota.py::test_reads_and_orders_cannot_use_the_quota_reserved_for_cancels",
    ),
    "six_buckets": set_to(
        "a bucket holds a sixth of a minute's requests",
        request_quota,
        "BUCKETS_TOUCHED",
        6,
        seen_by="tests/domain/test_request_quota.py::test_requests_in_any_sixty_seconds_stay_within_the_rate_limit",
    ),
    "other_planning_ignored": edited(
        "a plan of weights is sized without the runs that plan at the same time",
        Edit(planning, "_draft", "ports.store.planning_version(run.trading_day.day) if is_sized else None", "None"),
        seen_by="tests/guards/test_two_plans.py::test_plans_of_the_same_instant_do_not_both_buy",
    ),
    "other_runs_ignored": edited(
        "the open buys of the day's other runs are not counted",
        Edit(
            funding,
            "spendable_cash",
            "[*orders, *(order for run_id in others for order in store.orders(run_id))]",
            "[*orders]",
        ),
        seen_by="tests/guards/test_account_cash.py::test_a_buy_leaves_what_another_runs_open_buy_may_still_need",
    ),
    "waits_for_sells_at_the_close": edited(
        "a buy still waits for sells when the close is near",
        Edit(
            funding,
            "_request",
            "if turn.present.close_is_near:",
            "if False:",
        ),
        seen_by="tests/functions/test_place_orders_funding.py::test_a_buy_no_longer_waits_for_sells_near_the_close",
    ),
    "ordinary_uses_reserved": edited(
        "an ordinary request uses the read that was leased with a cancel",
        Edit(
            request_limiter.RequestLimiter,
            "_use_lease",
            "if quota is Quota.RESERVED else (Quota.ORDINARY,)",
            "",
        ),
        seen_by="tests/domain/test_request_quota.py::test_an_ordinary_request_cannot_use_what_was_leased_with_a_cancel",
    ),
    "leases_kept": edited(
        "requests leased in one bucket are used in the next",
        Edit(
            request_limiter.RequestLimiter,
            "_drop_others",
            "if self._bucket != bucket:",
            "if not self._bucket:",
        ),
        seen_by="tests/guards/test_request_budget.py::test_requests_left_in_one_bucket_are_not_used_in_the_next",
    ),
}
