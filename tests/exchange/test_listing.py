"""The listing of orders, whose texts are kept while an order does not change."""

from hypothesis import given, settings
from hypothesis import strategies as st

from repeg_workbench.exchange.market.scripted import Event, quote, trade
from tests.exchange.caller import QUIET_BOOK, Caller, a_caller

FALLING: list[Event] = [
    *QUIET_BOOK,
    *(trade(f"10:{minute:02}", "4 @ 100.00", side=-1) for minute in range(1, 40, 2)),
    quote("10:40", "300 @ 99.90", "200 @ 99.95"),
]
STEPS = st.sampled_from(["submit", "rest", "trail", "replace", "cancel", "wait", "long wait"])


def take(caller: Caller, step: str) -> None:
    """One step of a client, on its oldest open order where it needs one."""
    opened = caller.get("/v2/orders", direction="asc")
    if step == "submit":
        caller.submit()
    elif step == "rest":
        caller.submit(limit_price="99.50", qty="3")
    elif step == "trail":
        caller.submit(type="trailing_stop", limit_price=None, trail_price="1")
    elif step == "replace" and opened:
        caller.call("PATCH", f"/v2/orders/{opened[0]['id']}", {"limit_price": "99.99"})
    elif step == "cancel" and opened:
        caller.cancel(opened[0]["id"])
    caller.wait({"wait": 20, "long wait": 130_000}.get(step, 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=15))
def test_listed_orders_read_the_same_as_single_orders(steps: list[str]) -> None:
    """Listed again after every step, so that a kept text would show the order as it was."""
    caller = a_caller(FALLING)
    for step in steps:
        take(caller, step)
        for listed in caller.get("/v2/orders", status="all"):
            assert listed == caller.order(listed["id"])
