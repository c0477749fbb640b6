"""Journals of closing steps with control orders, as earlier runs have left them in the stack's bucket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from repeg.domain.journal import Entry, Ruling
from repeg.domain.journal_file import StepName, encode, key_of
from repeg.domain.journalled_rules import OBSERVATION
from repeg.domain.observed import Trades, observe
from repeg.domain.outcome import Outcome
from repeg.domain.quote import Side
from tests.builders import NOON, a_day, an_order, settings_with
from tests.domain.test_observed import execution, filled_child, intent_of
from tests.operate.operator import Operator

RUNS, ORDERS = 6, 5


def keep_control_orders(operator: Operator, price: str, runs: int = RUNS) -> None:
    """Five control orders a run, bought at a price on a book of 100.00 × 100.05: 100.045 is 0.8 half-spreads."""
    s3, bucket = operator.day.engine.client("s3"), operator.day.engine.stack.physical_id("JournalBucket")
    for days in range(1, runs + 1):
        at = NOON - timedelta(days=days)
        run_id = f"earlier-{at.date().isoformat()}"
        step = StepName(run_id, "CloseRun", at, "1")
        s3.put_object(Bucket=bucket, Key=key_of(step), Body=encode(step, list(_measured(run_id, price))))


def _measured(run_id: str, price: str) -> Iterator[Entry]:
    for number in range(ORDERS):
        child = filled_child(None, is_control=True)
        order = an_order(Side.BUY, "100", child, symbol=f"S{number}", run_id=run_id, outcome=Outcome.FILLED)
        day = a_day()
        trades = Trades(
            executions=(execution("100", price),), intents=(intent_of(child),), opens=day.open, closes=day.close
        )
        settings = settings_with(control_share="1", data_feed="iex")
        inputs = {"order": order, "trades": trades, "book": None, "settings": settings}
        ruling = Ruling(OBSERVATION, inputs, observe(order, trades, None, settings))
        yield Entry(NOON, run_id, order.symbol, "measure", "", "", *ruling)
