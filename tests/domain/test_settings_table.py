"""The settings page matches the settings."""

from __future__ import annotations

from repeg.domain.settings import Settings
from repeg_workbench.docs.settings_table import PAGE, page


def test_the_settings_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m repeg_workbench.docs.settings_table"


def test_every_setting_has_a_row_with_its_description() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| `")]
    assert [row[0] for row in rows] == [f"| `{name}`" for name in Settings.model_fields]
    assert all(row[-1].removesuffix(" |") == Settings.model_fields[row[0][3:-1]].description for row in rows)


def test_the_settings_page_shows_the_validated_ranges() -> None:
    rows = {line.split("`")[1]: line for line in page().splitlines() if line.startswith("| `")}
    assert "| over 0, to 1, in steps of 0.01 | anywhere | yes |" in rows["tick_size"]
    assert "| from 1, to 23400 | anywhere |  |" in rows["order_monitoring_seconds"]
    assert "| `none`, `mid`, `cross`, `market` | back | yes |" in rows["escalation"]
    assert "| from 0, under 10000 |" in rows["max_slippage_bps"]
