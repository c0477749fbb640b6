"""Values kept in files between processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from antlr4 import ParserRuleContext

from repeg_workbench.engine.kept import MOST_FILES, kept
from repeg_workbench.engine.moto_corrections.parse_trees import flattened, parsed, rebuilt, tree_of

DEFINITION = Path(__file__).parents[2] / "statemachine" / "execute_plan.asl.json"


class Maker:
    """Counts how often the value is made."""

    def __init__(self, value: Any = None) -> None:
        self.value = value
        self.made = 0

    def __call__(self) -> Any:
        self.made += 1
        return self.value


def test_a_kept_value_is_made_once_for_its_basis(tmp_path: Path) -> None:
    make = Maker({"a": [1, "two"]})
    assert kept("thing", ["text"], make, tmp_path) == kept("thing", ["text"], make, tmp_path) == {"a": [1, "two"]}
    assert make.made == 1


def test_another_basis_or_kind_is_another_value(tmp_path: Path) -> None:
    make = Maker(1)
    for kind, basis in (("thing", ["text"]), ("thing", ["text", "2"]), ("other", ["text"]), ("thing", ["te", "xt"])):
        kept(kind, basis, make, tmp_path)
    assert make.made == 4


def test_a_broken_file_is_made_again_and_replaced(tmp_path: Path) -> None:
    kept("thing", ["text"], Maker(1), tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text("[1, ", encoding="utf-8")
    assert kept("thing", ["text"], Maker(1), tmp_path) == 1
    assert file.read_text(encoding="utf-8") == "1"


def test_a_value_is_returned_where_no_file_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert kept("thing", ["text"], Maker(1), tmp_path / "file" / "folder") == 1


def test_the_oldest_files_are_deleted(tmp_path: Path) -> None:
    for n in range(MOST_FILES + 3):
        kept("thing", [str(n)], Maker(n), tmp_path)
    assert len(list(tmp_path.iterdir())) == MOST_FILES


def test_a_rebuilt_parse_tree_has_the_classes_and_texts_of_the_parsed_one() -> None:
    tree = parsed(DEFINITION.read_text(encoding="utf-8"))
    again = rebuilt(json.loads(json.dumps(flattened(tree))))
    assert again.getText() == tree.getText()
    assert [described(node) for node in walk(again)] == [described(node) for node in walk(tree)]


def test_every_node_of_a_rebuilt_tree_knows_its_parent() -> None:
    tree = tree_of(DEFINITION.read_text(encoding="utf-8"))
    nodes = list(walk(tree))
    assert len(nodes) > 1_000
    assert all(child.parentCtx is node for node in nodes for child in children(node))


def children(node: Any) -> list[Any]:
    return (node.children or []) if isinstance(node, ParserRuleContext) else []


def walk(node: Any) -> Any:
    yield node
    for child in children(node):
        yield from walk(child)


def described(node: Any) -> tuple[str, Any, str]:
    is_rule = isinstance(node, ParserRuleContext)
    return type(node).__name__, node.getRuleIndex() if is_rule else node.symbol.type, node.getText()
