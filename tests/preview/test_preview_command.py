"""`repeg preview`: what it shows of a plan, at each place that it can ask, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from repeg_workbench.cli import app
from repeg_workbench.exchange.serving.server import ExchangeServer
from repeg_workbench.operate.answer import CANNOT, DONE
from tests.functions.books import AAPL, KO
from tests.functions.desk import Desk, a_desk, a_plan, holding

WEIGHTS = {"name": "core", "targets": {"AAPL": "0.30", "KO": "0.0007"}, "cash_reserve": "0.1"}


@pytest.fixture
def served() -> Iterator[tuple[Desk, str]]:
    """A desk's exchange, answering over HTTP."""
    with (
        a_desk({"AAPL": AAPL, "KO": KO}, opening=holding("20000", KO="1")) as desk,
        ExchangeServer(desk.exchange) as at,
    ):
        yield desk, at.trading_url


def kept(folder: Path, plan: dict[str, Any]) -> Path:
    file = folder / "plan.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    return file


def said(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["preview", *map(str, arguments)])


def test_a_served_exchange_says_what_a_plan_would_do(served: tuple[Desk, str], tmp_path: Path) -> None:
    desk, url = served
    answer = said(kept(tmp_path, WEIGHTS), "--exchange", url)
    assert answer.exit_code == DONE, answer.output
    lines = answer.stdout
    assert "would trade 1 of 2 lines, from 09:35 to 15:55 New York" in lines
    rows = {row[0]: row for row in map(str.split, lines.splitlines()) if row}
    assert rows["AAPL"][:9] == ["AAPL", "buy", "31", "189.42", "5,872.02", "0", "0.00", "30.00", "-30.00"]
    assert rows["KO"][:8] == ["KO", "1", "0.30", "0.07", "0.23", "less", "than", "a"], "held, weight, wanted, drift"
    assert "of which the plan keeps 2,006.04" in lines
    assert "Nothing was claimed, written or sent." in lines
    assert (desk.posts(), desk.exchange.account.orders.by_id) == (0, {})


def test_a_preview_as_json_is_the_estimate(served: tuple[Desk, str], tmp_path: Path) -> None:
    data = json.loads(said(kept(tmp_path, a_plan("buy 200 AAPL")), "--exchange", served[1], "--json").stdout)
    assert data["orders"][0]["funded"] == "105"
    assert data["cash"]["short"] == "17884"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (a_plan("buy 1 NONE"), "plan.orders[0].symbol: 'NONE' is not valid; expected a symbol that the broker lists"),
        (a_plan("sell 5 KO"), "plan.orders[0].qty: '5' is not valid; expected at most the 1 KO held and free"),
    ],
)
def test_a_plan_that_a_run_would_refuse_is_refused(
    served: tuple[Desk, str], tmp_path: Path, plan: dict[str, Any], words: str
) -> None:
    answer = said(kept(tmp_path, plan), "--exchange", served[1])
    assert answer.exit_code == CANNOT
    assert words in answer.stderr


def test_a_plan_is_previewed_in_one_place(tmp_path: Path) -> None:
    answer = said(kept(tmp_path, WEIGHTS), "--exchange", "http://localhost:8700", "--local-keys")
    assert answer.exit_code == CANNOT
    assert "give one of --exchange, --local-keys: a plan is previewed in one place" in answer.stderr


def test_another_machines_exchange_is_refused(tmp_path: Path) -> None:
    answer = said(kept(tmp_path, WEIGHTS), "--exchange", "http://exchange.example:8700")
    assert answer.exit_code == CANNOT
    assert "on this machine" in answer.stderr


def test_a_simulated_day_is_previewed_when_its_window_opens(tmp_path: Path) -> None:
    answer = said(kept(tmp_path, a_plan("buy 40 AAPL", "sell 30 KO")), "--json")
    assert answer.exit_code == DONE, answer.output
    data = json.loads(answer.stdout)
    assert data["is_sized_now"]
    assert [(each["symbol"], each["qty"], each["reason"]) for each in data["orders"]] == [
        ("AAPL", "40", ""),
        ("KO", "30", ""),
    ]


def test_a_preview_on_a_simulated_day_says_so_first(tmp_path: Path) -> None:
    lines = said(kept(tmp_path, a_plan("buy 40 AAPL"))).stdout
    assert lines.startswith("On a simulated day, 2026-11-23: the account is not yours")
    assert "half-spreads (assumed)" in lines
