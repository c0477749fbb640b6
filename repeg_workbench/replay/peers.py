"""Other execution rules, from their public descriptions, as one compiled function of a book and a rule's numbers."""

from enum import IntEnum
from typing import Final, NamedTuple

from repeg.domain.look import Answer, Book, Standing, Verb, Why, is_alone, spread_in_ticks
from repeg_workbench.replay.side_tape import NEVER

MARKET: Final = NEVER - 1
"""The price of a market order: above every level, below an absent side."""

_LADDER: Final = (500, 750, 950)
_MILLION: Final = 1_000_000


class Style(IntEnum):
    """What a peer does: where it rests, or when it takes."""

    MARKET = 0
    PLUS_TICK = 1
    JOIN = 2
    MID = 3
    INSIDE = 4
    LADDER = 5
    GUARDED = 6
    TWAP = 7


class Peer(NamedTuple):
    """A peer's numbers.

    It follows a near side that is more than `threshold` millionths of its limit away, at most `moves` times, and takes
    at the market after `patience` seconds; `guard` is the widest spread, in millionths, that GUARDED takes.
    """

    style: Style
    threshold: int
    moves: int
    patience: int
    guard: int


def peer_answer(book: Book, own: Standing, elapsed: int, moves: int, peer: Peer) -> Answer:
    """The peer's answer to one look, `elapsed` seconds after its arrival."""
    take = Answer(Verb.TAKE, MARKET, Why.PATIENCE)
    keep = Answer(Verb.KEEP, own.limit, Why.STANDING)
    if peer.style in (Style.MARKET, Style.TWAP) or elapsed >= peer.patience:
        return take
    if peer.style == Style.GUARDED:
        is_narrow = (book.far - book.near) * 2 * _MILLION <= peer.guard * abs(book.far + book.near)
        return take if is_narrow else keep
    if peer.style == Style.LADDER:
        return _climb(book, own, elapsed, peer.patience)
    price = _rest_at(book, peer.style)
    if own.shares == 0:
        return Answer(Verb.REST, price, Why.IMPROVE)
    gap = book.near - own.limit
    is_behind = gap > 0 and gap * _MILLION > peer.threshold * abs(own.limit)
    if peer.style == Style.MID:
        is_behind = not is_alone(book, own) and price > own.limit
    if is_behind and price > own.limit and moves < peer.moves:
        return Answer(Verb.REST, price, Why.IMPROVE)
    return keep


def _rest_at(book: Book, style: Style) -> int:
    if style == Style.PLUS_TICK:
        return book.near + book.tick
    if style == Style.MID:
        return book.near + (book.far - book.near) // 2 // book.tick * book.tick
    if style == Style.INSIDE and spread_in_ticks(book) > 1:
        return book.near + book.tick
    return book.near


def _climb(book: Book, own: Standing, elapsed: int, patience: int) -> Answer:
    """A limit at half, three quarters and nearly all of the spread, a quarter of the time each; then the market."""
    step = elapsed * (len(_LADDER) + 1) // patience
    if step >= len(_LADDER):
        return Answer(Verb.TAKE, MARKET, Why.PATIENCE)
    if is_alone(book, own):
        # Our own quote hides the near side, so a step goes from where we rest towards the far side.
        climbed = own.seconds * (len(_LADDER) + 1) >= patience
        price = own.limit + (book.far - own.limit) // 2 // book.tick * book.tick if climbed else own.limit
    else:
        price = book.near + (book.far - book.near) * _LADDER[step] // 1_000 // book.tick * book.tick
    verb = Verb.REST if own.shares == 0 or price > own.limit else Verb.KEEP
    return Answer(verb, price, Why.IMPROVE)
