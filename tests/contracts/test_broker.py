"""What every broker does: the twin in process, alpaca-py in process, and alpaca-py over a socket alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from repeg.adapters.alpaca.keys import TradingMode, ensure_account_fits
from repeg.domain.broker import Accepted, CancelAnswer, Refusal, Refused, Unknown
from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.parent_order import Intent
from repeg.domain.quote import Side
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.knobs import BrokerQuirks
from tests.contracts.desks import HOLDINGS, SECOND, THURSDAY, Desk
from tests.contracts.words import a_change, an_intent, an_order

OpenDesk = Callable[..., Desk]
NOWHERE = "61e69015-8549-4bfd-b9c3-01e75843f47d"


def buy(symbol: str, qty: str, limit: str | None, n: int = 1) -> Intent:
    """Attempt `n` to buy; no limit is a market order."""
    intent = an_intent(an_order(symbol), n, qty=qty, limit=limit or "1")
    return intent if limit else intent.model_copy(update={"limit": None})


def sell(symbol: str, qty: str, limit: str | None, n: int = 1) -> Intent:
    """Attempt `n` to sell."""
    intent = buy(symbol, qty, limit, n)
    sold = intent.client_order_id.replace(".b.", ".s.")
    return intent.model_copy(update={"side": Side.SELL, "client_order_id": sold})


def placed(desk: Desk, intent: Intent) -> OrderReport:
    """The order as it stands a second after it was accepted."""
    answer = desk.broker.submit(intent)
    assert isinstance(answer, Accepted), answer
    desk.pass_time()
    return read(desk, intent.client_order_id)


def read(desk: Desk, client_order_id: str) -> OrderReport:
    """The order as the broker tells it now."""
    report = desk.broker.order(client_order_id)
    assert report is not None
    return report


def refusal(desk: Desk, intent: Intent) -> Refusal:
    """Why the broker does not take an order."""
    answer = desk.broker.submit(intent)
    assert isinstance(answer, Refused), answer
    assert answer.message
    assert desk.broker.order(intent.client_order_id) is None
    return answer.refusal


# Hours


def test_the_clock_tells_the_brokers_time_and_the_core_session(desk: Desk) -> None:
    assert desk.broker.clock().now == datetime(2026, 3, 5, 17, tzinfo=UTC)
    assert desk.broker.clock().is_open
    desk.go_to(THURSDAY, "16:00")
    assert not desk.broker.clock().is_open


def test_a_session_comes_in_utc(desk: Desk) -> None:
    day = desk.broker.trading_day(THURSDAY)
    assert day is not None
    assert (day.open, day.close) == (datetime(2026, 3, 5, 14, 30, tzinfo=UTC), datetime(2026, 3, 5, 21, tzinfo=UTC))


def test_summer_time_moves_the_session_and_not_its_length(desk: Desk) -> None:
    day = desk.broker.trading_day(date(2026, 3, 9))
    assert day is not None
    assert (day.open, day.close - day.open) == (datetime(2026, 3, 9, 13, 30, tzinfo=UTC), timedelta(hours=6.5))


def test_the_day_after_thanksgiving_closes_early(desk: Desk) -> None:
    day = desk.broker.trading_day(date(2026, 11, 27))
    assert day is not None
    assert day.close == datetime(2026, 11, 27, 18, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2026, 3, 7), date(2026, 11, 26)])
def test_there_is_no_session_on_a_weekend_or_a_holiday(desk: Desk, day: date) -> None:
    assert desk.broker.trading_day(day) is None


# Account


def test_an_untouched_account_may_spend_its_cash(desk: Desk) -> None:
    account = desk.broker.account()
    assert account.cash == account.spendable == Decimal(100_000)
    assert account.equity > account.cash
    assert not account.is_blocked
    ensure_account_fits(account.number, TradingMode.PAPER)


def test_an_open_buy_reserves_its_cost_until_it_is_cancelled(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    assert desk.broker.account().spendable == Decimal(100_000) - 40 * Decimal("189.41")
    desk.broker.cancel(report.broker_id)
    desk.pass_time()
    assert desk.broker.account().spendable == Decimal(100_000)


def test_an_open_sell_raises_nothing_until_it_executes(desk: Desk) -> None:
    placed(desk, sell("F", "50", "12.50"))
    assert desk.broker.account().spendable == Decimal(100_000)
    placed(desk, sell("KO", "7.227358", "60.40"))
    assert desk.broker.account().spendable == Decimal(100_000) + Decimal("7.227358") * Decimal("60.40")


def test_what_could_be_borrowed_is_never_spendable(open_desk: OpenDesk) -> None:
    desk = open_desk(opening=OpeningAccount(positions=HOLDINGS, multiplier=4))
    account = desk.broker.account()
    assert account.buying_power > account.cash
    assert account.spendable == account.cash


def test_a_blocked_account_says_so(open_desk: OpenDesk) -> None:
    desk = open_desk(opening=OpeningAccount(trading_blocked=True))
    assert desk.broker.account().is_blocked
    assert refusal(desk, buy("F", "1", "12.10")) is Refusal.DENIED


def test_positions_are_exact_and_an_open_sell_holds_its_shares(desk: Desk) -> None:
    placed(desk, sell("F", "20", "12.50"))
    positions = {position.symbol: (position.qty, position.available) for position in desk.broker.positions()}
    assert positions == {
        "KO": (Decimal("7.227358"), Decimal("7.227358")),
        "F": (Decimal(50), Decimal(30)),
    }


def test_a_short_position_is_negative(open_desk: OpenDesk) -> None:
    short = {"F": (Decimal(-50), Decimal("12.10"))}
    desk = open_desk(opening=OpeningAccount(positions=short, multiplier=2, shorting_enabled=True))
    assert [position.qty for position in desk.broker.positions()] == [Decimal(-50)]


# Submitting


def test_a_passive_order_is_accepted_under_its_own_id_and_rests(desk: Desk) -> None:
    intent = buy("AAPL", "40", "189.41")
    answer = desk.broker.submit(intent)
    assert isinstance(answer, Accepted)
    assert (answer.report.client_order_id, answer.report.qty) == (intent.client_order_id, Decimal(40))
    desk.pass_time()
    report = read(desk, intent.client_order_id)
    assert (report.state, report.limit, report.filled_qty) == (ChildState.LIVE, Decimal("189.41"), Decimal(0))
    assert report.submitted_at == datetime(2026, 3, 5, 17, tzinfo=UTC)
    assert report.is_ours


@pytest.mark.parametrize(
    ("symbol", "qty", "limit"), [("AAPL", "0.100000001", "189.40"), ("PNY", "300", "0.8511"), ("F", "0.3", "0.1")]
)
def test_amounts_arrive_to_the_last_digit(desk: Desk, symbol: str, qty: str, limit: str) -> None:
    report = placed(desk, buy(symbol, qty, limit))
    assert (report.qty, report.limit) == (Decimal(qty), Decimal(limit))


def test_an_order_without_a_limit_is_a_market_order(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", None))
    assert (report.state, report.limit, report.average_price) == (ChildState.FILLED, None, Decimal("189.44"))


def test_orders_are_for_the_day(desk: Desk) -> None:
    intent = buy("AAPL", "40", "150.00")
    placed(desk, intent)
    desk.go_to(THURSDAY, "16:01")
    assert read(desk, intent.client_order_id).state is ChildState.EXPIRED


def test_an_id_is_taken_once_and_its_owner_is_found_by_it(desk: Desk) -> None:
    intent = buy("AAPL", "40", "189.41")
    first = placed(desk, intent)
    answer = desk.broker.submit(intent)
    assert isinstance(answer, Unknown)
    assert "unique" in answer.reason
    assert [order.broker_id for order in desk.broker.open_orders()] == [first.broker_id]


def test_an_id_stays_taken_after_its_order_has_ended(desk: Desk) -> None:
    intent = buy("AAPL", "40", "189.41")
    desk.broker.cancel(placed(desk, intent).broker_id)
    desk.pass_time()
    assert isinstance(desk.broker.submit(intent), Unknown)
    assert desk.broker.open_orders() == []


@pytest.mark.parametrize(
    ("intent", "why"),
    [
        (buy("AAPL", "1000", "189.41"), Refusal.FUNDS),
        (sell("F", "51", "12.50"), Refusal.SHARES),
        (sell("AAPL", "1", "189.50"), Refusal.SHARES),
        (buy("AAPL", "40", "189.411"), Refusal.PRICE),
        (buy("PNY", "40", "0.85123"), Refusal.PRICE),
        (buy("ZZZZ", "40", "1.00"), Refusal.ASSET),
        (buy("DEAD", "40", "1.00"), Refusal.ASSET),
        (buy("WHL", "0.5", "20.00"), Refusal.ASSET),
        (buy("AAPL", "0", "1.00"), Refusal.OTHER),
    ],
)
def test_a_refusal_says_what_is_missing(desk: Desk, intent: Intent, why: Refusal) -> None:
    assert refusal(desk, intent) is why


def test_a_buy_against_our_own_sell_is_refused_as_such(desk: Desk) -> None:
    placed(desk, sell("F", "10", "12.11"))
    assert refusal(desk, buy("F", "10", "12.11")) is Refusal.OPPOSITE_ORDER


# Reading orders


def test_an_order_is_found_by_either_id_and_an_unknown_one_by_neither(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    assert desk.broker.order_by_broker_id(report.broker_id) == report
    assert desk.broker.order_by_broker_id(NOWHERE) is None
    assert desk.broker.order("rp-core-2026-03-05.MSFT.b.1") is None


def test_an_order_that_cannot_be_found_yet_is_told_as_none(desk: Desk) -> None:
    intent = buy("AAPL", "40", "189.41")
    desk.broker.submit(intent)
    order = desk.exchange.account.orders.by_client_id[intent.client_order_id]
    order.findable_at = order.listed_at = desk.clock[0] + SECOND
    assert desk.broker.order(intent.client_order_id) is None
    assert desk.broker.open_orders() == []
    desk.pass_time()
    assert read(desk, intent.client_order_id).state is ChildState.LIVE


def test_open_orders_hold_ours_and_others_but_none_that_has_ended(desk: Desk) -> None:
    ours = placed(desk, buy("AAPL", "40", "189.41"))
    ended = placed(desk, buy("F", "40", "12.11"))
    theirs = buy("F", "10", "12.05", n=2).model_copy(update={"client_order_id": "somebody-else"})
    other = placed(desk, theirs)
    assert ended.state is ChildState.FILLED
    assert desk.broker.open_orders() == [ours, other]
    assert not other.is_ours


def test_more_open_orders_than_a_page_holds_are_all_seen_once(desk: Desk) -> None:
    for n in range(1, 621):
        assert isinstance(desk.broker.submit(buy("F", "1", "12.00", n=n)), Accepted)
        if n % 200 == 0:
            desk.pass_time(0.000001)
    desk.pass_time()
    assert [int(order.client_order_id.rsplit(".", 1)[1]) for order in desk.broker.open_orders()] == list(range(1, 621))


def test_a_page_of_one_stamp_that_hides_the_rest_is_an_error_and_no_short_list(desk: Desk) -> None:
    for n in range(1, 502):
        desk.broker.submit(buy("F", "1", "12.00", n=n))
    desk.pass_time()
    with pytest.raises(BrokerUnavailable, match="share one stamp"):
        desk.broker.open_orders()


# Fills


def test_a_fill_is_told_by_the_order_and_by_the_executions(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.50"))
    assert (report.state, report.filled_qty, report.average_price) == (
        ChildState.FILLED,
        Decimal(40),
        Decimal("189.44"),
    )
    (fill,) = desk.broker.executions(THURSDAY)
    assert (fill.broker_order_id, fill.symbol, fill.side) == (report.broker_id, "AAPL", Side.BUY)
    assert (fill.qty, fill.price) == (Decimal(40), Decimal("189.44"))
    assert datetime(2026, 3, 5, 17, tzinfo=UTC) < fill.at < datetime(2026, 3, 5, 17, 0, 1, tzinfo=UTC)


def test_a_partly_filled_order_is_still_open(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "240", "189.44"))
    assert (report.state, report.filled_qty, report.is_closed) == (ChildState.LIVE, Decimal(200), False)
    assert [order.broker_id for order in desk.broker.open_orders()] == [report.broker_id]


def test_a_cancelled_order_keeps_what_it_filled(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "240", "189.44"))
    desk.broker.cancel(report.broker_id)
    desk.pass_time()
    after = read(desk, report.client_order_id)
    assert (after.state, after.filled_qty) == (ChildState.CANCELED, Decimal(200))


def test_more_fills_than_a_page_holds_come_once_each_and_by_time(desk: Desk) -> None:
    for n in range(1, 231):
        assert isinstance(desk.broker.submit(buy("F", "1", "12.11", n=n)), Accepted)
        desk.pass_time(0.1)
    fills = desk.broker.executions(THURSDAY)
    assert len({fill.activity_id for fill in fills}) == len(fills) == 230
    assert [fill.at for fill in fills] == sorted(fill.at for fill in fills)


def test_fills_belong_to_their_new_york_date(desk: Desk) -> None:
    placed(desk, buy("F", "1", "12.11"))
    assert desk.broker.executions(date(2026, 3, 4)) == []
    assert desk.broker.executions(date(2026, 3, 6)) == []
    assert len(desk.broker.executions(THURSDAY)) == 1


# Cancelling


def test_a_cancel_is_a_request_and_a_read_tells_what_came_of_it(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.REQUESTED
    assert read(desk, report.client_order_id).state is ChildState.CANCELLING
    desk.pass_time()
    assert read(desk, report.client_order_id).state is ChildState.CANCELED


@pytest.mark.parametrize("knobs", [BrokerQuirks(second_cancel="422"), BrokerQuirks(second_cancel="204")])
def test_a_second_cancel_while_the_first_is_on_its_way_is_a_request_too(
    open_desk: OpenDesk, knobs: BrokerQuirks
) -> None:
    desk = open_desk(knobs=knobs)
    report = placed(desk, buy("AAPL", "40", "189.41"))
    desk.broker.cancel(report.broker_id)
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.REQUESTED


def test_a_filled_order_is_not_open_to_a_cancel(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.50"))
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.NOT_OPEN


def test_a_cancelled_order_may_be_told_as_not_open(open_desk: OpenDesk) -> None:
    desk = open_desk(knobs=BrokerQuirks(cancel_of_canceled="422"))
    report = placed(desk, buy("AAPL", "40", "189.41"))
    desk.broker.cancel(report.broker_id)
    desk.pass_time()
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.NOT_OPEN


def test_an_order_that_never_was_is_not_found(desk: Desk) -> None:
    assert desk.broker.cancel(NOWHERE) is CancelAnswer.NOT_FOUND


# Replacing


def test_a_replaced_order_has_a_successor_with_its_own_id(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    answer = desk.broker.replace(report.broker_id, a_change("189.42", "rp-successor"))
    assert isinstance(answer, Accepted)
    assert answer.report.replaces == report.broker_id
    desk.pass_time()
    old, new = read(desk, report.client_order_id), read(desk, "rp-successor")
    assert (old.state, old.replaced_by) == (ChildState.REPLACED, new.broker_id)
    assert (new.state, new.limit, new.qty) == (ChildState.LIVE, Decimal("189.42"), Decimal(40))


def test_a_replacement_at_the_same_price_or_of_an_ended_order_is_refused(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    same = desk.broker.replace(report.broker_id, a_change("189.41", "rp-same"))
    desk.broker.cancel(report.broker_id)
    desk.pass_time()
    ended = desk.broker.replace(report.broker_id, a_change("189.42", "rp-ended"))
    assert isinstance(same, Refused)
    assert isinstance(ended, Refused)
    assert desk.broker.order("rp-ended") is None


def test_a_second_replacement_of_one_order_is_not_known_to_have_failed(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    desk.broker.replace(report.broker_id, a_change("189.42", "rp-successor"))
    desk.pass_time()
    assert isinstance(desk.broker.replace(report.broker_id, a_change("189.42", "rp-successor")), Unknown)


# Keys and limits


def test_revoked_keys_are_denied_on_reads_and_refused_on_orders(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    desk.exchange.gate.keys.clear()
    with pytest.raises(BrokerDenied, match="401"):
        desk.broker.open_orders()
    with pytest.raises(BrokerDenied, match="401"):
        desk.market.quotes(["AAPL"])
    answer = desk.broker.submit(buy("AAPL", "40", "189.41", n=2))
    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.DENIED
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.UNKNOWN


def test_a_spent_request_budget_makes_reads_fail_and_writes_unknown(open_desk: OpenDesk) -> None:
    desk = open_desk(knobs=BrokerQuirks(requests_per_minute=2))
    intent = buy("AAPL", "40", "189.41")
    report = placed(desk, intent)
    with pytest.raises(BrokerUnavailable, match="429"):
        desk.broker.order(intent.client_order_id)
    assert isinstance(desk.broker.submit(buy("AAPL", "40", "189.41", n=2)), Unknown)
    assert isinstance(desk.broker.replace(report.broker_id, a_change("189.42", "rp-x")), Unknown)
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.UNKNOWN
    desk.pass_time(61)
    assert desk.broker.open_orders() == [report]
