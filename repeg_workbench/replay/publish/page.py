"""Generates docs/execution-quality.md from the published numbers."""

from collections.abc import Iterator, Sequence
from typing import Final

from repeg_workbench.calibration.measure import STOCKS, instrument
from repeg_workbench.replay.estimates.document import kept, section
from repeg_workbench.replay.publish import words
from repeg_workbench.replay.publish.choosing import Choice
from repeg_workbench.replay.publish.document import Published
from repeg_workbench.replay.publish.protocol import CROSSING_COSTS, GENERATED, HORIZON, IEX, OTHERS, RECORDED, SIZE
from repeg_workbench.replay.publish.summary import summary
from repeg_workbench.replay.publish.tables import Figures, Table
from repeg_workbench.replay.publish.verdict import OURS, Loss, dearer_than_market, losses, targets

_MODELS: Final = ("queue", "trade_through", "touch", "odd_lot")
_COLUMNS: Final = (
    "half-spreads (SE)", "bps", "$ per $100,000", "sd", "p95", "passive", "seconds", "orders", "less best rule (t)",
    "less market (t)",
)  # fmt: skip
_STOCK_OF: Final = {generated: recorded for recorded, generated in STOCKS.items()}


def page(published: Published) -> str:
    """The whole page."""
    parts = [
        words.HEAD,
        *summary(published),
        *_verdict(published),
        *_headline(published),
        words.METHOD,
        "## Generated days\n",
        *_days(published, GENERATED, "Every regime with the same weight."),
        *_by_group(published, GENERATED, "### By regime\n"),
        *_other_orders(published, GENERATED),
        *(_on_iex(published) if published.groups(IEX) else []),
        *(_chosen(published.choices) if published.choices else []),
        *(section(calibration) if (calibration := kept()) is not None else []),
        "## Recorded days\n",
        *(_recorded(published) if published.groups(RECORDED) else [words.NO_RECORDINGS]),
        words.LIMITS,
    ]
    return "\n".join(parts)


def _verdict(published: Published) -> Iterator[str]:
    """First what is not reached, and where a simple rule is cheaper."""
    yield "## Where the policy does not win\n"
    places = ((GENERATED, "generated regimes"), (RECORDED, "recorded days"), (IEX, "generated regimes on the iex feed"))
    for prefix, what in places:
        tables = [table for table in published.tables if table.group in published.groups(prefix)]
        if tables:
            yield from _losses(losses(published, prefix), len(tables), what)
            yield from _to_market(dearer_than_market(published, prefix), len(tables), what)
    yield "\n## Targets\n\n| | | |\n|---|---|---|"
    for target in targets(published):
        yield f"| {target.name} | {'met' if target.is_met else '**missed**'} | {target.figures} |"
    yield ""


def _losses(found: Sequence[Loss], total: int, what: str) -> Iterator[str]:
    sure = [loss for loss in found if loss.is_sure]
    yield (
        f"- In {len(found)} of the {total} tables of single {what} a simple rule, chosen in hindsight, is cheaper than "
        f"`{OURS}`; in {len(sure)} by more than two standard errors{':' if sure else '.'}"
    )
    for place in dict.fromkeys(_place(loss.table) for loss in sure):
        losses = sorted(
            (loss for loss in sure if _place(loss.table) == place), key=lambda loss: -loss.table.crossing_cost
        )
        each = ", ".join(
            f"by {loss.difference:.3f} at {loss.table.crossing_cost} (`{loss.table.best}`, t {loss.t:.1f})"
            for loss in losses
        )
        yield f"  - {place}: {each}"


def _to_market(found: Sequence[Table], total: int, what: str) -> Iterator[str]:
    end = ":" if found else "."
    yield f"- Market orders at arrival are cheaper in {len(found)} of the {total} tables of {what}{end}"
    for place in dict.fromkeys(_place(table) for table in found):
        tables = [table for table in found if _place(table) == place]
        each = ", ".join(
            f"by {_ours(table).versus_market:.3f} at {table.crossing_cost} (t {_ours(table).versus_market_t:.1f})"
            for table in tables
        )
        yield f"  - {place}: {each}"


def _headline(published: Published) -> Iterator[str]:
    yield "## The policy, the best simple rule, and market orders\n"
    yield "Generated days, in half-spreads. The best rule is the cheapest one in hindsight in that row.\n"
    yield "| fill model | crossing cost | `repeg` (SE) | best rule (SE) | difference (t) | p95 | market |"
    yield "|---|---|---|---|---|---|---|"
    for model in _MODELS:
        for cost in CROSSING_COSTS:
            table = published.find(GENERATED, model, cost)
            ours, best = _ours(table), table.rows[table.best]
            yield (
                f"| `{model}` | {cost} | {_with_error(ours)} | {_with_error(best)} `{table.best}` | "
                f"{_signed(ours.versus_best)} ({ours.versus_best_t:.1f}) | {ours.p95:.2f} / {best.p95:.2f} | "
                f"{table.rows['market'].cost:.3f} |"
            )
    yield ""


def _days(published: Published, group: str, about: str, models: Sequence[str] = _MODELS) -> Iterator[str]:
    """Every figure at a crossing cost of 1 under the queue model, and the costs under all others."""
    table = published.find(group, "queue", 1.0)
    yield f"{table.days} symbol-days, {table.orders} orders. {about} `queue`, crossing cost 1.0:\n"
    yield from _full(table)
    for model in models:
        tables = [published.find(group, model, cost) for cost in CROSSING_COSTS]
        yield f"`{model}`, by crossing cost:\n"
        yield from _matrix([str(cost) for cost in CROSSING_COSTS], tables)


def _by_group(
    published: Published, prefix: str, heading: str, models: Sequence[str] = _MODELS
) -> Iterator[str]:  # fmt: skip
    groups = published.groups(prefix)
    yield heading
    for model in models:
        yield f"`{model}`, crossing cost 1.0:\n"
        yield from _matrix([_title(group) for group in groups], [published.find(group, model, 1.0) for group in groups])


def _other_orders(published: Published, group: str) -> Iterator[str]:
    yield "### Sizes and horizons\n"
    terms = [(SIZE, HORIZON), *OTHERS]
    for cost in CROSSING_COSTS:
        yield f"`queue`, crossing cost {cost}:\n"
        tables = [published.find(group, "queue", cost, size, horizon) for size, horizon in terms]
        yield from _matrix([f"{size:,} in {horizon:,} s" for size, horizon in terms], tables)


def _on_iex(published: Published) -> Iterator[str]:
    """What it costs to decide on one venue's quotes, and when the consolidated feed pays for itself."""
    yield words.ON_IEX
    yield from _days(published, IEX, "Every regime with the same weight.", _MODELS[:1])
    yield from _by_group(published, IEX, "### By regime on the iex feed\n", _MODELS[:1])
    yield from _variants(published)
    yield words.BREAK_EVEN
    yield "| crossing cost | dearer by, bps (SE) | a month's turnover | two standard errors up | down |"
    yield "|---|---|---|---|---|"
    for each in published.break_evens:
        turnovers = " | ".join(_dollars(each.turnover(errors)) for errors in (0, 2, -2))
        yield f"| {each.crossing_cost} | {each.bps:.3f} ({each.error:.3f}) | {turnovers} |"
    yield ""


def _variants(published: Published) -> Iterator[str]:
    """What other rules would cost on the iex feed."""
    yield words.VARIANTS
    yield "| the policy, but | crossing cost | half-spreads (SE) | more than the policy (SE) | p95 | orders |"
    yield "|---|---|---|---|---|---|"
    for each in published.variants:
        yield (
            f"| {each.name} | {each.crossing_cost} | {each.cost:.3f} ({each.error:.3f}) | "
            f"{_signed(each.difference)} ({each.difference_error:.3f}) | {each.p95:.2f} | {each.sent:.1f} |"
        )
    yield ""


def _chosen(choices: Sequence[Choice]) -> Iterator[str]:
    """The policy's numbers chosen on tuning days and judged on others."""
    yield words.CHOSEN
    yield "| left out | crossing cost | imbalance, seconds, tight | half-spreads (SE) | defaults | difference (t) |"
    yield "|---|---|---|---|---|---|"
    for each in choices:
        numbers = f"{each.take_from / 1_000:.1f}, {each.follow_after}, {each.tight_share / 1_000:.2f}"
        who = _title(f"{GENERATED} {each.name}") if each.name else "none"
        yield (
            f"| {who} | {each.crossing_cost} | {numbers} | {each.cost:.3f} ({each.error:.3f}) | {each.default:.3f} | "
            f"{_versus(each.versus_default, each.versus_default_t)} |"
        )
    yield ""


def _recorded(published: Published) -> Iterator[str]:
    yield words.RECORDED
    yield from _days(published, RECORDED, "Every day with the same weight.")
    yield from _by_group(published, RECORDED, "### By day\n")
    yield from _other_orders(published, RECORDED)


def _full(table: Table) -> Iterator[str]:
    yield f"| strategy | {' | '.join(_COLUMNS)} |"
    yield f"|{'---|' * (len(_COLUMNS) + 1)}"
    for name, row in _ordered(table):
        cells = (
            _with_error(row), f"{row.bps:.2f}", f"{10 * row.bps:.2f}", f"{row.sd:.2f}", f"{row.p95:.2f}",
            f"{row.passive:.2f}", f"{row.seconds:.0f}", f"{row.sent:.1f}", _versus(row.versus_best, row.versus_best_t),
            _versus(row.versus_market, row.versus_market_t),
        )  # fmt: skip
        yield f"| `{name}` | {' | '.join(cells)} |"
    yield ""


def _matrix(heads: Sequence[str], tables: Sequence[Table]) -> Iterator[str]:
    yield f"| strategy | {' | '.join(heads)} |"
    yield f"|{'---|' * (len(heads) + 1)}"
    for name, _ in _ordered(tables[0]):
        yield f"| `{name}` | {' | '.join(_with_error(table.rows[name]) for table in tables)} |"
    yield ""


def _ordered(table: Table) -> list[tuple[str, Figures]]:
    return sorted(table.rows.items(), key=lambda item: item[1].cost)


def _title(group: str) -> str:
    name = group.partition(" ")[2]
    if name in _STOCK_OF:
        return f"`{instrument(_STOCK_OF[name]).regime.name}`"
    return name


def _place(table: Table) -> str:
    order = "" if (table.size, table.horizon) == (SIZE, HORIZON) else f", {table.size:,} shares in {table.horizon:,} s"
    return f"{_title(table.group)}, `{table.model}`{order}"


def _ours(table: Table) -> Figures:
    return table.rows[OURS]


def _with_error(row: Figures) -> str:
    return f"{row.cost:.3f} ({row.error:.3f})"


def _versus(difference: float, t: float) -> str:
    return f"{_signed(difference)} ({t:.1f})" if difference or t else "–"


def _dollars(turnover: float | None) -> str:
    return "never" if turnover is None else f"${turnover:,.0f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
