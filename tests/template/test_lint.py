"""The template passes cfn-lint as written and as translated."""

from __future__ import annotations

import json

from cfnlint.api import lint

from tests.template.stack import TEMPLATE, translated, written


def complaints(text: str) -> list[str]:
    return [f"{match.rule.id} line {match.linenumber}: {match.message}" for match in lint(text)]


def test_the_template_is_clean_as_written() -> None:
    assert complaints(TEMPLATE.read_text()) == []


def test_the_template_is_clean_as_translated() -> None:
    assert complaints(json.dumps(translated(), indent=1)) == []


def test_the_linter_reports_a_defect() -> None:
    template = written()
    template["Resources"]["RunTable"]["Properties"]["BillingMode"] = "FREE"
    assert any("FREE" in complaint for complaint in complaints(json.dumps(translated(template), indent=1)))
