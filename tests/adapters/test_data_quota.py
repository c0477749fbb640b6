"""Every request to the data API is taken from its own quota first: latest quotes, trades, and past quotes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from repeg.adapters.alpaca.http import Answer, Body, Failure
from repeg.adapters.alpaca.market_data import AlpacaMarket
from repeg.adapters.request_limiter import RequestLimiter
from repeg.domain.errors import BrokerUnavailable, StoreUnavailable
from repeg.domain.request_quota import DATA, Quota, bucket_limit, bucket_of
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import NOON
from tests.domain.test_request_quota import Clock

PER_MINUTE = 200


@dataclass
class Line:
    """A data API without quotes, which counts its requests. One symbol is invalid."""

    paths: list[str] = field(default_factory=list)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        self.paths.append(path)
        if params is not None and "!" in params["symbols"]:
            return Failure(status=400, message="invalid symbol: !")
        return Body({"quotes": {}, "trades": {}})


class DownStore(MemoryStore):
    """A table that does not answer."""

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        raise StoreUnavailable(bucket)


def metered(store: MemoryStore) -> tuple[AlpacaMarket, Line, Clock]:
    clock, line = Clock(), Line()
    limiter = RequestLimiter(store, cast("Any", clock), PER_MINUTE, kind=DATA)
    return AlpacaMarket(cast("Any", line), "iex", limiter.require_while_up), line, clock


def leased(store: MemoryStore, bucket: str) -> int:
    return next(most for most in range(1_000) if store.lease_requests(bucket, 0, most))


READS: dict[str, Callable[[AlpacaMarket], Any]] = {
    "past quotes": lambda market: market.past_quotes(["AAPL"], NOON - timedelta(minutes=5), NOON),
    "a quote of the past": lambda market: market.quote_at("AAPL", NOON, NOON - timedelta(minutes=5)),
    "quotes": lambda market: market.quotes(["AAPL"]),
    "trades": lambda market: market.last_trades(["AAPL"]),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_data_request_is_leased_from_the_data_bucket_alone(read: Callable[[AlpacaMarket], Any]) -> None:
    store = MemoryStore()
    market, line, _ = metered(store)
    read(market)
    assert len(line.paths) == 1
    assert leased(store, DATA + bucket_of(NOON)) == 4
    assert leased(store, bucket_of(NOON)) == 0


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_no_data_request_is_sent_once_the_quota_is_exhausted(read: Callable[[AlpacaMarket], Any]) -> None:
    store = MemoryStore()
    market, line, clock = metered(store)
    for ahead in range(3):
        bucket = DATA + bucket_of(NOON + timedelta(seconds=10 * ahead))
        assert store.lease_requests(bucket, bucket_limit(PER_MINUTE, Quota.ORDINARY), PER_MINUTE)
    with pytest.raises(BrokerUnavailable, match="quota is exhausted"):
        read(market)
    assert (line.paths, len(clock.pauses)) == ([], 2)


def test_each_part_of_a_batch_with_an_invalid_symbol_is_taken_singly() -> None:
    store = MemoryStore()
    market, line, _ = metered(store)
    market.quotes(["!", "AAPL", "KO"])
    assert len(line.paths) == 3
    market.quotes(["!", "AAPL", "KO"])
    assert (len(line.paths), leased(store, DATA + bucket_of(NOON))) == (6, 8)


def test_an_outage_of_the_table_stops_no_quote() -> None:
    market, line, _ = metered(DownStore())
    market.quotes(["AAPL"])
    assert len(line.paths) == 1
