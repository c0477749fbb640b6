"""Plan files as people have them: each is understood, or refused, as its entry in understood.json says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plans.page import FILES, PAGE, UNDERSTOOD, forms, page, understood

EXPECTED: dict[str, Any] = json.loads(UNDERSTOOD.read_text(encoding="utf-8"))


def test_every_file_has_a_form_and_an_expectation() -> None:
    files = {path.name for path in FILES.iterdir()}
    assert files == set(forms()) == set(EXPECTED)
    assert len(files) >= 30
    assert len(set(forms().values())) >= 20


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_plan_file_is_understood_as_recorded(name: str) -> None:
    assert understood(name) == EXPECTED[name]


def test_the_table_of_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, EXPECTED) == text
