"""What every broker says of its listings: the twin in process, alpaca-py in process, and over a socket alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from repeg.domain.broker import Asset
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from tests.contracts.desks import Desk

OpenDesk = Callable[..., Desk]
TOLD = {"AAPL": (True, True), "WHL": (True, False), "DEAD": (False, True)}
"""Whether each is tradable, and in fractions; ZZZZ is unknown."""


def flags(assets: Mapping[str, Asset]) -> dict[str, tuple[bool, bool]]:
    """Whether each asset is tradable, and in fractions."""
    return {symbol: (asset.is_tradable, asset.is_fractionable) for symbol, asset in assets.items()}


def test_an_asset_says_whether_it_trades_and_in_fractions(desk: Desk) -> None:
    assert flags(desk.broker.assets(["AAPL", "WHL", "DEAD", "ZZZZ"])) == TOLD


def test_many_assets_are_told_as_few_are(desk: Desk) -> None:
    crowd = [f"Q{a}{b}" for a in "ABCDEFGHIJKLMNO" for b in "PQRSTUVWXY"]
    found = flags(desk.broker.assets([*crowd, "AAPL", "WHL", "DEAD", "ZZZZ"]))
    assert found == {**dict.fromkeys(crowd, (True, True)), **TOLD}


def test_nothing_is_told_of_no_assets(desk: Desk) -> None:
    assert desk.broker.assets([]) == {}


def test_an_asset_without_easy_to_borrow_is_an_asset(open_desk: OpenDesk) -> None:
    assets = open_desk(quirks=BrokerQuirks(easy_to_borrow=False)).broker.assets(["AAPL"])
    assert assets["AAPL"].is_tradable
