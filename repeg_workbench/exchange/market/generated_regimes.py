"""What describes a regime of quoting and trading at the top of the book, and a stock that follows it."""

from dataclasses import dataclass
from typing import Final

from repeg_workbench.exchange.market.symbol_day import Listing

BASIS: Final = 10_000
"""What a chance in these tables is out of."""


@dataclass(frozen=True)
class Pinned:
    """A book that is always one tick wide.

    The prices move when the fair value is `reach` thousandths of a tick from the mid. In the middle a side is empty for
    a moment with chance `flickers` an event, and at the edge with `edge_flickers` more, for `flicker_ms` on average.
    """

    reach: int
    flickers: int
    edge_flickers: int
    flicker_ms: int


@dataclass(frozen=True)
class Loose:
    """A book whose sides stand at distances of their own from the fair value, in thousandths of a tick.

    A side is quoted anew with chance `quotes` an event: `least` plus a lognormal distance around `usual`, of standard
    deviation `variety`, or at `nearest` with chance `tight`. It is pushed away at `nearest`, and hit from `grasp` more.
    All distances drift together by `drift` over `persistence` events. With chance `flashes` a side is quoted a tick
    from the other one until the next event.
    """

    quotes: int
    least: int
    usual: int
    variety: int
    nearest: int
    grasp: int
    tight: int
    drift: int
    persistence: int
    flashes: int = 0


@dataclass(frozen=True)
class Trading:
    """Which events are trades, and of which size; chances an event.

    `uninformed` trades at the middle of the book and `at_edge` more at its edge, where `leaning` per mille of the lean
    decide their side; `followed` of them go the way that the fair value went. `hits` of the events that take a price
    away are trades. `same_venue` of the lit prints are on the venue whose quote they hit. `hidden` of the lit prints in
    the standing spread meet a hidden order inside it.
    """

    uninformed: int
    at_edge: int
    leaning: int
    followed: int
    hits: int
    same_venue: int
    sizes: tuple[int, ...]
    hidden: int = 0


@dataclass(frozen=True)
class Leaning:
    """Queues whose imbalance follows the lean of the fair value and the next move, against noise of unit variance.

    shares are the thousandths of time in each tenth of the imbalance. The noise changes over `length` events, the depth
    of both sides together by a lognormal `depth_drift` over `depth_length` events. Sizes are in lots of `lot` shares.
    """

    shares: tuple[int, ...]
    lean: int
    foresight: int
    length: int
    depth: int
    depth_drift: int
    depth_length: int
    lot: int = 100


@dataclass(frozen=True)
class Drawn:
    """Queues drawn from a table, that say nothing about the price and change over `length` events."""

    sizes: tuple[int, ...]
    length: int
    lot: int = 1


@dataclass(frozen=True)
class Regime:
    """How one kind of stock quotes and trades. The entries of a table are equally likely.

    events and updates are per hour: the flow of events moves the price, and updates is the rate of quote rows at full
    activity. step is the standard deviation of an event's effect on the fair value in thousandths of a tick; with
    chance `jumps` it is `jump` percent of that. Besides, the fair value swings by `swing` thousandths of a tick and
    back, over `swing_length` events each. bursts is the standard deviation of the logarithm of the pace, in
    thousandths. The opening_ figures are percentages of the quiet level at the open; they decay over calm_after
    seconds.
    """

    name: str
    updates: int
    events: int
    step: int
    bursts: int
    book: Pinned | Loose
    trading: Trading
    queues: Leaning | Drawn
    jumps: int = 0
    jump: int = 100
    swing: int = 0
    swing_length: int = 1
    opening_spread: int = 400
    opening_steps: int = 300
    calm_after: int = 1_800


@dataclass(frozen=True)
class Incident:
    """The start of an incident in seconds after the open, and its length in seconds."""

    start: int
    length: int


@dataclass(frozen=True)
class Instrument:
    """A generated stock: listing, regime, price in price units, and incidents."""

    listing: Listing
    regime: Regime
    price: int
    one_sided: Incident | None = None
    halt: Incident | None = None
