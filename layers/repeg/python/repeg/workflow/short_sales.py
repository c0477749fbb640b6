"""The broker's own protection against short sales: required of a live account, recommended for a paper account.

Free shares are read before every sell, but the account's owner may sell them between that read and the order. Only the
broker can refuse what would then be a short sale.
"""

from __future__ import annotations

from datetime import datetime

from repeg.domain.broker import Account
from repeg.domain.errors import BrokerDenied
from repeg.domain.journal import Entry
from repeg.ports import Ports

REMEDY = 'this account may sell short; set no_shorting: PATCH /v2/account/configurations with {"no_shorting": true}'


def require_no_shorting(ports: Ports) -> None:
    """Raises BrokerDenied, with the remedy, if the account's configuration does not forbid short sales.

    Whether it could sell short today does not matter: the broker grants margin to an account as its equity grows.
    """
    if not ports.broker.forbids_shorting():
        raise BrokerDenied(REMEDY)


def may_short(account: Account, ports: Ports) -> bool:
    """Whether the broker would accept a sell of more than the account holds."""
    return account.may_short and not ports.broker.forbids_shorting()


def warn_of_shorting(run_id: str, now: datetime, ports: Ports) -> None:
    """Journal that the account may sell short, with the remedy."""
    ports.journal.record(Entry(now, run_id, "account", "may_short", reason=REMEDY, is_abnormal=True))
