"""One browser for all tests of pages, and pages opened in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import AXE, launched, missing

DESKTOP, PHONE = 1280, 380


@dataclass
class Opened:
    """A page that is open, and what the browser has complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    timing: Any = None

    @property
    def seconds(self) -> float:
        """What the page's thread has worked so far, so that a busy machine makes no difference."""
        metrics = self.timing.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

    @property
    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def violations(self) -> list[str]:
        """What the accessibility checker finds wrong."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[str] = self.page.evaluate(
            "axe.run().then(r => r.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.html} ${n.failureSummary}`)))"
        )
        return found


@dataclass
class Browsing:
    """Opens pages in windows of a width, a scheme of colours, a language and a time zone."""

    browser: Browser
    folder: Path
    contexts: list[Any] = field(default_factory=list)

    def open(
        self, html: str, width: int = DESKTOP, scheme: Any = "light", locale: str = "en-US", *, is_timed: bool = False
    ) -> Opened:
        """A page from a file, without a network. `is_timed` counts the seconds that its thread works."""
        file = self.folder / f"page-{len(self.contexts)}.html"
        file.write_text(html, encoding="utf-8")
        context = self.browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, locale=locale,
            timezone_id="Asia/Kolkata", offline=True,
        )  # fmt: skip
        self.contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.on("console", lambda message: opened.complaints.append(message.text))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        if is_timed:
            opened.timing = context.new_cdp_session(opened.page)
            opened.timing.send("Performance.enable", {"timeDomain": "threadTicks"})
        opened.page.goto(file.as_uri())
        return opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for a module's tests, and no longer: its driver keeps an event loop in the thread that starts it, where
    no other can run meanwhile."""
    if missing():
        pytest.skip(missing())
    with sync_playwright() as playwright:
        started = launched(playwright)
        yield started
        started.close()


@pytest.fixture
def browsing(browser: Browser, tmp_path: Path) -> Iterator[Browsing]:
    made = Browsing(browser, tmp_path)
    yield made
    for context in made.contexts:
        context.close()
