"""Requests for assets: a few by name, many by the full listing, then missing symbols by name."""

from __future__ import annotations

from typing import Any

import pytest

from repeg.domain.errors import BrokerUnavailable
from tests.adapters.brokers import a_broker
from tests.adapters.scripted_server import answer, scripted


def test_an_asset_row_without_flags_is_not_tradable() -> None:
    bare, inactive = {"symbol": "KO"}, {"symbol": "F", "tradable": True, "status": "inactive"}
    with scripted(answer(200, bare), answer(200, inactive)) as script:
        assets = a_broker(script).assets(["KO", "F"])
    assert [(a.symbol, a.is_tradable, a.is_fractionable) for a in assets.values()] == [
        ("KO", False, False), ("F", False, False)
    ]  # fmt: skip


CROWD = [f"{a}{b}" for a in "ABC" for b in "KLMNO"]


def an_asset_row(symbol: str, **changes: Any) -> dict[str, Any]:
    return {"symbol": symbol, "status": "active", "tradable": True, "fractionable": True, **changes}


def test_many_assets_take_one_request_and_ignore_unrelated_rows() -> None:
    rows = [{"symbol": "OTCQ", "tradable": "who knows"}, {}, *map(an_asset_row, CROWD)]
    with scripted(answer(200, rows)) as script:
        assets = a_broker(script).assets(CROWD)
    assert list(assets) == CROWD
    assert [request.target for request in script.asked] == ["/v2/assets?status=active&asset_class=us_equity"]


def test_a_few_assets_are_requested_by_name() -> None:
    with scripted(*(answer(200, an_asset_row(symbol)) for symbol in CROWD[:10])) as script:
        assert list(a_broker(script).assets(CROWD[:10])) == CROWD[:10]
    assert [request.target for request in script.asked] == [f"/v2/assets/{symbol}" for symbol in CROWD[:10]]


NOT_FOUND = answer(404, {"code": 40410000, "message": "asset not found for ZZZZ"})


def test_symbols_missing_from_the_listing_are_requested_by_name() -> None:
    """The listing holds active assets only, so a missing one may be inactive or unknown."""
    inactive = answer(200, an_asset_row("CK", status="inactive"))
    rows = answer(200, [an_asset_row(symbol) for symbol in CROWD if symbol not in {"AK", "CK"}])
    with scripted(rows, NOT_FOUND, inactive) as script:
        assets = a_broker(script).assets(CROWD)
    assert [request.target for request in script.asked[1:]] == ["/v2/assets/AK", "/v2/assets/CK"]
    assert "AK" not in assets
    assert not assets["CK"].is_tradable


def test_only_the_first_ten_unlisted_symbols_are_requested() -> None:
    with scripted(answer(200, []), *[NOT_FOUND] * 10) as script:
        assert a_broker(script).assets(CROWD) == {}
    assert len(script.asked) == 11


def test_a_listing_without_a_tradable_symbol_raises_unavailable() -> None:
    by_name = [answer(200, an_asset_row(symbol)) for symbol in CROWD[:10]]
    with scripted(answer(200, []), *by_name) as script, pytest.raises(BrokerUnavailable, match="the listing lacks AK"):
        a_broker(script).assets(CROWD)


def test_an_unreadable_listing_raises_unavailable() -> None:
    with scripted(answer(200, {"assets": []}), answer(500, b"oops")) as script:
        for _ in range(2):
            with pytest.raises(BrokerUnavailable):
                a_broker(script).assets(CROWD)
