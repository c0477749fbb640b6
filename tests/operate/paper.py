"""A simulated exchange behind `repeg conformance`, in virtual time, with broker quirks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
from requests.adapters import BaseAdapter
from typer.testing import CliRunner

from repeg_workbench.cli import app
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import EPOCH, Scheduler
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.scripted import ScriptedMarket, quote
from repeg_workbench.exchange.serving.transport import ExchangeTransport
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.operate.workstation import Workstation
from tests.builders import MONDAY
from tests.operate.operator import SESSION, URL, Said

BOOK = [
    quote("04:00", "900 @ 12.00", "900 @ 12.02"),
    quote("09:30", "900 @ 12.00", "900 @ 12.01"),
    quote("12:00", "900 @ 12.01", "900 @ 12.02"),
]


@dataclass
class Paper:
    """The exchange, and the machine that the command runs on."""

    exchange: Exchange
    at: Workstation
    sent: list[tuple[str, str]]

    def conformance(self, *arguments: str) -> Said:
        """Run the command."""
        where = [] if "--paper" in arguments else ["--exchange", URL]
        result = CliRunner().invoke(app, ["conformance", *where, *arguments], obj=self.at)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def knobs(self) -> list[str]:
        """The knobs that the command names, and that nothing is left at the broker."""
        found: list[str] = self.conformance("--json").data["knobs"]
        assert self.open_ids() == []
        return found

    def open_ids(self) -> list[str]:
        """The client order ids of the account's open orders."""
        return sorted(order.client_order_id for order in self.exchange.account.orders.open.values())


class _Watched(ExchangeTransport):
    """Notes every request; `before` may raise."""

    def __init__(self, exchange: Exchange, sent: list[tuple[str, str]], before: Callable[[str, str], None]) -> None:
        super().__init__(exchange.handle)
        self._sent, self._before = sent, before

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        method, path = str(request.method), str(request.path_url)
        self._before(method, path)
        self._sent.append((method, path))
        return super().send(request, *arguments, **options)


@contextmanager
def a_paper_account(
    quirks: BrokerQuirks | None = None,
    *,
    at: str = "10:00",
    opening: OpeningAccount | None = None,
    before: Callable[[str, str], None] = lambda method, path: None,
) -> Iterator[Paper]:
    """An account whose broker has these quirks, at a New York time."""
    sent: list[tuple[str, str]] = []
    with Scheduler(EPOCH + timedelta(microseconds=new_york(MONDAY, at) // 1_000)) as scheduler:
        exchange = Exchange(
            ScriptedMarket({MONDAY: {"F": BOOK}}), lambda: scheduler.now_ns, quirks or BrokerQuirks(),
            opening or OpeningAccount(), 0,
        )  # fmt: skip

        def transport() -> BaseAdapter:
            return _Watched(exchange, sent, before)

        runtime = VirtualRuntime(scheduler, transport=transport, milliseconds=(4, 12))
        yield Paper(exchange, Workstation(session=SESSION, runtime=runtime), sent)
