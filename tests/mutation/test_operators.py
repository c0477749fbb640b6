"""Each operator makes exactly its mutants of a piece of code, and none of what is written for people."""

from __future__ import annotations

import ast

import pytest

from repeg_workbench.mutation.condition_text import changed_expressions
from repeg_workbench.mutation.money_modules import MONEY_MODULES, selected
from repeg_workbench.mutation.mutants import Kind, Mutant, MutatedModule

SNIPPETS = {
    "if price < bid: go()": [
        "comparison: price < bid → price <= bid", "comparison: price < bid → price >= bid",
        "statement removed: go() → pass",
    ],
    "if found is None and is_open: go()": [
        "and/or: found is None and is_open → found is None or is_open", "condition dropped: found is None → dropped",
        "condition dropped: is_open → dropped", "comparison: found is None → found is not None",
        "statement removed: go() → pass",
    ],
    "if not is_open: spent += cost": [
        "negation dropped: not is_open → is_open", "arithmetic: spent += cost → spent -= cost",
        "statement removed: spent += cost → pass",
    ],
    "return is_open": ["returns None: return is_open → return None"],
    "return qty * price - 2": [
        "returns None: return qty * price - 2 → return None", "arithmetic: qty * price - 2 → qty * price + 2",
        "arithmetic: qty * price → qty / price", "constant: 2 → 3", "constant: 2 → 1",
    ],
    "left = max(cash, Decimal('0.05'))": [
        "max/min: max(cash, Decimal('0.05')) → min(cash, Decimal('0.05'))", "constant: '0.05' → '0.06'",
        "constant: '0.05' → '0.04'",
    ],
    "found = any(each.open for each in orders if each.ours)": [
        "any/all: any((each.open for each in orders if each.ours)) → all((each.open for each in orders if each.ours))",
        "condition dropped: each.ours → dropped", "condition negated: each.ours → not each.ours",
    ],
    "order = replace(order, held=None)": ["argument dropped: held=None → dropped"],
    "first = next(each, None)": ["argument dropped: None → dropped"],
    "while True: break": [
        "constant: True → False", "break/continue: break → continue",
    ],
    "raise StillOpen(left + 1)": ["statement removed: raise StillOpen(left + 1) → pass"],
    "wanted = [put, *checks]": ["element dropped: put → dropped", "element dropped: *checks → dropped"],
    "order = order.model_copy(update={'held': None, 'n': n})": [
        "element dropped: 'held': None → dropped", "element dropped: 'n': n → dropped",
    ],
}  # fmt: skip

FOR_PEOPLE = [
    '"""Docstring with 1 and True."""',
    'turn.journal(order.symbol, "finish", f"{filled + 1} of {target}", reason)',
    "turn.warn('run', 'hold', reason=f'{1 < 2}')",
    'name = f"{qty + 1} shares"',
    "name = 'a text'",
    "nothing: int",
]


@pytest.mark.parametrize("code", SNIPPETS)
def test_a_piece_of_code_has_exactly_its_mutants(code: str) -> None:
    found = [f"{mutant.operator}: {mutant.before} → {mutant.after}" for mutant in mutants_of(code)]
    assert sorted(found) == sorted(SNIPPETS[code])


@pytest.mark.parametrize("code", FOR_PEOPLE)
def test_text_for_people_has_no_mutants(code: str) -> None:
    assert mutants_of(code) == []


def test_a_boolean_function_also_returns_the_negation() -> None:
    (none, negation) = module("def f() -> bool:\n    return ask()").mutants.values()
    assert (none.after, negation.after) == ("return None", "return not ask()")


def test_a_number_is_also_returned_negative() -> None:
    (none, negative) = module("def f() -> Decimal:\n    return cost").mutants.values()
    assert (none.after, negative.after) == ("return None", "return -cost")


def test_annotations_and_decorators_have_no_mutants() -> None:
    assert module("@cache(1)\ndef f(x: Row[1]) -> Row[2]:\n    ...\n").mutants == {}


def test_a_constant_an_argument_and_a_field_are_mutated_where_they_are() -> None:
    code = "MOST = 3\n\n\ndef f(n=1): ...\n\n\nclass Row:\n    count: int = 2\n"
    found = [(mutant.scope.kind, mutant.scope.name, mutant.before) for mutant in module(code).mutants.values()]
    assert found[::2] == [(Kind.CONSTANT, "MOST", "3"), (Kind.ARGUMENT, "f", "1"), (Kind.FIELD, "Row.count", "2")]


def test_a_types_alias_has_no_mutants() -> None:
    assert module("Action = Put | Update\nValue = str | bool\nRow = dict[str, Value]\n").mutants == {}


def test_the_expressions_of_the_table_are_mutated_in_its_adapter_only() -> None:
    code = 'held = Condition("#a = :a AND #b = :b")'
    assert module(code, "domain.limits").mutants == {}
    assert len(module(code, "adapters.dynamodb.store").mutants) == 5


@pytest.mark.parametrize(
    ("expression", "mutants"),
    [
        ("#n <= :most", ["#n < :most", "#n > :most"]),
        ("#until < :now", ["#until <= :now", "#until > :now"]),
        ("#a = :a", ["#a <> :a"]),
        ("attribute_exists(#pk)", ["attribute_not_exists(#pk)"]),
        ("#a = :a OR #b = :b",
         ["#a = :a AND #b = :b", "#a <> :a OR #b = :b", "#a = :a OR #b <> :b", "#b = :b", "#a = :a"]),
        ("SET #a = :a, #b = :b", ["SET #b = :b", "SET #a = :a"]),
        ("ADD #n :one", []),
    ],
)  # fmt: skip
def test_an_expression_has_exactly_its_mutants(expression: str, mutants: list[str]) -> None:
    assert list(changed_expressions(expression)) == mutants


@pytest.mark.parametrize("name", MONEY_MODULES)
def test_each_mutant_compiles_and_the_tree_is_whole_again_afterwards(name: str) -> None:
    source = MutatedModule(name)
    before = ast.dump(source.tree)
    for mutant in source.mutants.values():
        with source.mutated(mutant) as tree:
            compile(tree, name, "exec")
    assert ast.dump(source.tree) == before


def test_a_mutants_name_does_not_depend_on_where_it_stands() -> None:
    code = "def f():\n    return a + 1\n"
    assert list(module(code).mutants) == list(module(f"# a comment\n\n\n{code}").mutants)
    assert module(code).digest == module(f"# a comment\n\n\n{code}").digest


def test_equal_mutants_of_a_function_are_numbered() -> None:
    keys = list(module("def f():\n    a(1)\n    b(1)\n").mutants)
    assert "domain.limits.f: 1 → 2 (2)" in keys
    assert len(keys) == len(set(keys))


def test_a_jump_is_seen_by_tests_that_run_what_leads_to_it() -> None:
    """Python counts a jump at the end of a branch as the line that it jumps to."""
    code = "def f():\n    while a:\n        try:\n            go()\n        except Late:\n            break\n"
    (jump,) = (mutant for mutant in module(code).mutants.values() if mutant.before == "break")
    assert list(jump.lines) == [5, 6]


def test_modules_are_selected_by_their_last_name_too() -> None:
    assert selected("funding") == ["workflow.funding", "domain.funding"]
    assert selected("domain.funding,tick") == ["domain.funding", "domain.tick"]
    with pytest.raises(ValueError, match="--modules: 'tock' is not a mutated module; expected some of workflow"):
        selected("tock")


def mutants_of(code: str) -> list[Mutant]:
    """The mutants of statements in a function."""
    lines = "\n".join(f"    {line}" for line in code.splitlines())
    return list(module(f"def f():\n{lines}\n    ...\n").mutants.values())


def module(code: str, name: str = "domain.limits") -> MutatedModule:
    return MutatedModule(name, code)
