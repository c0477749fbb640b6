"""A stored release brought back: its whole table on an emulated DynamoDB, and the broker as it was at that moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from moto import mock_aws

from functions.sweep_orders.app import sweep_orders
from repeg.adapters.dynamodb.encoding import Key
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain.run import Run
from repeg.domain.run_health import Alert
from repeg.domain.steps import RunSwept
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from tests.contracts.tables import TABLE, a_client, create_table
from tests.functions.books import book
from tests.functions.desk import Desk, a_desk, holding

Item = dict[str, Any]

HERE = Path(__file__).parent
RELEASES = sorted(path.stem for path in HERE.glob("*.json"))


class Replay:
    """One scenario of the release: its table, and a desk whose broker holds the same orders and fills."""

    def __init__(self, about: dict[str, Any], client: Any, desk: Desk) -> None:
        self.about = about
        self.run_id: str = self.about["run_id"]
        self.client, self.desk = client, desk
        self.fresh()

    def fresh(self) -> DynamoStore:
        """Another container's store on the same table; the steps use it from now on."""
        self.store = DynamoStore(self.client, TABLE, self.desk.runtime.pause)
        self.desk.use_store(self.store)
        return self.store

    def item(self, sk: str) -> Item:
        """A row of the run, in DynamoDB's JSON."""
        found: Item = self.client.get_item(TableName=TABLE, Key=self._key(sk))["Item"]
        return found

    def first(self, beginning: str) -> str:
        """The first of the run's sort keys that begins so."""
        rows = self.client.scan(TableName=TABLE)["Items"]
        keys: Iterator[str] = (row["sk"]["S"] for row in rows if row["pk"]["S"] == f"RUN#{self.run_id}")
        return min(key for key in keys if key.startswith(beginning))

    def body(self, sk: str) -> dict[str, Any]:
        """The body of a row of the run."""
        found: dict[str, Any] = json.loads(self.item(sk)["body"]["S"])
        return found

    def rewrite(self, sk: str, body: dict[str, Any] | str) -> None:
        """Replace the body of a row of the run."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.client.put_item(TableName=TABLE, Item={**self.item(sk), "body": {"S": text}})

    def sweep(self) -> RunSwept:
        """SweepOrders for the run's execution."""
        return sweep_orders(self.about["execution"], "ABORTED", self.desk.ports)

    def watch(self) -> list[Alert]:
        """WatchRuns."""
        return self.desk.watch(expect_run=False)

    @property
    def run(self) -> Run:
        """The run as a new container reads it."""
        found = self.fresh().run(self.run_id)
        assert found is not None
        return found

    @property
    def ending(self) -> dict[str, Any]:
        """How the run ended, in the terms of `swept_by_this_release`."""
        run = self.run
        assert run.report is not None
        names = ("symbol", "outcome", "filled_qty", "reason")
        report = run.report.as_json()
        return {
            "state": run.state,
            "epoch": run.epoch,
            "is_announced": run.is_announced,
            **{name: report[name] for name in ("outcome", "error", "reason")},
            "orders": [{name: row[name] for name in names} for row in report["orders"]],
        }

    @property
    def published(self) -> list[str]:
        """The kinds of the events published so far."""
        return [kind for kind, _ in self.desk.notifier.published]

    def open_at_broker(self) -> list[str]:
        """The client order ids of the account's open orders."""
        return sorted(order.client_order_id for order in self.desk.exchange.account.orders.open.values())

    def _key(self, sk: str) -> Item:
        key = Key(f"RUN#{self.run_id}", sk)
        return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


@contextmanager
def replayed(name: str, release: str = "ff73b05") -> Iterator[Replay]:
    """The scenario, at the moment that its rows were read."""
    stored = json.loads((HERE / f"{release}.json").read_text())
    about = stored["scenarios"][name]
    with mock_aws(), market_of(about) as desk:
        client = a_client()
        create_table(client)
        for row in stored["rows"]:
            if row["scenario"] == name:
                client.put_item(TableName=TABLE, Item=row["item"])
        _resubmit(about, desk)
        yield Replay(about, cast("Any", client), desk)


@contextmanager
def market_of(about: dict[str, Any]) -> Iterator[Desk]:
    """A desk in the scenario's market, before the run."""
    books = {
        symbol: book(*shown["changes"], prints=tuple(shown["prints"]), until=shown["until"])
        for symbol, shown in about["market"]["books"].items()
    }
    opening = holding(about["opening_account"]["cash"], **about["opening_account"]["positions"])
    with a_desk(books, at="09:34", opening=opening, quirks=BrokerQuirks(), seed=about["market"]["seed"]) as desk:
        yield desk


def _resubmit(about: dict[str, Any], desk: Desk) -> None:
    """Send the orders again at their times, and cancel those that were canceled, at the end."""
    broker = about["broker"]
    for order in sorted([*broker["open_orders"], *broker["closed_orders"]], key=lambda sent: sent["submitted_at"]):
        desk.advance_to(datetime.fromisoformat(order["submitted_at"]))
        if order["client_order_id"].endswith(".2"):
            _cancel(desk, order["client_order_id"].removesuffix("2") + "1")
        terms = {"symbol": order["symbol"], "side": order["side"], "qty": order["qty"], "limit_price": order["limit"]}
        desk.broker.line.post(
            "/orders",
            {**terms, "type": "limit", "time_in_force": "day", "client_order_id": order["client_order_id"]},
        )
    desk.advance_to(datetime.fromisoformat(broker["now"]))
    for order in broker["closed_orders"]:
        if order["status"] == "canceled":
            _cancel(desk, order["client_order_id"])
    desk.wait(1)


def _cancel(desk: Desk, client_order_id: str) -> None:
    report = desk.broker.order(client_order_id)
    if report is not None and not report.is_closed:
        desk.broker.cancel(report.broker_id)
        desk.wait(0.2)
