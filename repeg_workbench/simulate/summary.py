"""The result of a run: a summary for programs and tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from repeg.domain.setting_types import Feed
from repeg.domain.usage import dollars
from repeg_workbench.simulate.cost_table import cost_lines
from repeg_workbench.simulate.published import in_words

ORDER_FIELDS = (
    "symbol", "side", "qty", "filled_qty", "average_price", "arrival_mid", "cost_bps", "cost_half_spreads", "moves",
    "children", "outcome", "reason", "seconds_to_fill", "spread_captured", "last_mid", "unfilled_cost",
    "unfilled_cost_bps",
)  # fmt: skip
COST_FIELDS = ("cost_bps", "market_cost_bps", "crossing_cost", "unfilled_cost")
_NOTHING = "–"

_HEADINGS = {
    "symbol": "symbol", "side": "side", "qty": "shares", "filled_qty": "filled", "arrival_mid": "arrival mid",
    "average_price": "average", "cost_bps": "cost bps", "cost_half_spreads": "half-spreads", "moves": "moves",
    "outcome": "outcome", "reason": "reason",
}  # fmt: skip
_WORDS = frozenset({"symbol", "side", "outcome", "reason"})


@dataclass(frozen=True)
class Usage:
    """A run's usage: its executions' transitions and history events, its requests for trading and data, the virtual
    seconds of its functions, and how often each state was entered."""

    transitions: int
    history_events: int
    trading_requests: int
    data_requests: int
    function_seconds: int
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def aws_dollars(self) -> Decimal:
        """What transitions and functions cost at the list prices of us-east-1; the table and the journal cost little
        beside them."""
        return dollars(self.transitions, self.function_seconds * 1_000, 0).quantize(Decimal("0.001"))


def summarise(
    report: Mapping[str, Any], usage: Usage, market: str = "", figures: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The summary of a run from its report and its usage, with money and quantities as strings.

    `market_cost_bps` is the cost of market orders at arrival, from the same quotes, if taking costs `crossing_cost`
    half-spreads; `costs` are the run's against its decision prices. `notes` say what the run did beside its orders,
    such as weights that were rounded, or open orders that were counted. `feed` says whose quotes the run has read,
    `market` what was simulated, `published` what the same plan has cost over many generated days, where that was
    measured.
    """
    totals = report["totals"]
    return {
        "run_id": report["run_id"],
        "outcome": report["outcome"],
        "reason": ": ".join(filter(None, (report["error"], report["reason"]))),
        "orders": [{field: order[field] for field in ORDER_FIELDS} for order in report["orders"]],
        "notes": [*report["notes"], *(f"{o['symbol']}: {o['note']}" for o in report["orders"] if o["note"])],
        "totals": {field: totals.get(field) for field in COST_FIELDS}
        | {"turns": totals["turns"]}
        | asdict(usage)
        | {"aws_dollars": str(usage.aws_dollars)},
        "costs": report.get("costs"),
        "feed": report.get("feed", ""),
        "market": market,
        "published": None if figures is None else dict(figures),
    }


def tables(summary: Mapping[str, Any]) -> RenderableType:
    """A table with a row for each order, and the run's totals."""
    return Group(order_table(summary["orders"]), "", _totals(summary))


def order_table(orders: Sequence[Mapping[str, Any]]) -> Table:
    """A line for each order of a report."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, heading in _HEADINGS.items():
        table.add_column(heading, justify="left" if name in _WORDS else "right", no_wrap=name != "reason")
    for order in orders:
        table.add_row(*(_shown(order[field]) for field in _HEADINGS))
    return table


def _totals(summary: Mapping[str, Any]) -> Table:
    totals, orders = summary["totals"], summary["orders"]
    filled = sum(order["outcome"] == "filled" for order in orders)
    table = Table.grid(padding=(0, 2))
    table.add_row("run", f"{summary['run_id']}: {summary['outcome']}, {summary['reason']}")
    table.add_row("filled", f"{filled} of {len(orders)} orders")
    table.add_row("cost", f"{_bps(totals['cost_bps'])}; market orders at arrival, from the same quotes: "
                          f"{_bps(totals['market_cost_bps'])}, at {totals['crossing_cost']} half-spreads")  # fmt: skip
    for name, line in cost_lines(summary["costs"]):
        table.add_row(name, line)
    if summary["market"]:
        table.add_row("market", f"{summary['market']}, quotes from {summary['feed']}; a day's cost is mostly luck")
    if summary["feed"] == Feed.IEX:
        table.add_row("", "iex is one venue: its mid is not the market's, and market orders cost less than this")
    if summary["published"] is not None:
        table.add_row("published", in_words(summary["published"]))
    table.add_row("workflow", f"{totals['turns']} turns, {totals['transitions']} transitions, "
                              f"{totals['history_events']} history events")  # fmt: skip
    table.add_row("requests", f"{totals['trading_requests']} to the broker, {totals['data_requests']} for quotes")
    table.add_row("functions", f"{totals['function_seconds']} seconds; with the transitions about "
                               f"{totals['aws_dollars']} dollars of AWS")  # fmt: skip
    for note in summary["notes"]:
        table.add_row("note", note)
    return table


def _shown(value: Any) -> str:
    return _NOTHING if value is None else str(value)


def _bps(value: str | None) -> str:
    return _NOTHING if value is None else f"{value} bps of the arrival mid"
