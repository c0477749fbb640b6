"""The architecture page matches the deployed code."""

from __future__ import annotations

from repeg_workbench.docs.architecture import METRICS, PAGE, counted, page


def test_the_architecture_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m repeg_workbench.docs.architecture"


def test_every_emitted_metric_is_documented() -> None:
    assert counted() == set(METRICS)


def test_the_architecture_page_contains_every_table() -> None:
    assert "{{" not in page()
    assert all(f"`{name}`" in page() for name in ("ValidateQuotes", "adapters/dynamodb/store", "RunsSettled"))
