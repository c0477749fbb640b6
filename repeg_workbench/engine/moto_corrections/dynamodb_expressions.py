"""Caches for moto's DynamoDB expressions, which it parses, copies and traverses again for every call.

Speed alone; observed with the pinned version by profiling a day of a hundred orders. No upstream report was found.
"""

# ruff: noqa: S301 - it unpickles only its own pickles
from __future__ import annotations

import copy
import functools
import pickle
from collections import deque
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import (  # type: ignore[attr-defined]  # untyped
    DepthFirstTraverser,
    Node,
    UpdateExpression,
)
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]  # untyped

from repeg_workbench.engine.moto_corrections.patches import Patches


def apply(patches: Patches) -> None:
    """Make all changes of this module."""
    _keep_parsed_updates(patches)
    _keep_parts_of_conditions(patches)
    _cache_node_dispatch(patches)


def _keep_parsed_updates(patches: Patches) -> None:
    """Parse each update expression once; each use unpickles a copy, because the evaluation changes it."""

    @functools.cache
    def pickled(expression: Any) -> bytes:
        return pickle.dumps(expression)

    def copied(value: Any) -> Any:
        return pickle.loads(pickled(value)) if isinstance(value, UpdateExpression) else copy.deepcopy(value)

    parse = functools.cache(UpdateExpressionParser.make)
    patches.replace(UpdateExpressionParser, "make", staticmethod(parse))
    patches.replace(validators, "deepcopy", copied)


def _keep_parts_of_conditions(patches: Patches) -> None:
    """Split each condition into tokens once; the tokens depend on its text alone and are never changed."""

    @functools.cache
    def parts(text: str) -> tuple[Any, ...]:
        return tuple(original(ConditionExpressionParser(text, None, None)))

    def lex(self: Any) -> deque[Any]:
        return deque(parts(self.condition_expression))

    original = patches.replace(ConditionExpressionParser, "_lex_condition_expression", lex)


def _cache_node_dispatch(patches: Patches) -> None:
    """Cache by the two types whether a traverser processes a node; moto tests every class at every node."""
    known: dict[tuple[type, type], bool] = {}

    def is_processed(traverser: Any, node: Any) -> bool:
        pair = type(traverser), type(node)
        if pair not in known:
            known[pair] = isinstance(node, Node) and isinstance(node, traverser.nodes_to_be_processed())
        return known[pair]

    def traverse(self: Any, node: Any, child_id: int = -1) -> Any:
        parent = getattr(node, "parent", None)
        for index, child in enumerate(getattr(node, "children", None) or ()):
            self.pre_processing_of_child(node, index)
            traverse(self, child, index)
        if is_processed(self, node):
            node = self.process(node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    patches.replace(DepthFirstTraverser, "traverse_node_recursively", traverse)
