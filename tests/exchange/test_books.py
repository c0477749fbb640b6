"""The ledger balances, numbers are exact, time moves forward, and orders follow the broker's transitions."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg_workbench.exchange.broker.ledger import CASH, STREET, USD, Execution, Ledger, Posting
from repeg_workbench.exchange.broker.orders import TERMINAL, TRANSITIONS, Order, Status, Terms
from repeg_workbench.exchange.figures import (
    average_text,
    exact,
    money_text,
    number,
    price_text,
    qty_text,
    ratio_text,
    text,
)
from repeg_workbench.exchange.time import stamps
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.time.hours import TradingHours
from repeg_workbench.exchange.time.timers import MARKET, Timers
from tests.exchange.caller import FRIDAY

FILL = Execution(10, "fill-1", "order-1", "mine", "AAPL", 1, 3 * 10**9, 1_000_500, 3, 0, "filled", 1_010_000)


def test_an_entry_that_does_not_balance_is_refused() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        Ledger().book(1, "gift", "", (Posting(CASH, USD, 5), Posting(STREET, USD, -4)))
    with pytest.raises(ValueError, match="does not balance"):
        Ledger().book(1, "swap", "", (Posting(CASH, USD, 5), Posting(STREET, "AAPL", -5)))


def test_an_entry_from_the_past_is_refused() -> None:
    ledger = Ledger()
    ledger.hold(5, "order-1", USD, 7)
    with pytest.raises(ValueError, match="earlier"):
        ledger.hold(4, "order-1", USD, 7)


def test_an_execution_books_shares_and_their_exact_value() -> None:
    ledger = Ledger()
    ledger.open(0, 10**16, {"AAPL": 10**9})
    ledger.execute(FILL)
    assert ledger.position("AAPL") == 4 * 10**9
    assert ledger.cash == 10**16 - 3 * 10**9 * 1_000_500
    assert Posting(STREET, "AAPL", -3 * 10**9) in ledger.entries[-1].postings
    assert ledger.position("KO") == 0


@pytest.mark.parametrize(
    ("units", "digits", "shown"), [(1_500_000, 4, "150"), (1, 9, "0.000000001"), (-25, 1, "-2.5"), (0, 4, "0")]
)
def test_numbers_are_trimmed(units: int, digits: int, shown: str) -> None:
    assert text(units, digits) == shown


@given(st.integers(-(10**20), 10**20), st.integers(0, 13))
def test_trimmed_numbers_are_exact(units: int, digits: int) -> None:
    assert Decimal(text(units, digits)) == Decimal(units).scaleb(-digits)


def test_prices_quantities_and_money_have_different_decimals() -> None:
    assert (price_text(1_894_100), qty_text(500_000_000), money_text(12_500_000_000_000)) == ("189.41", "0.5", "1.25")


@pytest.mark.parametrize(
    ("value", "quantity", "shown"), [(3 * 1_000_500, 3, "100.05"), (200, 3, "0.006666667"), (1_000_001, 2, "50.00005")]
)
def test_an_average_is_rounded_only_if_it_does_not_terminate(value: int, quantity: int, shown: str) -> None:
    assert average_text(value, quantity) == shown


def test_a_quotient_is_rounded_half_to_even() -> None:
    assert [ratio_text(n, 2, 0) for n in (1, 3, 5, -1)] == ["0", "2", "2", "0"]


@pytest.mark.parametrize(
    "value", ["NaN", "1e99", "", "x", "0x1", "1_0", True, None, [], 10**40, Decimal("1e-90"), "1" * 70]
)
def test_absurd_or_malformed_numbers_are_rejected(value: object) -> None:
    assert number(value) is None


@pytest.mark.parametrize(
    ("value", "parsed"), [("1.50", "1.5"), (7, "7"), ("-0.1", "-0.1"), ("1e2", "100"), (".5", "0.5")]
)
def test_json_numbers_and_numeric_strings_are_parsed(value: object, parsed: str) -> None:
    assert number(value) == Decimal(parsed)


def test_a_number_finer_than_one_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 4 decimals"):
        exact(Decimal("0.12345"), 4)
    with pytest.raises(ValueError, match="decimals"):
        exact(Decimal("0.1" + "0" * 40 + "1"), 4)


@pytest.mark.parametrize(
    ("at", "shown"),
    [(0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000000001Z"), (1_500_000_000, "1970-01-01T00:00:01.5Z")],
)
def test_timestamps_have_up_to_nine_digits_and_parse_back_exactly(at: int, shown: str) -> None:
    assert stamps.utc(at) == shown
    assert stamps.nanoseconds_of(shown) == at


def test_new_york_timestamps_follow_daylight_saving() -> None:
    assert stamps.new_york(new_york(FRIDAY, "09:30")) == "2026-11-20T09:30:00-05:00"
    assert stamps.new_york(new_york(date(2026, 7, 1), "09:30")) == "2026-07-01T09:30:00-04:00"


@pytest.mark.parametrize(
    ("value", "at"), [("2026-11-20", True), ("2026-11-20T15:00:00Z", True), ("soon", False), ("9999-99-99", False)]
)
def test_only_timestamps_and_dates_are_parsed(value: str, *, at: bool) -> None:
    assert (stamps.parsed(value) is not None) is at


def test_extended_hours_end_at_8_pm_or_at_5_pm_after_an_early_close() -> None:
    hours = TradingHours()
    whole, half = hours.on(FRIDAY), hours.on(date(2026, 11, 27))
    assert whole is not None
    assert half is not None
    assert (whole.pre, whole.post) == (new_york(FRIDAY, "04:00"), new_york(FRIDAY, "20:00"))
    assert (half.close, half.post) == (new_york(half.day, "13:00"), new_york(half.day, "17:00"))


def test_the_upcoming_session_is_todays_until_its_close() -> None:
    hours = TradingHours()
    close = new_york(FRIDAY, "16:00")
    assert hours.upcoming(close - 1).day == FRIDAY
    assert hours.upcoming(close).day == date(2026, 11, 23)
    assert hours.upcoming(new_york(date(2026, 12, 31), "16:00")).day == date(2027, 1, 4)


def test_timers_of_one_instant_run_in_order_after_a_sessions_end() -> None:
    timers, called = Timers(), list[str]()
    timers.at(5, lambda at: called.append("one"))
    timers.at(5, lambda at: called.append("two"))
    timers.before_market(5, lambda at: called.append("end"))
    assert timers.next_turn < (5, MARKET)
    for _ in range(3):
        timers.run_next()
    assert called == ["end", "one", "two"]


def test_a_terminal_status_has_no_successor() -> None:
    assert all(not TRANSITIONS[status] for status in TERMINAL)
    assert set(TRANSITIONS) == set(Status)


def test_an_impossible_status_transition_is_an_error() -> None:
    terms = Terms(symbol="AAPL", side=1, type="limit", time_in_force="day", quantity=1, limit=1)
    order = Order("id", "mine", terms, 1, Status.CANCELED, 0, 0, 1)
    with pytest.raises(ValueError, match="cannot go from canceled to filled"):
        order.move(Status.FILLED, 1)
