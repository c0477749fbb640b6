"""The Broker port's contract, run on the in-process twin, alpaca-py in process and alpaca-py over a socket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from repeg.adapters.alpaca.keys import TradingMode, ensure_account_fits
from repeg.domain.broker import Accepted, CancelAnswer, Refusal, Refused, Unknown
from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.intent import Intent
from repeg.domain.quote import Side
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
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
    """Submit an order and report it one second after acceptance."""
    answer = desk.broker.submit(intent)
    assert isinstance(answer, Accepted), answer
    desk.pass_time()
    return read(desk, intent.client_order_id)


def read(desk: Desk, client_order_id: str) -> OrderReport:
    """The broker's current report of an order."""
    report = desk.broker.order(client_order_id)
    assert report is not None
    return report


def refusal(desk: Desk, intent: Intent) -> Refusal:
    """The broker's reason for refusing an order."""
    answer = desk.broker.submit(intent)
    assert isinstance(answer, Refused), answer
    assert answer.message
    assert desk.broker.order(intent.client_order_id) is None
    return answer.refusal


# Hours


def test_the_clock_reports_the_brokers_time_and_core_session(desk: Desk) -> None:
    assert desk.broker.clock().now == datetime(2026, 3, 5, 17, tzinfo=UTC)
    assert desk.broker.clock().is_open
    desk.go_to(THURSDAY, "16:00")
    assert not desk.broker.clock().is_open


def test_session_hours_are_reported_in_utc(desk: Desk) -> None:
    day = desk.broker.trading_day(THURSDAY)
    assert day is not None
    assert (day.open, day.close) == (datetime(2026, 3, 5, 14, 30, tzinfo=UTC), datetime(2026, 3, 5, 21, tzinfo=UTC))


def test_daylight_saving_shifts_the_session_without_changing_its_length(desk: Desk) -> None:
    day = desk.broker.trading_day(date(2026, 3, 9))
    assert day is not None
    assert (day.open, day.close - day.open) == (datetime(2026, 3, 9, 13, 30, tzinfo=UTC), timedelta(hours=6.5))


def test_the_day_after_thanksgiving_closes_early(desk: Desk) -> None:
    day = desk.broker.trading_day(date(2026, 11, 27))
    assert day is not None
    assert day.close == datetime(2026, 11, 27, 18, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2026, 3, 7), date(2026, 11, 26)])
def test_weekends_and_holidays_have_no_session(desk: Desk, day: date) -> None:
    assert desk.broker.trading_day(day) is None


# Account


def test_an_account_without_orders_may_spend_its_cash(desk: Desk) -> None:
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


def test_an_open_sell_raises_no_cash_until_it_executes(desk: Desk) -> None:
    placed(desk, sell("F", "50", "12.50"))
    assert desk.broker.account().spendable == Decimal(100_000)
    placed(desk, sell("KO", "7.227358", "60.40"))
    assert desk.broker.account().spendable == Decimal(100_000) + Decimal("7.227358") * Decimal("60.40")


def test_margin_is_never_spendable(open_desk: OpenDesk) -> None:
    desk = open_desk(opening=OpeningAccount(positions=HOLDINGS, multiplier=4))
    account = desk.broker.account()
    assert account.buying_power > account.cash
    assert account.spendable == account.cash


def test_a_blocked_account_is_reported_as_blocked(open_desk: OpenDesk) -> None:
    desk = open_desk(opening=OpeningAccount(trading_blocked=True))
    assert desk.broker.account().is_blocked
    assert refusal(desk, buy("F", "1", "12.10")) is Refusal.DENIED


def test_an_open_sell_reserves_its_shares(desk: Desk) -> None:
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


def test_a_passive_order_is_accepted_under_its_client_order_id(desk: Desk) -> None:
    intent = buy("AAPL", "40", "189.41")
    answer = desk.broker.submit(intent)
    assert isinstance(answer, Accepted)
    assert (answer.report.client_order_id, answer.report.qty) == (intent.client_order_id, Decimal(40))
    desk.pass_time()
    report = read(desk, intent.client_order_id)
    assert (report.state, report.limit, report.filled_qty) == (ChildState.LIVE, Decimal("189.41"), Decimal(0))
    assert report.submitted_at == datetime(2026, 3, 5, 17, tzinfo=UTC)
    assert report.order_id is not None


@pytest.mark.parametrize(
    ("symbol", "qty", "limit"), [("AAPL", "0.100000001", "189.40"), ("PNY", "300", "0.8511"), ("F", "0.3", "0.1")]
)
def test_quantities_and_limits_arrive_exactly(desk: Desk, symbol: str, qty: str, limit: str) -> None:
    report = placed(desk, buy(symbol, qty, limit))
    assert (report.qty, report.limit) == (Decimal(qty), Decimal(limit))


def test_an_order_without_a_limit_is_a_market_order(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", None))
    assert (report.state, report.limit, report.average_price) == (ChildState.FILLED, None, Decimal("189.44"))


def test_an_unfilled_order_expires_at_the_close(desk: Desk) -> None:
    intent = buy("AAPL", "40", "150.00")
    placed(desk, intent)
    desk.go_to(THURSDAY, "16:01")
    assert read(desk, intent.client_order_id).state is ChildState.EXPIRED


def test_a_duplicate_client_order_id_creates_no_second_order(desk: Desk) -> None:
    """The second submission is unknown: the first order is found by the id."""
    intent = buy("AAPL", "40", "189.41")
    first = placed(desk, intent)
    answer = desk.broker.submit(intent)
    assert isinstance(answer, Unknown)
    assert "unique" in answer.reason
    assert [order.broker_id for order in desk.broker.open_orders()] == [first.broker_id]


def test_a_closed_orders_id_cannot_be_reused(desk: Desk) -> None:
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
def test_a_refusal_is_classified_by_its_cause(desk: Desk, intent: Intent, why: Refusal) -> None:
    assert refusal(desk, intent) is why


def test_a_buy_against_our_own_sell_is_refused_as_a_wash_trade(desk: Desk) -> None:
    placed(desk, sell("F", "10", "12.11"))
    assert refusal(desk, buy("F", "10", "12.11")) is Refusal.OPPOSITE_ORDER


# Reading orders


def test_an_order_is_found_by_its_client_id_and_its_broker_id(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    assert desk.broker.order_by_broker_id(report.broker_id) == report
    assert desk.broker.order_by_broker_id(NOWHERE) is None
    assert desk.broker.order("rplcl-core-260305.MSFT.b.1") is None


def test_an_order_not_yet_visible_reads_as_none(desk: Desk) -> None:
    intent = buy("AAPL", "40", "189.41")
    desk.broker.submit(intent)
    order = desk.exchange.account.orders.by_client_id[intent.client_order_id]
    order.findable_at = order.listed_at = desk.clock[0] + SECOND
    assert desk.broker.order(intent.client_order_id) is None
    assert desk.broker.open_orders() == []
    desk.pass_time()
    assert read(desk, intent.client_order_id).state is ChildState.LIVE


def test_open_orders_include_other_clients_but_no_closed_orders(desk: Desk) -> None:
    ours = placed(desk, buy("AAPL", "40", "189.41"))
    ended = placed(desk, buy("F", "40", "12.11"))
    theirs = buy("F", "10", "12.05", n=2).model_copy(update={"client_order_id": "another-client"})
    other = placed(desk, theirs)
    assert ended.state is ChildState.FILLED
    assert desk.broker.open_orders() == [ours, other]
    assert other.order_id is None


def test_open_orders_beyond_one_page_are_each_listed_once(desk: Desk) -> None:
    for n in range(1, 621):
        assert isinstance(desk.broker.submit(buy("F", "1", "12.00", n=n)), Accepted)
        if n % 200 == 0:
            desk.pass_time(0.000001)
    desk.pass_time()
    assert [int(order.client_order_id.rsplit(".", 1)[1]) for order in desk.broker.open_orders()] == list(range(1, 621))


def test_a_full_page_with_one_timestamp_raises(desk: Desk) -> None:
    """Paging by timestamp cannot get past it, and a truncated list would hide open orders."""
    for n in range(1, 502):
        desk.broker.submit(buy("F", "1", "12.00", n=n))
    desk.pass_time()
    with pytest.raises(BrokerUnavailable, match="share one timestamp"):
        desk.broker.open_orders()


# Fills


def test_the_order_and_the_executions_report_the_same_fill(desk: Desk) -> None:
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


def test_a_cancelled_order_keeps_its_filled_quantity(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "240", "189.44"))
    desk.broker.cancel(report.broker_id)
    desk.pass_time()
    after = read(desk, report.client_order_id)
    assert (after.state, after.filled_qty) == (ChildState.CANCELED, Decimal(200))


def test_fills_beyond_one_page_are_listed_once_in_time_order(desk: Desk) -> None:
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


def test_a_cancel_is_a_request_whose_outcome_is_read(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.REQUESTED
    assert read(desk, report.client_order_id).state is ChildState.CANCELLING
    desk.pass_time()
    assert read(desk, report.client_order_id).state is ChildState.CANCELED


@pytest.mark.parametrize("quirks", [BrokerQuirks(second_cancel="422"), BrokerQuirks(second_cancel="204")])
def test_a_repeated_cancel_in_flight_is_still_requested(open_desk: OpenDesk, quirks: BrokerQuirks) -> None:
    desk = open_desk(quirks=quirks)
    report = placed(desk, buy("AAPL", "40", "189.41"))
    desk.broker.cancel(report.broker_id)
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.REQUESTED


def test_a_cancel_of_a_filled_order_reports_not_open(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.50"))
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.NOT_OPEN


def test_a_cancel_of_a_cancelled_order_may_report_not_open(open_desk: OpenDesk) -> None:
    desk = open_desk(quirks=BrokerQuirks(cancel_of_canceled="422"))
    report = placed(desk, buy("AAPL", "40", "189.41"))
    desk.broker.cancel(report.broker_id)
    desk.pass_time()
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.NOT_OPEN


def test_a_cancel_of_an_unknown_order_reports_not_found(desk: Desk) -> None:
    assert desk.broker.cancel(NOWHERE) is CancelAnswer.NOT_FOUND


# Replacing


def test_a_replaced_order_has_a_successor_under_its_own_id(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    answer = desk.broker.replace(report.broker_id, a_change("189.42", "rp-successor"))
    assert isinstance(answer, Accepted)
    assert answer.report.replaces == report.broker_id
    desk.pass_time()
    old, new = read(desk, report.client_order_id), read(desk, "rp-successor")
    assert (old.state, old.replaced_by) == (ChildState.REPLACED, new.broker_id)
    assert (new.state, new.limit, new.qty) == (ChildState.LIVE, Decimal("189.42"), Decimal(40))


def test_replacing_at_the_same_price_or_after_the_end_is_refused(desk: Desk) -> None:
    report = placed(desk, buy("AAPL", "40", "189.41"))
    same = desk.broker.replace(report.broker_id, a_change("189.41", "rp-same"))
    desk.broker.cancel(report.broker_id)
    desk.pass_time()
    ended = desk.broker.replace(report.broker_id, a_change("189.42", "rp-ended"))
    assert isinstance(same, Refused)
    assert isinstance(ended, Refused)
    assert desk.broker.order("rp-ended") is None


def test_a_second_replacement_of_an_order_is_unknown(desk: Desk) -> None:
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


def test_a_rate_limited_read_fails_and_a_rate_limited_write_is_unknown(open_desk: OpenDesk) -> None:
    desk = open_desk(quirks=BrokerQuirks(requests_per_minute=2))
    intent = buy("AAPL", "40", "189.41")
    report = placed(desk, intent)
    with pytest.raises(BrokerUnavailable, match="429"):
        desk.broker.order(intent.client_order_id)
    assert isinstance(desk.broker.submit(buy("AAPL", "40", "189.41", n=2)), Unknown)
    assert isinstance(desk.broker.replace(report.broker_id, a_change("189.42", "rp-x")), Unknown)
    assert desk.broker.cancel(report.broker_id) is CancelAnswer.UNKNOWN
    desk.pass_time(61)
    assert desk.broker.open_orders() == [report]
