"""Writes docs/settings.md from the settings themselves: `python -m repeg_workbench.docs.settings_table`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from repeg.domain.settings import ENVIRONMENT_PREFIX, Settings, SymbolSettings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

HEAD = f"""# Settings

Every setting has a default, may be set for a deployment in the environment as `{ENVIRONMENT_PREFIX}<NAME>`, and for one
run under `settings` in its input, which wins. A run freezes what it was opened with. A name that is not in this table,
a value out of its range, or two values that contradict each other end the start with an error that names the setting,
before any order. Money and percentages may be written as text or as numbers; they are kept as decimals.

Written by `python -m repeg_workbench.docs.settings_table`; a test fails when it is out of date.

| Setting | Default | May be | Per symbol | What it is |
|---|---|---|---|---|
"""

FOOT = """
Per symbol: under `symbols`, as in `{"symbols": {"BRK.B": {"max_spread_pct": "0.5", "escalation": "mid"}}}`. What is not
named there follows the run. Settings of the whole run are refused under `symbols`.

These contradict each other and are refused:

- `market_open_delay_minutes` and `close_margin_minutes` of 210 minutes or more together: a half day has no more;
- `patience_seconds` under `order_monitoring_seconds`: patience is looked at once a turn;
- `max_order_notional` over `max_run_notional`.
"""

_BOUNDS = {"minimum": "from {}", "exclusiveMinimum": "over {}", "maximum": "to {}", "exclusiveMaximum": "under {}"}


def page() -> str:
    """The whole page, as it should be on disk."""
    schema = Settings.model_json_schema()
    rows = [_row(name, schema["properties"][name], schema) for name in Settings.model_fields]
    return HEAD + "\n".join(rows) + "\n" + FOOT


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def _row(name: str, about: dict[str, Any], schema: dict[str, Any]) -> str:
    per_symbol = "yes" if name in SymbolSettings.model_fields else ""
    default = _default(Settings.model_fields[name].get_default(call_default_factory=True))
    return f"| `{name}` | {default} | {_range(about, schema)} | {per_symbol} | {about['description']} |"


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "none" if value in (None, {}) else f"`{value}`"


def _range(about: dict[str, Any], schema: dict[str, Any]) -> str:
    if about.get("type") == "boolean":
        return "`true`, `false`"
    if "$ref" in about:
        words = schema["$defs"][about["$ref"].rsplit("/", 1)[1]]["enum"]
        return ", ".join(f"`{word}`" for word in words)
    if about.get("type") == "object":
        return "symbols with settings"
    choices = about.get("anyOf", [about])
    if any(choice.get("type") == "array" for choice in choices):
        return "a list of tickers, or tickers between commas"
    number = next(choice for choice in choices if choice.get("type") in {"integer", "number"})
    bounds = [words.format(f"{number[bound]:g}") for bound, words in _BOUNDS.items() if bound in number]
    steps = [f"in steps of {number['multipleOf']:g}"] if "multipleOf" in number else []
    return ", ".join(bounds + steps)


if __name__ == "__main__":
    main()
