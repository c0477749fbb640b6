"""The page of all runs in a real browser."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from repeg.adapters.pages.savings_page import AllRuns, savings_page
from repeg.domain.observed import ObservedOrder
from repeg.domain.saved import saved_by
from repeg.domain.savings import savings_of
from tests.browser.conftest import DESKTOP, PHONE, Browsing
from tests.domain.test_saved import measured

pytestmark = pytest.mark.xdist_group("browser")


def orders() -> list[ObservedOrder]:
    days = range(2, 28)
    return [measured(day, f"{(day * 7 % 5) - 1}", symbol) for day in days for symbol in ("AAPL", "KO", 'Q"<b>')]


def a_page(given: list[ObservedOrder]) -> str:
    saved, found = saved_by(given, Decimal(1)), savings_of(given)
    said: dict[str, Any] = {"verdict": "No verdict", "remarks": ("a remark",), "problems": ("<b>",)}
    return savings_page(AllRuns("stack repeg", date(2026, 11, 1), saved, is_measured=False, experiment=found, **said))


@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_the_page_of_all_runs_draws_and_is_accessible(browsing: Browsing, width: int, scheme: str) -> None:
    opened = browsing.open(a_page(orders()), width, scheme)
    opened.page.locator("#savings").scroll_into_view_if_needed()
    opened.page.locator("#savings canvas").wait_for()
    opened.page.locator("#savings").hover(position={"x": width - 120, "y": 100})
    opened.page.locator("#savings .tip").wait_for()
    assert "95 % " in opened.page.locator("#savings .tip").inner_text()
    opened.page.locator("#over-time summary").click()
    assert opened.overflow == 0
    assert opened.violations() == []
    assert opened.complaints == []


def test_a_page_without_runs_has_nothing_to_complain_of(browsing: Browsing) -> None:
    opened = browsing.open(a_page([]), PHONE)
    assert "No run has an order with a known cost." in opened.page.inner_text("main")
    assert (opened.overflow, opened.complaints) == (0, [])
