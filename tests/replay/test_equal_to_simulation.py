"""Orders of a simulated day are shown, decided on and filled in the replay as they were there.

The replay has its own times: a look every two seconds and a latency that is always the same. With those of the
simulated day nothing else differs, where the simulated broker has the same prints: the replay leaves out those of
other venues than the one that quotes, and knows no protection of an order that is alone at the best price.
"""

from datetime import date, time
from pathlib import Path

import pytest

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.market.recorded import RecordedMarket
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.replay.cleaning import clean
from tests.replay.same_times import Compared, compared, simulated
from tests.simulation.days import MONDAY

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "market"
# Without the limits on requests, that no order of the day waits for another one's.
QUIRKS = BrokerQuirks(requests_per_minute=None, data_requests_per_minute=None, order_protection=False)
SIDES = {"AIG": "sell", "IBM": "buy", "JNJ": "sell", "GOOG": "buy"}


class CleanedMarket(RecordedMarket):
    """A folder of recordings, each as the replay cleans it."""

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        found = super().day(symbol, day)
        return None if found is None else clean(found).day


def require_equal(orders: list[Compared]) -> None:
    for order in orders:
        assert order.books == [], order.symbol
        assert order.decisions == [], order.symbol
        assert order.seeded[0] == order.seeded[1], order.symbol
        assert order.replayed == order.simulated, order.symbol


def test_the_replay_of_a_generated_day_is_equal_to_its_simulation() -> None:
    day = simulated(GeneratedMarket(8), MONDAY, SIDES, 300, QUIRKS)
    orders = list(compared(day, MONDAY, SIDES, 300))
    require_equal(orders)
    assert sum(order.looks for order in orders) > 40
    assert any(order.unread for order in orders)


def test_orders_that_arrive_later_know_the_same_usual_spread() -> None:
    for starts, samples in ((time(9, 37), range(6, 9)), (time(10, 30), range(16, 17))):
        day = simulated(GeneratedMarket(3), MONDAY, SIDES, 300, QUIRKS, starts)
        orders = list(compared(day, MONDAY, SIDES, 300))
        require_equal(orders)
        assert all(len(order.seeded[0]) in samples for order in orders), [order.seeded for order in orders]


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recorded stock is not beside this checkout")
@pytest.mark.parametrize(("day", "side"), [(date(2018, 1, 2), "buy"), (date(2018, 1, 3), "sell")])
def test_the_replay_of_a_recorded_day_is_equal_to_its_simulation(day: date, side: str) -> None:
    found = simulated(CleanedMarket(RECORDINGS), day, {"XXX": side}, 400, QUIRKS)
    orders = list(compared(found, day, {"XXX": side}, 400))
    require_equal(orders)
    assert orders[0].looks > 3
