"""Listings: a few assets are requested one by one, many are looked up in the listing of all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from repeg.adapters.alpaca import parsing
from repeg.adapters.alpaca.http import Api
from repeg.adapters.alpaca.reads import find, path_segment, read, rows
from repeg.domain.broker import Asset
from repeg.domain.errors import BrokerUnavailable

# Up to this many assets are requested one by one. For more, the listing of all active assets is read: 11,500 rows, 6 MB
# (0.3 MB compressed), which takes 0.7 seconds and 35 MB of memory in a function of 512 MB. Ten requests of about sixty
# milliseconds take as long, and the request quota allows no more.
MAX_ASSETS_BY_NAME = 10


def listings(api: Api, symbols: Sequence[str], take_request: Callable[[], None]) -> dict[str, Asset]:
    """The listings of these symbols, in their order; an unknown one is absent. `take_request` is called before every
    request except the first.

    A few symbols are requested one by one. More are looked up in the listing of all active assets; of those missing
    there, the first few are requested one by one, which tells an unknown symbol from an inactive one, and the rest
    are left absent. Raises BrokerUnavailable if the listing is incomplete: a symbol missing there is tradable.
    """
    is_bulk = len(symbols) > MAX_ASSETS_BY_NAME
    listed = _active(api, frozenset(symbols)) if is_bulk else {}
    missing = [symbol for symbol in symbols if symbol not in listed]
    named = _by_name(api, missing[:MAX_ASSETS_BY_NAME], take_request, requests_before=int(is_bulk))
    if len(missing) > MAX_ASSETS_BY_NAME and all(asset.is_tradable for asset in named.values()) and named:
        raise BrokerUnavailable(f"/assets: the listing lacks {', '.join(named)}")
    found = listed | named
    return {symbol: found[symbol] for symbol in symbols if symbol in found}


def _active(api: Api, symbols: Collection[str]) -> dict[str, Asset]:
    """The requested rows of the listing of all active shares; no other row is parsed."""
    listed = read(api, "/assets", rows, status="active", asset_class="us_equity")
    with parsing.reading("/assets"):
        return {row["symbol"]: parsing.asset(row) for row in listed if row.get("symbol") in symbols}


def _by_name(
    api: Api, symbols: Sequence[str], take_request: Callable[[], None], requests_before: int
) -> dict[str, Asset]:
    """Listings requested one by one; unknown symbols are absent."""
    found = {}
    for requests, symbol in enumerate(symbols, requests_before):
        if requests:
            take_request()
        if (asset := find(api, f"/assets/{path_segment(symbol)}", parsing.asset)) is not None:
            found[symbol] = asset
    return found
