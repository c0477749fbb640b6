"""The members of bracket, one-cancels-other and one-triggers-other orders start and end together."""

from decimal import Decimal
from typing import Any

import pytest

from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote, trade
from tests.exchange.caller import FRIDAY, QUIET_BOOK, Caller, a_caller, holding

EXITS = {"take_profit": {"limit_price": "105"}, "stop_loss": {"stop_price": "95"}}
RISES: list[Event] = [*QUIET_BOOK, quote("10:30", "300 @ 105.00", "300 @ 105.05")]
FALLS: list[Event] = [*QUIET_BOOK, quote("10:29", "300 @ 94.90", "300 @ 94.95"), trade("10:30", "100 @ 94.90", side=-1)]


def _bracket(caller: Caller, **terms: Any) -> tuple[str, str, str]:
    """A bracket for ten shares at 101, acknowledged: entry, take-profit, stop-loss."""
    view = caller.submit(**({"limit_price": "101", "order_class": "bracket", **EXITS} | terms))
    caller.wait(100)
    return view["id"], view["legs"][0]["id"], view["legs"][1]["id"]


def _pair(caller: Caller) -> tuple[str, str]:
    """A one-cancels-other exit for the ten shares held: take-profit and stop-loss."""
    view = caller.submit(side="sell", order_class="oco", limit_price=None, **EXITS)
    caller.wait(100)
    return view["id"], view["legs"][0]["id"]


def _statuses(caller: Caller, *ids: str) -> list[str]:
    return [caller.status(order_id) for order_id in ids]


def test_the_take_profit_of_a_bracket_ends_its_stop_loss() -> None:
    caller = a_caller(RISES)
    ids = _bracket(caller)
    assert _statuses(caller, *ids) == ["filled", "new", "held"]
    caller.wait_for("10:31")
    assert _statuses(caller, *ids) == ["filled", "filled", "canceled"]
    assert caller.get("/v2/positions") == []


def test_the_stop_loss_of_a_bracket_ends_its_take_profit() -> None:
    caller = a_caller(FALLS)
    ids = _bracket(caller)
    caller.wait_for("10:31")
    assert _statuses(caller, *ids) == ["filled", "canceled", "filled"]
    assert caller.order(ids[2])["filled_avg_price"] == "94.9"
    assert caller.get("/v2/positions") == []


def test_bracket_exits_wait_for_the_entry_and_end_with_it() -> None:
    caller = a_caller(RISES)
    ids = _bracket(caller, limit_price="99")
    assert _statuses(caller, *ids) == ["new", "held", "held"]
    caller.cancel(ids[0])
    caller.wait(50)
    assert _statuses(caller, *ids) == ["canceled", "canceled", "canceled"]


def test_a_day_bracket_expires_with_all_its_legs() -> None:
    caller = a_caller()
    ids = _bracket(caller)
    caller.wait_for("16:00")
    assert _statuses(caller, *ids) == ["filled", "expired", "expired"]


def test_canceling_one_exit_cancels_the_other() -> None:
    caller = a_caller()
    ids = _bracket(caller)
    caller.cancel(ids[1])
    caller.wait(50)
    assert _statuses(caller, *ids) == ["filled", "canceled", "canceled"]


def test_a_replaced_take_profit_is_still_the_twin_of_its_stop() -> None:
    caller = a_caller(FALLS)
    entry, profit, stop = _bracket(caller)
    moved = caller.replace(profit, limit_price="106")["id"]
    caller.wait(50)
    assert _statuses(caller, entry, profit, moved, stop) == ["filled", "replaced", "new", "held"]
    caller.wait_for("10:31")
    assert _statuses(caller, moved, stop) == ["canceled", "filled"]


def test_a_replaced_entry_still_activates_its_exits() -> None:
    caller = a_caller()
    entry, profit, stop = _bracket(caller, limit_price="99")
    moved = caller.replace(entry, limit_price="101")["id"]
    caller.wait(200)
    assert _statuses(caller, entry, moved, profit, stop) == ["replaced", "filled", "new", "held"]


@pytest.mark.parametrize(("book", "ending"), [(RISES, ["filled", "canceled"]), (FALLS, ["canceled", "filled"])])
def test_an_order_of_a_one_cancels_other_pair_cancels_the_other(book: list[Event], ending: list[str]) -> None:
    caller = a_caller(book, positions=holding("10"))
    ids = _pair(caller)
    assert _statuses(caller, *ids) == ["new", "held"]
    assert caller.get("/v2/positions/AAPL")["qty_available"] == "0"
    caller.wait_for("10:31")
    assert _statuses(caller, *ids) == ending
    assert caller.get("/v2/positions") == []


def test_a_stop_takes_over_only_the_unfilled_quantity_of_its_twin() -> None:
    book: list[Event] = [
        *QUIET_BOOK,
        quote("10:20", "4 @ 105.00", "300 @ 105.05"),
        quote("10:21", "300 @ 94.90", "300 @ 94.95"),
        trade("10:30", "100 @ 94.90", side=-1),
    ]
    caller = a_caller(book, positions=holding("10"))
    profit, stop = _pair(caller)
    caller.wait_for("10:31")
    sold = [caller.order(order_id)["filled_qty"] for order_id in (profit, stop)]
    assert sum(map(int, sold)) == 10
    assert int(sold[0]) > 0
    assert caller.get("/v2/positions") == []


@pytest.mark.parametrize(
    ("exit_terms", "kind"),
    [({"take_profit": {"limit_price": "105"}}, "limit"), ({"stop_loss": {"stop_price": "95"}}, "stop")],
)
def test_a_one_triggers_other_order_triggers_its_exit(exit_terms: dict[str, Any], kind: str) -> None:
    caller = a_caller()
    view = caller.submit(limit_price="101", order_class="oto", **exit_terms)
    caller.wait(100)
    (leg,) = view["legs"]
    assert (leg["type"], leg["status"], caller.status(leg["id"])) == (kind, "held", "new")
    assert caller.get("/v2/positions/AAPL")["qty_available"] == "0"


@pytest.mark.parametrize("order_class", [None, "", "simple"])
def test_exits_without_an_order_class_are_ignored(order_class: str | None) -> None:
    caller = a_caller()
    view = caller.submit(order_class=order_class, limit_price="101", **EXITS)
    caller.wait(100)
    assert (view["legs"], caller.status(view["id"])) == (None, "filled")
    assert caller.get("/v2/orders", status="open") == []


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"order_class": "bracket"}, "bracket orders require take_profit.limit_price"),
        ({"order_class": "bracket", **EXITS, "stop_loss": None}, "bracket orders require stop_loss.stop_price"),
        ({"order_class": "oco", **EXITS}, "oco orders must be exit orders"),
        ({"order_class": "bracket", **EXITS, "side": "sell", "symbol": "KO"}, "bracket orders must be entry orders"),
        ({"order_class": "bracket", **EXITS, "time_in_force": "ioc"}, "bracket orders must be DAY or GTC orders"),
        (
            {"order_class": "bracket", **EXITS, "stop_loss": {"stop_price": "106"}},
            "take_profit.limit_price must be > stop_loss.stop_price",
        ),
        (
            {"order_class": "bracket", **EXITS, "limit_price": "105"},
            "take_profit.limit_price must be >= base_price + 0.01",
        ),
        (
            {"order_class": "bracket", **EXITS, "limit_price": "95"},
            "stop_loss.stop_price must be <= base_price - 0.01",
        ),
        (
            {"order_class": "oto", "type": "market", "limit_price": None, "stop_loss": {"stop_price": "100.02"}},
            "stop_loss.stop_price must be <= base_price - 0.01",
        ),
        (
            {
                "order_class": "oco",
                "symbol": "KO",
                "side": "sell",
                "limit_price": "110",
                **EXITS,
                "stop_loss": {"stop_price": "101"},
            },
            "stop_loss.stop_price must be <= base_price - 0.01",
        ),
        (
            {"order_class": "bracket", **EXITS, "type": "stop", "limit_price": None, "stop_price": "101"},
            "bracket orders must be market or limit orders",
        ),
        ({"order_class": "bracket", **EXITS, "qty": "0.5"}, "fractional orders must be simple orders"),
    ],
)
def test_an_inconsistent_order_family_is_refused(terms: dict[str, Any], message: str) -> None:
    market = ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK, "KO": QUIET_BOOK}})
    caller = a_caller(market=market, positions={"KO": (Decimal(10), Decimal(90))})
    response = caller.try_submit(**terms)
    assert response.status == 422
    assert response.json()["message"] == message
