"""Clients other than alpaca-py trade with a served exchange, as real processes with their published packages.

A package is installed once, at a pinned version, into a folder for temporary files; without its registry the test is
skipped and says why.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.served import Served, served

FOREIGN = Path(__file__).parent / "foreign"
UNHURRIED = ("--knob", "requests_per_minute=none", "--knob", "data_requests_per_minute=none", "--speed", "5")
JAVASCRIPT = "@alpacahq/alpaca-trade-api@3.1.3"
PYTHON = ("alpaca-trade-api==3.2.0", "deprecation==2.1.0", "websockets==10.4")
"""The SDK without its own dependencies, whose pins are older than Python 3.11, and two that it does not run without."""

PATIENCE = 120


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("exchange"), *UNHURRIED) as running:
        yield running


def installed(name: str, command: Sequence[str], product: str) -> Path:
    """The folder in which a command has installed a package; skips the test if it cannot."""
    folder = Path(tempfile.gettempdir()) / f"repeg-foreign-{name}"
    if not (folder / product).is_dir():
        program = shutil.which(command[0])
        if program is None:
            pytest.skip(f"{command[0]} is not installed")
        folder.mkdir(exist_ok=True)
        try:
            done = subprocess.run(
                [program, *command[1:]], cwd=folder, check=False, capture_output=True, text=True, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"{name} was not installed within {PATIENCE} seconds")
        if done.returncode or not (folder / product).is_dir():
            pytest.skip(f"{name} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return folder


def run(exchange: Served, *command: str, **environment: str) -> dict[str, Any]:
    """What a bot printed at its end."""
    call = [*command, exchange.url, *exchange.keys]
    done = subprocess.run(call, check=False, capture_output=True, text=True, timeout=PATIENCE, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.mark.xdist_group("foreign")
def test_the_javascript_client_reads_trades_and_streams(exchange: Served) -> None:
    quiet = ("--no-audit", "--no-fund", "--no-save", "--prefix", ".")
    folder = installed("npm-3.1.3", ("npm", "install", *quiet, JAVASCRIPT), "node_modules/@alpacahq/alpaca-trade-api")
    node = shutil.which("node")
    assert node is not None
    seen = run(exchange, node, str(FOREIGN / "bot.js"), NODE_PATH=str(folder / "node_modules"))
    assert seen.pop("ask") > 0
    assert seen.pop("cash")
    assert seen == {"open": True, "bars": 5, "event": "fill", "symbol": "QQQ"}


@pytest.mark.xdist_group("foreign")
def test_the_older_python_client_reads_trades_and_streams(exchange: Served) -> None:
    quiet = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", ".")
    folder = installed("python-3.2.0", (sys.executable, *quiet, *PYTHON), "alpaca_trade_api")
    paths = {"PYTHONPATH": str(folder), "APCA_API_DATA_URL": exchange.url, "PYTHONDONTWRITEBYTECODE": "1"}
    seen = run(exchange, sys.executable, "-W", "ignore", str(FOREIGN / "bot.py"), **paths)
    assert seen.pop("ask") > 0
    assert seen.pop("cash")
    assert seen == {"open": True, "bars": 5, "event": "fill", "streamed": "QQQ", "symbol": "QQQ"}
