"""The template passes cfn-lint as written and as translated."""

from __future__ import annotations

import json
import re

from cfnlint.api import lint

from tests.template.stack import ROOT, TEMPLATE, Template, definition, translated, written


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


def with_the_definition(machine: Template) -> str:
    """The translated template with the definition in it: cfn-lint does not read a definition that is a file."""
    template = translated()
    properties = template["Resources"]["ExecutePlan"]["Properties"]
    del properties["DefinitionS3Location"]
    return json.dumps({**template, **_placed(template, {**properties, "Definition": machine})}, indent=1)


def _placed(template: Template, properties: Template) -> Template:
    machine = {**template["Resources"]["ExecutePlan"], "Properties": properties}
    return {"Resources": {**template["Resources"], "ExecutePlan": machine}}


def test_the_definition_is_clean_inside_the_template() -> None:
    assert complaints(with_the_definition(definition())) == []


def test_the_linter_reports_a_defect_of_the_definition() -> None:
    faulty = definition()
    faulty["States"]["PlanOrders"]["Type"] = "Tsak"
    assert any("Tsak" in complaint for complaint in complaints(with_the_definition(faulty)))


def test_every_skipped_check_has_its_reason() -> None:
    lines = [line for line in (ROOT / ".checkov.yaml").read_text().splitlines() if line.startswith("  - ")]
    assert lines
    assert all(re.fullmatch(r"  - CKV_AWS_\d+  # \S.{20,}", line) for line in lines)
