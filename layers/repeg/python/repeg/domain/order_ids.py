"""Client order ids: stack, run, symbol, side and attempt, readable from the id alone.

`rpk3x-core-261123.AAPL.b.1` is the first attempt to buy AAPL of the run `core-2026-11-23` of the stack tagged `k3x`.
Several stacks may trade on one account: only orders with a stack's own tag are its own. Runs that ff73b05 opened keep
ids without a tag, `rp-core-2026-11-23.AAPL.b.1`: those belong to the stack that has the run in its table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256

from repeg.domain.plan import NAME, SYMBOL
from repeg.domain.quote import Side

CLIENT_ORDER_ID_LENGTH = 48

# The start of every id of this program, of whatever stack.
OWN_PREFIX = "rp"

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAG_LENGTH = 3
_RUN = re.compile(rf"({NAME.pattern})-20(\d\d)-(\d\d)-(\d\d)(-[rp][0-9a-z]+)?", re.ASCII)
_ENDING = rf"({SYMBOL.pattern})\.[bs]\.[1-9]\d*"
_OWN = re.compile(
    rf"(?P<prefix>rp(?P<tag>[0-9a-z]{{{_TAG_LENGTH}}})-(?P<name>{NAME.pattern})-(?P<day>\d{{6}})(?P<number>-r\d+)?\.){_ENDING}",
    re.ASCII,
)
_LEGACY = re.compile(rf"(?P<prefix>rp-(?P<run>{_RUN.pattern})\.){_ENDING}", re.ASCII)


@dataclass(frozen=True, order=True)
class OrderId:
    """An id of this program: its stack's tag (empty for a run of ff73b05), its run, and its run's prefix."""

    tag: str
    run_id: str
    prefix: str


def stack_tag(stack_id: str) -> str:
    """The tag of a stack's orders: three characters drawn from its id, which ends with a UUID. Two stacks share one in
    46,656 cases."""
    number = int.from_bytes(sha256(stack_id.encode()).digest()[:8], "big")
    return "".join(_DIGITS[number // 36**place % 36] for place in range(_TAG_LENGTH))


# The tag of a program that no stack runs: a simulation, a test, a function on one's own machine.
LOCAL_TAG = stack_tag("local")


def run_prefix(tag: str, run_id: str) -> str:
    """The prefix of a run's client order ids. It has one dot, at its end, so none is the start of another."""
    found = _RUN.fullmatch(run_id)
    if found is None:
        raise ValueError(f"{run_id} is not a run id")
    name, (year, month, day, suffix) = found[1], found.groups()[-4:]
    return f"{OWN_PREFIX}{tag}-{name}-{year}{month}{day}{suffix or ''}."


def legacy_prefix(run_id: str) -> str:
    """The prefix that ff73b05 gave to a run's client order ids."""
    return f"{OWN_PREFIX}-{run_id}."


def client_order_id(prefix: str, symbol: str, side: Side, n: int) -> str:
    """The client order id of attempt `n` of the run with that prefix. Raises ValueError beyond 48 characters."""
    made = f"{prefix}{symbol}.{side[0]}.{n}"
    if len(made) > CLIENT_ORDER_ID_LENGTH:
        raise ValueError(f"{made} is longer than {CLIENT_ORDER_ID_LENGTH} characters")
    return made


@lru_cache(maxsize=4_096)
def parse_order_id(client_order_id: str) -> OrderId | None:
    """The parts of an id of this program, of whatever stack; None for any other id."""
    found = _OWN.fullmatch(client_order_id)
    if found is not None:
        day = found["day"]
        dated = f"20{day[:2]}-{day[2:4]}-{day[4:]}"
        run_id = f"{found['name']}-{dated}{found['number'] or ''}"
        return OrderId(found["tag"], run_id, found["prefix"]) if _is_date(dated) else None
    found = _LEGACY.fullmatch(client_order_id)
    run = None if found is None else _RUN.fullmatch(found["run"])
    if found is None or run is None:
        return None
    year, month, day, _ = run.groups()[-4:]
    return OrderId("", run[0], found["prefix"]) if _is_date(f"20{year}-{month}-{day}") else None


def symbol_and_side(prefix: str, client_order_id: str) -> tuple[str, Side] | None:
    """What an order of the run with that prefix trades, by its id; None for the id of any other order."""
    if not client_order_id.startswith(prefix) or len(client_order_id) > CLIENT_ORDER_ID_LENGTH:
        return None
    parsed = parse_order_id(client_order_id)
    if parsed is None or parsed.prefix != prefix:
        return None
    symbol, side, _ = client_order_id.removeprefix(prefix).rsplit(".", 2)
    return symbol, Side.BUY if side == Side.BUY[0] else Side.SELL


def _is_date(text: str) -> bool:
    """Whether the calendar has the date: a run has traded on its own."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def run_of(client_order_id: str) -> str:
    """The run that an order of this program belongs to; empty for any other order."""
    parsed = parse_order_id(client_order_id)
    return "" if parsed is None else parsed.run_id
