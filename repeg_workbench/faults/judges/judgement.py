"""The judgement of a day: what either judge finds, and every disagreement between them."""

from __future__ import annotations

from collections.abc import Iterable

from repeg_workbench.faults.judges.first import first_judgement
from repeg_workbench.faults.judges.record import DayRecord
from repeg_workbench.faults.judges.second import COMMON, second_judgement
from repeg_workbench.faults.judges.verdict import Violation


def judge(record: DayRecord) -> list[Violation]:
    """Every violation of the documented rules in a day's record; that the two judges disagree is one as well."""
    first, second = first_judgement(record), second_judgement(record)
    return [*first, *(each for each in second if each.name not in COMMON), *disagreements(first, second)]


def disagreements(first: Iterable[Violation], second: Iterable[Violation]) -> list[Violation]:
    """What one judge finds and the other does not, of the rules that both decide."""
    one, other = (
        {(each.name, _line_of(each.subject)) for each in found if each.name in COMMON} for found in (first, second)
    )
    only = [(name, subject, "first") for name, subject in one - other]
    only += [(name, subject, "second") for name, subject in other - one]
    return [
        Violation("judges_disagree", 0, subject, f"only the {finder} finds {name}")
        for name, subject, finder in sorted(only)
    ]


def _line_of(subject: str) -> str:
    """The line of a plan that a client order id belongs to: one judge may name a later order of it than the other."""
    return subject.rsplit(".", 2)[0]
