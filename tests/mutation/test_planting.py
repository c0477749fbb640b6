"""A mutant is planted as if its file had been written so: for all who have imported, decorated or built upon it."""

from __future__ import annotations

import gc
import mmap
import weakref
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from repeg.adapters.dynamodb import order_write
from repeg.adapters.dynamodb.encoding import Condition
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain import child_order, funding, limits, parent_order, pricing, store_rules, tick
from repeg.workflow import batches
from repeg_workbench.mutation.forking import in_fork
from repeg_workbench.mutation.mutants import MutatedModule
from repeg_workbench.mutation.planting import plant

DAY = date(2026, 3, 2)


def seen(key: str, look: Callable[[], Any]) -> Any:
    """What a look shows in a process with the mutant planted."""
    (module,) = [name for name in MODULES if key.startswith(f"{name}.")]
    source = MutatedModule(module)

    def task() -> dict[str, Any]:
        plant(source, source.mutants[key])
        return {"seen": look()}

    done = in_fork(task, 60)  # a process of many modules takes seconds to plant one
    assert done.answer is not None, f"{key}: {done.failure}"
    return done.answer["seen"]


MODULES = (
    "domain.limits", "domain.child_order", "domain.parent_order", "domain.tick", "domain.funding", "domain.store_rules",
    "workflow.batches", "adapters.dynamodb.encoding", "adapters.dynamodb.store",
)  # fmt: skip


def test_a_function_is_mutated_for_those_who_have_imported_it() -> None:
    key = "domain.limits.committed: 0 → 1 (2)"
    assert seen(key, lambda: [str(vars(pricing)["committed"]([])), str(limits.committed([]))]) == ["1", "1"]


def test_a_property_is_mutated() -> None:
    key = "domain.child_order.Child.is_closed: self.state in CLOSED → self.state not in CLOSED"
    assert seen(key, lambda: a_child().is_closed) is True
    assert a_child().is_closed is False


def test_the_default_of_an_argument_is_mutated() -> None:
    key = "domain.tick.round_down: '0.01' → '0.02'"
    assert seen(key, lambda: str(tick.round_down(Decimal("10.03"), DAY))) == "10.02"


def test_a_constant_is_mutated_where_it_is_imported_and_in_those_made_of_it() -> None:
    key = "domain.child_order.RESTING: ChildState.LIVE → dropped"
    assert seen(key, lambda: "live" in vars(parent_order)["CLOSED"]) is True


def test_a_table_that_is_an_arguments_default_is_mutated() -> None:
    key = "domain.tick.RULES: '0.01' → '0.02'"
    assert seen(key, lambda: str(tick.increment(Decimal(10), DAY))) == "0.02"


def test_the_default_of_a_models_field_is_mutated_in_models_that_hold_it_too() -> None:
    key = "domain.funding.Grant.qty: 0 → 1"
    text = '{"grants": [{"symbol": "KO", "funding": "unfunded"}]}'
    assert seen(key, lambda: str(funding.FundingDecision.model_validate_json(text).grants[0].qty)) == "1"
    assert seen(key, lambda: str(funding.Grant(symbol="KO", funding=funding.Funding.UNFUNDED).qty)) == "1"


def test_the_default_of_a_dataclass_is_mutated() -> None:
    assert seen("domain.store_rules.Spent.orders: 0 → 1", lambda: store_rules.Spent().orders) == 1
    assert seen("domain.store_rules.Guard.is_announced: False → True", lambda: a_guard().is_announced) is True


def test_a_default_after_one_that_is_made_anew_is_mutated() -> None:
    turn: Any = None
    assert seen("workflow.batches.Placing.left: 0 → 1", lambda: batches.Placing(turn, {}, {}).left) == 1


def test_a_condition_of_the_table_is_mutated_in_what_is_built_of_it() -> None:
    key = "adapters.dynamodb.encoding.ABSENT: 'attribute_not_exists(#pk)' → 'attribute_exists(#pk)'"
    assert seen(key, lambda: vars(order_write)["ABSENT"].expression) == "attribute_exists(#pk)"


def test_a_call_of_the_parent_class_is_removed() -> None:
    call = "super().__init__(client, table_name, pause, needs_arming=needs_arming)"
    key = f"adapters.dynamodb.store.DynamoStore.__init__: {call} → pass"
    client: Any = None
    assert seen(key, lambda: hasattr(DynamoStore(client, "table", lambda seconds: None), "_table")) is False


def test_the_process_that_forks_is_not_mutated() -> None:
    test_the_default_of_a_dataclass_is_mutated()
    assert store_rules.Spent().orders == 0
    assert vars(order_write)["ABSENT"] == Condition("attribute_not_exists(#pk)")


def test_a_function_set_aside_from_the_collector_is_found() -> None:
    key = "domain.child_order.Child.is_closed: self.state in CLOSED → self.state not in CLOSED"
    gc.freeze()
    try:
        assert seen(key, lambda: a_child().is_closed) is True
    finally:
        gc.unfreeze()


def test_a_function_is_found_beside_a_proxy_whose_object_is_gone() -> None:
    proxy = weakref.proxy(a_child())
    with pytest.raises(ReferenceError):
        proxy.is_closed  # noqa: B018 - reading it raises
    assert any(each is proxy for each in gc.get_objects())
    test_a_property_is_mutated()


def test_a_process_without_an_end_or_an_answer_has_no_answer() -> None:
    endless = in_fork(lambda: {"endless": sum(iter(int, 1))}, 1)
    assert (endless.answer, endless.failure[:15]) == (None, "exit status -24")  # SIGXCPU
    undefined = in_fork(lambda: {"undefined": tick.nothing}, 1)  # type: ignore[attr-defined]
    assert undefined.answer is None
    assert "has no attribute 'nothing'" in undefined.failure


def test_a_fork_of_a_process_that_has_reserved_much_memory_works() -> None:
    with mmap.mmap(-1, 5 << 30, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ):
        assert in_fork(lambda: {"filled": len(bytearray(64 << 20))}, 5).answer == {"filled": 64 << 20}
        assert in_fork(lambda: {"filled": len(bytearray(4 << 30))}, 5).answer is None


def a_child() -> child_order.Child:
    at = "2026-03-02T15:00:00Z"
    return child_order.Child.model_validate(
        {"n": 1, "client_order_id": "a", "qty": "1", "limit": "1", "rung": "passive", "decided_at": at}
    )


def a_guard() -> store_rules.Guard:
    return store_rules.Guard("run", "owner", 1, "running")
