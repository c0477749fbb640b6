"""The rules page explains every term of the rules."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from repeg.domain import peg
from repeg.domain.child_order import Rung
from repeg.domain.control import CONTROL
from repeg.domain.decision import Action
from repeg.domain.fallback import FALLBACK
from repeg.domain.funding import Funding
from repeg.domain.outcome import Outcome
from repeg.domain.quote import QuoteVerdict
from repeg.domain.session import SessionDecision
from repeg.domain.setting_types import Escalation

PAGE = (Path(__file__).parents[2] / "docs" / "trading-rules.md").read_text(encoding="utf-8")

WORDS = {
    "near",
    "order_notional",
    "collar",
    "working",
    "not_arrived",
    "moves_spent",
    "near_moved",
    "patience_spent",
    "close_is_near",
}
PLACING = {"improve", "join", "market_orders"}
LOOKS = {"imbalance", "tight", "step_back", "follow", "retreat"}


@pytest.mark.parametrize("word", sorted({*QuoteVerdict, *Outcome, *Funding, *Escalation, *Rung} - {Rung.PASSIVE}))
def test_every_verdict_outcome_grant_and_rung_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("word", sorted(WORDS | PLACING | LOOKS | {FALLBACK, CONTROL}))
def test_every_reason_of_a_decision_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_the_listed_reasons_match_the_rules_module() -> None:
    found = set(_texts(ast.parse(Path(peg.__file__).read_text(encoding="utf-8"))))
    assert found >= WORDS | PLACING
    assert {text for text in found if "_" in text} <= WORDS | PLACING | {"_"}


def test_every_action_and_session_decision_is_explained() -> None:
    for verb in Action:
        assert verb in PAGE
    for decision in SessionDecision:
        assert decision in PAGE


def _texts(tree: ast.AST) -> Iterable[str]:
    """The single-word string constants of a module, which are its reasons."""
    return (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.replace("_", "a").isalpha()
    )
