"""The original rule, `repeg.domain.peg.decide` under `policy: anchor`, in whole numbers for the replay.

A test compares its decisions with that function's on a large sample.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from repeg.domain.look import Answer, Book, Standing, Verb, Why, spread_in_ticks

MOST_MOVES: Final = 10
THRESHOLD: Final = 1_000
"""How far the near side must have moved away, in millionths of our limit."""

_MILLION: Final = 1_000_000


class Step(IntEnum):
    """The rungs up to the far side within the collar."""

    PASSIVE = 0
    MID = 1
    CROSS = 2


class Climbed(NamedTuple):
    """An answer and the rung that it is for."""

    answer: Answer
    rung: int


def anchor_answer(
    book: Book,
    own: Standing,
    rung: int,
    moves: int,
    collar: int,
    patience_spent: bool,  # noqa: FBT001
) -> Climbed:
    """The original rule's answer to one look."""
    due = _due(book, own, rung, moves, collar, patience_spent)
    price = _limit(book, due, collar)
    verb = Verb.TAKE if due == Step.CROSS else Verb.REST
    if own.shares == 0 or due != rung:
        return Climbed(Answer(verb, price, Why.PATIENCE if due > rung else Why.IMPROVE), due)
    if rung == Step.CROSS and own.limit < min(book.far, collar):
        return Climbed(Answer(Verb.TAKE, collar, Why.PATIENCE), rung)
    keep = Climbed(Answer(Verb.KEEP, own.limit, Why.STANDING), rung)
    if rung == Step.CROSS or book.near <= own.limit or own.limit == collar:
        return keep
    if price <= own.limit or not _is_left_behind(book, own, rung) or moves >= MOST_MOVES:
        return keep
    return Climbed(Answer(Verb.REST, price, Why.IMPROVE), rung)


def _due(book: Book, own: Standing, rung: int, moves: int, collar: int, patience_spent: bool) -> int:  # noqa: FBT001
    moves_spent = own.shares > 0 and moves >= MOST_MOVES and _is_left_behind(book, own, rung)
    if not (patience_spent or moves_spent):
        return rung
    resting = own.limit if own.shares > 0 else min(book.near, collar)
    for higher in range(rung + 1, Step.CROSS + 1):
        if _limit(book, higher, collar) > resting:
            return higher
    return rung


def _limit(book: Book, rung: int, collar: int) -> int:
    if rung == Step.CROSS:
        return collar
    if rung == Step.MID:
        return min(book.near + (book.far - book.near) // 2 // book.tick * book.tick, collar)
    return min(book.near + book.tick if spread_in_ticks(book) > 1 else book.near, collar)


def _is_left_behind(book: Book, own: Standing, rung: int) -> bool:
    gap = book.near - own.limit
    return rung != Step.CROSS and gap >= book.tick and gap * _MILLION > THRESHOLD * abs(own.limit)
