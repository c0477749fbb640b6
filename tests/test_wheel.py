"""The wheel has both packages with their types, and nothing of the repository beside them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


def test_the_wheel_has_the_two_typed_packages_and_the_license(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as opened:
        names = [Path(name) for name in opened.namelist()]
    packages = {name.parts[0] for name in names if not name.parts[0].endswith(".dist-info")}
    assert packages == {"repeg", "repeg_workbench"}
    assert {Path("repeg/py.typed"), Path("repeg_workbench/py.typed")} <= set(names)
    assert "LICENSE" in {name.name for name in names}
