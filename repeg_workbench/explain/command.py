"""`repeg explain`: an order's story from the journal of its run, and the answers to what a person asks of it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from repeg_workbench.explain.answers import headline, questions
from repeg_workbench.explain.checked import differing
from repeg_workbench.explain.figures import clock
from repeg_workbench.explain.found import Place, RunJournal, find_journal
from repeg_workbench.explain.spent_time import in_words, spent
from repeg_workbench.explain.story import Line, OrderStory, stories
from repeg_workbench.explain.unfilled import why_not_filled
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer, listed, table
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.workstation import Workstation

MOST_SHOWN = 5
NOT_WHOLE = "The journal is not whole, or does not add up; the above is what it still shows"

# Journalled for the run, and told with the orders that it is about.
_IN_THE_STORIES = frozenset({"release", "size"})


def explain(at: Workstation, place: Place, symbol: str | None, *, is_every: bool = False) -> Answer:
    """The story of one order, or of all in short. Code 1 if something of the journal is missing or does not add up.

    Raises CannotOperate for a run or a symbol that is not there, with what is.
    """
    journal = find_journal(at, place)
    told = stories(journal, journal.symbols if symbol is None else [_known(journal, symbol)])
    shown = {story.symbol for story in told} | {"run", "session"}
    wrong = [*journal.problems, *differing(each for each in journal.entries if each.entry.subject in shown)]
    text = _overview(journal, told) if symbol is None else _whole(told[0], is_every=is_every)
    data = {
        "run_id": journal.run_id,
        "problems": wrong,
        "orders": [_as_json(story, is_every=is_every) for story in told],
    }
    return Answer(data, [*text, *listed(NOT_WHOLE, wrong, MOST_SHOWN)], UNFINISHED if wrong else DONE)


def _known(journal: RunJournal, symbol: str) -> str:
    if symbol.upper() in journal.symbols:
        return symbol.upper()
    close = difflib.get_close_matches(symbol.upper(), journal.symbols, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise CannotOperate(
        f"symbol: {journal.run_id} has no order for {symbol!r}; {hint}it has {', '.join(journal.symbols) or 'none'}"
    )


def _overview(journal: RunJournal, told: Sequence[OrderStory]) -> list[str | Table]:
    run = [each.entry for each in journal.entries if each.entry.subject in {"run", "session"}]
    made = table("time", "what", "detail", "reason")
    for entry in (entry for entry in run if entry.verb not in _IN_THE_STORIES):
        made.add_row(clock(entry.at), entry.verb, entry.detail, entry.reason)
    text: list[str | Table] = [journal.run_id, made]
    for story in told:
        why = why_not_filled(story) or in_words(story)
        text += ["", headline(story), *([f"  {why}"] if why else [])]
    return [*text, "", f"`repeg explain … SYMBOL` tells an order's story: {', '.join(story.symbol for story in told)}."]


def _whole(story: OrderStory, *, is_every: bool) -> list[str | Table]:
    text: list[str | Table] = [headline(story)]
    for asked, answer in questions(story):
        text += ["", asked, f"  {answer}"]
    made = table("time", "what", "detail", "reason")
    for line in story.lines(is_every=is_every):
        made.add_row(_when(line), f"{line.verb}{' !' if line.is_abnormal else ''}", line.detail, line.why)
    return [*text, "", "Decision by decision:", made]


def _when(line: Line) -> str:
    return clock(line.at) if line.times == 1 else f"{clock(line.at)} to {clock(line.until)}, {line.times}×"


def _as_json(story: OrderStory, *, is_every: bool) -> dict[str, Any]:
    order = story.order
    return {
        "symbol": story.symbol,
        "headline": headline(story),
        "outcome": None if order is None else order.outcome,
        "answers": {question.asked: question.answer for question in questions(story)},
        "seconds": {part.state: part.length.total_seconds() for part in spent(story)},
        "story": [
            {"at": line.at, "until": line.until, "times": line.times, "verb": line.verb, "detail": line.detail,
             "why": line.why, "is_abnormal": line.is_abnormal}
            for line in story.lines(is_every=is_every)
        ],
    }  # fmt: skip
