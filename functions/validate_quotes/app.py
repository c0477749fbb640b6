"""ValidateQuotes: check the quote of each order that is not placed yet."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import BrokerUnavailable
from repeg.domain.parent_order import ParentState
from repeg.domain.steps import QuotesValidated, RunRef
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.quote_check import apply_quote_check, is_held_by_book, past_quotes
from repeg.workflow.turn import Turn, begin_trading_turn, journal_skip


@lambda_step
def lambda_handler(payload: RunRef, _context: LambdaContext) -> QuotesValidated:
    """How many waiting orders have a usable quote and how many are held."""
    answer = validate_quotes(payload.run_id, payload.epoch, ports())
    count("QuotesUsed", answer.use)
    count("QuotesHeld", answer.hold)
    return answer


def validate_quotes(run_id: str, epoch: int, ports: Ports) -> QuotesValidated:
    """Check every waiting order's quote; the first accepted one is its arrival price and fixes its collar."""
    try:
        return check_quotes(begin_trading_turn(run_id, epoch, ports))
    except BrokerUnavailable as error:
        journal_skip(run_id, error, ports)
        return QuotesValidated(use=0, hold=0)


def check_quotes(turn: Turn) -> QuotesValidated:
    """How many waiting orders have a quote that may be traded on, and how many do not."""
    waiting = [order for order in turn.ports.store.orders(turn.run.run_id) if order.state is ParentState.WAITING]
    quotes = turn.quotes(waiting)
    past = past_quotes(turn, waiting, quotes)
    checked = turn.each(
        lambda order: apply_quote_check(turn, order, quotes.get(order.symbol), past.get(order.symbol, ())), waiting
    )
    held = sum(is_held_by_book(order) for order in checked)
    return QuotesValidated(use=len(checked) - held, hold=held)
