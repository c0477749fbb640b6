"""Writes the translated template and the definition as they are reviewed: `python -m tests.template.golden`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.template.stack import definition, translated

GOLDEN = Path(__file__).parents[1] / "golden"
TEMPLATE = GOLDEN / "template.json"
DEFINITION = GOLDEN / "definition.json"


def shown(value: Any) -> str:
    """A value as JSON whose lines change one by one: sorted, a field a line."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def template() -> str:
    """The template that CloudFormation receives, with the names of versions without their digests."""
    return shown(_without_digests(translated()))


def machine() -> str:
    """The definition before substitution, without its comments."""
    return shown(_without_comments(definition()))


def main() -> None:
    """Write both files."""
    TEMPLATE.write_text(template(), encoding="utf-8")
    DEFINITION.write_text(machine(), encoding="utf-8")


def _without_digests(value: Any) -> Any:
    """SAM names a version by a digest of its function's properties, which stand in the file themselves."""
    text = json.dumps(value)
    for name in [name for name in value["Resources"] if "Version" in name or name.endswith("Layer")]:
        stem = name[:-10]
        if stem.endswith(("Version", "Layer")):
            text = text.replace(name, stem)
    return json.loads(text)


def _without_comments(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_comments(part) for name, part in value.items() if name != "Comment"}
    return [_without_comments(part) for part in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
