"""The DynamoDB store under concurrent executions, with real threads and transactions."""

from __future__ import annotations

from collections.abc import Callable

from repeg.adapters.dynamodb.store import DynamoStore
from repeg.adapters.runtime import SystemRuntime
from repeg.domain.errors import BudgetSpent, Conflict, DuplicateRun, RefusedRun, RepegError
from repeg.domain.run import KillSwitch
from tests.contracts.words import DAY_BUDGET, RUN_ID, a_budget, a_fill, a_run, an_intent, an_order, with_intent

SYMBOLS = [f"{a}{b}" for a in "ABCDE" for b in "FGHIJ"]


def outcomes(attempt: Callable[[str], object], items: list[str]) -> dict[str, type[RepegError] | None]:
    """The outcome of each attempt, all made concurrently."""

    def run_attempt(item: str) -> type[RepegError] | None:
        try:
            attempt(item)
        except RepegError as error:
            return type(error)
        return None

    return dict(zip(items, SystemRuntime().map(run_attempt, items), strict=True))


def another(store: DynamoStore) -> DynamoStore:
    """The same table as another container sees it, with a separate lock."""
    return DynamoStore(store._table._client, store._table._name, SystemRuntime().pause)


def place(store: DynamoStore, run_id: str, symbol: str, limit: int) -> None:
    """Write the first intent of an order against the day's budget."""
    order = an_order(symbol, run_id=run_id)
    intent = an_intent(order)
    store.write_intent(with_intent(order, intent), intent, 1, [a_budget(DAY_BUDGET, max_orders=limit)])


def test_concurrent_executions_never_overdraw_a_shared_budget(ministack_store: DynamoStore) -> None:
    stores = {RUN_ID: ministack_store, f"{RUN_ID}-r2": another(ministack_store)}
    for run_id, store in stores.items():
        store.claim_run(a_run(run_id))
        store.add_orders(run_id, 1, [an_order(symbol, run_id=run_id) for symbol in SYMBOLS])
    wanted = [f"{run_id} {symbol}" for symbol in SYMBOLS for run_id in stores]

    def attempt(want: str) -> None:
        run_id, symbol = want.split()
        place(stores[run_id], run_id, symbol, limit=20)

    found = list(outcomes(attempt, wanted).values())
    assert (found.count(None), found.count(BudgetSpent)) == (20, 30)
    assert sum(len(store.intents(run_id)) for run_id, store in stores.items()) == 20


def test_an_order_accepts_only_one_of_several_concurrent_intents(ministack_store: DynamoStore) -> None:
    ministack_store.claim_run(a_run())
    ministack_store.add_orders(RUN_ID, 1, [an_order()])
    stores = {limit: another(ministack_store) for limit in ("189.40", "189.41", "189.42", "189.43")}

    def attempt(limit: str) -> None:
        intent = an_intent(an_order(), limit=limit)
        stores[limit].write_intent(with_intent(an_order(), intent), intent, 1, [a_budget()])

    found = list(outcomes(attempt, list(stores)).values())
    assert (found.count(None), found.count(Conflict)) == (1, 3)
    (intent,) = ministack_store.intents(RUN_ID)
    (order,) = ministack_store.orders(RUN_ID)
    assert (order.version, order.children[0].limit) == (1, intent.limit)


def test_concurrent_claims_of_a_run_have_one_winner(ministack_store: DynamoStore) -> None:
    owners = [f"arn:execution:{n}" for n in range(8)]
    found = list(outcomes(lambda owner: another(ministack_store).claim_run(a_run(owner=owner)), owners).values())
    assert (found.count(None), found.count(DuplicateRun)) == (1, 7)


def test_concurrent_takeovers_have_one_winner(ministack_store: DynamoStore) -> None:
    ministack_store.claim_run(a_run())
    owners = [f"arn:sweeper:{n}" for n in range(8)]
    found = list(outcomes(lambda owner: another(ministack_store).take_over(RUN_ID, 1, owner), owners).values())
    assert (found.count(None), found.count(Conflict)) == (1, 7)
    run = ministack_store.run(RUN_ID)
    assert run is not None
    assert run.epoch == 2


def test_no_intent_is_written_after_the_kill_switch_is_set(ministack_store: DynamoStore) -> None:
    ministack_store.claim_run(a_run())
    ministack_store.add_orders(RUN_ID, 1, [an_order(symbol) for symbol in SYMBOLS])

    def attempt(symbol: str) -> None:
        if symbol == SYMBOLS[8]:
            ministack_store.set_kill_switch(KillSwitch.HALT_NEW)
        place(ministack_store, RUN_ID, symbol, limit=99)

    found = outcomes(attempt, SYMBOLS)
    assert found[SYMBOLS[8]] is found[SYMBOLS[-1]] is RefusedRun
    assert len(ministack_store.intents(RUN_ID)) == list(found.values()).count(None) < len(SYMBOLS)


def test_concurrent_leases_never_overdraw_a_bucket(ministack_store: DynamoStore) -> None:
    takers = [str(n) for n in range(24)]
    granted = SystemRuntime().map(
        lambda _: another(ministack_store).lease_requests("2026-03-05T17:00:10", 1, 10), takers
    )
    assert granted.count(True) == 10


def test_concurrent_bookings_of_a_fill_book_it_once(ministack_store: DynamoStore) -> None:
    fills = [a_fill(f"{n}") for n in range(10)]
    SystemRuntime().map(lambda _: another(ministack_store).book(RUN_ID, fills), range(4))
    assert len(ministack_store.executions(RUN_ID)) == 10
