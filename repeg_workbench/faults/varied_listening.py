"""Days that listen: which stacks wait by the broker's streams, for how long a step listens, and its streams' faults."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from repeg_workbench.exchange.faults.stream_faults import StreamFailure, StreamFault

if TYPE_CHECKING:
    from repeg_workbench.faults.seeded_days import Day

# Seconds for which a step listens. The longest is as deployed.
LISTENS_FOR = (30, 60, 120, 290)

# The share of the days that listen on which a stream fails, and how often each of their faults strikes.
FAILS = 0.6
CHANCES = (0.05, 0.3, 0.9)

# Events that a step acts on. A connection is struck as such, and quotes by their channel's name.
EVENTS = ("fill", "partial_fill", "canceled", "replaced", "rejected")
QUOTES, CONNECTION, TRADE_STREAM, FEED = "quotes", "connect", "stream", "iex"


class StreamTrouble(StrEnum):
    """The kinds of fault of the streams."""

    REFUSED = "stream_refused"
    SILENT = "stream_silent"
    HALF_DEAD = "stream_half_dead"
    LOST = "stream_lost"
    DOUBLED = "stream_doubled"
    LATE = "stream_late"
    REORDERED = "stream_reordered"
    UNKNOWN = "stream_unknown"
    FORGED = "stream_forged"
    CUT = "stream_cut"
    LAGGING = "stream_lagging"


_OF_EVENTS = {
    StreamTrouble.HALF_DEAD: (StreamFailure.FREEZE,),
    StreamTrouble.LOST: (StreamFailure.DROP,),
    StreamTrouble.DOUBLED: (StreamFailure.REPEAT,),
    StreamTrouble.LATE: (StreamFailure.DELAY,),
    StreamTrouble.REORDERED: (StreamFailure.REORDER,),
    StreamTrouble.UNKNOWN: (StreamFailure.UNKNOWN_ORDER, StreamFailure.UNKNOWN_EVENT, StreamFailure.NAMELESS),
    StreamTrouble.FORGED: (StreamFailure.FORGED,),
    StreamTrouble.CUT: (StreamFailure.DISCONNECT,),
}


def with_listening(day: Day, chance: Random) -> Day:
    """Steps that listen between their turns: of the first stack, and perhaps of another one on the account."""
    listens = {"waiting": "stream", "listen_seconds": chance.choice(LISTENS_FOR)}
    others = tuple({**each, **listens} if chance.random() < 0.5 else each for each in day.other_stacks)
    return replace(day, settings={**day.settings, **listens}, other_stacks=others)


def draw_troubles(day: Day) -> dict[StreamTrouble, float]:
    """The kinds of stream fault of a day that listens, and the chance of each at each event."""
    chance = Random(f"streams {day.seed}")
    if not listens(day) or chance.random() >= FAILS:
        return {}
    return {kind: chance.choice(CHANCES) for kind in chance.sample(list(StreamTrouble), chance.randint(1, 4))}


def listens(day: Day) -> bool:
    """Whether the first stack's steps listen."""
    return bool(day.settings.get("waiting") == "stream")


def faults_of(kind: StreamTrouble, chance: Random) -> list[StreamFault]:
    """The faults of the exchange's streams that make up a kind."""
    if kind is StreamTrouble.REFUSED:
        statuses = {name: chance.choice((401, 406, 429, 503)) for name in (TRADE_STREAM, FEED)}
        return [StreamFault(failure=StreamFailure.REFUSE, event=name, status=s) for name, s in statuses.items()]
    if kind is StreamTrouble.SILENT:
        return [StreamFault(failure=StreamFailure.SILENT, event=CONNECTION)]
    if kind is StreamTrouble.LAGGING:
        return [StreamFault(failure=StreamFailure.DELAY, event=QUOTES, seconds=chance.uniform(0.5, 20))]
    seconds, failure = chance.uniform(1, 60), chance.choice(_OF_EVENTS[kind])
    events = (*EVENTS, QUOTES) if failure in {StreamFailure.FREEZE, StreamFailure.DISCONNECT} else EVENTS
    return [StreamFault(failure=failure, event=event, seconds=seconds) for event in events]
