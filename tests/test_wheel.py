"""The wheel has both packages with their types and what the engine deploys, and needs nothing of the repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from repeg_workbench.deployed_files import ROOT as DEPLOYED

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)
# Builds the wheel, and is not part of it.
BUILDS = {"hatchling"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    return Path(built)


def test_the_wheel_has_the_two_typed_packages_and_the_license(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = [Path(name) for name in opened.namelist()]
    packages = {name.parts[0] for name in names if not name.parts[0].endswith(".dist-info")}
    assert packages == {"repeg", "repeg_workbench"}
    assert {Path("repeg/py.typed"), Path("repeg_workbench/py.typed")} <= set(names)
    assert "LICENSE" in {name.name for name in names}


def test_the_wheel_carries_what_the_engine_deploys(wheel: Path) -> None:
    assert DEPLOYED == ROOT, "the repository deploys its own files, and no copies"
    with zipfile.ZipFile(wheel) as opened:
        carried = {
            name.removeprefix("repeg_workbench/deployed/"): opened.read(name)
            for name in opened.namelist()
            if name.startswith("repeg_workbench/deployed/")
        }
    expected = [ROOT / "template.yaml", *(ROOT / "functions").glob("*/app.py"), *(ROOT / "statemachine").glob("*.json")]
    for path in expected:
        assert carried[path.relative_to(ROOT).as_posix()] == path.read_bytes()
    assert [name for name in carried if "__pycache__" in name] == []


def declared() -> dict[str, Requirement]:
    """The dependencies that the wheel declares."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {Requirement(text).name: Requirement(text) for text in project["dependencies"]}


def test_the_pinned_versions_satisfy_the_declared_ranges() -> None:
    pins = dict(PINNED.findall((ROOT / "requirements" / "workbench.txt").read_text(encoding="utf-8")))
    for name, requirement in declared().items():
        assert requirement.specifier, f"{name} has no range"
        assert requirement.specifier.contains(pins[name]), f"{name} is pinned to {pins[name]}"


def test_the_wheel_declares_every_requirement_of_the_workbench() -> None:
    texts = [(ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8") for name in ("runtime", "workbench")]
    lines = [line for text in texts for line in text.splitlines() if line and line[0] not in "#-"]
    assert {Requirement(line).name for line in lines} - BUILDS <= set(declared())


def test_an_installed_wheel_runs_the_demo_outside_of_the_repository(wheel: Path, tmp_path: Path) -> None:
    """In an empty environment, from the registry that pip is configured with."""
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    environment = clean | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    home = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, env=clean, cwd=tmp_path)
    python = str(home / "bin" / "python")
    reach = subprocess.run(
        [python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path / "reached"), "typer"],
        env=clean, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if reach.returncode != 0:
        pytest.skip(f"no package registry can be reached: {reach.stderr.strip()[-200:]}")
    install = [python, "-m", "pip", "install", "--quiet", "--no-compile", str(wheel)]  # most of it is never imported
    subprocess.run(install, check=True, env=clean, cwd=tmp_path)
    done = subprocess.run([str(home / "bin" / "repeg"), "demo"], env=environment, cwd=tmp_path, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\d\d:\d\d:\d\d  AAPL +finish", done.stdout, re.MULTILINE)
    assert "settled" in done.stdout
