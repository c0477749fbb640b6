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
    Expression,
    Node,
    UpdateExpression,
    UpdateExpressionFunction,
)
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]  # untyped
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from repeg_workbench.engine.moto_corrections.patches import Patches

# Most conditions hold values of one turn.
KEPT_CONDITIONS = 1_000


def apply(patches: Patches) -> None:
    """Make all changes of this module."""
    _keep_parsed_updates(patches)
    _look_keywords_up(patches)
    _keep_parts_of_conditions(patches)
    _keep_conditions(patches)
    _compare_productions_by_name(patches)
    _search_kinds_once(patches)
    _cache_node_dispatch(patches)
    _descend_where_needed(patches)


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


def _look_keywords_up(patches: Patches) -> None:
    """Look reserved words up in a set; moto searches a list of 573 for every name."""
    keywords = frozenset(ReservedKeywords.get_reserved_keywords())
    patches.replace(ReservedKeywords, "KEYWORDS", keywords)


def _keep_parts_of_conditions(patches: Patches) -> None:
    """Split each condition into tokens once; the tokens depend on its text alone and are never changed."""

    @functools.cache
    def parts(text: str) -> tuple[Any, ...]:
        return tuple(original(ConditionExpressionParser(text, None, None)))

    def lex(self: Any) -> deque[Any]:
        return deque(parts(self.condition_expression))

    original = patches.replace(ConditionExpressionParser, "_lex_condition_expression", lex)


def _keep_conditions(patches: Patches) -> None:
    """Parse each condition once for the same names and values, which are part of the tree; moto only reads the tree."""
    known: dict[tuple[Any, ...], tuple[Any, list[str], list[str]]] = {}

    def parse(self: Any) -> Any:
        text, given = self.condition_expression, self.expression_attribute_values or {}
        # Without the values that only the update of the same call uses, which differ each time.
        values_used = [(name, value) for name, value in given.items() if text and name in text]
        key = text, repr(self.expression_attribute_names), repr(values_used)
        if key not in known:
            if len(known) >= KEPT_CONDITIONS:
                known.clear()
            known[key] = original(self), self.expr_attr_names_found, self.expr_attr_values_found
        condition, names, values = known[key]
        self.expr_attr_names_found, self.expr_attr_values_found = list(names), list(values)
        return condition

    original = patches.replace(ConditionExpressionParser, "parse", parse)


def _compare_productions_by_name(patches: Patches) -> None:
    """Compare the names of nodes; moto looks each name up first, and finds the same name."""

    def matches(self: Any, nodes: deque[Any], production: list[str]) -> bool:
        del self
        if len(nodes) < len(production):
            return False
        for name, node in zip(production, nodes, strict=False):  # noqa: SIM110 - a generator costs as much again
            if name not in ("*", node.nonterminal):
                return False
        return True

    patches.replace(ConditionExpressionParser, "_matches", matches)


@functools.cache
def _is_node(kind: type) -> bool:
    return issubclass(kind, Node)


@functools.cache
def _has_clauses(kind: type) -> bool:
    return issubclass(kind, (Expression, UpdateExpressionFunction))


def _search_kinds_once(patches: Patches) -> None:
    """Cache by type whether clauses may lie below a node; moto asks an abstract class for every node."""

    def find(self: Any, clause_types: list[type]) -> list[Any]:
        found: list[Any] = []
        for child in self.children or ():
            kind: Any = type(child)
            if kind in clause_types:
                found.append(child)
            elif _has_clauses(kind):
                found.extend(find(child, clause_types))
        return found

    patches.replace(Node, "find_clauses", find)


def _cache_node_dispatch(patches: Patches) -> None:
    """Cache by the two types whether a traverser processes a node; moto tests every class at every node."""
    known: dict[tuple[type, type], type | None] = {}

    def processed_as(traverser: Any, kind: type) -> type | None:
        pair = type(traverser), kind
        if pair not in known:
            known[pair] = next((each for each in traverser.nodes_to_be_processed() if issubclass(kind, each)), None)
        return known[pair]

    def traverse(self: Any, node: Any, child_id: int = -1) -> Any:
        parent = node.parent
        for index, child in enumerate(node.children or ()):
            self.pre_processing_of_child(node, index)
            kind: Any = type(child)
            if _is_node(kind):
                traverse(self, child, index)
        processed = processed_as(self, type(node))
        if processed is not None:
            node = self._processing_map()[processed](node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    patches.replace(DepthFirstTraverser, "traverse_node_recursively", traverse)


def _descend_where_needed(patches: Patches) -> None:
    """Leave a tree's nodes out that a traverser does not process; of the ten for an update, most process only the root
    or kinds of nodes that the tree does not have."""

    def visit(self: Any, tree: Any) -> Any:
        kinds = self.nodes_to_be_processed()
        is_plain = type(self).pre_processing_of_child is DepthFirstTraverser.pre_processing_of_child
        if tree.parent or not is_plain or any(issubclass(kind, kinds) for kind in _kinds_below(tree)):
            return traverse(self, tree)
        if isinstance(tree, kinds):
            tree = self.process(tree)
            tree.parent = None
        return tree

    traverse = patches.replace(DepthFirstTraverser, "traverse", visit)


def _kinds_below(tree: Any) -> set[type]:
    """The types of all nodes below the root."""
    kinds: set[type] = set()
    nodes = [tree]
    while nodes:
        for child in nodes.pop().children or ():
            kind: Any = type(child)
            if _is_node(kind):
                kinds.add(kind)
                nodes.append(child)
    return kinds
