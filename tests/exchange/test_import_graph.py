"""The exchange's modules import each other in one direction only, imports for type checkers included."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

from repeg_workbench import exchange

ROOT = Path(exchange.__file__).parent
PACKAGE = exchange.__name__

BASE = frozenset({"broker_quirks", "figures", "messages", "refusal", "seeds", "time", "triggers", "units"})
"""Modules and packages that every layer may import."""

LAYERS: dict[str, set[str]] = {
    "market": set(),
    "matching": {"market"},
    "faults": set(),
    "broker": {"market", "matching"},
    "api": {"market", "matching", "broker"},
    "streams": {"market", "matching", "broker", "api"},
    "control": {"market", "broker", "faults", "api"},
    "core": {"market", "matching", "faults", "broker", "api", "streams", "control"},
    "serving": {"market", "matching", "faults", "broker", "api", "streams", "control", "core"},
}
"""The other sub-packages each sub-package may import. Only `serving` imports the assembled exchange, `core`."""

Graph = Mapping[str, set[str]]


def test_the_exchange_has_no_import_cycle() -> None:
    assert cycles(import_graph(ROOT)) == []


def test_every_exchange_package_imports_only_the_layers_below_it() -> None:
    assert forbidden(import_graph(ROOT)) == []


def test_every_exchange_package_has_a_place_in_the_layers() -> None:
    layers = {layer(module) for module in import_graph(ROOT)}
    assert layers == set(LAYERS) | BASE


def test_an_import_cycle_for_types_alone_is_found(tmp_path: Path) -> None:
    package = tmp_path / "exchange"
    package.mkdir()
    for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from {} import {}\n"
    (package / "core.py").write_text(f"from {PACKAGE} import api\n")
    (package / "api.py").write_text(for_types.format(PACKAGE, "desk"))
    (package / "desk.py").write_text(for_types.format(f"{PACKAGE}.core", "Exchange"))
    (package / "units.py").write_text("import json\n")
    assert cycles(import_graph(package)) == [["api", "core", "desk"]]


def test_an_import_from_a_higher_layer_is_found() -> None:
    graph = {
        "market.recorded": {"units", "market.symbol_day"},
        "broker.desk": {"api.gate"},
        "units": {"market.scripted"},
    }
    assert forbidden(graph) == ["broker.desk imports api.gate", "units imports market.scripted"]


def import_graph(root: Path) -> dict[str, set[str]]:
    """Each module under the root with the modules of the exchange it imports, at any depth of its code."""
    paths = {_name(path, root): path for path in sorted(root.rglob("*.py"))}
    return {name: _imports(path) & set(paths) for name, path in paths.items() if name}


def cycles(graph: Graph) -> list[list[str]]:
    """The groups of modules that reach each other, each sorted."""
    reached = {module: _reachable(graph, module) for module in graph}
    groups = {frozenset(b for b in reached[a] if a in reached[b]) for a in graph if a in reached[a]}
    return sorted(sorted(group) for group in groups)


def forbidden(graph: Graph) -> list[str]:
    """The imports that the table of layers does not allow."""
    return [
        f"{module} imports {target}"
        for module, targets in sorted(graph.items())
        for target in sorted(targets)
        if layer(target) not in {layer(module), *LAYERS.get(layer(module), ()), *BASE}
    ]


def layer(module: str) -> str:
    """The sub-package of a module, or the module itself at the top level."""
    return module.partition(".")[0]


def _name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(_inside(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(_inside([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]))
    return found


def _inside(names: Iterable[str]) -> set[str]:
    return {name.removeprefix(f"{PACKAGE}.") for name in names if name.startswith(f"{PACKAGE}.")}


def _reachable(graph: Graph, start: str) -> set[str]:
    reached: set[str] = set()
    todo = list(graph[start])
    while todo:
        module = todo.pop()
        if module not in reached:
            reached.add(module)
            todo += graph.get(module, ())
    return reached
