"""The operator's commands: set the kill switch, cancel the stack's open orders, and read back what is still open.

Nothing here refuses: a part that does not work is named in the answer, and the other parts are still done.
"""

from __future__ import annotations

from repeg.domain.child_order import OrderReport
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, RepegError, StoreUnavailable
from repeg.domain.notice import SWITCH_CHANGED
from repeg.domain.operating import UNREAD, BrokerView, OpenOrder, OperatorAnswer
from repeg.domain.order_ids import OrderId
from repeg.domain.run import KillSwitch
from repeg.domain.session import trading_date, wire
from repeg.domain.time_limits import CANCEL_BATCH, CANCELS_FOR
from repeg.ports import Ports

# Times that the open orders are listed until none is left; a broker takes up to a second or two to close an order.
LOOKS = 5
PAUSE_SECONDS = 1.0


def operate(switch: KillSwitch | None, before: str, ports: Ports) -> OperatorAnswer:
    """Set the switch, unless it is None, and read back what is open. With CANCEL_ALL the open orders are cancelled."""
    ports = ports.for_closing()
    problems: list[str] = []
    previous = before or _read_switch(ports, problems)
    if switch is not None:
        _set_switch(switch, previous, ports, problems)
    asked: dict[str, None] = {}
    is_unfinished = False
    view: BrokerView | None = None
    try:
        if switch is KillSwitch.CANCEL_ALL:
            is_unfinished = _cancel_all(asked, ports, problems)
        view = _view(ports)
    except (BrokerDenied, BrokerUnavailable) as error:
        problems.append(f"the broker: {error}")
    now = _read_switch(ports, problems)
    return OperatorAnswer(
        switch=now,
        before=previous,
        cancelled=tuple(sorted(asked)),
        is_unfinished=is_unfinished and (view is None or view.orders != ()),
        broker=view,
        problems=tuple(dict.fromkeys(problems)),
    )


def _read_switch(ports: Ports, problems: list[str]) -> str:
    try:
        return ports.store.kill_switch().value
    except StoreUnavailable as error:
        problems.append(f"the kill switch could not be read: {error}")
        return UNREAD


def _set_switch(switch: KillSwitch, before: str, ports: Ports, problems: list[str]) -> None:
    try:
        ports.store.set_kill_switch(switch)
    except StoreUnavailable as error:
        problems.append(f"the kill switch could not be set: {error}")
        return
    if before != switch.value:
        _announce(switch, before, ports, problems)


def _announce(switch: KillSwitch, before: str, ports: Ports, problems: list[str]) -> None:
    at = wire(ports.runtime.now())
    detail = {"event_id": f"switch.{switch}.{at}", "switch": switch.value, "previous": before, "at": at}
    try:
        ports.notifier.publish(SWITCH_CHANGED, detail)
    except RepegError as error:
        problems.append(f"the change was not published: {error}")


def _cancel_all(asked: dict[str, None], ports: Ports, problems: list[str]) -> bool:
    """Cancel the stack's open orders until the broker lists none; `asked` gets the ids of all that are to be cancelled.

    Several hundred cancels take minutes of the account's request quota. Returns whether the time was up before each had
    been requested.
    """
    ends = ports.runtime.now() + CANCELS_FOR
    for look in range(LOOKS):
        if look:
            ports.runtime.pause(PAUSE_SECONDS)
        if ports.runtime.now() > ends:
            return True
        ours = _own_orders(ports, problems)
        for first in range(0, len(ours), CANCEL_BATCH):
            if ports.runtime.now() > ends:
                return True
            batch = ours[first : first + CANCEL_BATCH]
            asked |= dict.fromkeys(report.client_order_id for report in batch)
            ports.runtime.map(lambda report: ports.broker.cancel(report.broker_id), batch)
        if not ours:
            break
    return False


def _view(ports: Ports) -> BrokerView:
    clock = ports.broker.clock()
    day = ports.broker.trading_day(trading_date(clock.now))
    return BrokerView(
        account_number=ports.broker.account_number(),
        now=wire(clock.now),
        is_open=clock.is_open,
        opens="" if day is None else wire(day.open),
        closes="" if day is None else wire(day.close),
        orders=tuple(OpenOrder.of(report) for report in _own_orders(ports, [])),
    )


def _own_orders(ports: Ports, problems: list[str]) -> list[OrderReport]:
    """The stack's open orders: those with its tag, and those of its runs from before orders had a tag."""
    listed = ports.broker.open_orders()
    ids = {report.order_id for report in listed if report.order_id is not None}
    ours = {order_id for order_id in ids if order_id.tag == ports.tag or _is_ours(order_id, ports, problems)}
    return sorted((report for report in listed if report.order_id in ours), key=lambda report: report.client_order_id)


def _is_ours(order_id: OrderId, ports: Ports, problems: list[str]) -> bool:
    try:
        held = ports.store.guard(order_id.run_id)
    except StoreUnavailable as error:
        problems.append(f"the run {order_id.run_id} could not be read: {error}")
        return False
    return held is not None and held.order_prefix == order_id.prefix
