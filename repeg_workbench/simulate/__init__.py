"""`repeg simulate`: one trading day through the deployed stack, as a tape and a summary."""

from __future__ import annotations

from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from repeg_workbench.engine.placeholders import in_place_of

STUBS = Path(__file__).parents[2] / "layers" / "dependencies" / "stubs"


def _stub(name: str) -> ModuleType:
    """The deployed layer's stub of a library."""
    spec = spec_from_file_location(name, STUBS / name / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"the layer has no stub of {name}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


with in_place_of({"pandas": _stub("pandas")}):  # alpaca-py imports pandas, which takes a third of a second
    import_module("repeg.wiring")
