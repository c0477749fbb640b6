"""The replayed policy decides as `peg.decide` does under `policy: normal`, on a large sample."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from repeg.domain import peg
from repeg.domain.attempts import attempts_left as deployed_left
from repeg.domain.attempts import is_next_whole
from repeg.domain.child_order import ChildState, Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.look import Verb, usual_spread
from repeg.domain.pieces import patience_of, piece
from repeg.domain.policy import book_of, depends_on_fills, having_looked, rules_of, standing
from repeg.domain.quote import Quote, Side
from repeg.domain.settings import Settings
from repeg_workbench.replay.filling import Child, Taken, Tally
from repeg_workbench.replay.memory import sample
from repeg_workbench.replay.pieces import attempts_left, patience_for, pieces, slices_of
from repeg_workbench.replay.plans import RULES, ours
from repeg_workbench.replay.state import SECOND, Memory, State, Task
from repeg_workbench.replay.walk import decide, is_unsure
from tests.builders import MONDAY, NOON, a_child, a_moment, after_noon, an_order, settings_with
from tests.replay.test_anchor import Dice

NORMAL = settings_with(policy="normal")
SAMPLE = 20_000
VERBS = {Action.HOLD: Verb.KEEP, Action.PLACE: Verb.REST, Action.MOVE: Verb.REST, Action.CROSS: Verb.TAKE}
PLAN = ours(300)


def dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def test_the_replay_has_the_numbers_of_the_default_settings() -> None:
    defaults = Settings()
    assert rules_of(defaults) == RULES
    assert defaults.patience_seconds == ours(300).patience
    assert Decimal(PLAN.widest) / 10_000 == defaults.max_spread_pct
    assert (PLAN.thinnest, PLAN.oldest) == (defaults.min_volume_shares, defaults.max_quote_age_seconds)
    assert PLAN.moves == defaults.max_repegs
    assert Decimal(PLAN.collar) / 100 == defaults.max_slippage_bps


@pytest.mark.parametrize("filled_at", [0, 60, 300])
@pytest.mark.parametrize("seconds", [1, 60, 1_810])
def test_attempts_are_kept_in_the_replay_as_in_the_deployed_policy(filled_at: int, seconds: int) -> None:
    quote, plan, seen = a_book(Dice(), 10_001, 10_004), PLAN._replace(patience=1_800), set()
    book, moment = book_of(Side.BUY, quote, MONDAY, NORMAL), a_moment(after_noon(seconds), turn_seconds=2)
    for sent in (2, 90, 95, 96, 97, 98, 99, 100, 101, 156, 157, 158, 395, 396, 397, 398, 399, 400):
        ended = [a_child("100.00", state=ChildState.CANCELED, n=n) for n in range(1, sent)]
        if 0 < filled_at < sent:
            ended[filled_at - 1] = a_child("100.00", state=ChildState.CANCELED, n=filled_at, filled="1")
        order = an_order(Side.BUY, "10000", *ended, a_child("100.00", qty="1000", n=sent), first_placed_at=NOON)
        unfilled = sent - filled_at if filled_at < sent else sent
        child = Child(1_000_000, 1_000, 0, 0, 0)
        state = a_state(child)._replace(sent=sent, unfilled=unfilled)
        assert attempts_left(PLAN, state) == deployed_left(order, NORMAL)
        decision = peg.decide(order, quote.model_copy(update={"at": moment.now}), moment, NORMAL)
        answer, _ = decide(TASK, plan, book, state, seconds * SECOND, 1_005_000, 3)
        assert answer.verb == VERBS[decision.verb], (sent, decision, answer)
        placed = Decision(verb=Action.PLACE, reason="", because="", rung=Rung.PASSIVE, limit=Decimal(100))
        shares = piece(order, quote, placed, Decimal(9_000), moment, NORMAL)
        assert (shares == 9_000) is is_next_whole(attempts_left(PLAN, state))
        seen.add((answer.verb, shares))
    assert len(seen) > 1


def test_the_replayed_policy_decides_as_the_deployed_one() -> None:
    dice, seen = Dice(), set()
    for _ in range(SAMPLE):
        side, bid = (Side.BUY, Side.SELL)[dice.between(0, 1)], 10_000 + dice.between(-30, 30)
        quote = a_book(dice, bid, bid + dice.one_of(1, 1, 1, 2, 3, 4, 6, 12))
        near, far = (quote.bid, quote.ask) if side is Side.BUY else (-quote.ask, -quote.bid)
        collar = 10_000 * side.sign + dice.one_of(5, 50, 50)
        limit = min(int(near * 100) + dice.one_of(-2, -1, 0, 0, 0, 1), int(far * 100) - 1, collar)
        shares, seconds = dice.one_of(0, 100, 100), dice.one_of(2, 29, 30, 60, 310)
        spreads = tuple(dice.one_of(1, 1, 3, 6) for _ in range(dice.between(0, 4)))
        children = [a_child(str(dollars(limit * side.sign)))] if shares else []
        sent = near + Decimal(dice.one_of(-3, -1, 0, 0, 2)) / 100, far + Decimal(dice.one_of(-2, 0, 1, 2, 4)) / 100
        known: dict[str, Any] = {"collar": dollars(collar * side.sign), "first_placed_at": NOON, "spreads": spreads}
        if dice.between(0, 4) > 0:
            known |= {"sent_near": sent[0] * side.sign, "sent_far": sent[1] * side.sign}
        order, moment = an_order(side, "100", *children, **known), a_moment(after_noon(seconds), turn_seconds=2)
        decision = peg.decide(order, quote.model_copy(update={"at": moment.now}), moment, NORMAL)
        state = a_state(Child(limit * 100, shares, 0, 0, 0))
        if shares and "sent_far" in known:
            state = state._replace(near=int(sent[0] * 10_000), far=int(sent[1] * 10_000))
        book = book_of(side, quote, MONDAY, NORMAL)
        ticks = usual_spread(spreads) or (book.far - book.near) // book.tick
        answer, _ = decide(TASK, PLAN, book, state, seconds * SECOND, collar * 100, ticks)
        assert answer.verb == VERBS[decision.verb], (order, quote, decision, answer)
        if decision.sends:
            assert decision.limit == dollars(answer.price * side.sign // 100)
        unsure = is_unsure(TASK, PLAN, book, state._replace(read=-1), seconds * SECOND, collar * 100, ticks)
        assert unsure is depends_on_fills(order, quote, moment, NORMAL)
        seen.add((decision.verb, decision.reason, unsure))
    assert len(seen) >= 14, seen
    assert any(unsure for *_, unsure in seen)


def test_the_replayed_pieces_are_those_of_the_deployed_policy() -> None:
    dice = Dice()
    for _ in range(2_000):
        quote = a_book(dice, 10_000, 10_004)
        target, left = dice.between(1, 6_000), dice.between(1, 6_000)
        verb = (Verb.REST, Verb.TAKE)[dice.between(0, 1)]
        rung = "take" if verb is Verb.TAKE else "passive"
        decision = Decision(verb=Action.PLACE, reason="", because="", rung=rung, limit=Decimal(100))  # type: ignore[arg-type]
        order = an_order(Side.BUY, str(max(target, left)))
        deployed = piece(order, quote, decision, Decimal(left), a_moment(), NORMAL)
        book = book_of(Side.BUY, quote, MONDAY, NORMAL)
        assert pieces(int(order.target), left, book, verb, 100) == deployed


def test_the_replayed_patience_is_that_of_the_deployed_policy() -> None:
    dice = Dice()
    for _ in range(500):
        quote, target = a_book(dice, 10_000, 10_004), dice.between(1, 60_000)
        order = an_order(Side.BUY, str(target), arrival=quote)
        slices = slices_of(target, int(quote.bid_size), 100)
        for patience, policy in ((60, "urgent"), (300, "normal"), (1_800, "patient")):
            deployed = patience_of(order, settings_with(policy=policy))
            assert patience_for(patience, slices) == deployed.total_seconds()


def test_the_replayed_memory_is_that_of_the_deployed_policy() -> None:
    dice, order = Dice(), an_order()
    memory = Memory(np.zeros(16, np.int64), 0, 0, 0)
    for step in range(400):
        now = after_noon(7 * step)
        quote = a_book(dice, 10_000, 10_000 + dice.between(1, 9)).model_copy(update={"at": now})
        moment = a_moment(now)
        book, own = book_of(Side.BUY, quote, MONDAY, NORMAL), standing(order, moment)
        order = having_looked(order, quote, moment, NORMAL)
        memory = sample(memory, book, own, 7 * step * SECOND + SECOND)
        assert memory.usual == usual_spread(order.spreads)


TASK = Task(0, 100, SECOND // 10, 1, 100, 100, 0)


def a_state(child: Child) -> State:
    return State(0, 0, child, Taken(0, 0), Tally(0, 0, 0, 0, 0), 0, 0, 0, 0, 0, 0, child.shares, 0, 0, 0, 0)


def a_book(dice: Dice, bid: int, ask: int) -> Quote:
    return Quote(
        symbol="AAPL", bid=dollars(bid), bid_size=Decimal(dice.one_of(100, 200, 400, 900)), ask=dollars(ask),
        ask_size=Decimal(dice.one_of(100, 200, 400, 900)), at=NOON,
    )  # fmt: skip
