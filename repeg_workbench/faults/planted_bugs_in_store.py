"""Planted bugs of the store: a condition dropped from a write or a transaction, a read that is not complete.

The seeds run on the store in memory, so what is planted in the DynamoDB adapter alone is seen by a test.
"""

from __future__ import annotations

from repeg.adapters.dynamodb import account, order_write, plan_write, store, table
from repeg.adapters.dynamodb.encoding import Condition
from repeg.domain import store_rules
from repeg.domain.errors import RefusedRun
from repeg.workflow import working
from repeg_workbench.faults.planting import Edit, PlantedBug, edited
from repeg_workbench.twins import memory_account, memory_store

_WRITE, _STORE, _MEMORY = order_write.OrderWrite, store.DynamoStore, memory_store.MemoryStore

UNFUNDED = (
    Edit(_WRITE, "_named", "if self.funded_by:", "if False:"),
    Edit(_MEMORY, "write_intent", "if funded_by:\n            store_rules", "if False:\n            store_rules"),
)

STORE_BUGS: dict[str, PlantedBug] = {
    "booked_before_written": edited(
        "a fill is remembered as booked before its write has succeeded",
        Edit(
            _STORE,
            "book",
            "        for execution in new:\n",
            "        known.update(unseen)\n        for execution in new:\n",
        ),
        seen_by="tests/adapters/test_dynamodb.py::test_fills_whose_write_failed_are_booked_by_the_next_call",
    ),
    "intent_overwritten": edited(
        "an intent is written over another one of the same id",
        Edit(
            _WRITE,
            "_named",
            "Put(rows.intent_row(self.order.run_id, self.intent), ABSENT)",
            "Put(rows.intent_row(self.order.run_id, self.intent))",
        ),
        Edit(
            _MEMORY,
            "write_intent",
            "        if there is not None:\n            raise store_rules.other_intent(intent.client_order_id)\n",
            "",
        ),
        seen_by="tests/contracts/test_store.py::test_an_identical_intent_written_again_is_debited_once",
    ),
    "epoch_not_a_condition": edited(
        "the epoch is not a condition of an intent's transaction",
        Edit(
            order_write,
            "run_is_running",
            "#epoch = :epoch AND #state = :running",
            "#epoch > :epoch OR #epoch < :epoch OR #state = :running",
        ),
        Edit(store_rules, "of_run", "if found.epoch != epoch:", "if False:"),
        seen_by="tests/contracts/test_store.py::test_a_fenced_or_closing_run_cannot_be_planned",
    ),
    "state_not_a_condition": edited(
        "the run's state is not a condition of an intent's transaction",
        Edit(
            order_write,
            "run_is_running",
            "#epoch = :epoch AND #state = :running",
            "#epoch = :epoch AND NOT #state = :never",
        ),
        Edit(order_write, "run_is_running", '"running": RunState.RUNNING.value', '"never": "never"'),
        Edit(store_rules, "of_run", "if found.state != RunState.RUNNING:", "if False:"),
        seen_by="tests/contracts/test_store.py::test_a_fenced_or_closing_run_cannot_be_planned",
    ),
    "kill_switch_not_a_condition": edited(
        "the kill switch is not a condition of an intent's transaction",
        Edit(_WRITE, "_named", '        named["kill"] = Check(keys.KILL, _KILL_IS_ACTIVE)\n', ""),
        Edit(
            _MEMORY,
            "_require_trading",
            "        store_rules.raise_if(store_rules.of_kill_switch(self._kill_switch))\n",
            "",
        ),
        Edit(working, "work_order", " or kill is not KillSwitch.ACTIVE", ""),
        seen_by="tests/contracts/test_store.py::test_the_kill_switch_blocks_intents_until_it_is_active_again",
    ),
    "cancel_all_lets_orders_through": PlantedBug(
        "only halt_new keeps an intent from being written, not cancel_all",
        lambda _: {
            "condition": Condition("attribute_not_exists(#pk) OR NOT #state = :halt", {"halt": "halt_new"}),
            "rule": lambda found: RefusedRun(f"the kill switch is {found}") if found == "halt_new" else None,
        },
        {"condition": (order_write, "_KILL_IS_ACTIVE"), "rule": (store_rules, "of_kill_switch")},
        seen_by="tests/contracts/test_store.py::test_the_kill_switch_blocks_intents_until_it_is_active_again",
    ),
    "lease_not_a_condition": edited(
        "the funding lease is not a condition of a buy's transaction",
        *UNFUNDED,
        seen_by="tests/contracts/test_store_funding.py::test_an_intent_is_refused_once_its_funding_lease_has_passed_on",
    ),
    "lease_taken_from_its_holder": edited(
        "the funding lease is taken while another run holds it",
        Edit(
            memory_account.MemoryAccount,
            "acquire_funding",
            'if held_by not in {"", holder} and lasts >= now:',
            "if False:",
        ),
        Edit(order_write, "funding_lease", "#until < :now", "#until > :now OR #until < :now"),
        seen_by="tests/contracts/test_store_funding.py::test_the_funding_lease_has_one_holder_until_it_expires",
    ),
    "lease_given_back_by_another": edited(
        "a run gives back the funding lease of another one",
        Edit(memory_account.MemoryAccount, "release_funding", "if self._funding[0] == holder:", "if True:"),
        Edit(
            order_write,
            "funding_release",
            'Condition("#holder = :holder", {"holder": holder})',
            'Condition("#holder = :holder OR NOT #holder = :holder", {"holder": holder})',
        ),
        seen_by="tests/contracts/test_store_funding.py::test_a_released_funding_lease_is_free_at_once",
    ),
    "order_overwritten": edited(
        "an order is written over a newer version of itself",
        Edit(
            order_write,
            "next_version",
            'Condition("#version = :read", {"read": order.version})',
            'Condition("#version >= :read", {"read": order.version})',
        ),
        seen_by="tests/contracts/test_store.py::test_saving_an_order_from_a_stale_version_is_a_conflict",
    ),
    "budget_not_a_condition": edited(
        "a budget is debited without its limit",
        Edit(order_write, "_debit", "at_most(limits)", "at_most({})"),
        Edit(
            store_rules,
            "of_budget",
            "if entry.max_orders is not None and spent.orders + entry.orders > entry.max_orders:",
            "if False:",
        ),
        seen_by="tests/contracts/test_store.py::test_a_budget_accepts_amounts_up_to_exactly_its_limit",
    ),
    "budget_one_over": edited(
        "a budget lets one order more through",
        Edit(order_write, "_debit", "entry.max_orders - entry.orders", "entry.max_orders"),
        Edit(
            store_rules,
            "of_budget",
            "spent.orders + entry.orders > entry.max_orders",
            "spent.orders > entry.max_orders",
        ),
        seen_by="tests/contracts/test_store.py::test_a_budget_limits_the_number_of_orders",
    ),
    "claimed_twice": edited(
        "a second start takes the run from the first",
        Edit(_STORE, "claim_run", "if held.owner != run.owner:", "if False:"),
        Edit(_MEMORY, "claim_run", "if held.owner != run.owner:", "if False:"),
        seen_by="tests/contracts/test_store.py::test_a_claim_by_another_owner_is_a_duplicate_naming_the_first",
    ),
    "claim_overwrites": edited(
        "a second start writes the run anew",
        Edit(_STORE, "claim_run", "Put(rows.guard_row(run), ABSENT)", "Put(rows.guard_row(run))"),
        seen_by="tests/contracts/test_store.py::test_a_claim_by_another_owner_is_a_duplicate_naming_the_first",
    ),
    "taken_over_from_any_epoch": edited(
        "a run is taken over whatever its epoch is",
        Edit(_STORE, "take_over", '"#epoch = :epoch"', '"#epoch >= :epoch"'),
        seen_by="tests/contracts/test_store.py::test_a_takeover_loses_to_an_earlier_one",
    ),
    "ended_run_reopened": edited(
        "a run that has ended can be closed again",
        Edit(order_write, "state_change", "#epoch = :epoch AND #state IN", "#epoch = :epoch OR #state IN"),
        seen_by="tests/contracts/test_store_runs.py::test_a_run_changes_state_only_along_its_transition_table",
    ),
    "planned_twice": edited(
        "a second planning writes the orders of a planned run anew",
        Edit(_STORE, "add_orders", 'if not rows.present(row)["is_planned"]:', "if True:"),
        Edit(
            order_write,
            "run_is_unplanned",
            "{running.condition.expression} AND #is_planned = :no",
            "{running.condition.expression} AND NOT #epoch = :no",
        ),
        Edit(_MEMORY, "add_orders", "if held.is_planned:", "if False:"),
        seen_by="tests/contracts/test_store.py::test_a_planned_run_ignores_further_orders",
    ),
    "planning_version_not_a_condition": edited(
        "a plan is stored although another run has been planned meanwhile",
        Edit(plan_write.PlanWrite, "_is_unmoved", "if self.version is None:", "if True:"),
        Edit(_MEMORY, "add_orders", "if version not in {None, self._plannings[day]}:", "if False:"),
        seen_by="tests/guards/test_two_plans.py::test_plans_of_the_same_instant_do_not_both_buy",
    ),
    "first_page_only": edited(
        "only the first page of a run's rows is read",
        Edit(table.Table, "read_all", 'if not answer.get("LastEvaluatedKey"):', "if True:"),
        seen_by="tests/adapters/test_dynamodb.py::test_orders_are_read_from_all_pages",
    ),
    "old_rows_read": edited(
        "rows are read from a replica that may be old",
        Edit(table.Table, "read", "ConsistentRead=True", "ConsistentRead=False"),
        Edit(table.Table, "read_all", '"ConsistentRead": True', '"ConsistentRead": False'),
        seen_by="tests/adapters/test_dynamodb.py::test_orders_are_read_from_all_pages",
    ),
    "conflict_is_a_refusal": edited(
        "a transaction that lost to another one counts as refused",
        Edit(table, "_is_transient", "return not _TRANSIENT.isdisjoint(codes)", "return False"),
        seen_by="tests/adapters/test_dynamodb.py::test_a_transient_error_is_retried_after_a_pause",
    ),
    "lost_answer_is_a_conflict": edited(
        "a write whose answer was lost is a conflict when it is repeated",
        Edit(
            _WRITE,
            "_is_written",
            "return all(failed.get(name) == row for name, row in puts.items())",
            "return False and bool(puts)",
        ),
        seen_by="tests/adapters/test_dynamodb.py::test_an_intent_whose_answer_was_lost_is_written_once",
    ),
    "quota_not_a_condition": edited(
        "a bucket of requests grants more than its quota",
        Edit(account.DynamoAccount, "lease_requests", 'at_most({"leased": most - count})', "at_most({})"),
        Edit(memory_account.MemoryAccount, "lease_requests", "if leased > most:", "if False:"),
        seen_by="tests/contracts/test_store.py::test_a_bucket_grants_exactly_its_quota",
    ),
}
