"""Publishing what an operator must look at, and that a run has begun."""

from __future__ import annotations

from collections.abc import Sequence

from repeg.domain.errors import RepegError
from repeg.domain.notice import RUN_OPENED, WATCH
from repeg.domain.order_news import held_for_long
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run_health import Alert
from repeg.domain.sizing import symbols_of
from repeg.ports import Ports
from repeg.workflow.turn import Turn

# The verb of an entry that tells of a long hold.
LONG_HOLD = "held_long"


def publish_alerts(alerts: Sequence[Alert], ports: Ports) -> list[Alert]:
    """Publish each alert under its finding, at least once; returns them."""
    for alert in alerts:
        ports.notifier.publish(f"{WATCH}{alert.finding}", alert.model_dump(mode="json"))
    return list(alerts)


def tell_long_holds(turn: Turn, orders: Sequence[ParentOrder]) -> None:
    """Tell of each order that has been held for long."""
    for order in orders:
        news = held_for_long(order, turn.window.opens, turn.now)
        if news is not None:
            turn.journal(news.symbol, LONG_HOLD, reason=news.reason, news=news)


def announce_opening(turn: Turn) -> None:
    """Publish that a run has begun. An event bus that does not answer must not keep a run from trading."""
    run = turn.run
    detail = {
        "event_id": f"{run.run_id}.opened",
        "run_id": run.run_id,
        "orders": len(symbols_of(run.plan)),
        "preview": run.preview,
    }
    try:
        turn.ports.notifier.publish(RUN_OPENED, detail)
    except RepegError as error:
        turn.warn("run", "unpublished", run.run_id, str(error))
