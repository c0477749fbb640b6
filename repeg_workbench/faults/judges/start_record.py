"""What a start of a run may have met on a day: settings deployed meanwhile, and a feed without a quote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Deployed(NamedTuple):
    """Other settings of a stack, for the runs that start from then on."""

    at: int
    stack: int
    settings: Mapping[str, Any]


class Unquoted(NamedTuple):
    """An answer of the feed that has no quote for a symbol that an invocation asked for."""

    at: int
    invocation: int
    symbol: str


@dataclass
class StartRecord:
    """Both, in order of time."""

    deployed: list[Deployed] = field(default_factory=list)
    unquoted: list[Unquoted] = field(default_factory=list)
