"""The environment of a built function: a simulated broker with its own clock, and mocked AWS services."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from repeg_workbench.deployment_variables import variables
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.scripted import ScriptedMarket, quote
from repeg_workbench.exchange.serving.server import LOOPBACK, ExchangeServer
from tests.statemachine.rules import states
from tests.template.artefact import Artefact, running
from tests.template.stack import REGION, ROOT, definition, environment, of_type, written
from tests.test_architecture import snake

# The functions use this machine's clock and send no order past its deadline, so the day lies in the future: in the last
# year of the broker's calendar.
DAY = date(2029, 11, 20)
DAY_OF_EVENTS = "2026-11-20"
KEYS = {"key_id": "PKCANARYCANARYCANARY", "secret_key": "canary-secret-that-must-be-seen-nowhere-at-all"}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}
ATTEMPTS = 5


class BrokerClock:
    """A settable clock in nanoseconds UTC that keeps running."""

    def __init__(self) -> None:
        self._ahead = 0
        self.set(14, 25, 30)

    def __call__(self) -> int:
        return self._ahead + time.monotonic_ns()

    def set(self, hour: int, minute: int, second: int) -> None:
        """Set it to a time of the day, UTC."""
        moment = datetime(DAY.year, DAY.month, DAY.day, hour, minute, second, tzinfo=UTC)
        self._ahead = int(moment.timestamp()) * 1_000_000_000 - time.monotonic_ns()

    def move(self, seconds: int) -> None:
        """Advance the clock."""
        self._ahead += seconds * 1_000_000_000


@dataclass(frozen=True)
class World:
    """The built functions, the broker's clock and the AWS endpoint that they use."""

    artefact: Artefact
    clock: BrokerClock
    environment: dict[str, str]
    logs: Path
    endpoint: str

    def call(self, name: str) -> dict[str, Any]:
        """The answer of a built function to its event, retried as the machine would."""
        event = event_of(name)
        log = self.logs / f"{name}.log"
        with running(self.artefact, name, {**environment(name), **self.environment}, log) as function:
            for _ in range(ATTEMPTS):
                answer: dict[str, Any] = function.invoke(event)
                if answer.get("errorType") not in retried(name):
                    break
                self.clock.move(10)
        assert "errorType" not in answer, (answer, log.read_text()[-3000:])
        return answer

    def rows(self) -> list[dict[str, Any]]:
        """All rows of the table."""
        found: list[dict[str, Any]] = client("dynamodb", self.endpoint).scan(TableName="runs")["Items"]
        return found


def event_of(name: str) -> Any:
    """A function's event, on the day."""
    text = (ROOT / "events" / f"{snake(name)}.json").read_text()
    return json.loads(text.replace(DAY_OF_EVENTS, DAY.isoformat()))


def retried(name: str) -> set[str]:
    """The errors on which the machine retries a step."""
    attempts = states(definition()).get(name, {}).get("Retry", [])
    return {error for entry in attempts for error in entry["ErrorEquals"]}


@contextmanager
def around(artefact: Artefact, logs: Path) -> Iterator[World]:
    """The world, five minutes before the open."""
    clock = BrokerClock()
    exchange = Exchange(two_calm_stocks(), clock, opening=account())
    with account_of_aws() as endpoint, ExchangeServer(exchange) as server:
        settings = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": endpoint,
            "TABLE_NAME": make_table(endpoint),
            "JOURNAL_BUCKET": make_bucket(endpoint),
            "BROKER_SECRET_ARN": make_secret(endpoint),
            "BROKER_URL": server.trading_url,
            "DATA_URL": server.data_url,
            # Under the original rule, with patience left, both orders rest at the near side.
            **variables({"policy": "anchor", "patience_seconds": 3_600}),
        }
        yield World(artefact, clock, settings, logs, endpoint)


def account() -> OpeningAccount:
    """Cash for the buy, shares for the sell; a simulated broker gets simulated keys, not those of the secret."""
    return OpeningAccount(
        cash=Decimal(10_000),
        positions={"KO": (Decimal(100), Decimal(70))},
    )


def two_calm_stocks() -> ScriptedMarket:
    """AAPL and KO, quoted every other second with a spread of two and one cents."""
    times = [f"09:{minute:02}:{second:02}" for minute in range(20, 60) for second in range(0, 60, 2)]
    scripts = {
        "AAPL": [quote(moment, "300 @ 189.40", "300 @ 189.42") for moment in times],
        "KO": [quote(moment, "900 @ 70.10", "900 @ 70.11") for moment in times],
    }
    return ScriptedMarket({DAY: scripts}, reference_prices={"AAPL": "189.00", "KO": "70.00"})


@contextmanager
def account_of_aws(address: str = LOOPBACK) -> Iterator[str]:
    """The endpoint of a local server that mocks the AWS services."""
    server = ThreadedMotoServer(ip_address=address, port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def client(service: str, endpoint: str) -> Any:
    """A client of that account."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",
    )


def make_table(endpoint: str, name: str = "runs") -> str:
    """The table as the template declares it."""
    (table,) = of_type(written(), "AWS::DynamoDB::Table").values()
    keys = {name: table["Properties"][name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    client("dynamodb", endpoint).create_table(TableName=name, **keys)
    return name


def make_bucket(endpoint: str, name: str = "Journals") -> str:
    """The bucket of the journal. Its capital letter keeps its name in the path: a host named after it is not known."""
    client("s3", endpoint).create_bucket(Bucket=name)
    return name


def make_secret(endpoint: str, name: str = "broker") -> str:
    """Store the broker's keys in a secret; its ARN."""
    made = client("secretsmanager", endpoint).create_secret(Name=name, SecretString=json.dumps(KEYS))
    return str(made["ARN"])
