"""The table of orders. A row opens to its order's picture and story, which the page's program draws then."""

from __future__ import annotations

from repeg.adapters.pages.markup import Html, tag
from repeg.adapters.pages.tables import Cell, Column, table
from repeg.adapters.pages.words import dollars, number, price, seconds, shares
from repeg.domain.run_page.page import OrderOnPage, RunPage

COLUMNS = (
    Column("symbol"), Column("side"), Column("shares", is_number=True, is_wide_only=True),
    Column("filled", is_number=True), Column("average", is_number=True, is_wide_only=True),
    Column("arrival", is_number=True, is_wide_only=True), Column("cost bps", is_number=True),
    Column("cost $", is_number=True, is_wide_only=True), Column("half-spreads", is_number=True, is_wide_only=True),
    Column("sent", is_number=True, is_wide_only=True), Column("took", is_number=True, is_wide_only=True),
    Column("outcome"), Column("reason", is_wide_only=True),
)  # fmt: skip


def order_table(page: RunPage) -> Html:
    """Every order of the run."""
    title = tag("h2", "Orders")
    if not page.orders:
        return tag("section", title, tag("p", "The journal has no order."), id="orders", tabindex="-1")
    hint = tag("p", "A symbol opens the order's picture and every decision; a heading sorts.", class_="quiet")
    finder = tag("label", "Find a symbol ", tag("input", type="search", id="find", autocomplete="off", size="10"))
    rows = [_row(number, order) for number, order in enumerate(page.orders)]
    made = table("Orders of the run", COLUMNS, rows, id_="order-table", is_sorted=True)
    return tag("section", title, hint, tag("p", finder, class_="finder"), made, id="orders", tabindex="-1")


def _row(index: int, order: OrderOnPage) -> list[Cell | str]:
    symbol = tag(
        "button", order.symbol, type="button", class_="open", data_order_index=str(index), aria_expanded="false"
    )
    mid = (
        None if order.arrival_bid is None or order.arrival_ask is None else (order.arrival_bid + order.arrival_ask) / 2
    )
    return [
        Cell(symbol, order.symbol),
        Cell(tag("span", order.side or "not known", class_=f"side {order.side}"), order.side or None),
        Cell(shares(order.target), order.target),
        Cell(_filled(order), order.filled),
        Cell(price(order.average), order.average),
        Cell(price(mid), mid),
        Cell(number(order.cost_bps), order.cost_bps),
        Cell(dollars(order.cost), order.cost),
        Cell(number(order.cost_half_spreads), order.cost_half_spreads),
        Cell(str(order.children), order.children),
        Cell(seconds(order.seconds), order.seconds),
        Cell(_outcome(order), order.outcome or None),
        Cell("; ".join(filter(None, (order.reason, order.note)))),
    ]


def _filled(order: OrderOnPage) -> str:
    """Shares, or the share of the target where not all were filled."""
    if order.target is None or order.filled == order.target or not order.target:
        return shares(order.filled)
    return f"{shares(order.filled)} ({order.filled / order.target * 100:.0f} %)"


def _outcome(order: OrderOnPage) -> Html:
    said = order.outcome.replace("_", " ") or "not known"
    kind = "good" if order.outcome == "filled" else "quiet" if order.outcome in {"no_trade", "preview"} else "bad"
    return tag("span", said, class_=kind)
