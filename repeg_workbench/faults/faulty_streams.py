"""The streams of a seed's world: recorded where they are delivered, struck by the seed's faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from repeg.adapters.alpaca.inbox import Inbox
from repeg.adapters.alpaca.keys import Keys
from repeg.adapters.alpaca.signals import AlpacaSignals, Streams
from repeg.ports import Runtime
from repeg_workbench.exchange.faults.stream_faults import StreamFault
from repeg_workbench.exchange.triggers import When
from repeg_workbench.faults.sdk_broker import HeldKeys
from repeg_workbench.faults.varied_listening import StreamTrouble, draw_troubles, faults_of

if TYPE_CHECKING:
    from repeg_workbench.faults.world import World


def signals_of(world: World, runtime: Runtime) -> AlpacaSignals:
    """The port for a world's streams, each recorded for the step that opens it, with the keys of the other requests."""

    def connect(keys: Keys, inbox: Inbox, symbols: Sequence[str]) -> Streams:
        streams = world.streams.connect(keys, inbox, symbols)
        world.stream_recorder.listens(streams)
        return streams

    return AlpacaSignals(connect, HeldKeys(world.broker.headers), runtime)


class StreamFaults:
    """Arms the stream faults of a world's day, and counts those that struck."""

    def __init__(self, world: World) -> None:
        self._world, self._armed = world, world.exchange.faults.armed_streams
        self._kind_of: dict[StreamFault, StreamTrouble] = {}

    def arm(self) -> None:
        """Arm every kind that the day draws, each with dice of its own."""
        plan = self._world.fault_plan
        for kind, likely in ({} if plan.is_quiet else draw_troubles(self._world.day)).items():
            if not plan.leaves_out(kind):
                dice = plan.dice(kind)
                when = When(times=None, chance=likely)
                for fault in faults_of(kind, dice):
                    self._kind_of[fault] = kind
                    self._armed.arm(fault, when, dice)

    def count(self) -> None:
        """Count the faults that have struck since they were armed."""
        for fault, _, taken in self._armed.entries():
            if taken:
                self._world.fault_plan.injected[f"{self._kind_of[fault]} {fault.event}"] += taken
