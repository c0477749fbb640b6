"""`repeg arm` and `disarm`: the record without which a live stack sends no order."""

from __future__ import annotations

from datetime import datetime

from repeg.domain.arming import expiry
from repeg.domain.session import NEW_YORK
from repeg_workbench.command_options import read_date
from repeg_workbench.operate import history
from repeg_workbench.operate.answer import CANNOT, DONE, UNFINISHED, Answer
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import DeployedStack, find_stack, only_stack
from repeg_workbench.operate.workstation import Workstation

LIMITS = ("AllowedSymbols", "MaxOrderNotional", "MaxRunNotional", "MaxDayNotional", "MaxRunOrders")


def arm(at: Workstation, stack: str | None, until: str, *, is_confirmed: bool, is_json: bool) -> Answer:
    """Arm live trading through a New York date, at most 31 days. Raises CannotOperate for a paper stack."""
    if is_json and not is_confirmed:
        raise CannotOperate("--json asks no question: add --yes to arm, or leave out --json")
    expires = expiry(read_date(until), at.runtime.now())
    found = find_stack(at, stack)
    if found.mode != "live":
        raise CannotOperate(f"stack {found.name} trades on paper and needs no arming; give --stack of a live stack")
    limits = {name: found.parameters.get(name, "") for name in LIMITS}
    if not is_confirmed and not at.confirm(
        f"{_limits(limits)}\nArm {found.title} with REAL MONEY until {_shown(expires)}?"
    ):
        return Answer({"armed": False}, ["not armed; nothing has changed"], UNFINISHED)
    found.store.set_armed_until(expires)
    return _read_back(found, expires, limits)


def disarm(at: Workstation, stack: str | None) -> Answer:
    """Take the record back: no new order is sent, and live runs close at their next turn."""
    found = only_stack(at, stack)
    found.store.set_armed_until(None)
    active = [guard.run_id for guard in history.guards(found, history.RECENT_DAYS) if not guard.is_over]
    left = found.store.armed_until()
    text = [f"{found.title}: live trading is {'not armed' if left is None else f'STILL armed until {_shown(left)}'}"]
    if active:
        text.append(f"active runs close at their next turn: {', '.join(active)}; follow them with `repeg watch`")
    data = {"stack": found.name, "mode": found.mode, "armed_until": None, "active": active}
    return Answer(data, text, DONE if left is None else CANNOT)


def _read_back(stack: DeployedStack, expires: datetime, limits: dict[str, str]) -> Answer:
    left = stack.store.armed_until()
    is_armed = left == expires
    said = f"is armed until {_shown(expires)}" if is_armed else f"is NOT armed as asked, but until {left}"
    data = {
        "stack": stack.name, "mode": stack.mode, "armed": is_armed, "limits": limits,
        "armed_until": None if left is None else left.isoformat(),
    }  # fmt: skip
    return Answer(data, [f"{stack.title}: live trading {said}; `repeg disarm` ends it"], DONE if is_armed else CANNOT)


def _limits(limits: dict[str, str]) -> str:
    return "limits: " + ", ".join(f"{name} {value or 'none'}" for name, value in limits.items())


def _shown(instant: datetime) -> str:
    return f"{instant.astimezone(NEW_YORK):%Y-%m-%d %H:%M} New York"
