"""The names of our orders at the broker: what run and attempt an order is, from its id alone."""

from __future__ import annotations

from repeg.domain.quote import Side

CLIENT_ORDER_ID_LENGTH = 48
OWN_PREFIX = "rp-"


def client_order_id(run_id: str, symbol: str, side: Side, n: int) -> str:
    """The broker's key for attempt `n`: a function of run, symbol, side and attempt, at most 48 characters."""
    made = f"{run_prefix(run_id)}{symbol}.{side[0]}.{n}"
    if len(made) > CLIENT_ORDER_ID_LENGTH:
        raise ValueError(f"{made} is longer than {CLIENT_ORDER_ID_LENGTH} characters")
    return made


def run_prefix(run_id: str) -> str:
    """What the client order ids of a run begin with. A run id holds no dot, so no run's prefix begins another's."""
    return f"{OWN_PREFIX}{run_id}."


def run_of(client_order_id: str) -> str:
    """The run that an order of ours belongs to, from its id alone."""
    return client_order_id.removeprefix(OWN_PREFIX).partition(".")[0]
