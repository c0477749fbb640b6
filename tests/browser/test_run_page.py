"""The page of a run in a real browser: it draws, sorts, explains itself, and is accessible at every width."""

from __future__ import annotations

import re
from typing import Any

import pytest

from repeg.adapters.pages.run_page import run_page
from repeg.domain.journal import Entry
from repeg.domain.outcome import Outcome
from repeg.domain.quote import Side
from repeg.domain.run_page.build import page_of
from repeg.domain.run_page.page import Circumstances, Usage
from tests.browser.conftest import DESKTOP, PHONE, Browsing, Opened
from tests.builders import after_noon
from tests.report.day import RUN_ID, Worked, page, record, recorded

pytestmark = pytest.mark.xdist_group("browser")

HOSTILE = '<img src=x onerror="document.title=1">'
ORDERS = (
    Worked("AAPL", bids=(0, 1, 1, -3, 8), fills=(("60", "100.01"), ("40", "100.09"))),
    Worked("KO", Side.SELL, "200", bids=(0, -2, -4), fills=(("200", "100.03"),)),
    Worked('Q"<b>', fills=(), left="100.12", reason=HOSTILE, outcome=Outcome.NO_FILL_COLLAR),
    Worked("SPY", bids=(0, 5), fills=(("100", "100.07"),)),
    Worked("XOM", Side.SELL, fills=(("100", "99.90"),)),
)
USAGE = Usage({"OpenRun": 1, "RepegOrders": 16, "RunSettled": 1}, 91, 255, 186)
KNOWN = Circumstances(mode="live", notes=(HOSTILE,), problems=("it was cut off",), usage=USAGE)


def a_page() -> str:
    return run_page(page(*ORDERS, known=KNOWN))


def symbols(opened: Opened) -> list[str]:
    return opened.page.locator("#order-table tbody tr:not(.story):visible .open").all_inner_texts()


def open_order(opened: Opened, symbol: str) -> Any:
    """Open an order's story; returns its picture."""
    opened.page.get_by_role("button", name=symbol, exact=True).click()
    return opened.page.locator("tr.story .picture").first


def draw_the_money(opened: Opened) -> None:
    """Scroll to the picture of the money, which is drawn, legend and all, only once it comes into view."""
    opened.page.locator("#money").scroll_into_view_if_needed()
    opened.page.locator("#money canvas").wait_for()


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits_its_window(browsing: Browsing, width: int, scheme: str) -> None:
    opened = browsing.open(a_page(), width, scheme)
    open_order(opened, "AAPL")
    draw_the_money(opened)
    opened.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.page.locator("tr.story canvas").count() == 1
    assert opened.overflow == 0
    assert opened.violations() == []
    assert opened.complaints == []


def test_headings_sort_both_ways_and_keep_the_unknown_last(browsing: Browsing) -> None:
    opened = browsing.open(a_page())
    open_order(opened, "KO")
    heading = opened.page.get_by_role("button", name="average")
    heading.click()
    upwards = symbols(opened)
    heading.click()
    assert upwards == ["XOM", "KO", "AAPL", "SPY", 'Q"<b>']
    assert symbols(opened) == ["SPY", "AAPL", "KO", "XOM", 'Q"<b>']
    assert opened.page.locator("th[aria-sort=descending]").inner_text().startswith("average")
    after_ko = opened.page.get_by_role("button", name="KO").locator("xpath=ancestor::tr/following-sibling::tr[1]")
    assert after_ko.get_attribute("class") == "story"


def test_a_pointer_over_the_picture_shows_book_price_and_reason(browsing: Browsing) -> None:
    opened = browsing.open(a_page())
    picture = open_order(opened, "AAPL")
    picture.hover(position={"x": 90, "y": 100})
    tip = picture.locator(".tip").inner_text()
    picture.locator(".tip").wait_for()
    assert re.search(r"12:00:0\d +\w+ 100\.01", tip), tip
    assert "bid 100.0" in tip
    assert "our price" in tip


def test_stub_quotes_do_not_flatten_the_picture(browsing: Browsing) -> None:
    """Six books of forty have a bid three dollars away, over a twentieth of all sides; a fall of 38 cents is shown."""
    bids = (*range(20), *(-2 * n for n in range(20)))
    stubbed = Worked("AAPL", bids=bids, stubs=(3, 7, 11, 22, 26, 30))
    opened = browsing.open(run_page(page(stubbed, known=KNOWN)))
    picture = open_order(opened, "AAPL")
    low, high = re.findall(r"\d+\.\d+", picture.get_attribute("aria-description") or "")
    assert 99.5 < float(low) < 99.7
    assert 100.2 < float(high) < 100.4


def test_arrow_keys_go_through_the_picture(browsing: Browsing) -> None:
    opened = browsing.open(a_page())
    picture = open_order(opened, "AAPL")
    picture.focus()
    for _ in range(30):
        opened.page.keyboard.press("ArrowRight")
    picture.locator(".tip").wait_for()
    last = picture.locator(".tip").inner_text()
    opened.page.keyboard.press("ArrowLeft")
    assert last != picture.locator(".tip").inner_text()
    assert opened.complaints == []


def test_every_picture_has_its_table(browsing: Browsing) -> None:
    opened = browsing.open(a_page())
    open_order(opened, "AAPL")
    opened.page.locator("tr.story summary").click()
    opened.page.locator("tr.story tbody tr").first.wait_for()
    rows = opened.page.locator("tr.story tbody tr").all_inner_texts()
    assert any("filled" in row and "60 @ 100.01" in row for row in rows), rows
    opened.page.locator("#payments-table summary").click()
    opened.page.locator("#payments tbody tr").first.wait_for()
    assert opened.page.locator("#payments tbody tr").count() == 5
    assert "12:00:10\tAAPL\tbuy\t60\t100.01\t$6,000.60" in opened.page.locator("#payments tbody").inner_text()


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_a_storys_headings_stand_over_their_columns(browsing: Browsing, width: int) -> None:
    """Its table is inside of the table of orders, whose headings are buttons with a space of their own."""
    opened = browsing.open(a_page(), width)
    open_order(opened, "AAPL")
    opened.page.locator("tr.story summary").click()
    opened.page.locator("tr.story tbody tr").first.wait_for()
    paddings = {
        opened.page.locator(f"tr.story {name}").first.evaluate("cell => getComputedStyle(cell).paddingLeft")
        for name in ("thead th", "tbody td")
    }
    assert len(paddings) == 1


def test_a_book_that_was_not_looked_at_is_not_drawn(browsing: Browsing) -> None:
    """An order waits half an hour for cash: nothing is known of its book meanwhile, at the next look all."""
    waits = Entry(after_noon(1_800), RUN_ID, "AAPL", "held_long", "", "waits for sells")
    again = next(Worked(bids=(50,)).looks())._replace(at=after_noon(3_000))
    made = record([Worked(fills=())], is_whole=False)
    made.read(recorded([waits, again]))
    opened = browsing.open(run_page(page_of(made, KNOWN)))
    picture = open_order(opened, "AAPL")
    picture.focus()
    tips = []
    for _ in range(8):
        opened.page.keyboard.press("ArrowRight")
        picture.locator(".tip").wait_for()
        tips.append(picture.locator(".tip").inner_text())
    (waiting,) = {tip for tip in tips if "held long" in tip}
    assert "bid" not in waiting
    assert "bid 100.50" in tips[-1]


def test_hostile_text_is_shown_and_not_obeyed(browsing: Browsing) -> None:
    opened = browsing.open(a_page())
    open_order(opened, 'Q"<b>')
    opened.page.locator("tr.story summary").click()
    opened.page.locator("tr.story tbody tr").first.wait_for()
    assert opened.page.locator("img").count() == 0
    assert opened.page.title() == "core-2026-11-23: settled"
    assert HOSTILE in opened.page.locator("tr.story").inner_text()
    assert opened.complaints == []


def test_a_language_and_a_time_zone_change_no_figure(browsing: Browsing) -> None:
    english, german = (browsing.open(a_page(), locale=locale) for locale in ("en-US", "de-DE"))
    for opened in (english, german):
        picture = open_order(opened, "AAPL")
        picture.hover(position={"x": 90, "y": 100})
        picture.locator(".tip").wait_for()
        draw_the_money(opened)
    assert english.page.inner_text("main") == german.page.inner_text("main")
    assert german.complaints == []


def test_a_symbol_is_found_by_its_letters(browsing: Browsing) -> None:
    opened = browsing.open(a_page())
    opened.page.fill("#find", "ko")
    assert symbols(opened) == ["KO"]


def test_five_hundred_orders_open_in_two_seconds_and_weigh_five_megabytes(browsing: Browsing) -> None:
    bids = tuple(n * 7 % 11 for n in range(40))
    html = run_page(page(*(Worked(f"S{n}", bids=bids) for n in range(500)), known=KNOWN))
    assert len(html.encode()) < 5_000_000
    opened = browsing.open(html, is_timed=True)
    opened.page.locator("#order-table tbody tr").nth(499).wait_for(state="attached")
    assert opened.seconds < 2
    assert opened.page.locator("canvas").count() == 0  # drawn when they are looked at
    open_order(opened, "S499")
    assert opened.page.locator("canvas").count() >= 1
    assert opened.complaints == []


def test_an_empty_page_has_nothing_to_complain_of(browsing: Browsing) -> None:
    opened = browsing.open(run_page(page()), PHONE)
    assert "The journal has no order." in opened.page.inner_text("main")
    assert opened.overflow == 0
    assert opened.complaints == []
