"""One seed in ten goes through alpaca-py, which changes no decision."""

from __future__ import annotations

import pytest

from repeg.domain.errors import BrokerDenied
from repeg_workbench.faults import world
from repeg_workbench.faults.campaign import run_seed
from repeg_workbench.faults.sdk_broker import SdkBroker, uses_sdk
from repeg_workbench.faults.seeded_days import make_day
from repeg_workbench.faults.world import World
from repeg_workbench.twins.direct_broker import DirectBroker


def test_a_tenth_of_the_seeds_uses_alpaca_py() -> None:
    assert sum(map(uses_sdk, range(300))) == 30


def test_nine_seeds_in_ten_use_the_direct_broker() -> None:
    assert isinstance(World(3).broker, SdkBroker)
    assert isinstance(World(4).broker, DirectBroker)


@pytest.mark.parametrize("seed", [13, 23, 43, 73])
def test_a_day_through_alpaca_py_has_the_same_result(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not make_day(seed).chaos, "transport faults strike requests, and the direct broker makes none"
    through_the_library = run_seed(seed)
    monkeypatch.setattr(world, "uses_sdk", lambda _seed: False)
    assert run_seed(seed) == through_the_library


def test_seeds_do_not_share_clients() -> None:
    one, other = World(3), World(13)
    assert one.broker.account().cash != other.broker.account().cash
    assert one.broker.account().cash == one.day.opening.cash


def test_revoked_keys_are_denied_and_restored_ones_work() -> None:
    world = World(3)
    broker = world.broker
    good = dict(broker.headers)
    broker.headers["APCA-API-SECRET-KEY"] = "revoked"
    with pytest.raises(BrokerDenied):
        broker.account()
    broker.headers.update(good)
    assert broker.account().cash == world.day.opening.cash
