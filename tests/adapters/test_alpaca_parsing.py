"""Parsing of Alpaca's rows and refusals: unknown, missing and null fields, and the meaning of each failure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from repeg.adapters.alpaca import errors
from repeg.adapters.alpaca.http import Failure
from repeg.domain.broker import CancelAnswer, Refusal, Refused, Unknown
from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.quote import Side
from tests.adapters.brokers import (
    OURS,
    a_broker,
    a_market,
    an_account_row,
    an_activity_row,
    an_order_row,
)
from tests.adapters.scripted_server import answer, scripted
from tests.contracts.words import an_intent, an_order

NOON = datetime(2026, 3, 5, 17, tzinfo=UTC)


def listed(*rows: dict[str, Any]) -> list[OrderReport]:
    """Open orders, as one page."""
    with scripted(answer(200, list(rows))) as script:
        return a_broker(script).open_orders()


# Orders


@pytest.mark.parametrize("status", ["held", "pending_review", "a_word_of_next_year", "pending_replace"])
def test_an_unknown_status_leaves_the_order_open(status: str) -> None:
    (report,) = listed(an_order_row(status=status))
    assert (report.state, report.is_closed) == (ChildState.LIVE, False)


def test_timestamps_are_cut_to_microseconds_and_may_be_missing() -> None:
    stamped, unstamped = listed(an_order_row(), an_order_row(id="b", submitted_at=None))
    assert stamped.submitted_at == datetime(2026, 3, 5, 17, 0, 0, 577215, tzinfo=UTC)
    assert unstamped.submitted_at is None


def test_json_numbers_are_accepted_for_amounts() -> None:
    (report,) = listed(an_order_row(qty=40, limit_price=189.41, filled_qty=10, filled_avg_price=189.4))
    assert (report.qty, report.limit, report.average_price) == (Decimal(40), Decimal("189.41"), Decimal("189.4"))


def test_a_notional_order_has_no_quantity() -> None:
    (report,) = listed(an_order_row(client_order_id="theirs", qty=None, notional="500"))
    assert report.qty == 0


def test_a_foreign_multi_leg_order_is_skipped() -> None:
    legs = an_order_row(client_order_id="theirs", symbol="", side=None)
    assert [report.client_order_id for report in listed(legs, an_order_row())] == [OURS]


@pytest.mark.parametrize(
    "broken", [{"symbol": None}, {"side": "sideways"}, {"status": None}, {"qty": "NaN"}, {"id": 7}]
)
def test_an_unreadable_order_of_ours_raises(broken: dict[str, Any]) -> None:
    with pytest.raises(BrokerUnavailable, match="cannot be read"):
        listed(an_order_row(**broken))


def test_a_full_page_of_orders_without_timestamps_raises() -> None:
    page = [an_order_row(id=str(n), submitted_at=None) for n in range(500)]
    with scripted(*[answer(200, page)] * 2) as script, pytest.raises(BrokerUnavailable, match="share one timestamp"):
        a_broker(script).open_orders()


def test_the_next_page_starts_a_microsecond_before_the_last_ended() -> None:
    page = [an_order_row(id=str(n)) for n in range(500)]
    with scripted(answer(200, page), answer(200, [an_order_row(id="499"), an_order_row(id="500")])) as script:
        assert len(a_broker(script).open_orders()) == 501
    assert "limit=500" in script.asked[0].target
    assert "after" not in script.asked[0].target
    assert "after=2026-03-05T17%3A00%3A00.577214%2B00%3A00" in script.asked[1].target


# Fills


def test_fills_are_paged_by_the_last_id() -> None:
    first = [an_activity_row(id=f"{n:03}") for n in range(100)]
    second = [an_activity_row(id="099"), an_activity_row(id="100", side="sell_short")]
    with scripted(answer(200, first), answer(200, second)) as script:
        fills = a_broker(script).executions(date(2026, 3, 5))
    assert len(fills) == 101
    assert fills[-1].side is Side.SELL
    assert "page_size=100" in script.asked[0].target
    assert "page_token=099" in script.asked[1].target


def test_a_further_page_that_fails_is_read_again_and_not_the_whole_list() -> None:
    """Of two hundred pages, read anew from the first after every failure, no attempt reads the last on a bad line."""
    fills = [[an_activity_row(id=f"{n:03}") for n in range(100)], [an_activity_row(id="100")]]
    orders = [[an_order_row(id=str(n)) for n in range(500)], [an_order_row(id="500")]]
    for pages, size in ((fills, 101), (orders, 501)):
        replies = [answer(200, pages[0]), answer(503), answer(200, b"<html>"), answer(200, pages[1])]
        with scripted(*replies) as script:
            broker = a_broker(script)
            found = broker.executions(date(2026, 3, 5)) if pages is fills else broker.open_orders()
        assert len(found) == size
        assert len({request.target for request in script.asked[1:]}) == 1


def test_a_further_page_is_read_three_times_and_the_first_once() -> None:
    first = answer(200, [an_activity_row(id=f"{n:03}") for n in range(100)])
    for replies in ((answer(503),), (first, answer(503), answer(503), answer(503))):
        with scripted(*replies) as script, pytest.raises(BrokerUnavailable):
            a_broker(script).executions(date(2026, 3, 5))
        assert len(script.asked) == len(replies)


def test_fills_are_selected_by_their_new_york_date() -> None:
    late = an_activity_row(id="late", transaction_time="2026-03-06T00:30:00Z")
    next_day = an_activity_row(id="next", transaction_time="2026-03-06T05:00:00Z")
    with scripted(answer(200, [late, next_day])) as script:
        assert [fill.activity_id for fill in a_broker(script).executions(date(2026, 3, 5))] == ["late"]
    assert "after=2026-03-04T23%3A59%3A59-05%3A00" in script.asked[0].target
    assert "until=2026-03-06T00%3A00%3A01-05%3A00" in script.asked[0].target


def test_an_unreadable_fill_raises() -> None:
    with scripted(answer(200, [an_activity_row(price=None)])) as script, pytest.raises(BrokerUnavailable):
        a_broker(script).executions(date(2026, 3, 5))


# Money


def spendable(*replies: dict[str, Any] | list[dict[str, Any]]) -> Decimal:
    """The spendable amount of an account."""
    with scripted(*[answer(200, reply) for reply in replies]) as script:
        return a_broker(script).account().spendable


def test_spendable_is_the_least_of_cash_and_the_buying_powers() -> None:
    """That is of cash, buying power and non-marginable buying power, and never negative."""
    assert spendable(an_account_row()) == Decimal("55000.25")
    assert spendable(an_account_row(non_marginable_buying_power="90000")) == Decimal("60000.25")
    assert spendable(an_account_row(buying_power="10")) == Decimal(10)
    assert spendable(an_account_row(cash="-5")) == 0


def test_spendable_cash_is_reduced_by_the_cost_of_open_buys() -> None:
    """Used if the account reports no non-marginable buying power."""
    account = an_account_row(non_marginable_buying_power=None)
    buy = an_order_row(qty="100", filled_qty="40", limit_price="100")
    sell = an_order_row(id="b", side="sell")
    assert spendable(account, [buy, sell], account) == Decimal("60000.25") - 6000


def test_a_buy_that_fills_while_the_orders_are_listed_counts_twice() -> None:
    """The cash is read after the orders: the other way round a fill in between would be in neither."""
    before, after = (an_account_row(non_marginable_buying_power=None, cash=cash) for cash in ("60000.25", "54000.25"))
    buy = an_order_row(qty="60", filled_qty="0", limit_price="100")
    assert spendable(before, [buy], after) == Decimal("54000.25") - 6000


def test_an_open_market_buy_leaves_no_spendable_cash() -> None:
    """Its cost is unknown, and the account reports no non-marginable buying power."""
    account = an_account_row(non_marginable_buying_power=None)
    assert spendable(account, [an_order_row(limit_price=None)], account) == 0


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({}, ""),
        ({"currency": "USD"}, ""),
        ({"trading_blocked": True}, "trading_blocked"),
        ({"account_blocked": True}, "account_blocked"),
        ({"trade_suspended_by_user": True}, "trade_suspended_by_user"),
        ({"status": "SUBMITTED"}, "status SUBMITTED"),
        ({"currency": "EUR"}, "currency EUR"),
        ({"status": "ACCOUNT_CLOSED", "account_blocked": True}, "account_blocked, status ACCOUNT_CLOSED"),
    ],
)
def test_each_account_block_is_reported_by_name(block: dict[str, Any], named: str) -> None:
    with scripted(answer(200, an_account_row(**block))) as script:
        account = a_broker(script).account()
    assert (account.blocked_by, account.is_blocked) == (named, bool(named))


def test_a_position_without_an_available_field_is_all_available() -> None:
    rows = [{"symbol": "KO", "qty": "7.5", "side": "long"}, {"symbol": "F", "qty": "50", "side": "short"}]
    with scripted(answer(200, rows)) as script:
        ko, f = a_broker(script).positions()
    assert (ko.qty, ko.available, f.qty) == (Decimal("7.5"), Decimal("7.5"), Decimal(-50))


# Hours


def test_a_clock_without_a_time_zone_is_unavailable() -> None:
    zoneless = answer(200, {"timestamp": "2026-03-05T12:00:00", "is_open": True})
    with scripted(zoneless) as script, pytest.raises(BrokerUnavailable):
        a_broker(script).clock()


def test_a_calendar_row_for_another_date_is_no_session() -> None:
    with scripted(answer(200, [{"date": "2026-03-09", "open": "09:30", "close": "16:00"}])) as script:
        assert a_broker(script).trading_day(date(2026, 3, 7)) is None


# Quotes


def test_a_null_price_or_size_is_an_empty_side() -> None:
    row = {"t": "2026-03-05T17:00:00.000000001Z", "bp": 189.4, "bs": 3, "ap": None, "as": None}
    with scripted(answer(200, {"quotes": {"AAPL": row}, "currency": "USD"})) as script:
        quote = a_market(script).quotes(["AAPL"])["AAPL"]
    assert (quote.ask, quote.ask_size, quote.at) == (Decimal(0), Decimal(0), NOON)


def test_a_quote_without_a_timestamp_has_no_time() -> None:
    with scripted(answer(200, {"quotes": {"AAPL": {"bp": 1, "bs": 1, "ap": 2, "as": 1}}})) as script:
        assert a_market(script).quotes(["AAPL"])["AAPL"].at is None


@pytest.mark.parametrize("row", [None, 7, {"bp": "x"}, {"bp": True}, {"t": "yesterday"}, {"t": "2026-03-05T12:00:00"}])
def test_an_unreadable_quote_does_not_affect_other_symbols(row: object) -> None:
    good = {"t": "2026-03-05T17:00:00Z", "bp": 1, "bs": 1, "ap": 2, "as": 1}
    with scripted(answer(200, {"quotes": {"AAPL": row, "KO": good}})) as script:
        assert a_market(script).quotes(["AAPL", "KO"]).keys() == {"KO"}


@pytest.mark.parametrize("row", [None, {"p": None}, {"p": 0}, {"p": -1}, {"p": "x"}, {}])
def test_a_trade_without_a_price_is_absent(row: object) -> None:
    with scripted(answer(200, {"trades": {"AAPL": row}})) as script:
        assert a_market(script).last_trades(["AAPL"]) == {}


@pytest.mark.parametrize("body", [{"quotes": None}, {"quotes": {}}])
def test_an_answer_without_quotes_is_an_empty_market(body: object) -> None:
    with scripted(answer(200, body)) as script:
        assert a_market(script).quotes(["AAPL"]) == {}


@pytest.mark.parametrize("body", [{"bars": {}}, [], {"quotes": [1]}, {"quotes": "none"}])
def test_a_malformed_quote_answer_raises(body: object) -> None:
    with scripted(answer(200, body)) as script, pytest.raises(BrokerUnavailable):
        a_market(script).quotes(["AAPL"])


# Failures


def failure(status: int | None, code: int | None = None, message: str = "") -> Failure:
    """A failed request."""
    return Failure(status, code, message)


@pytest.mark.parametrize(
    ("failed", "why"),
    [
        (failure(401), Refusal.DENIED),
        (failure(401, 40110000, "request is not authorized"), Refusal.DENIED),
        (failure(403, None, "forbidden."), Refusal.DENIED),
        (failure(403, 40310000, "insufficient buying power"), Refusal.FUNDS),
        (failure(403, 40310000, "insufficient qty available for order (requested: 3, available: 0)"), Refusal.SHARES),
        (failure(403, 40310000, "account is not allowed to short"), Refusal.SHARES),
        (failure(422, 42210000, "fractional orders cannot be sold short"), Refusal.SHARES),
        (failure(403, 40310000, "potential wash trade detected. use complex orders"), Refusal.OPPOSITE_ORDER),
        (failure(422, 42210000, "potential wash trade detected. use complex orders"), Refusal.OPPOSITE_ORDER),
        (
            failure(403, 40310000, "cannot open a short sell while a long buy order is open"),
            Refusal.OPPOSITE_ORDER,
        ),
        (
            failure(422, 42210000, "invalid limit_price 290.123. sub-penny increment does not fulfill minimum"),
            Refusal.PRICE,
        ),
        (failure(422, 40010001, "limit price must be > 0"), Refusal.PRICE),
        (failure(422, 42210000, 'asset "ZZZZ" not found'), Refusal.ASSET),
        (failure(403, 40310000, 'asset "X" is not fractionable'), Refusal.ASSET),
        (failure(422, 42210000, "requested asset is not fractionable"), Refusal.ASSET),
        (failure(403, 40310000, "account is restricted to liquidation only"), Refusal.DENIED),
        (failure(403, 40310100, "trade denied due to pattern day trading protection"), Refusal.DENIED),
        (failure(422, 40010001, "client_order_id must be no more than 128 characters"), Refusal.OTHER),
        (failure(400, 40010000, "request body format is invalid"), Refusal.OTHER),
        (failure(422, 42210000, "a new message"), Refusal.OTHER),
    ],
)
def test_a_definite_refusal_is_classified_by_its_cause(failed: Failure, why: Refusal) -> None:
    answered = errors.submission(failed)
    assert isinstance(answered, Refused)
    assert answered.refusal is why


@pytest.mark.parametrize(
    "failed",
    [
        failure(422, 40010001, "client_order_id must be unique"),
        failure(None, None, "ReadTimeout"),
        failure(200),
        failure(400),
        failure(400, 40019999, "of unknown origin"),
        failure(403),
        failure(403, 42210000, "subscription does not permit querying recent SIP data"),
        failure(404, 40410000, "order not found"),
        failure(408),
        failure(409, 40910000, "conflict"),
        failure(422),
        failure(422, 50010000, "internal"),
        failure(429, 42910000, "rate limit exceeded"),
        failure(500, 50010000, "internal server error occurred"),
        failure(502),
        failure(504),
    ],
)
def test_an_indefinite_failure_is_unknown(failed: Failure) -> None:
    assert isinstance(errors.submission(failed), Unknown)
    assert isinstance(errors.replacement(failed), Unknown)


@pytest.mark.parametrize(
    "message",
    ["unable to replace order, order isn't sent to exchange yet", "order already replaced"],
)
def test_an_ambiguous_refusal_of_a_replacement_is_unknown(message: str) -> None:
    assert isinstance(errors.replacement(failure(422, 42210000, message)), Unknown)


@pytest.mark.parametrize(
    "message",
    ["cannot replace order in accepted status", "order is not open", "order chain not fully replaced"],
)
def test_a_definite_refusal_of_a_replacement_is_refused(message: str) -> None:
    answered = errors.replacement(failure(422, 42210000, message))
    assert isinstance(answered, Refused)
    assert answered.refusal is Refusal.OTHER


@pytest.mark.parametrize(
    ("failed", "means"),
    [
        (failure(404, 40410000, "order not found for x"), CancelAnswer.NOT_FOUND),
        (failure(404), CancelAnswer.UNKNOWN),
        (failure(422, 42210000, 'order is already in "filled" state'), CancelAnswer.NOT_OPEN),
        (failure(422, 42210000, "order pending cancel"), CancelAnswer.REQUESTED),
        (failure(422, 42210000, "order pending replace"), CancelAnswer.UNKNOWN),
        (failure(422, 40010001, "order_id is missing"), CancelAnswer.UNKNOWN),
        (failure(401), CancelAnswer.UNKNOWN),
        (failure(429, 42910000, "rate limit exceeded"), CancelAnswer.UNKNOWN),
        (failure(None), CancelAnswer.UNKNOWN),
    ],
)
def test_a_failed_cancel_is_classified_by_its_cause(failed: Failure, means: CancelAnswer) -> None:
    assert errors.cancellation(failed) is means


@pytest.mark.parametrize("status", [401, 403])
def test_a_forbidden_read_is_denied(status: int) -> None:
    assert isinstance(errors.unreadable("/clock", failure(status)), BrokerDenied)


@pytest.mark.parametrize("status", [None, 400, 404, 422, 429, 500, 504])
def test_a_read_with_another_failure_is_unavailable(status: int | None) -> None:
    assert isinstance(errors.unreadable("/clock", failure(status)), BrokerUnavailable)


def test_a_refusals_reject_reason_is_read() -> None:
    body = {"code": 40310000, "message": "order refused", "reject_reason": "opposite side limit order exists"}
    with scripted(answer(403, body)) as script:
        refused = a_broker(script).submit(an_intent(an_order()))
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.OPPOSITE_ORDER
