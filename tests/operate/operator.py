"""An operator at the deployed stack: the commands, run in this process against the engine's account."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3  # noqa: TID251 - its requests never leave this process
from botocore.exceptions import ClientError  # noqa: TID251 - what a service answers
from typer.testing import CliRunner

from repeg.domain.journal import Entry
from repeg.domain.session import NEW_YORK
from repeg_workbench.cli import app
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote, trade
from repeg_workbench.exchange.triggers import When
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.simulate.simulation import Scenario, SimulatedDay, opened
from tests.builders import MONDAY

STACK = "repeg"
URL = "http://localhost:8700"
PLAN = {
    "name": "calls",
    "orders": [{"symbol": "AAPL", "side": "buy", "qty": "40"}, {"symbol": "KO", "side": "sell", "qty": "all"}],
}
RUN_ID = f"calls-{MONDAY}"
SETTINGS = {"max_quote_age_seconds": 90, "escalation": "none"}

# One for all tests: it reads the descriptions of the services once.
SESSION: Any = boto3.Session(aws_access_key_id="simulated", aws_secret_access_key="simulated", region_name="us-east-1")

# A line that a function prints for CloudWatch. It reaches standard output, because the runner replaces the stream that
# the engine routes.
_METRICS = '{"_aws"'


@dataclass(frozen=True)
class Said:
    """A finished command: its exit code, and its lines on standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The answer of a command with --json."""
        return json.loads(self.out)


@dataclass
class Operator:
    """The person, the day of the stack, and the machine that the commands run on."""

    day: SimulatedDay
    at: Workstation
    asked: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def repeg(self, *arguments: str | Path, session: Any = None) -> Said:
        """Run a command. An exception that is no exit is raised."""
        at = self.at if session is None else replace(self.at, session=session)
        result = CliRunner().invoke(app, list(map(str, arguments)), obj=at)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, _clean(result.stdout), _clean(result.stderr))

    def until(self, time: str) -> None:
        """Advance the day to a New York time."""
        self.day.engine.run(datetime.fromisoformat(f"{MONDAY}T{time}").replace(tzinfo=NEW_YORK))

    def arm(self, method: str, path: str = ".*", *, status: int = 503, times: int | None = None) -> None:
        """Make the broker answer requests with an error."""
        fault = Fault(kind=Kind.ANSWER_BEFORE, method=method, path=path, status=status, body={"message": "down"})
        self.day.exchange.faults.arm(fault, When(times=times))

    def switch(self) -> str:
        """The kill switch in the table."""
        return self.day.ports.store.kill_switch().value

    def open_orders(self) -> list[str]:
        """The symbols of the open orders at the broker."""
        return sorted(order.terms.symbol for order in self.day.exchange.account.orders.open.values())


def _clean(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if not line.startswith(_METRICS))


def market(sold_at: str) -> ScriptedMarket:
    """Both stand still. Shares of KO are bought at 09:37:10, and shares of AAPL are sold at a time."""
    times = [f"{hour:02}:{minute:02}" for hour in range(9, 16) for minute in range(60)]
    still: list[Event] = [quote(at, "300 @ 189.40", "300 @ 189.46") for at in times]
    after = next(n for n, at in enumerate(times) if at > sold_at)
    still.insert(after, trade(sold_at, "2000 @ 189.40", side=-1))
    calm: list[Event] = [quote(at, "900 @ 70.10", "900 @ 70.12") for at in times]
    calm.insert(times.index("09:38"), trade("09:37:10", "2000 @ 70.11", side=1))
    return ScriptedMarket({MONDAY: {"AAPL": still, "KO": calm}})


@contextmanager
def an_operator(
    *,
    parameters: Mapping[str, str] | None = None,
    plan: Any = PLAN,
    settings: Mapping[str, Any] = SETTINGS,
    keeps_journal: bool = False,
    sold_at: str = "10:10:10",
) -> Iterator[Operator]:
    """The stack, deployed at 09:25 with its keys, and an operator who confirms everything."""
    is_live = (parameters or {}).get("TradingMode") == "live"
    key_id = "AKSIMULATED000000000" if is_live else OpeningAccount().key_id
    account = OpeningAccount(cash=Decimal(10_000), positions={"KO": (Decimal(100), Decimal(70))}, key_id=key_id)
    scenario = Scenario(
        plan=plan,
        market=market(sold_at),
        day=MONDAY,
        opening=account,
        settings=settings,
        parameters={"DataFeed": "iex", **(parameters or {})},
        keeps_journal=keeps_journal,
    )
    entries: list[Entry] = []
    with opened(scenario, entries.append) as day:
        operator = Operator(day, Workstation(), entries=entries)

        def confirm(question: str) -> bool:
            operator.asked.append(question)
            return True

        operator.at = Workstation(session=SESSION, runtime=day.engine.runtime, confirm=confirm)
        yield operator


class RefusingSession:
    """A session whose clients raise an error for these operations, or for all; `region` is its region."""

    def __init__(self, error: Exception, *operations: str, region: str = "us-east-1") -> None:
        self.region_name = region
        self._error = error
        self._operations = operations

    def client(self, service: Any, **options: Any) -> Any:
        client = SESSION.client(service, region_name=self.region_name, **options)
        client.meta.events.register("provide-client-params", self._refuse)
        return client

    def _refuse(self, model: Any, **_: Any) -> None:
        if not self._operations or model.name in self._operations:
            raise self._error


def answered(code: str, operation: str = "DescribeStacks", message: str = "no") -> ClientError:
    """An error that a service answers with."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def denied(*operations: str) -> RefusingSession:
    """A session that may not call these operations."""
    return RefusingSession(answered("AccessDeniedException", operations[0], "not authorized"), *operations)


def checks(operator: Operator, *arguments: str, session: Any = None) -> dict[str, tuple[str, str]]:
    """Verdict and finding by subject."""
    said = operator.repeg("doctor", "--symbol", "AAPL", "--json", *arguments, session=session)
    found = said.data
    assert said.code == (0 if found["is_well"] else 1)
    return {check["subject"]: (check["verdict"], check["found"]) for check in found["checks"]}


def rewritten(operator: Operator, path: str, **fields: Any) -> None:
    """Make the broker answer with other fields."""
    fault = Fault(kind=Kind.REWRITE, method="GET", path=path, rewrite=lambda body: {**body, **fields})
    operator.day.exchange.faults.arm(fault, When(times=None))


Deploy = Callable[..., Operator]
