"""The build that is deployed: its contents, its layers, and each function's answer to its event."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from repeg.domain.next_step import NextStep
from repeg.domain.page_address import page_key
from repeg.domain.session import SessionDecision
from repeg_workbench.exchange.broker.opening import OpeningAccount
from tests.statemachine.rules import states, tasks
from tests.template.artefact import Artefact, available, build, missing, sam
from tests.template.stack import FUNCTION, REGION, ROOT, definition, of_type, written
from tests.template.world import DAY, KEYS, World, around, client

pytestmark = [
    pytest.mark.skipif(missing() != "", reason=missing()),
    # Build once, in one worker.
    pytest.mark.xdist_group("build"),
]

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="session")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return build(tmp_path_factory.mktemp("build"))


def test_sam_validate_reports_no_problem() -> None:
    validated = sam("validate", "--lint", "--region", REGION)
    assert validated.returncode == 0, validated.stdout + validated.stderr


def test_the_build_has_every_function_and_both_layers(artefact: Artefact) -> None:
    names = {*of_type(written(), FUNCTION), *of_type(written(), "AWS::Serverless::LayerVersion")}
    assert {path.name for path in artefact.folder.iterdir() if path.is_dir()} == names
    for name in of_type(written(), FUNCTION):
        assert [path.name for path in (artefact.folder / name).iterdir()] == ["app.py"]


def test_the_layers_are_well_below_lambdas_size_limit(artefact: Artefact) -> None:
    sizes = [path.stat().st_size for folder in artefact.path for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < 60 * MEGABYTE


def test_the_repeg_layer_contains_exactly_the_source(artefact: Artefact) -> None:
    source = ROOT / "layers" / "repeg" / "python"
    built = next(path for path in artefact.path if (path / "repeg").is_dir())
    ours = {path.relative_to(source): path.read_bytes() for path in _written(source)}
    assert {path.relative_to(built): path.read_bytes() for path in _written(built)} == ours
    # What the pages are made with, beside the modules.
    assert {path.name for path in ours if path.parent.name == "assets"} >= {"page.css", "page.js", "uPlot.iife.min.js"}


def _written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__"]


def test_every_module_is_compiled_to_unchecked_bytecode(artefact: Artefact) -> None:
    """Flag 1 marks hash-based bytecode that is never checked against its source, since /opt is read-only."""
    for folder in artefact.path:
        sources, compiled = set(folder.rglob("*.py")), list(folder.rglob("*.pyc"))
        assert {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in compiled} == sources
        assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\x00\x00\x00"}


def test_the_layers_contain_no_path_of_the_build_machine(artefact: Artefact) -> None:
    for folder in artefact.path:
        assert [
            path for path in folder.rglob("*") if path.is_file() and str(artefact.folder).encode() in path.read_bytes()
        ] == []


def test_the_stubs_serve_every_import_of_alpaca(artefact: Artefact) -> None:
    """The stubs rely on alpaca-py's internals, so every module is imported."""
    imported = artefact.python(
        "import pkgutil, importlib, alpaca, pandas, numpy\n"
        "for module in pkgutil.walk_packages(alpaca.__path__, 'alpaca.'): importlib.import_module(module.name)\n"
        "assert not hasattr(pandas, '__version__') and not hasattr(numpy, '__version__')\n"
        "print(alpaca.__name__)"
    )
    assert imported.stdout == "alpaca\n", imported.stderr


def test_the_layers_have_all_that_a_listening_step_imports(artefact: Artefact) -> None:
    code = "from repeg.adapters.alpaca.live_streams import LiveStreams; print(LiveStreams.__name__)"
    imported = artefact.python(code)
    assert imported.stdout == "LiveStreams\n", imported.stderr


def test_a_stub_names_itself_when_a_missing_attribute_is_used(artefact: Artefact) -> None:
    asked = artefact.python("import pandas; pandas.Timestamp('2026-11-20')")
    assert "pandas is not in the layer, and pandas.Timestamp was asked for" in asked.stderr


def test_the_stubs_do_not_replace_pandas_outside_the_layer() -> None:
    assert hasattr(pd, "__version__")
    found = importlib.util.find_spec("pandas")
    assert found is not None
    assert "stubs" not in str(found.origin)


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


def test_the_layer_pins_the_tested_versions() -> None:
    layer, tested = pins(ROOT / "layers/dependencies/requirements.txt"), pins(ROOT / "requirements/runtime.txt")
    assert layer.items() <= tested.items()
    # Packages of the runtime, packages replaced by stubs, and dependencies of those alone.
    assert tested.keys() - layer.keys() == {"botocore", "numpy", "pandas", "python-dateutil", "six", "tzdata"}


# ── The functions themselves ──────────────────────────────────────────────────────────────────────────────────────────

RUNNABLE = pytest.mark.skipif(available() != "", reason=available())


@pytest.fixture(scope="module")
def world(artefact: Artefact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with around(artefact, tmp_path_factory.mktemp("logs")) as placed:
        yield placed


@pytest.fixture(scope="module")
def answers(world: World) -> dict[str, dict[str, Any]]:
    """The answers of one run, its built steps called in the machine's order."""
    found = {name: world.call(name) for name in ("OpenRun", "CheckSession")}
    world.clock.set(14, 35, 1)
    found |= {name: world.call(name) for name in ("PlanOrders", "ValidateQuotes", "PlaceOrders")}
    world.clock.set(14, 40, 0)
    found |= {
        name: world.call(name)
        for name in ("RepegOrders", "WatchRuns", "ServeOperator", "CloseRun", "SweepOrders", "WritePage")
    }
    return found


@RUNNABLE
def test_every_function_of_the_template_answers(answers: dict[str, dict[str, Any]]) -> None:
    assert set(answers) == set(of_type(written(), FUNCTION))


@RUNNABLE
def test_the_run_opens_and_waits_for_its_window(answers: dict[str, dict[str, Any]]) -> None:
    assert answers["OpenRun"] == {
        "run_id": f"rebalance-{DAY}",
        "epoch": 1,
        "first_turn": 0,
        "step_seconds": 55,
        "turn": {"turns": 0},
    }
    assert answers["CheckSession"]["decision"] == SessionDecision.WAIT
    assert answers["CheckSession"]["until"] == f"{DAY}T14:35:00Z"


@RUNNABLE
def test_both_orders_are_planned_placed_and_held(answers: dict[str, dict[str, Any]]) -> None:
    assert answers["PlanOrders"] == {"orders": 2}
    assert answers["ValidateQuotes"] == {"use": 2, "hold": 0}
    assert answers["PlaceOrders"]["placed"] == 2
    assert (answers["RepegOrders"]["decision"], answers["RepegOrders"]["working"]) == (NextStep.WAIT, 2)


@RUNNABLE
def test_the_run_closes_without_alerts_or_orders_to_sweep(answers: dict[str, dict[str, Any]]) -> None:
    assert answers["WatchRuns"] == {"alerts": []}
    assert (answers["ServeOperator"]["before"], answers["ServeOperator"]["switch"]) == ("active", "halt_new")
    assert len(answers["ServeOperator"]["broker"]["orders"]) == 2
    assert answers["CloseRun"]["outcome"] == "settled"
    # The event is of an execution that ended after its run was closed.
    assert answers["SweepOrders"]["outcome"] == "over"


@RUNNABLE
@pytest.mark.usefixtures("answers")
def test_the_runs_page_is_in_the_bucket_with_its_charts(world: World) -> None:
    stored = client("s3", world.endpoint).get_object(Bucket="Journals", Key=page_key(f"rebalance-{DAY}"))
    page = stored["Body"].read().decode()
    for said in ("uPlot", "AAPL", "KO", "every order has an outcome"):
        assert said in page
    assert "The journal is not whole" not in page


@RUNNABLE
@pytest.mark.parametrize("name", sorted(tasks(definition())))
def test_a_step_returns_every_field_read_by_the_machine(name: str, answers: dict[str, dict[str, Any]]) -> None:
    selected = {path.removeprefix("$.Payload.") for path in states(definition())[name]["ResultSelector"].values()}
    assert selected <= set(answers[name])


@RUNNABLE
@pytest.mark.usefixtures("answers")
def test_the_keys_are_in_no_log_and_no_row(world: World) -> None:
    logs = {path.stem: path.read_bytes() for path in world.logs.glob("*.log")}
    rows = json.dumps(world.rows(), default=str).encode()
    assert set(logs) == set(of_type(written(), FUNCTION))
    assert b"decision" in logs["PlaceOrders"]
    assert b"-rebalance-" in rows
    everything = b"".join([*logs.values(), rows])
    simulated = OpeningAccount()
    secrets = {**KEYS, "simulated": simulated.secret_key}
    assert [name for name, secret in secrets.items() if secret.encode() in everything] == []
