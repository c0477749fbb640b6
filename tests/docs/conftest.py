"""The browser of the tests of pages, for the site of the documentation too."""

from tests.browser.conftest import browser

__all__ = ["browser"]
