"""Proposals: what a decision wants sent, for which shares and cash, and whether it may still be sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from repeg.domain.decision import Decision
from repeg.domain.fallback import FALLBACK
from repeg.domain.journal import Ruling
from repeg.domain.limits import notional_of
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side, is_at_most
from repeg.domain.settings import Settings
from repeg.domain.time_limits import SENDS_FOR
from repeg.workflow.sellable import Holdings


@dataclass(frozen=True)
class Funds:
    """Cash granted to a buy under the account's funding lease: the lease's holder, and the most that it may cost."""

    lease: str
    dollars: Decimal


NO_FUNDS = Funds("", Decimal(0))


@dataclass(frozen=True)
class Proposal:
    """An order that a decision wants sent: the decision as journalled, the quote it was made on, and the shares.

    `held` are the holdings that a sell is checked against; they are known only where they are needed. A buy without
    `funds` goes on with the cash that was granted to its parent, up to its collar. `is_piece`: the order was cut.
    """

    decision: Decision
    quote: Quote
    qty: Decimal
    detail: str
    ruling: Ruling
    held: Holdings | None = None
    funds: Funds = NO_FUNDS
    is_piece: bool = False

    def outdated(self, now: datetime, settings: Settings) -> str:
        """Why it is too old to be sent, in words; empty while it may be. A cancel, or a wait for the quota, may lie
        between a decision and its intent. Of a fallback's quote only its decision's rule asks the age."""
        moment = self.ruling.inputs.get("moment")
        if isinstance(moment, Moment) and now - moment.now > SENDS_FOR:
            return f"decided {(now - moment.now).total_seconds():.0f}s ago"
        if self.decision.reason == FALLBACK and self.decision.limit is not None:
            return ""
        oldest = settings.max_quote_age_seconds if self.decision.limit is None else settings.oldest_quote_seconds
        return "" if is_at_most(self.quote, now, oldest) else f"its quote is over {oldest}s old by now"

    def at(self, limit: Decimal, detail: str) -> Proposal:
        """The same proposal at another limit; the ruling keeps the decision as it was made."""
        return replace(self, decision=self.decision.at(limit), detail=detail)


def is_granted(order: ParentOrder, proposal: Proposal, qty: Decimal) -> bool:
    """Whether the cash was granted for what a proposal may cost: only a buy without a limit needs more than the cash up
    to its collar, which every buy's parent has."""
    if proposal.decision.limit is not None or order.side is Side.SELL:
        return True
    return bool(proposal.funds.lease) and notional_of(qty, None, proposal.quote, order.side) <= proposal.funds.dollars
