"""Parses what Alpaca says about the account: its number, its money, and what it may do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from repeg.adapters.alpaca import values
from repeg.adapters.alpaca.parsing import Json
from repeg.domain.broker import Account
from repeg.domain.child_order import OrderReport
from repeg.domain.quote import Side

_TRADING_STATUSES = frozenset({"ACTIVE", "PAPER_ONLY"})
_BLOCKS = ("trading_blocked", "account_blocked", "trade_suspended_by_user")


def account_number(row: Json) -> str:
    """The account's number."""
    return values.text(row["account_number"])


def account(row: Json, unreserved: Decimal) -> Account:
    """The account; `unreserved` is its own money less what open buys have reserved.

    Spendable is capped at the cash, so that nothing is borrowed, and at the buying power. What a day trader may buy
    beyond Regulation T would have to be sold before the close, so the smaller of the two buying powers counts.
    """
    cash, buying_power = values.amount(row["cash"]), values.amount(row["buying_power"])
    overnight = values.optional_amount(row.get("regt_buying_power"))
    return Account(
        number=account_number(row),
        equity=values.amount(row["equity"]),
        cash=cash,
        buying_power=min(buying_power, buying_power if overnight is None else overnight),
        spendable=max(Decimal(0), min(cash, buying_power, unreserved)),
        blocked_by=", ".join(_blocks(row)),
        may_short=row.get("shorting_enabled") is not False,
    )


def forbids_shorting(configurations: Json) -> bool:
    """Whether the account's owner has forbidden short sales; a missing setting is false."""
    return configurations.get("no_shorting") is True


def non_marginable_buying_power(row: Json) -> Decimal | None:
    """Dollars for assets that cannot be bought on margin, less open buys; None if the account lacks the field."""
    return values.optional_amount(row.get("non_marginable_buying_power"))


def cash_after_buys(row: Json, open_orders: Iterable[OrderReport]) -> Decimal:
    """Cash less the most that open buys may still cost; zero if one of them has no limit."""
    left = values.amount(row["cash"])
    for order in open_orders:
        if order.side is Side.BUY and order.limit is None:
            return Decimal(0)
        if order.side is Side.BUY and order.limit is not None:
            left -= (order.qty - order.filled_qty) * order.limit
    return left


def _blocks(row: Json) -> Iterator[str]:
    """The reasons why an account may not trade; another currency is one, because all amounts are in dollars."""
    yield from (block for block in _BLOCKS if row.get(block))
    if row.get("status") not in _TRADING_STATUSES:
        yield f"status {row.get('status')}"
    if row.get("currency", "USD") != "USD":
        yield f"currency {row['currency']}"
