"""A replay's output as one HTML page that needs nothing else."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

_STYLE: Final = """
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;margin:1rem 0 2rem;width:100%}caption{text-align:left;font-weight:600;padding:.4rem 0}
th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #e3e6ea}
th:first-child,td:first-child{text-align:left}
tr.ours td{background:#eef6ff;font-weight:600}p{max-width:60rem}
@media(prefers-color-scheme:dark){body{background:#14171a;color:#e6e8ea}th,td{border-color:#343a40}
tr.ours td{background:#1c2d40}}
"""

_COLUMNS: Final = (
    ("strategy", "strategy"), ("horizon", "patience, s"), ("cost_half_spreads", "half-spreads"),
    ("se_half_spreads", "± SE"), ("cost_bps", "bps"), ("dollars_per_100k", "$ per $100k"), ("sd_bps", "sd, bps"),
    ("p95_bps", "p95, bps"), ("passive_share", "passive"), ("seconds_to_fill", "s to fill"),
    ("orders_sent", "orders"), ("requests", "requests"), ("difference_half_spreads", "less best peer"),
    ("difference_t", "t"),
)  # fmt: skip
_TOTALS: Final = (
    ("strategy", "strategy"), ("symbol_days", "symbol-days"), ("cost_half_spreads", "half-spreads"),
    ("se_half_spreads", "± SE"), ("p95_half_spreads", "p95"), ("difference_half_spreads", "less best peer"),
    ("difference_t", "t"),
)  # fmt: skip

Rows = Sequence[dict[str, Any]]


def page(document: dict[str, Any]) -> str:
    """The page of a replay's document."""
    options = document["options"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>repeg replay</title><style>{_STYLE}</style>",
        "<h1>Execution strategies on the same arrivals</h1>",
        _introduction(options),
        _recordings(document["recordings"]),
        *_tables(document["totals"], ("part", "fill_model", "crossing_cost"), _TOTALS, "All symbol-days"),
        *_tables(document["rows"], ("symbol", "day", "part", "fill_model", "crossing_cost"), _COLUMNS, ""),
    ]
    return "\n".join(parts)


def _introduction(options: dict[str, Any]) -> str:
    return (
        f"<p>{options['size']} shares, horizon {options['horizon']} s, latency {options['latency_ms']} ms, "
        f"seed {options['seed']}. Cost is against the mid at arrival, in mean half-spreads at arrival; what is left at "
        "the horizon crosses. Standard errors are clustered by quarter of an hour. A day marked <b>tuning</b> was used "
        "to choose the numbers, and proves nothing; the best peer of a table is chosen on the same orders.</p>"
    )


def _recordings(recordings: Rows) -> str:
    items = (
        f"<li>{escape(each['symbol'])} {each['day']} ({each['part']}): {each['orders']} orders; cleaned "
        + (", ".join(f"{name} {count}" for name, count in each["cleaned"].items() if count) or "nothing")
        for each in recordings
    )
    return f"<ul>{''.join(items)}</ul>"


def _tables(rows: Rows, keys: Sequence[str], columns: Sequence[tuple[str, str]], title: str) -> Iterable[str]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    for group, members in groups.items():
        words = [title, *(f"{key.replace('_', ' ')} {value}" for key, value in zip(keys, group, strict=True))]
        yield _table(" · ".join(word for word in words if word), members, columns)


def _table(caption: str, rows: Rows, columns: Sequence[tuple[str, str]]) -> str:
    head = "".join(f"<th>{name}" for _, name in columns)
    body = "".join(
        f"<tr class={'ours' if row['strategy'].startswith('repeg') else 'peer'}>"
        + "".join(f"<td>{_cell(row.get(key))}" for key, _ in columns)
        for row in sorted(rows, key=lambda row: float(row["cost_half_spreads"]))
    )
    return f"<table><caption>{escape(caption)}</caption><tr>{head}{body}</table>"


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else escape(str(value))
