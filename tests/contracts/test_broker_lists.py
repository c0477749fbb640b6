"""The Broker port's contract for the list of a day's orders, on the twin and on alpaca-py."""

from __future__ import annotations

from datetime import timedelta

from repeg.domain.broker import Accepted
from repeg.domain.session import trading_date
from tests.contracts.desks import Desk
from tests.contracts.words import an_intent, an_order


def test_orders_since_a_date_include_the_closed_ones(desk: Desk) -> None:
    ended, ours = an_intent(an_order(), 1), an_intent(an_order(), 2)
    answer = desk.broker.submit(ended)
    assert isinstance(answer, Accepted)
    desk.pass_time()
    desk.broker.cancel(answer.report.broker_id)
    assert isinstance(desk.broker.submit(ours), Accepted)
    desk.pass_time()
    day = trading_date(desk.broker.clock().now)
    found = {order.client_order_id: order.is_closed for order in desk.broker.orders_since(day)}
    assert found == {ended.client_order_id: True, ours.client_order_id: False}
    assert desk.broker.orders_since(day + timedelta(days=1)) == []
