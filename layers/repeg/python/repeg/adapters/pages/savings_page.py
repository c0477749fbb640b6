"""The page of all runs, as HTML: what they have saved, over time, by symbol, and by spread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from repeg.adapters.pages.document import document
from repeg.adapters.pages.markup import Child, Html, joined, tag
from repeg.adapters.pages.tables import Cell, Column, folded, table
from repeg.adapters.pages.words import NOTHING, bps, dollars, interval, number
from repeg.domain.amount import counted
from repeg.domain.clustered import FEWEST_RUNS
from repeg.domain.saved import Saved, SavedBy, Sum
from repeg.domain.savings import Savings


@dataclass(frozen=True)
class AllRuns:
    """What the page shows: the dollars saved, the experiment, the verdict on it in words, and what is missing.

    `is_measured`: market orders are reckoned at what the account's control orders have paid, not at an assumption.
    """

    title: str
    since: date | None
    saved: Saved
    is_measured: bool
    experiment: Savings
    verdict: str
    remarks: Sequence[str] = ()
    problems: Sequence[str] = ()


def savings_page(runs: AllRuns) -> str:
    """One self-contained HTML file."""
    saved = runs.saved
    since = f"since {runs.since.isoformat()}" if runs.since else "all that are stored"
    head = joined(tag("h1", tag("span", "All runs")), tag("p", f"{runs.title} · {since}", class_="quiet"))
    used = [each for each in saved.by_spread if each.orders]
    slices = [
        _sliced("Saved by symbol", "symbol", saved.by_symbol), _sliced("Saved by spread at arrival", "spread", used)
    ]  # fmt: skip
    body = joined(
        tag("header", head, class_="top"),
        tag("main", *_warnings(runs), _summary(runs), _over_time(runs), *slices, _experiment(runs), *_remarks(runs)),
        tag("footer", tag("p", "Made by repeg from the journals of the runs.")),
    )  # fmt: skip
    return document("All runs", body, {"saved": [_point(each) for each in saved.by_day]})


def _point(each: SavedBy) -> list[Any]:
    saved = each.saved
    bounds = [None if bound is None else float(bound) for bound in (saved.low, saved.high)]
    return [each.name, float(saved.dollars), *bounds, saved.runs]


def _warnings(runs: AllRuns) -> Iterator[Html]:
    if runs.problems:
        said = [tag("li", problem) for problem in runs.problems]
        yield tag(
            "section", tag("h2", "Not everything could be read"), tag("ul", said), class_="warning", id="problems"
        )


def _remarks(runs: AllRuns) -> Iterator[Html]:
    if runs.remarks:
        yield tag("section", tag("h2", "Remarks"), tag("ul", [tag("li", remark) for remark in runs.remarks]))


def _summary(runs: AllRuns) -> Html:
    total, saved = runs.saved.total, runs.saved.total.saved
    cards = [
        _card("Saved against market orders", dollars(saved.dollars), _bounds(saved)),
        _card("Runs", f"{saved.runs}", f"{counted(total.orders, 'order')}, {dollars(total.notional)}"),
        _card("Mean cost against arrival", bps(total.cost.value if total.cost else None),
              f"95 % interval {interval(total.cost, ' bps')}"),
    ]  # fmt: skip
    return tag("section", tag("h2", "Summary"), tag("dl", cards, class_="cards"), tag("p", _how(runs), class_="quiet"))


def _how(runs: AllRuns) -> str:
    how = "as the account's own control orders have measured" if runs.is_measured else "an assumption"
    text = (
        f"Market orders are reckoned to pay {number(runs.saved.half_spreads)} half-spreads of the arrival quote, {how}."
        " Intervals are over runs, since the orders of a run share its market; looking every day finds a verdict too"
        " often."
    )
    if not runs.is_measured:
        text += f" Not measured yet: {runs.experiment.crossing.because}."
    if runs.saved.left_out:
        text += f" Left out: {counted(runs.saved.left_out, 'measured order')} without a known cost, or of a preview."
    return text


def _card(term: str, value: str, said: Child) -> Html:
    figures = joined(tag("span", value, class_="figure"), tag("span", said, class_="quiet"))
    return tag("div", tag("dt", term), tag("dd", figures))


def _bounds(saved: Sum) -> str:
    if saved.low is None or saved.high is None:
        return f"an interval needs {FEWEST_RUNS} runs"
    return f"95 % interval {dollars(saved.low)} to {dollars(saved.high)}"


def _over_time(runs: AllRuns) -> Html:
    title = tag("h2", "Saved so far")
    if not runs.saved.by_day:
        return tag("section", title, tag("p", "No run has an order with a known cost."), id="over-time")
    picture = tag("div", id="savings", class_="picture wait")
    days = folded("Table of days", _table("Saved up to each day", "day", runs.saved.by_day))
    return tag("section", title, picture, days, id="over-time")


def _sliced(title: str, heading: str, rows: Sequence[SavedBy]) -> Html:
    made = _table(title, heading, rows) if rows else tag("p", "There is nothing to show.")
    return tag("section", tag("h2", title), made)


def _table(caption: str, heading: str, rows: Sequence[SavedBy]) -> Html:
    columns = [
        Column(heading), Column("orders", is_number=True),
        Column("dollars", is_number=True, is_wide_only=True), Column("cost bps", is_number=True),
        Column("saved", is_number=True), Column("95 % interval", is_number=True, is_wide_only=True),
    ]  # fmt: skip
    return table(caption, columns, [_row(each) for each in rows], is_sorted=True)


def _row(each: SavedBy) -> list[Cell | str]:
    cost = each.cost.value if each.cost else None
    return [
        each.name, str(each.orders), Cell(dollars(each.notional), each.notional), Cell(number(cost), cost),
        Cell(dollars(each.saved.dollars), each.saved.dollars), Cell(_between(each.saved), each.saved.low),
    ]  # fmt: skip


def _between(saved: Sum) -> str:
    return NOTHING if saved.low is None else f"{dollars(saved.low)} to {dollars(saved.high)}"


def _experiment(runs: AllRuns) -> Html:
    found = runs.experiment
    rows: list[list[Cell | str]] = [
        [name, NOTHING if mean is None else number(mean.value, 3), interval(mean)]
        for name, mean in (
            ("half-spreads, every order alike", found.saved.half_spreads),
            ("bps, every order alike", found.saved.bps),
            ("bps, by dollars", found.saved.bps_by_dollars),
        )
    ]
    columns = [Column("measured in"), Column("saving", is_number=True), Column("95 % interval", is_number=True)]
    counts = f"{counted(found.counts.control, 'control order')}, {counted(found.counts.treated, 'treated order')}. "
    made = table("Treated against control orders", columns, rows)
    said = tag("p", counts, runs.verdict, class_="quiet")
    return tag("section", tag("h2", "By experiment"), said, made, id="experiment")


def assumed(found: Savings, assumption: Decimal) -> tuple[Decimal, bool]:
    """The half-spreads to reckon market orders at, and whether the account has measured them."""
    value = found.crossing.value
    return (assumption, False) if value is None else (value, True)
