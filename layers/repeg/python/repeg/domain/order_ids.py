"""Client order ids: run, symbol, side and attempt, readable from the id alone."""

from __future__ import annotations

from repeg.domain.quote import Side

CLIENT_ORDER_ID_LENGTH = 48
OWN_PREFIX = "rp-"


def client_order_id(run_id: str, symbol: str, side: Side, n: int) -> str:
    """The client order id of attempt `n`, at most 48 characters. Raises ValueError for a longer one."""
    made = f"{run_prefix(run_id)}{symbol}.{side[0]}.{n}"
    if len(made) > CLIENT_ORDER_ID_LENGTH:
        raise ValueError(f"{made} is longer than {CLIENT_ORDER_ID_LENGTH} characters")
    return made


def run_prefix(run_id: str) -> str:
    """The prefix of a run's client order ids. A run id has no dot, so no run's prefix is the start of another's."""
    return f"{OWN_PREFIX}{run_id}."


def run_of(client_order_id: str) -> str:
    """The run that one of our orders belongs to."""
    return client_order_id.removeprefix(OWN_PREFIX).partition(".")[0]
