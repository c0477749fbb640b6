"""Planted bugs of the right moment: to go to the market, to send, and to go on."""

from __future__ import annotations

from repeg.adapters.rate_limited_broker import RateLimitedBroker
from repeg.domain import fallback, next_step, peg
from repeg.workflow import looking, planning
from repeg_workbench.faults.planting import Edit, PlantedBug, edited

MOMENT_BUGS: dict[str, PlantedBug] = {
    "market_at_once": edited(
        "an order that may climb to the market is sent there at once",
        Edit(peg, "due_rung", "if settings.trades_at_market:", "if settings.escalation == 'market':"),
    ),
    "fallback_on_any_book": edited(
        "a fallback goes to the market on a book that bounds nothing",
        Edit(fallback, "fallback_rung", "may_be_market and is_bounded", "may_be_market"),
        seen_by="tests/domain/test_fallback.py::test_a_market_fallback_needs_a_book_that_bounds_its_price",
    ),
    "sent_however_late": edited(
        "an order waits for the request quota for as long as it takes, and is sent then",
        Edit(RateLimitedBroker, "_write", ", until=intent.not_after", ""),
        Edit(RateLimitedBroker, "_write", "intent.expired_at(self._limiter.now)", "''"),
    ),
    "line_forgotten": edited(
        "the last line of a plan is dropped when its orders are sized",
        Edit(planning, "_draft", "list(size(request).orders)", "list(size(request).orders)[:1]"),
    ),
    "line_left": edited(
        "a line whose order was cancelled is not placed again",
        Edit(next_step, "after_turn", "return NextStep.VALIDATE if", "return NextStep.WAIT if"),
    ),
    "turns_late": edited(
        "the next turn is waited for a quarter of an hour longer",
        Edit(looking, "next_turn_of", "on_grid = next_turn(", "on_grid = timedelta(minutes=15) + next_turn("),
    ),
}
