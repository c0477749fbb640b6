"""Makes journalled decisions again from their inputs: one that differs was edited, or made by other rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from repeg.adapters.journal.files import Journalled
from repeg.domain.journalled_rules import decide_again
from repeg_workbench.explain.figures import clock


def differing(entries: Iterable[Journalled]) -> Iterator[str]:
    """What does not follow from its inputs, in words, and what cannot be made again."""
    for each in entries:
        entry = each.entry
        if not entry.rule:
            continue
        what = f"{entry.subject} at {clock(entry.at)}, {entry.verb}"
        try:
            again = decide_again(entry.rule, each.inputs)
        except KeyError:
            yield f"{what}: this release has no rule {entry.rule}, or an input of it is missing"
            continue
        except (TypeError, ValueError, ValidationError, AttributeError, ArithmeticError) as error:
            yield f"{what}: its inputs are not readable by this release ({type(error).__name__})"
            continue
        if again != entry.answer:
            yield f"{what}: this release's rules decide otherwise on the same inputs"
