"""The Broker port's contract for assets, run on the in-process twin, alpaca-py in process and over a socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from repeg.domain.broker import Asset
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from tests.contracts.desks import Desk

OpenDesk = Callable[..., Desk]
LISTED = {"AAPL": (True, True), "WHL": (True, False), "DEAD": (False, True)}
"""Whether each is tradable and fractionable; ZZZZ is unknown."""


def flags(assets: Mapping[str, Asset]) -> dict[str, tuple[bool, bool]]:
    """Whether each asset is tradable and fractionable."""
    return {symbol: (asset.is_tradable, asset.is_fractionable) for symbol, asset in assets.items()}


def test_an_asset_reports_whether_it_is_tradable_and_fractionable(desk: Desk) -> None:
    assert flags(desk.broker.assets(["AAPL", "WHL", "DEAD", "ZZZZ"])) == LISTED


def test_a_long_list_of_assets_reads_like_a_short_one(desk: Desk) -> None:
    crowd = [f"Q{a}{b}" for a in "ABCDEFGHIJKLMNO" for b in "PQRSTUVWXY"]
    found = flags(desk.broker.assets([*crowd, "AAPL", "WHL", "DEAD", "ZZZZ"]))
    assert found == {**dict.fromkeys(crowd, (True, True)), **LISTED}


def test_an_empty_list_of_assets_is_empty(desk: Desk) -> None:
    assert desk.broker.assets([]) == {}


def test_an_asset_without_easy_to_borrow_is_still_tradable(open_desk: OpenDesk) -> None:
    assets = open_desk(quirks=BrokerQuirks(easy_to_borrow=False)).broker.assets(["AAPL"])
    assert assets["AAPL"].is_tradable
