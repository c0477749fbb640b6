"""`repeg plan`: shows what is understood of a file, without an account, a market or a stack."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from repeg.domain.errors import InvalidInput
from repeg.domain.plan import OrdersPlan, Plan, PlanOrder, TargetsPlan
from repeg.domain.plan_reading.reader import document_of, drafted, plan_of, refusals
from repeg_workbench.plans.files import body_of
from repeg_workbench.plans.yaml_text import decoded_yaml

UNDERSTOOD, REFUSED = 0, 2


def show(path: Path, *, is_json: bool) -> int:
    """Print a file's plan, or all that is wrong with it; returns the exit code."""
    try:
        draft = drafted(body_of(path), path.name, decoded_yaml)
    except InvalidInput as error:
        return _refused([error])
    wrong = list(refusals(draft, path.name))
    if wrong:
        return _refused(wrong)
    if is_json:
        typer.echo(json.dumps(document_of(draft, path.name), indent=2, ensure_ascii=False))
        return UNDERSTOOD
    plan, console = plan_of(draft, path.name), Console(highlight=False, soft_wrap=True)
    console.print(_headline(plan))
    console.print(_table(plan))
    for note in plan.notes:
        console.print(f"Note: {note}.", markup=False)
    return UNDERSTOOD


def _refused(errors: Iterable[InvalidInput]) -> int:
    for error in errors:
        typer.echo(str(error), err=True)
    return REFUSED


def _headline(plan: Plan) -> str:
    if isinstance(plan, OrdersPlan):
        return f"Plan {plan.name}: {_count(plan.orders, 'order')}"
    total = sum(plan.targets.values(), Decimal(0))
    kept = f"cash_reserve {plan.cash_reserve}, min_trade_notional {plan.min_trade_notional}"
    kept += ", buys only" if plan.buy_only else ""
    return f"Plan {plan.name}: {_count(plan.targets, 'weight')}, {(total * 100).normalize():f} % in all, {kept}"


def _amount(order: PlanOrder) -> str:
    if order.notional is not None:
        return f"{order.notional:,.2f} dollars"
    return f"{order.qty:f}" if isinstance(order.qty, Decimal) else str(order.qty)


def _count(lines: Sequence[object] | dict[str, Decimal], word: str) -> str:
    return f"{len(lines)} {word}{'' if len(lines) == 1 else 's'}"


def _table(plan: Plan) -> Table:
    table = Table(box=None, pad_edge=False)
    if isinstance(plan, TargetsPlan):
        table.add_column("symbol")
        table.add_column("weight", justify="right")
        table.add_column("traded from a drift of", justify="right")
        for symbol, weight in plan.targets.items():
            band = plan.drift_band(symbol)
            table.add_row(symbol, f"{weight:f}", f"{band} %" if band else "")
        return table
    table.add_column("symbol")
    table.add_column("side")
    table.add_column("amount", justify="right")
    for order in plan.orders:
        table.add_row(order.symbol, order.side, _amount(order))
    return table
