"""How often the interval of a measured crossing cost covers the one that the exchange was set to.

`python -m repeg_workbench.savings.coverage` simulates the accounts, saves what each of them measured, and writes the
table of docs/measuring.md; with `--page` it only writes the table from what is saved.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from repeg.domain.clustered import Mean
from repeg.domain.crossing import taking_of
from repeg_workbench.savings.accounts import Pool, account, pool

DOCS = Path(__file__).parents[2] / "docs"
SAVED, PAGE = DOCS / "measuring.json", DOCS / "measuring.md"
BEGIN, END = "<!-- coverage -->\n", "<!-- /coverage -->\n"

ACCOUNTS, RUNS, SEED = 200, 16, 3
IMPROVEMENTS = {600: Decimal("0.4"), 300: Decimal("0.7"), 0: Decimal("1.0")}
"""The exchange's knob, in permille, and the effective half-spread that follows from it."""
KINDS = ("each", "by_dollars")

# A row of the file: the mean and its interval in thousandths, and the orders.
Row = tuple[int, int, int, int]


class Covered(NamedTuple):
    """The accounts whose interval covers the truth, and what they measured on average."""

    accounts: int
    covering: int
    mean: Decimal
    half_width: Decimal
    orders: Decimal


def measured(books: Pool, number: int, improvement: int) -> dict[str, Row]:
    """What one account measures, every order alike and by dollars."""
    taking = taking_of(account(books, number, improvement, RUNS), is_control=True)
    return {"each": _row(taking.each), "by_dollars": _row(taking.by_dollars)}


def simulate(accounts: int = ACCOUNTS) -> dict[str, dict[str, list[Row]]]:
    """What every account measures, by the exchange's knob and by kind."""
    books = pool(SEED)
    found: dict[str, dict[str, list[Row]]] = {}
    for improvement in IMPROVEMENTS:
        rows = [measured(books, number, improvement) for number in range(accounts)]
        found[str(improvement)] = {kind: [row[kind] for row in rows] for kind in KINDS}
        sys.stdout.write(f"{improvement} permille: {accounts} accounts\n")
        sys.stdout.flush()
    return found


def covered(rows: Sequence[Sequence[int]], truth: Decimal) -> Covered:
    """How often these accounts' intervals cover the truth."""
    thousandths = int(truth * 1_000)
    return Covered(
        accounts=len(rows),
        covering=sum(low <= thousandths <= high for _, low, high, _ in rows),
        mean=_average([row[0] for row in rows]) / 1_000,
        half_width=_average([row[2] - row[1] for row in rows]) / 2_000,
        orders=_average([row[3] for row in rows]),
    )


def table(saved: Mapping[str, Mapping[str, Sequence[Sequence[int]]]]) -> str:
    """The table of the page."""
    head = (
        "| effective half-spread set | weighed | accounts | control orders each | mean measured | half-width | "
        "intervals that cover it |\n|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(_lines(saved))


def page_with(made: str, text: str) -> str:
    """The page with this table between its markers."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + made + END + rest.partition(END)[2]


def main(arguments: Sequence[str]) -> None:
    """Simulate unless told not to, then write the table."""
    if "--page" not in arguments:
        SAVED.write_text(json.dumps(simulate(), separators=(",", ":")) + "\n", encoding="utf-8")
    saved = json.loads(SAVED.read_text(encoding="utf-8"))
    PAGE.write_text(page_with(table(saved), PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _lines(saved: Mapping[str, Mapping[str, Sequence[Sequence[int]]]]) -> Iterator[str]:
    words = {"each": "every order alike", "by_dollars": "by dollars"}
    for improvement, truth in IMPROVEMENTS.items():
        for kind in KINDS:
            found = covered(saved[str(improvement)][kind], truth)
            share = Decimal(100 * found.covering) / found.accounts
            yield (
                f"| {truth} | {words[kind]} | {found.accounts} | {found.orders:.0f} | {found.mean:.3f} | "
                f"{found.half_width:.3f} | {found.covering} ({share:.1f} %) |\n"
            )


def _row(mean: Mean | None) -> Row:
    if mean is None or mean.low is None or mean.high is None:
        raise ValueError("an account has too few control orders for an interval")
    low, middle, high = (int((bound * 1_000).to_integral_value()) for bound in (mean.low, mean.value, mean.high))
    return middle, low, high, mean.orders


def _average(numbers: Sequence[int]) -> Decimal:
    return Decimal(sum(numbers)) / len(numbers)


if __name__ == "__main__":
    main(sys.argv[1:])
