"""Counts each alert in a metric as it is published, and measures each run that ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from repeg.ports import Notifier

# The metric of each kind of alert. The watchdog's handler counts WatchFailures itself: a failed check must be counted
# even if the event bus is what failed.
METRICS = {
    "repeg.watch.missed_run": "MissedRuns",
    "repeg.watch.stuck_run": "StuckRuns",
    "repeg.watch.left_open": "OrdersLeftOpen",
    "repeg.watch.order_lost": "OrdersLost",
    "repeg.watch.books_differ": "BooksDiffer",
    "repeg.watch.cash_negative": "CashNegative",
    "repeg.watch.unreadable_row": "UnreadableRows",
}

# The ends of a run, and the metrics of the figures in their totals.
ENDS = frozenset({"repeg.run.settled", "repeg.run.failed"})
FIGURES = {
    "cost_bps": "ArrivalCostBps",
    "market_cost_bps": "MarketCostBps",
    "filled_notional": "FilledNotional",
}


# The metrics of a run's shortfall against its decision prices.
SHORTFALL = {"bps": "ShortfallBps", "dollars": "ShortfallDollars"}


class CountingNotifier:
    """A Notifier that counts what another one has published, so that no function can publish an alert uncounted."""

    def __init__(
        self, notifier: Notifier, count: Callable[[str, int], None], measure: Callable[[str, float], None]
    ) -> None:
        self._notifier = notifier
        self._count = count
        self._measure = measure

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Publish one event, then count it if it is an alert."""
        self._notifier.publish(kind, detail)
        if kind in METRICS:
            self._count(METRICS[kind], 1)
        if kind in ENDS:
            self._measure_shortfall(((detail.get("costs") or {}).get("shortfall")) or {})
        totals = detail.get("totals") if kind in ENDS else None
        if totals and float(totals.get("filled_notional") or 0):
            for figure, metric in FIGURES.items():
                if totals.get(figure) is not None:
                    self._measure(metric, float(totals[figure]))

    def _measure_shortfall(self, shortfall: dict[str, Any]) -> None:
        for figure, metric in SHORTFALL.items():
            if shortfall.get(figure) is not None:
                self._measure(metric, float(shortfall[figure]))
