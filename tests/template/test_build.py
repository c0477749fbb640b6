"""What is deployed is what was tested: the build, its layers, and each function's answer to its event."""

from __future__ import annotations

import importlib.util
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

from repeg.pace import Next
from repeg.session import SessionDecision
from tests.statemachine.rules import states
from tests.template.artefact import Artefact, available, build, missing, running, sam
from tests.template.stack import FUNCTION, REGION, ROOT, definition, environment, of_type, written
from tests.test_architecture import snake
from workbench.exchange.core import Exchange
from workbench.exchange.opening import OpeningAccount
from workbench.exchange.scripted import ScriptedMarket, quote
from workbench.exchange.server import ExchangeServer

pytestmark = [
    pytest.mark.skipif(missing() != "", reason=missing()),
    # One worker builds, and the others need not.
    pytest.mark.xdist_group("build"),
]

MEGABYTE = 1024 * 1024
KEYS = {"key_id": "PKCANARYCANARYCANARY", "secret_key": "canary-secret-that-must-be-seen-nowhere-at-all"}


@pytest.fixture(scope="session")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return build(tmp_path_factory.mktemp("build"))


def test_sam_has_nothing_to_say_about_the_template() -> None:
    validated = sam("validate", "--lint", "--region", REGION)
    assert validated.returncode == 0, validated.stdout + validated.stderr


def test_the_build_has_every_function_and_both_layers(artefact: Artefact) -> None:
    names = {*of_type(written(), FUNCTION), *of_type(written(), "AWS::Serverless::LayerVersion")}
    assert {path.name for path in artefact.folder.iterdir() if path.is_dir()} == names
    for name in of_type(written(), FUNCTION):
        assert [path.name for path in (artefact.folder / name).iterdir()] == ["app.py"]


def test_the_layers_are_far_from_lambdas_limit(artefact: Artefact) -> None:
    sizes = [path.stat().st_size for folder in artefact.path for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < 60 * MEGABYTE


def test_our_layer_is_our_source_and_nothing_else(artefact: Artefact) -> None:
    source = ROOT / "layers" / "repeg" / "python"
    built = next(path for path in artefact.path if (path / "repeg").is_dir())
    ours = {path.relative_to(source): path.read_bytes() for path in source.rglob("*.py")}
    assert {path.relative_to(built): path.read_bytes() for path in built.rglob("*.py")} == ours


def test_every_module_is_compiled_and_not_looked_at_again(artefact: Artefact) -> None:
    """Bit 0 says that the hash of the source is inside, bit 1 that nobody compares it: /opt cannot be written."""
    for folder in artefact.path:
        sources, compiled = set(folder.rglob("*.py")), list(folder.rglob("*.pyc"))
        assert {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in compiled} == sources
        assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\x00\x00\x00"}


def test_nothing_in_the_layers_names_the_machine_that_built_them(artefact: Artefact) -> None:
    for folder in artefact.path:
        assert [
            path for path in folder.rglob("*") if path.is_file() and str(artefact.folder).encode() in path.read_bytes()
        ] == []


def test_the_stubs_serve_every_import_of_alpaca(artefact: Artefact) -> None:
    """A bet on its insides, so all of them are tried."""
    imported = artefact.python(
        "import pkgutil, importlib, alpaca, pandas, numpy\n"
        "for module in pkgutil.walk_packages(alpaca.__path__, 'alpaca.'): importlib.import_module(module.name)\n"
        "assert not hasattr(pandas, '__version__') and not hasattr(numpy, '__version__')\n"
        "print(alpaca.__name__)"
    )
    assert imported.stdout == "alpaca\n", imported.stderr


def test_a_stub_says_what_it_is_when_more_is_asked_of_it(artefact: Artefact) -> None:
    asked = artefact.python("import pandas; pandas.Timestamp('2026-11-20')")
    assert "pandas is not in the layer, and pandas.Timestamp was asked for" in asked.stderr


def test_everywhere_else_pandas_is_pandas() -> None:
    assert hasattr(pd, "__version__")
    found = importlib.util.find_spec("pandas")
    assert found is not None
    assert "stubs" not in str(found.origin)


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


def test_the_layer_has_the_versions_that_were_tested() -> None:
    layer, tested = pins(ROOT / "layers/dependencies/requirements.txt"), pins(ROOT / "requirements/runtime.txt")
    assert layer.items() <= tested.items()
    # What Lambda brings, what the stubs replace, and what only those needed.
    assert tested.keys() - layer.keys() == {"botocore", "numpy", "pandas", "python-dateutil", "six", "tzdata"}


# ── The functions themselves ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class World:
    """A broker and an account of AWS on this machine, and the time of day there."""

    exchange: Exchange
    environment: dict[str, str]
    log: Path
    clock: list[int]

    def at(self, hour: int, minute: int, second: int = 0) -> None:
        """Move the broker's clock, which runs on from there."""
        moment = datetime(2026, 11, 20, hour, minute, second, tzinfo=UTC)
        self.clock[0] = int(moment.timestamp()) * 1_000_000_000 - time.monotonic_ns()


def two_calm_stocks() -> ScriptedMarket:
    """AAPL and KO, quoted every ten seconds with a spread of two and one cents."""
    times = [f"09:{minute:02}:{second:02}" for minute in range(20, 60) for second in range(0, 60, 10)]
    scripts = {
        "AAPL": [quote(moment, "300 @ 189.40", "300 @ 189.42") for moment in times],
        "KO": [quote(moment, "900 @ 70.10", "900 @ 70.11") for moment in times],
    }
    return ScriptedMarket({date(2026, 11, 20): scripts}, reference_prices={"AAPL": "189.00", "KO": "70.00"})


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def world(amazon: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    clock = [0]
    account = OpeningAccount(
        cash=Decimal(10_000),
        positions={"KO": (Decimal(100), Decimal(70))},
        key_id=KEYS["key_id"],
        secret_key=KEYS["secret_key"],
    )
    placed = World(None, {}, tmp_path_factory.mktemp("logs"), clock)  # type: ignore[arg-type]
    placed.at(14, 25, 30)
    placed.exchange = Exchange(two_calm_stocks(), lambda: clock[0] + time.monotonic_ns(), opening=account)
    credentials = {"AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}
    with ExchangeServer(placed.exchange) as server:
        placed.environment = {
            **credentials,
            "AWS_ENDPOINT_URL": amazon,
            "TABLE_NAME": make_table(amazon),
            "BROKER_SECRET_ARN": make_secret(amazon),
            "BROKER_URL": server.trading_url,
            "DATA_URL": server.data_url,
        }
        yield placed


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",
    )


def make_table(endpoint: str) -> str:
    """The table as the template declares it."""
    (table,) = of_type(written(), "AWS::DynamoDB::Table").values()
    keys = {name: table["Properties"][name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    client("dynamodb", endpoint).create_table(TableName="runs", **keys)
    return "runs"


def make_secret(endpoint: str) -> str:
    made = client("secretsmanager", endpoint).create_secret(Name="broker", SecretString=json.dumps(KEYS))
    return str(made["ARN"])


def call(name: str, artefact: Artefact, world: World) -> dict[str, Any]:
    """What a built function answers to its event."""
    event = json.loads((ROOT / "events" / f"{snake(name)}.json").read_text())
    log = world.log / f"{name}.log"
    with running(artefact, name, {**environment(name), **world.environment}, log) as function:
        answer: dict[str, Any] = function.invoke(event)
    assert "errorType" not in answer, (answer, log.read_text()[-3000:])
    return answer


def selected(name: str) -> set[str]:
    """What the machine reads of a step's answer."""
    return {path.removeprefix("$.Payload.") for path in states(definition())[name]["ResultSelector"].values()}


@pytest.mark.skipif(available() != "", reason=available())
def test_each_function_answers_its_event_from_the_build(artefact: Artefact, world: World) -> None:
    """One run, its steps called in turn as the machine calls them; nothing here is ours but the world around."""
    answers = {name: call(name, artefact, world) for name in ("OpenRun", "CheckSession")}
    assert answers["OpenRun"] == {"run_id": "rebalance-2026-11-20", "epoch": 1, "first_turn": 0, "turn": {"turns": 0}}
    assert answers["CheckSession"]["decision"] == SessionDecision.WAIT
    assert answers["CheckSession"]["until"] == "2026-11-20T14:35:00Z"

    world.at(14, 35, 1)
    answers |= {name: call(name, artefact, world) for name in ("PlanOrders", "ValidateQuotes", "PlaceOrders")}
    assert answers["PlanOrders"] == {"orders": 2}
    assert answers["ValidateQuotes"] == {"use": 2, "hold": 0}
    assert answers["PlaceOrders"]["placed"] == 2

    world.at(14, 35, 31)
    answers |= {name: call(name, artefact, world) for name in ("RepegOrders", "WatchRuns", "CloseRun", "SweepOrders")}
    assert answers["RepegOrders"]["decision"] == Next.WAIT
    assert answers["RepegOrders"]["working"] == 2
    assert answers["WatchRuns"] == {"alerts": []}
    assert answers["CloseRun"]["outcome"] == "settled"
    # The event is of an execution that ended after its run was closed.
    assert answers["SweepOrders"]["outcome"] == "over"

    assert set(answers) == set(of_type(written(), FUNCTION))
    for name in set(answers) & set(states(definition())):
        assert selected(name) <= set(answers[name]), name


@pytest.mark.skipif(available() != "", reason=available())
def test_no_function_writes_the_keys_down(world: World) -> None:
    logs = list(world.log.glob("*.log"))
    assert {log.stem for log in logs} == set(of_type(written(), FUNCTION))
    written_down = [log.stem for log in logs for secret in KEYS.values() if secret in log.read_text()]
    assert written_down == []
