"""The page of a run as values: what its journal says, with figures worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.funding import FundingRequest
from repeg.domain.journal import Entry
from repeg.domain.outcome import Outcome
from repeg.domain.quote import Side
from repeg.domain.run_page.build import CUT_OFF, page_of
from repeg.domain.run_page.orders import thinned
from repeg.domain.run_page.page import Circumstances
from repeg.domain.run_page.record import Fill, Look, RunRecord
from tests.builders import NOON, after_noon
from tests.report.day import RUN_ID, Worked, a_release, entries, page, record, recorded

# The arrival is 100.00 × 100.05, so its mid is 100.025 and half its spread 0.025.
BOUGHT = Worked()
SOLD = Worked("KO", Side.SELL, "200", fills=(("150", "100.05"),), left="100.00", outcome=Outcome.PARTIAL_DEADLINE)


def test_an_orders_cost_is_dollars_against_its_arrival_mid() -> None:
    bought, sold = page(BOUGHT, SOLD).orders
    assert bought.cost == Decimal("-1.50")  # 100 shares, 1.5 cents below the mid
    assert bought.cost_half_spreads == Decimal("-0.60")
    assert sold.cost == Decimal("-2.50")  # 150 sold 2.5 cents above the mid, 50 left at 2.5 cents below
    assert (bought.market, sold.market) == (Decimal("2.500"), Decimal("5.000"))


def test_market_orders_are_shown_at_each_assumed_cost_of_taking() -> None:
    costs = page(BOUGHT, SOLD).costs
    assert (costs.dollars, costs.notional) == (Decimal("-4.00"), Decimal("30007.50"))
    shown = [(each.half_spreads, each.dollars, each.saved) for each in costs.market]
    assert shown == [
        (Decimal("1.0"), Decimal("7.50"), Decimal("11.50")), (Decimal("0.67"), Decimal("5.02"), Decimal("9.02")),
        (Decimal("0.5"), Decimal("3.75"), Decimal("7.75")), (Decimal("0.33"), Decimal("2.48"), Decimal("6.48")),
    ]  # fmt: skip


def test_an_interval_needs_five_orders() -> None:
    few = page(*(Worked(symbol) for symbol in "ABCD")).costs.interval
    enough = page(*(Worked(symbol, fills=(("100", f"100.0{n}"),)) for n, symbol in enumerate("ABCDE"))).costs.interval
    assert few is not None
    assert few.low is None
    assert enough is not None
    assert enough.low is not None
    assert enough.low < enough.value


def test_orders_stand_in_the_bucket_of_their_arrival_spread() -> None:
    used = [(bucket.name, bucket.orders, bucket.dollars) for bucket in page(BOUGHT, SOLD).buckets if bucket.orders]
    assert used == [("5 to 9 ticks", 2, Decimal("-4.00"))]


def test_payments_add_up_in_the_order_of_time() -> None:
    early = Worked("KO", Side.SELL, bids=(0,), fills=(("60", "100.05"), ("40", "100.00")))
    paid = page(BOUGHT, early).payments
    assert [(p.symbol, p.dollars) for p in paid] == [
        ("KO", Decimal("6003.00")), ("KO", Decimal("4000.00")), ("AAPL", Decimal("10001.00"))
    ]  # fmt: skip
    assert [(p.received, p.spent) for p in paid][-1] == (Decimal("10003.00"), Decimal("10001.00"))


def test_a_measured_order_has_the_brokers_fills_once_each() -> None:
    (order,) = page(Worked(fills=(("40", "100.01"), ("60", "100.02")))).orders
    assert [(fill.qty, fill.price) for fill in order.fills] == [
        (Decimal(40), Decimal("100.01")), (Decimal(60), Decimal("100.02"))
    ]  # fmt: skip
    assert order.average == Decimal("100.016")
    assert order.seconds == Decimal("6.2")


def test_looks_that_change_nothing_are_counted() -> None:
    (order,) = page(Worked(bids=(0, 0, 0, 0, 3))).orders
    holds = [(look.bid, look.times) for look in order.looks if look.verb == "hold" and look.bid]
    assert holds[0] == (Decimal("100.00"), 4)


def test_a_reason_is_shown_without_the_prices_beside_it() -> None:
    reasons = {look.reason for look in page(BOUGHT).orders[0].looks if look.bid}
    assert not any("×" in reason for reason in reasons), reasons


def test_a_thinned_order_keeps_every_act_its_first_and_its_last_look() -> None:
    verbs = ["move" if n % 100 == 7 else "hold" for n in range(5_000)]
    looks = [Look(after_noon(n), verb, None, None, None, "", str(n)) for n, verb in enumerate(verbs)]
    kept = thinned(looks, 500)
    assert len(kept) <= 502
    assert [look for look in kept if look.verb == "move"] == [look for look in looks if look.verb == "move"]
    assert (kept[0], kept[-1]) == (looks[0], looks[-1])


def test_an_order_of_acts_alone_is_thinned_as_well() -> None:
    looks = [Look(after_noon(n), "move", None, None, None, "", str(n)) for n in range(5_000)]
    kept = thinned(looks, 500)
    assert len(kept) <= 501
    assert (kept[0], kept[-1]) == (looks[0], looks[-1])


def test_buys_that_wait_for_sells_are_counted() -> None:
    (release,) = page(BOUGHT).releases
    assert (release.spendable, release.asking, release.waiting) == (Decimal(50), 1, 1)


def test_cash_that_the_balance_may_lack_is_no_negative_cash() -> None:
    """What was just spent is taken off twice until the balance shows it: the journal says that there is nothing."""
    made = RunRecord()
    spent = a_release().inputs["purse"]
    assert isinstance(spent, FundingRequest)
    purse = {**spent.model_dump(mode="json"), "spendable": "-2242.00"}
    made.read([(a_release(), {"purse": purse}, {"grants": []})])
    assert [release.spendable for release in made.releases] == [Decimal(0)]


def test_an_order_that_never_arrived_is_counted_among_the_unknown() -> None:
    made = record([BOUGHT])
    made.read([(Entry(NOON, RUN_ID, "RIFT", "plan", "sell 400", "worth 9644.00"), {}, None)])
    held = {"RIFT": ("held_wide", "0 of 400: wide")}
    assert page_of(made, Circumstances(outcomes=held)).costs.unknown == 1
    left_out = {"RIFT": ("no_trade", "on target")}
    assert page_of(made, Circumstances(outcomes=left_out)).costs.unknown == 0


# Journals that are not whole


def test_a_journal_that_ends_early_shows_what_it_has() -> None:
    seen = page(BOUGHT, Worked("KO"), is_whole=False)
    first, last = seen.orders
    assert (seen.outcome, seen.reason) == ("not known", CUT_OFF)
    assert first.fills == (Fill(after_noon(6), Decimal(100), Decimal("100.01")),)
    assert (first.cost, first.outcome) == (None, "filled")
    assert last.outcome == ""
    assert last.reason.startswith("last seen: ")
    assert seen.costs.orders == 0


def test_a_summary_fills_in_what_a_journal_lacks() -> None:
    known = Circumstances(outcome="failed", reason="Swept", outcomes={"KO": ("killed", "the kill switch")})
    seen = page(BOUGHT, Worked("KO"), is_whole=False, known=known)
    assert (seen.outcome, seen.reason) == ("failed", "Swept")
    assert seen.orders[1].outcome == "killed"


def test_an_empty_journal_has_a_page_without_orders() -> None:
    seen = page_of(RunRecord(), Circumstances())
    assert (seen.orders, seen.payments, seen.began) == ((), (), None)


def test_a_run_without_fills_has_its_orders_at_the_last_mid() -> None:
    (order,) = page(Worked(fills=(), left="100.12", reason="the window closed", outcome=Outcome.NO_FILL_COLLAR)).orders
    assert (order.filled, order.average, order.seconds) == (Decimal(0), None, None)
    assert order.cost == Decimal("9.50")  # 100 shares that have become 9.5 cents dearer


def test_entries_of_a_second_run_are_left_out_and_named() -> None:
    made = record([BOUGHT])
    made.read([(Entry(NOON, "other-2026-11-23", "KO", "plan", "buy 1"), {}, None)])
    assert made.others == {"other-2026-11-23"}
    assert set(made.orders) == {"AAPL"}


STRANGE: list[Any] = [
    None, 7, "x", [], {}, True, {"bid": "NaN", "ask": [], "limit": {}, "children": 3, "target": "?"},
    {"grants": 3, "executions": 4, "spendable": "5"}, {"grants": [6], "executions": [{}]},
]  # fmt: skip


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
@pytest.mark.parametrize("name", ["order", "quote", "purse", "trades", "settings", "book", "answer"])
def test_a_value_of_another_release_breaks_no_page(name: str, strange: Any) -> None:
    made = RunRecord()
    for entry, inputs, answer in recorded(entries([BOUGHT])):
        changed = {key: strange if key == name else value for key, value in inputs.items()}
        made.read([(entry, changed, strange if name == "answer" else answer)])
    seen = page_of(made, Circumstances())
    assert [order.symbol for order in seen.orders] == ["AAPL"]
    assert seen.run_id == RUN_ID
