"""The judges of days that listen: which quotes a step had, and how soon it looks at an order that its stream names."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg_workbench.exchange.units import to_price
from repeg_workbench.faults.judges.record import ALL_THREADS, HeldUp, ServedQuote
from repeg_workbench.faults.judges.stream_record import EVERY_ORDER, Asked, Told
from tests.faults.day_by_hand import PREFIX, DayByHand, at, clean_day

FIRST = f"{PREFIX}AAA.b.1"
BEGINS, ENDS = 602, 890
FILLED = 620


def listening_day() -> tuple[DayByHand, int]:
    """The clean day, and the number of a step that listens while its first order is filled."""
    day = clean_day()
    number = day.called("RepegOrders", BEGINS, ENDS)
    day.record.streams.listened.add(number)
    day.closed(960)
    return day, number


def told(day: DayByHand, number: int, when: float = FILLED + 0.05, event: str = "partial_fill") -> None:
    """The stream delivers an update about the first order."""
    day.record.streams.told.append(Told(at(when), number, event, FIRST, f"id {FIRST}", at(FILLED)))


def asked(day: DayByHand, number: int, when: float, about: str = FIRST) -> None:
    """The step's request reaches the broker."""
    day.record.streams.asked.append(Asked(at(when), number, about))


@pytest.mark.parametrize("about", [FIRST, f"id {FIRST}", EVERY_ORDER])
@pytest.mark.parametrize(("when", "found"), [(FILLED - 0.01, True), (FILLED + 0.01, False), (FILLED + 1, False),
                                             (FILLED + 1.1, True)])  # fmt: skip
def test_a_filled_order_is_looked_at_within_a_second_of_its_update(about: str, when: float, *, found: bool) -> None:
    day, number = listening_day()
    told(day, number)
    asked(day, number, when, about)
    assert day.violations() == ({"hint_ignored"} if found else set())


def test_an_order_that_an_earlier_step_has_read_needs_no_look() -> None:
    """The update comes ten seconds late."""
    day, number = listening_day()
    told(day, number, FILLED + 10)
    asked(day, number - 1, FILLED + 5)
    assert day.violations() == set()


def test_a_look_at_another_order_is_none() -> None:
    day, number = listening_day()
    told(day, number)
    asked(day, number, FILLED + 0.5, "/v2/stocks/quotes/latest")
    assert day.violations() == {"hint_ignored"}


def test_an_update_that_a_steps_request_causes_needs_no_look() -> None:
    day, number = listening_day()
    told(day, number, event="pending_cancel")
    assert day.violations() == set()


@pytest.mark.parametrize(("pause", "found"), [(0.9, set()), (1.1, {"hint_ignored"})])
def test_a_step_at_work_looks_when_it_has_done(pause: float, found: set[str]) -> None:
    day, number = listening_day()
    told(day, number)
    for n in range(1, 4):
        asked(day, number, FILLED + 0.05 + n * pause, "another order")
    asked(day, number, FILLED + 0.05 + 4 * pause)
    assert day.violations() == found


def test_work_without_end_is_no_excuse() -> None:
    day, number = listening_day()
    told(day, number)
    for n in range(80):
        asked(day, number, FILLED + 0.5 * n, "another order")
    assert day.violations() == {"hint_ignored"}


@pytest.mark.parametrize(("requests", "found"), [(7, {"hint_ignored"}), (8, set())])
def test_a_look_waits_for_the_quota_once_it_is_used_up(requests: int, found: set[str]) -> None:
    day, number = listening_day()
    told(day, number)
    day.record.requests[0] = [at(FILLED - 5 + n / 10) for n in range(requests)]
    asked(day, number, FILLED + 9)
    assert day.violations() == found


@pytest.mark.parametrize(("about", "buckets", "found"), [
    ("/v2/account/activities/FILL", 3, {"hint_ignored"}),
    ("/v2/account/activities/FILL", 4, set()),
    ("/v2/clock", 4, {"hint_ignored"}),
    ("another order", 4, {"hint_ignored"}),
])  # fmt: skip
def test_a_look_waits_longer_behind_the_pages_of_a_list_alone(about: str, buckets: int, found: set[str]) -> None:
    """The list of a day with thousands of executions takes the quota of several times ten seconds."""
    day, number = listening_day()
    told(day, number)
    for n in range(8 * buckets):
        asked(day, number, FILLED - 5 + n // 8 * 10 + n % 8 / 100, about)
    asked(day, number, FILLED + 39)
    assert day.violations() == found


@pytest.mark.parametrize(("pages", "about", "found"), [
    (7, "/v2/account/activities/FILL", {"hint_ignored"}),
    (8, "/v2/account/activities/FILL", set()),
    (8, "/v2/stocks/quotes/latest", {"hint_ignored"}),
])  # fmt: skip
def test_each_page_of_a_list_uses_the_quota(pages: int, about: str, found: set[str]) -> None:
    """One call for the day's executions takes a request a page; market data has a quota of its own."""
    day, number = listening_day()
    told(day, number)
    day.record.requests[0] = [at(FILLED - 5)]
    for n in range(pages):
        asked(day, number, FILLED - 5 + n / 100, about)
    asked(day, number, FILLED + 9)
    assert day.violations() == found


@pytest.mark.parametrize(("about", "steps", "found"), [("/v2/clock", 3, set()), ("/v2/clock", 2, {"hint_ignored"}),
                                                        ("/v2/stocks/quotes/latest", 3, {"hint_ignored"})])  # fmt: skip
def test_each_further_step_may_have_leased_three_requests_for_nothing(about: str, steps: int, found: set[str]) -> None:
    day, number = listening_day()
    told(day, number)
    day.record.requests[0] = [at(FILLED - 5 + n / 10) for n in range(3)]
    for n in range(steps):
        asked(day, number - n, FILLED - 5 + n / 10, about)
    asked(day, number, FILLED + 9)
    assert day.violations() == found


@pytest.mark.parametrize(("when", "found"), [(FILLED - 61, {"hint_ignored"}), (FILLED - 2, set()),
                                             (FILLED + 2, {"hint_ignored"})])  # fmt: skip
def test_a_call_that_is_struck_excuses_its_step_for_a_minute(when: float, found: set[str]) -> None:
    day, number = listening_day()
    told(day, number)
    day.record.streams.struck.append((at(when), number))
    assert day.violations() == found


def test_the_fault_of_another_step_is_no_excuse() -> None:
    day, number = listening_day()
    told(day, number)
    day.record.streams.struck.append((at(FILLED), number - 1))
    assert day.violations() == {"hint_ignored"}


def test_a_frozen_step_and_one_that_ends_hear_nothing() -> None:
    frozen, number = listening_day()
    told(frozen, number)
    frozen.record.held_up.append(HeldUp(number, ALL_THREADS, at(FILLED - 300), at(FILLED + 0.5)))
    assert frozen.violations() == set()
    ending, number = listening_day()
    ending.record.invoked[number].ended = at(FILLED + 0.9)
    told(ending, number)
    assert ending.violations() == set()


def priced_by_stream(delivered: float, age: float, *, listens: bool = True) -> set[str]:
    """What is found where a step's only quote at 100.05 × 100.15 came by its stream, and it sends at 900."""
    day = clean_day()
    step = next(each for each in day.record.invoked if each.function == "RepegOrders")
    step.began = at(700)
    day.record.quotes = [quote for quote in day.record.quotes if quote.invocation != step.number]
    prices = to_price(Decimal("100.05")), 500, to_price(Decimal("100.15")), 500
    quote = ServedQuote(at(delivered), step.number, "AAA", *prices, at(delivered - age))
    if listens:
        day.record.streams.listened.add(step.number)
        day.record.streams.quotes.append(quote)
    else:
        day.record.quotes.append(quote)
    day.closed(960)
    return day.violations()


def test_an_order_may_be_priced_from_a_streamed_quote() -> None:
    assert priced_by_stream(899.5, 0.1) == set()


def test_a_streamed_quote_that_comes_late_prices_nothing() -> None:
    assert priced_by_stream(899.5, 2.1) == set()  # the clocks may differ by a fifth of a second
    assert priced_by_stream(899.5, 2.3) == {"unchecked_quote"}


def test_a_step_that_listens_uses_no_quote_of_an_earlier_turn() -> None:
    assert priced_by_stream(860, 0.1) == set()
    assert priced_by_stream(840, 0.1) == {"unchecked_quote"}
    assert priced_by_stream(840, 0.1, listens=False) == set()
