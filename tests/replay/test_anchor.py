"""The original rule in whole numbers decides as `peg.decide` does, on a large sample."""

from datetime import timedelta
from decimal import Decimal

import numpy as np

from repeg.domain import peg
from repeg.domain.child_order import Child, Rung
from repeg.domain.decision import Action
from repeg.domain.look import Book, Standing, Verb
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg_workbench.replay.anchor import Step, anchor_answer
from tests.builders import NOON, a_child, a_moment, a_quote, settings_with
from tests.builders import an_order as built

RUNGS = (Rung.PASSIVE, Rung.MID, Rung.CROSS)
VERBS = {
    Action.HOLD: Verb.KEEP,
    Action.PLACE: Verb.REST,
    Action.MOVE: Verb.REST,
    Action.CROSS: Verb.TAKE,
}
SAMPLE = 20_000


def dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


class Dice:
    """Seeded draws."""

    def __init__(self) -> None:
        self._generator = np.random.default_rng(11)

    def between(self, low: int, high: int) -> int:
        return int(self._generator.integers(low, high + 1))

    def one_of(self, *numbers: int) -> int:
        return numbers[self.between(0, len(numbers) - 1)]


def test_the_replayed_original_rule_decides_as_the_deployed_one() -> None:
    dice, seen = Dice(), set()
    for _ in range(SAMPLE):
        side, bid = (Side.BUY, Side.SELL)[dice.between(0, 1)], 10_000 + dice.between(-30, 30)
        ask = bid + dice.one_of(1, 1, 2, 3, 4, 5, 8, 12)
        rung, moves, spent = RUNGS[dice.between(0, 2)], dice.one_of(0, 3, 9, 10), dice.between(0, 9) < 3
        collar = 10_000 + side.sign * dice.one_of(5, 50, 50)
        near, far = (bid, ask) if side is Side.BUY else (-ask, -bid)
        limit = min(near + dice.between(-14, 4), far - 1, collar * side.sign) * side.sign
        has_child = dice.between(0, 9) < 8
        order = an_order(side, rung, moves, collar, limit if has_child else None, spent=spent)
        decision = peg.decide(order, a_quote(str(dollars(bid)), str(dollars(ask))), a_moment(), settings_with())
        own, book = Standing(limit * side.sign, 100 * has_child, 30), Book(near, 500, far, 500, 1)
        answer, due = anchor_answer(book, own, RUNGS.index(rung), moves, collar * side.sign, patience_spent=spent)
        assert answer.verb == VERBS[decision.verb], (order, decision, answer)
        if decision.sends:
            assert decision.limit == dollars(answer.price * side.sign)
            assert Step(due) == RUNGS.index(decision.rung)
        seen.add((decision.verb, decision.reason))
    assert len(seen) > 10


def an_order(side: Side, rung: Rung, moves: int, collar: int, limit: int | None, *, spent: bool) -> ParentOrder:
    ago = timedelta(seconds=400 if spent else 100)
    children: tuple[Child, ...] = ()
    if limit is not None:
        children = (a_child(str(dollars(limit)), rung=rung),)
    return built(side, "100", *children, collar=dollars(collar), rung=rung, moves=moves, first_placed_at=NOON - ago)
