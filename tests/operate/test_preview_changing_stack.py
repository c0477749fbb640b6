"""`repeg preview PLAN --stack NAME` of a stack that is at work, or halted: it sees what a run would see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repeg_workbench.operate.answer import CANNOT
from tests.operate.control_orders import keep_control_orders
from tests.operate.operator import PLAN, STACK, Operator, Said


def previewed(operator: Operator, folder: Path, plan: Any, *arguments: str) -> Said:
    file = folder / "plan.json"
    file.write_text(json.dumps(plan))
    return operator.repeg("preview", file, "--stack", STACK, *arguments)


@pytest.mark.parametrize(
    ("weight", "qty", "reason"),
    [("0.44", "0", "already covered by open orders: buy 40 by run calls-2026-11-23"), ("0.70", "22", "")],
)
def test_a_preview_sees_the_open_orders_of_the_days_run(
    operator: Operator, folder: Path, weight: str, qty: str, reason: str
) -> None:
    """The run has 40 shares of AAPL open, of an equity of 17,010 dollars."""
    operator.day.start("calls")
    operator.until("09:36")
    assert operator.open_orders() == ["AAPL", "KO"]
    plan = {"name": "other", "targets": {"AAPL": weight}}
    (order,) = previewed(operator, folder, plan, "--json").data["orders"]
    assert (order["qty"], order["reason"]) == (qty, reason)


def test_a_preview_is_refused_as_its_run_would_be(operator: Operator, folder: Path) -> None:
    operator.repeg("halt")
    said = previewed(operator, folder, PLAN)
    assert (said.code, said.err) == (CANNOT, "the kill switch is halt_new; set it to active before starting a run\n")
    operator.repeg("resume")
    operator.until("15:56")
    assert previewed(operator, folder, PLAN).err.startswith("start time: ")


def test_a_preview_counts_with_the_accounts_own_cost_of_taking(operator: Operator, folder: Path) -> None:
    keep_control_orders(operator, "100.045")
    operator.until("09:36")
    assert "at 0.8 half-spreads (measured with 30 control orders)" in previewed(operator, folder, PLAN).out
