"""Mutations of the expressions that DynamoDB evaluates: conditions and updates, which Python sees as text."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What stands in an expression, and what a mutant has there instead.
_SWAPS = (
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r"<=", "<"),
    (r"<=", ">"),
    (r"<(?![=>])", "<="),
    (r"<(?![=>])", ">"),
    (r"(?<![<>]) = ", " <> "),
    (r"\battribute_not_exists\b", "attribute_exists"),
    (r"\battribute_exists\b", "attribute_not_exists"),
)
_UPDATE = re.compile(r"^(SET|ADD) (.*)$")


def is_expression(text: str) -> bool:
    """Whether a text is an expression, or a part of one: it names an attribute."""
    return ("#" in text and " " in text.strip()) or "attribute_" in text


def changed_expressions(text: str) -> Iterator[str]:
    """Each mutant of an expression."""
    update = _UPDATE.match(text)
    if update:
        clauses = update[2].split(", ")
        yield from (f"{update[1]} {', '.join(rest)}" for rest in _without_each(clauses) if rest)
        return
    for pattern, new in _SWAPS:
        for found in re.finditer(pattern, text):
            yield text[: found.start()] + new + text[found.end() :]
    for word in (" AND ", " OR "):
        if word in text and "(" not in text.replace("(#", ""):
            yield from (word.join(rest) for rest in _without_each(text.split(word)))


def _without_each(parts: list[str]) -> Iterator[list[str]]:
    yield from (parts[:n] + parts[n + 1 :] for n in range(len(parts)) if len(parts) > 1)
