"""How a replayed order is cut, as `repeg.domain.policy` does it; compiled by numba."""

from typing import Final

from repeg.domain.child_order import MOST_CHILDREN
from repeg.domain.look import Book, Verb
from repeg_workbench.replay.plans import LONGEST_PATIENCE, Plan
from repeg_workbench.replay.state import State, Task

_TWENTIETH: Final = 20


def for_size(plan: Plan, task: Task, near_size: int) -> Plan:
    """The plan with the patience of an order of this size, where the plan works an order in pieces."""
    if not plan.sliced:
        return plan
    patience = patience_for(plan.patience, slices_of(task.shares, near_size, task.lot))
    return Plan(
        plan.kind, plan.period, patience, plan.horizon + patience - plan.patience, plan.widest, plan.thinnest,
        plan.oldest, plan.moves, plan.attempts, plan.collar, plan.slices, plan.sliced, plan.seeded, plan.rules,
        plan.peer,
    )  # fmt: skip


def patience_for(seconds: int, slices: int) -> int:
    """The patience of so many pieces together, in seconds."""
    return max(seconds, min(seconds * slices, LONGEST_PATIENCE))


def slices_of(target: int, near_size: int, lot: int) -> int:
    """How many pieces an order is worked in, if its side goes on displaying this size."""
    part = max(near_size * _TWENTIETH, lot * _TWENTIETH, target)
    return -(-target * _TWENTIETH // part)


def pieces(target: int, left: int, book: Book, verb: Verb, lot: int) -> int:
    """Shares of the policy's next child: what the side displays, but at least a lot and a twentieth of the target."""
    displayed = book.far_size if verb == Verb.TAKE else book.near_size
    return min(left, max(displayed, lot, -(-target // _TWENTIETH)))


def attempts_left(plan: Plan, state: State) -> int:
    """Orders that may still be sent: until one is filled, and in all."""
    return min(plan.attempts - state.unfilled, MOST_CHILDREN - state.sent)
