"""What keeps a run from sending orders: the kill switch, and in a live stack an arming record that has expired."""

from __future__ import annotations

from datetime import datetime

from repeg.domain.arming import NOT_ARMED
from repeg.domain.run import KillSwitch, Run
from repeg.ports import Ports


def switch_now(run: Run, now: datetime, ports: Ports) -> KillSwitch:
    """The kill switch as it holds for this run. Raises StoreUnavailable if it cannot be read.

    A live stack that is not armed counts as `cancel_all`: the run sends no new order, and closes. A preview sends
    nothing and needs no arming.
    """
    kill = ports.store.kill_switch()
    if kill is KillSwitch.CANCEL_ALL or run.preview or ports.store.is_armed(now):
        return kill
    return KillSwitch.CANCEL_ALL


def words_of(kill: KillSwitch, now: datetime, ports: Ports) -> str:
    """Which switch it is that keeps the run from sending, in words; empty if none does."""
    if kill is KillSwitch.ACTIVE:
        return ""
    is_set = ports.store.kill_switch() is not KillSwitch.ACTIVE or ports.store.is_armed(now)
    return f"the kill switch is {kill}" if is_set else f"{NOT_ARMED} any more"
