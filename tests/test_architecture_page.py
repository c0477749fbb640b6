"""The page on the architecture says what is deployed."""

from __future__ import annotations

from repeg_workbench.docs.architecture import METRICS, PAGE, counted, page


def test_the_page_is_what_is_deployed() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m repeg_workbench.docs.architecture"


def test_every_count_is_explained_and_nothing_else() -> None:
    assert counted() == set(METRICS)


def test_no_table_is_left_out_of_the_page() -> None:
    assert "{{" not in page()
    assert all(f"`{name}`" in page() for name in ("ValidateQuotes", "adapters/dynamodb/store", "RunsSettled"))
