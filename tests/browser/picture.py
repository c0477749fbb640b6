"""Makes docs/images/report.png anew: python -m tests.browser.picture. It is an order on the page of the demo's run."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright
from typer.testing import CliRunner

from repeg_workbench.cli import app
from tests.browser.chromium import launched, missing

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "report.png"


def main() -> int:
    """Simulate the demo's day, open its page, and keep the picture of its restless order."""
    if missing():
        sys.stderr.write(f"{missing()}\n")
        return 1
    with TemporaryDirectory() as folder:
        CliRunner().invoke(app, ["simulate", "--out", folder])
        PICTURE.parent.mkdir(exist_ok=True)
        photograph(Path(folder) / "report.html", PICTURE)
    sys.stdout.write(f"{PICTURE}\n")
    return 0


def photograph(page: Path, to: Path) -> None:
    """Open a page without a network, in a light window of 1200 by 860 pixels, at one of its orders."""
    with sync_playwright() as playwright:
        browser = launched(playwright)
        opened = browser.new_page(viewport={"width": 1200, "height": 860}, color_scheme="light", offline=True)
        opened.goto(page.as_uri())
        opened.get_by_role("button", name="GOOG", exact=True).click()
        opened.locator("#orders").evaluate("section => section.scrollIntoView()")
        opened.screenshot(path=to)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
