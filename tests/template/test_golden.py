"""The translated template and the definition are those that were last reviewed."""

from __future__ import annotations

from tests.template import golden

AGAIN = "review the change, then: python -m tests.template.golden"


def test_the_translated_template_is_the_reviewed_one() -> None:
    assert golden.template() == golden.TEMPLATE.read_text(encoding="utf-8"), AGAIN


def test_the_definition_is_the_reviewed_one() -> None:
    assert golden.machine() == golden.DEFINITION.read_text(encoding="utf-8"), AGAIN
