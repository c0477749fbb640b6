"""What the operator's commands ask of the stack, and what it answers."""

from __future__ import annotations

from repeg.domain.amount import Amount
from repeg.domain.child_order import OrderReport
from repeg.domain.frozen import Frozen
from repeg.domain.run import KillSwitch

UNREAD = "unknown"


class OperatorPayload(Frozen):
    """The kill switch as it is to be; None only looks. `before` is the switch that the caller has replaced already."""

    switch: KillSwitch | None = None
    before: str = ""


class OpenOrder(Frozen):
    """One open order of the stack, as the broker lists it. Quantities in shares, the limit in dollars."""

    client_order_id: str
    run_id: str
    symbol: str
    side: str
    qty: Amount
    filled_qty: Amount
    limit: Amount | None
    status: str

    @classmethod
    def of(cls, report: OrderReport) -> OpenOrder:
        """The order of a report."""
        run_id = report.order_id.run_id if report.order_id is not None else ""
        return cls(
            client_order_id=report.client_order_id, run_id=run_id, symbol=report.symbol, side=report.side.value,
            qty=report.qty, filled_qty=report.filled_qty, limit=report.limit, status=report.status,
        )  # fmt: skip


class BrokerView(Frozen):
    """What the broker says now: its time, the day's session in UTC (empty without one), and the account's number.

    `is_open` is whether the core session is on. `orders` are the stack's open orders.
    """

    account_number: str
    now: str
    is_open: bool
    opens: str
    closes: str
    orders: tuple[OpenOrder, ...]


class OperatorAnswer(Frozen):
    """The kill switch before and after (`unknown` if the table did not answer), the ids of the orders whose cancel was
    requested, and the broker's view afterwards.

    `is_unfinished` says that the time was up before the cancel of each open order had been requested: another such call
    goes on. `broker` is None if the broker could not be read; `problems` say what did not work, in words.
    """

    switch: str
    before: str
    cancelled: tuple[str, ...] = ()
    is_unfinished: bool = False
    broker: BrokerView | None = None
    problems: tuple[str, ...] = ()
