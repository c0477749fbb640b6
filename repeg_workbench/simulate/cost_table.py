"""What a run cost against its decision prices, as lines for people: `simulate` and `report` show the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repeg.domain.shortfall import PARTS

_NOTHING = "–"
UNMEASURED = "not measured; the watchdog reads the consolidated books after the session"
OF_NO_RELEASE = "not in this report: it was written by a release that did not measure it"


def cost_lines(costs: Mapping[str, Any] | None, *, is_preview: bool = False) -> Iterator[tuple[str, str]]:
    """The lines of a report's costs, each with its name. What is missing is said, and so is a report without them."""
    if costs is None:
        yield "shortfall", "a preview has none" if is_preview else OF_NO_RELEASE
        return
    found = costs["shortfall"]
    if found is None:
        yield "shortfall", "no order has a decision price"
    else:
        yield "shortfall", f"{_dollars(found['dollars'])} against the decision prices, {_bps(found['bps'])} of the plan"
        yield "parts", ", ".join(f"{name} {_dollars(found[name])}" for name in PARTS)
        yield "spread", f"{_shown(found['half_spreads'])} half-spreads captured at the fills, by {_books(costs)}"
    for each in costs["market"]:
        saved = "" if each["saved"] is None else f", saved {each['saved']} dollars"
        yield f"market at {each['crossing_cost']}", f"{_dollars(each['dollars'])}, {_bps(each['bps'])}{saved}"
    if costs["markouts"] and not costs["books"]:
        yield "markouts", UNMEASURED
    elif costs["markouts"]:
        yield "markouts", ", ".join(_markout(each) for each in costs["markouts"])
    yield "fees", _fees(costs["fees"])
    if costs["missing"]:
        yield "missing", costs["missing"]


def _books(costs: Mapping[str, Any]) -> str:
    return f"the {costs['books']} books of the fills" if costs["books"] else "the books that the orders were sent on"


def _markout(markout: Mapping[str, Any]) -> str:
    shown = f"{markout['horizon']} {_bps(markout['bps'])}"
    return f"{shown} ({markout['why']})" if markout["why"] else shown


def _fees(fees: Mapping[str, Any] | None) -> str:
    if fees is None:
        return "the rates of this date are not known here"
    return (
        f"SEC {fees['sec']}, TAF {fees['taf']}, CAT {fees['cat']} dollars, estimated; a paper account is charged none"
    )


def _dollars(value: str | None) -> str:
    return _NOTHING if value is None else f"{value} dollars"


def _bps(value: str | None) -> str:
    return _NOTHING if value is None else f"{value} bps"


def _shown(value: str | None) -> str:
    return _NOTHING if value is None else value
