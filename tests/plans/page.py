"""What is understood of each file in tests/plans/files: `python -m tests.plans.page` writes it, and docs/plans.md.

`understood.json` is checked by hand when it changes; the table of the page follows from it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan import OrdersPlan, Plan
from repeg.domain.plan_reading.reader import drafted, plan_of, refusals
from repeg_workbench.plans.yaml_text import decoded_yaml

HERE = Path(__file__).parent
FILES = HERE / "files"
UNDERSTOOD = HERE / "understood.json"
FORMS = HERE / "forms.json"
PAGE = HERE.parents[1] / "docs" / "plans.md"
BEGIN, END = "<!-- The table is generated from tests/plans. -->\n", "<!-- End of the table. -->\n"


def forms() -> dict[str, str]:
    """The form of each file, in words."""
    found: dict[str, str] = json.loads(FORMS.read_text(encoding="utf-8"))
    return found


def understood(name: str) -> dict[str, Any]:
    """What is understood of a file: the plan's lines, fields and notes, or what is refused."""
    try:
        draft = drafted((FILES / name).read_bytes(), name, decoded_yaml)
    except InvalidPlan as error:
        return {"refused": [str(error)]}
    wrong = [str(error) for error in refusals(draft, name)]
    return {"refused": wrong} if wrong else shown(plan_of(draft, name))


def shown(plan: Plan) -> dict[str, Any]:
    """A plan with its lines as a person reads them."""
    if isinstance(plan, OrdersPlan):
        return {
            "name": plan.name,
            "orders": [order_of(plan, at) for at in range(len(plan.orders))],
            "notes": [*plan.notes],
        }
    return {
        "name": plan.name,
        "targets": [f"{symbol} {weight:f}" for symbol, weight in plan.targets.items()],
        **({"cash_reserve": str(plan.cash_reserve)} if plan.cash_reserve else {}),
        **({"min_trade_notional": str(plan.min_trade_notional)} if plan.min_trade_notional else {}),
        "notes": [*plan.notes],
    }


def order_of(plan: OrdersPlan, at: int) -> str:
    """An order of a plan in words."""
    order = plan.orders[at]
    if order.notional is not None:
        return f"{order.side} {order.symbol} for {order.notional} dollars"
    return (
        f"{order.side} {order.qty:f} {order.symbol}" if isinstance(order.qty, Decimal) else f"sell all {order.symbol}"
    )


def table(results: dict[str, dict[str, Any]]) -> str:
    """The table of the page: what is understood first, then what is refused."""
    rows = ["| Form | File | Understood | And said |", "|---|---|---|---|"]
    for name, words in forms().items():
        result = results[name]
        lines = result.get("targets") or result.get("orders")
        fields = [f"{field} {result[field]}" for field in ("cash_reserve", "min_trade_notional") if field in result]
        what = f"`{result['name']}`: {', '.join([*lines, *fields])}" if lines else "refused"
        said = "<br>".join(map(_cell, result.get("notes") or result.get("refused") or ()))
        rows.append(f"| {words} | `{name}` | {_cell(what)} | {said} |")
    return "\n".join(rows) + "\n"


def page(text: str, results: dict[str, dict[str, Any]]) -> str:
    """The page with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(results)}\n{END}{rest.partition(END)[2]}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("**", "\\*\\*").replace("# ", "\\# ")


def main() -> None:
    """Write both files."""
    results = {name: understood(name) for name in forms()}
    UNDERSTOOD.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    main()
