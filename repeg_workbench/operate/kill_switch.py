"""`repeg halt`, `cancel-all` and `resume`: the kill switch of a stack, or of every stack of the account in the region.

The switch is written from here first, because that works without the broker and without any function. Then the stack's
own function cancels, if it is to, and reads back from the broker what is open.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from repeg.domain.errors import RepegError
from repeg.domain.operating import UNREAD, OperatorAnswer
from repeg.domain.run import KillSwitch
from repeg.domain.store_rules import Guard
from repeg_workbench.operate import history
from repeg_workbench.operate.answer import CANNOT, DONE, UNFINISHED, Answer, counted
from repeg_workbench.operate.failures import AWS_ERRORS, CannotOperate, reason
from repeg_workbench.operate.operator import ask
from repeg_workbench.operate.stack import DeployedStack, all_stacks, only_stack
from repeg_workbench.operate.status import open_order_table
from repeg_workbench.operate.workstation import Workstation

_MEANS = {
    KillSwitch.ACTIVE: "runs may send orders",
    KillSwitch.HALT_NEW: "no new order is sent; open orders stay open",
    KillSwitch.CANCEL_ALL: "no new order is sent, open orders are cancelled, and the runs close",
}
_NEXT = {
    KillSwitch.ACTIVE: "A run that `cancel-all` has closed does not go on: start a further one with --run-number.",
    KillSwitch.HALT_NEW: "`repeg cancel-all` cancels the open orders; `repeg resume` lets the runs go on.",
    KillSwitch.CANCEL_ALL: "No run starts until `repeg resume`.",
}


@dataclass(frozen=True)
class Pulled:
    """What was done to one stack, and what was found afterwards. `active` is None if the runs could not be read."""

    stack: DeployedStack
    wanted: KillSwitch
    answer: OperatorAnswer
    active: list[str] | None

    @property
    def is_set(self) -> bool:
        """Whether the switch has been read back as wanted."""
        return self.answer.switch == self.wanted

    @property
    def code(self) -> int:
        """The exit code: 2 if the switch is not set; 1 if orders are open that should not be, or are not known."""
        if not self.is_set:
            return CANNOT
        broker = self.answer.broker
        is_clear = broker is not None and not (self.wanted is KillSwitch.CANCEL_ALL and broker.orders)
        return DONE if is_clear and not self.answer.is_unfinished else UNFINISHED

    @property
    def data(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        answer = self.answer.model_dump(mode="json")
        return {
            "stack": self.stack.name,
            "mode": self.stack.mode,
            "is_set": self.is_set,
            "active": self.active,
            **answer,
        }


def turn(at: Workstation, name: str | None, wanted: KillSwitch, *, is_everywhere: bool) -> Answer:
    """Set the switch of one stack, or of all, one after the other whatever happens to each."""
    if is_everywhere and name is not None:
        raise CannotOperate("--all-stacks is for every stack of the region: leave out --stack")
    stacks = all_stacks(at) if is_everywhere else [only_stack(at, name)]
    if not stacks:
        raise CannotOperate(f"no stack of repeg is in {at.region}: set AWS_DEFAULT_REGION to the region of the stacks")
    # Every switch is set before the first function is called: its cancels may take minutes.
    written = [(stack, *_write(stack, wanted)) for stack in stacks]
    pulled = [_turn(stack, wanted, before, problem) for stack, before, problem in written]
    text = [part for one in pulled for part in _text(one)]
    return Answer({"stacks": [one.data for one in pulled]}, text, max(one.code for one in pulled))


def _turn(stack: DeployedStack, wanted: KillSwitch, before: str, problem: str) -> Pulled:
    answer = _ask(stack, wanted, "" if problem else before)
    problems = tuple(filter(None, (problem, *answer.problems)))
    switch = answer.switch if answer.switch != UNREAD else _read(stack)
    before = answer.before if answer.before != UNREAD else before
    whole = answer.model_copy(update={"switch": switch, "before": before, "problems": problems})
    return Pulled(stack, wanted, whole, _active(stack))


def _ask(stack: DeployedStack, wanted: KillSwitch, before: str) -> OperatorAnswer:
    """What the function did, called again for as long as it has not come to every order and gets on with them."""
    answer = ask(stack, {"switch": wanted.value, "before": before})
    first, asked = answer, set(answer.cancelled)
    while answer.is_unfinished:
        left = "some" if answer.broker is None else len(answer.broker.orders)
        stack.at.note(f"{stack.title}: {counted(len(asked), 'cancel')} requested, {left} orders still open; going on")
        answer = ask(stack, {"switch": wanted.value, "before": wanted.value})
        if asked.issuperset(answer.cancelled):
            break
        asked |= set(answer.cancelled)
    return answer.model_copy(update={"before": first.before, "cancelled": tuple(sorted(asked))})


def _write(stack: DeployedStack, wanted: KillSwitch) -> tuple[str, str]:
    """Write the switch; returns what it was, and what went wrong (empty if nothing did)."""
    before = _read(stack)
    try:
        stack.store.set_kill_switch(wanted)
    except (RepegError, *AWS_ERRORS) as error:
        return before, f"the kill switch could not be written from here: {reason(error, stack.at.region)}"
    return before, ""


def _read(stack: DeployedStack) -> str:
    with suppress(RepegError, *AWS_ERRORS):
        return stack.store.kill_switch().value
    return UNREAD


def _active(stack: DeployedStack) -> list[str] | None:
    try:
        found: list[Guard] = list(history.guards(stack, history.RECENT_DAYS))
    except (RepegError, *AWS_ERRORS):
        return None
    return [guard.run_id for guard in found if not guard.is_over]


def _text(one: Pulled) -> list[str | Table]:
    answer, title = one.answer, one.stack.title
    if not one.is_set:
        head = f"{title}: the kill switch is NOT set to {one.wanted}; it is {answer.switch}. Repeat the command."
    elif answer.before == answer.switch:
        head = f"{title}: the kill switch was {answer.switch} already: {_MEANS[one.wanted]}."
    else:
        head = f"{title}: the kill switch was {answer.before} and is now {answer.switch}: {_MEANS[one.wanted]}."
    text: list[str | Table] = [head]
    if answer.cancelled:
        text.append(f"cancelled: {counted(len(answer.cancelled), 'order')}")
    if answer.is_unfinished:
        text.append("NOT every open order was come to. Repeat the command.")
    text += _open(one)
    text.append(
        f"active runs: {', '.join(one.active) or 'none'}" if one.active is not None else "active runs: not known"
    )
    text += [f"problem: {problem}" for problem in answer.problems]
    return [*text, _NEXT[one.wanted]]


def _open(one: Pulled) -> list[str | Table]:
    broker = one.answer.broker
    if broker is None:
        return ["still open: not known, because the broker was not read; look at the broker's own page"]
    if not broker.orders:
        return ["still open: nothing"]
    return [f"still open: {counted(len(broker.orders), 'order')}", open_order_table(list(broker.orders))]
