"""Named rewrites of answers into ones that the client's model of the API does not expect."""

from collections.abc import Callable
from datetime import timedelta
from math import isfinite
from typing import Any, Final

from repeg_workbench.exchange.time.stamps import nanoseconds_of, utc

Rewrite = Callable[[Any], Any]
"""Takes the parsed body of an answer and returns the body to send instead."""

_STALE: Final = timedelta(hours=3)


def _first(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Rewrite:
    """Apply the change to an object, or to the first element of a list only."""

    def rewrite(body: Any) -> Any:
        if isinstance(body, list):
            return [change(body[0]), *body[1:]] if body else body
        return change(body)

    return rewrite


def _with(**fields: Any) -> Rewrite:
    return _first(lambda view: view | fields)


def _quotes(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Rewrite:
    """Apply the change to every quote in an answer with latest quotes; leave other answers alone."""

    def rewrite(body: Any) -> Any:
        if isinstance(body, dict) and "quote" in body:
            return body | {"quote": change(body["quote"])}
        if isinstance(body, dict) and "quotes" in body:
            return body | {"quotes": {symbol: change(quote) for symbol, quote in body["quotes"].items()}}
        return body

    return rewrite


def _aged(quote: dict[str, Any]) -> dict[str, Any]:
    return quote | {"t": utc(nanoseconds_of(quote["t"]) - round(_STALE.total_seconds()) * 1_000_000_000)}


def _crossed(quote: dict[str, Any]) -> dict[str, Any]:
    return quote | {"bp": quote["ap"], "ap": quote["bp"]}


def _wide(quote: dict[str, Any]) -> dict[str, Any]:
    return quote | {"bp": round(quote["bp"] * 0.8, 2), "ap": round(quote["ap"] * 1.2, 2)}


def _no_quotes(body: Any) -> Any:
    return body | {"quotes": {}} if isinstance(body, dict) and "quotes" in body else body


REWRITES: Final[dict[str, Rewrite]] = {
    "unknown_status": _with(status="quantum_entangled"),
    "unknown_asset_class": _with(asset_class="treasury"),
    "unknown_exchange": _with(exchange="MOON"),
    "null_submitted_at": _with(submitted_at=None),
    "null_created_at": _with(created_at=None),
    "numbers_for_strings": _first(lambda view: {name: _number(value) for name, value in view.items()}),
    "quote_stale": _quotes(_aged),
    "quote_crossed": _quotes(_crossed),
    "quote_locked": _quotes(lambda quote: quote | {"ap": quote["bp"]}),
    "quote_wide": _quotes(_wide),
    "quote_without_bid": _quotes(lambda quote: quote | {"bp": 0, "bs": 0, "bx": " "}),
    "quote_without_ask": _quotes(lambda quote: quote | {"ap": 0, "as": 0, "ax": " "}),
    "quote_null_price": _quotes(lambda quote: quote | {"ap": None}),
    "quote_null": _quotes(lambda quote: None),  # noqa: ARG005 - the same for every quote
    "quote_absent": _no_quotes,
}
"""The rewrites that a call of the control plane can name."""


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        amount = float(value)
    except ValueError:
        return value
    # NAN and INF are possible ticker symbols.
    return amount if isfinite(amount) else value
