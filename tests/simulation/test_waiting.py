"""The comparison of polling with listening: each day's books are checked, and the page says what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from repeg_workbench.bench.attempts import INVOCATION, TRANSITION, WRITE, dollars
from repeg_workbench.bench.waiting import read_rows
from repeg_workbench.bench.waiting_days import FIGURES, MODES, check_books, scenario
from repeg_workbench.bench.waiting_page import FILE, PAGE, figures_of, page
from repeg_workbench.simulate.simulation import opened


def row(seed: int, poll: float, stream: float) -> dict[str, Any]:
    """A day with the same value for every figure."""
    values = dict(zip(MODES, (poll, stream), strict=True))
    return {"seed": seed, **{mode: dict.fromkeys(FIGURES, value) for mode, value in values.items()}}


def test_a_difference_is_that_of_the_same_day() -> None:
    """The days differ by 100, and the two ways of waiting by 1 and by 3."""
    figures = figures_of([row(1, 10, 11), row(2, 110, 113)], "abc1234")
    assert figures["figures"]["cost_bps"] == {"poll": 60, "stream": 62, "difference": 2, "error": pytest.approx(1)}
    assert "| history events | 60.0 | 62.0 | 2.0 | 1.0 |" in page(figures)


def test_the_page_says_what_differs_beyond_noise() -> None:
    noisy, sure = [row(1, 10, 12), row(2, 10, 8)], [row(1, 10, 9), row(2, 10, 8)]
    assert "**No difference in time or cost is shown**" in page(figures_of(noisy, "abc1234"))
    assert "one of less than 4.00 half-spreads could not be shown" in page(figures_of(noisy, "abc1234"))
    assert "over two standard errors:** seconds until an order is filled less, cost less" in page(
        figures_of(sure, "abc1234")
    )


def test_the_page_is_that_of_the_published_figures() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(FILE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("mode", MODES)
def test_a_day_whose_books_lack_a_fill_is_no_measurement(mode: str) -> None:
    with opened(scenario(1, mode, {"KO": 50})) as day:
        day.start(day.scenario.run_id)
        day.run()
        check_books(day)
        assert day.exchange.ledger.executions.pop().symbol == "KO"
        with pytest.raises(RuntimeError, match="the books are not the broker's"):
            check_books(day)


def test_the_days_of_another_commit_are_refused(tmp_path: Path) -> None:
    kept = tmp_path / "waiting.partial"
    kept.write_text(json.dumps({"commit": "abc1234", **row(1, 10, 11)}) + "\n")
    assert read_rows(kept, "abc1234") == {1: row(1, 10, 11)}
    with pytest.raises(typer.BadParameter, match="abc1234"):
        read_rows(kept, "def5678")


def test_each_call_of_the_table_has_a_price() -> None:
    costs = dollars(transitions=1_000, tries=10, seconds=0, calls={"PutItem": 4})
    assert costs == {"transitions": 1_000 * TRANSITION, "functions": 10 * INVOCATION, "table": 4 * WRITE}
    with pytest.raises(KeyError):
        dollars(0, 0, 0, {"Scan": 1})
