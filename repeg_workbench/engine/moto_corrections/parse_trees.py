"""Parse trees of definitions, kept in files between processes: moto's lexer and parser take half a second for one.

Speed alone: the tree depends on the text and on the versions of moto and ANTLR; the program is built from it each time.
Observed with the pinned version by profiling `repeg simulate`; no upstream report was found.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from antlr4 import CommonTokenStream, InputStream, ParserRuleContext
from antlr4.Token import CommonToken
from antlr4.tree.Tree import TerminalNodeImpl
from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.parse.asl_parser import ASLParserException, SyntaxErrorListener

from repeg_workbench.engine.kept import kept

_PACKAGES = ("moto", "antlr4-python3-runtime")

# A shorter definition, in characters, is parsed faster than its file is worth.
SHORT = 4_096


def tree_of(definition: str) -> ParserRuleContext:
    """The parse tree of a definition. Raises ASLParserException for one with syntax errors."""
    if len(definition) < SHORT:
        return parsed(definition)
    basis = [definition, *(version(name) for name in _PACKAGES)]
    return rebuilt(kept("parse-tree", basis, lambda: flattened(parsed(definition))))


def parsed(definition: str) -> ParserRuleContext:
    """The tree as moto's parser makes it."""
    listener: Any = SyntaxErrorListener()  # type: ignore[no-untyped-call]
    parser: Any = ASLParser(CommonTokenStream(ASLLexer(InputStream(definition))))
    parser.removeErrorListeners()
    parser.addErrorListener(listener)
    tree: ParserRuleContext = parser.state_machine()
    if listener.errors:
        raise ASLParserException(errors=listener.errors)
    return tree


def flattened(node: Any) -> list[Any]:
    """The tree as JSON: of a rule its class and its children, of a terminal its type and its text."""
    if isinstance(node, TerminalNodeImpl):
        return [node.symbol.type, node.symbol.text]
    return [type(node).__name__, [flattened(child) for child in node.children or []]]


def rebuilt(flat: list[Any], parent: Any = None) -> Any:
    """The tree of `flattened`, with all that the interpreter reads: classes, children, parents, types and texts."""
    kind, content = flat
    if isinstance(kind, int):
        return _terminal(kind, content, parent)
    made = object.__new__(getattr(ASLParser, kind))
    ParserRuleContext.__init__(made, parent)
    made.parser = None
    made.children = [rebuilt(child, made) for child in content] or None
    return made


def _terminal(kind: int, text: str, parent: Any) -> TerminalNodeImpl:
    token = CommonToken(type=kind)
    token.text = text
    node = TerminalNodeImpl(token)
    node.parentCtx = parent
    return node
