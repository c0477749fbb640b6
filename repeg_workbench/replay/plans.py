"""The strategies of a replay: ours under its presets, the original rule, and peers."""

from enum import IntEnum
from typing import Final, NamedTuple

from repeg.domain.look import Rules
from repeg.domain.policy import rules_of
from repeg.domain.setting_types import Feed
from repeg.domain.settings import Settings
from repeg_workbench.replay.peers import Peer, Style

ALWAYS: Final = 1_000_000
"""More moves than any order makes."""


LONGEST_PATIENCE: Final = 1_800
"""Seconds that the patient preset waits at most, unless it is asked to."""


OVERTIME: Final = 300
"""Seconds after its patience in which ours crosses piece by piece, before what is left goes to the market."""


SEEDED: Final = 300
"""Seconds before its arrival from which an order of ours gets the samples of its usual spread."""


class Kind(IntEnum):
    """Which rules decide."""

    PEER = 0
    ANCHOR = 1
    REPEG = 2


class Plan(NamedTuple):
    """One strategy's numbers, in seconds, permille, millionths and shares. `slices` is the number of TWAP's parts.

    Not acted on is a book whose spread is over `widest` millionths of the mid, whose near side is below `thinnest`
    shares and a round lot, or that is more than `oldest` seconds old. After `patience` or `moves` moves up ours takes
    piece by piece; of `attempts` orders without a fill the last ones are kept;
    at `horizon` all that is left goes to the market.
    """

    kind: Kind
    period: int
    patience: int
    horizon: int
    widest: int
    thinnest: int
    oldest: int
    moves: int
    attempts: int
    collar: int
    slices: int
    sliced: bool
    seeded: int
    rules: Rules
    peer: Peer


_DEFAULTS: Final = Settings()
ONE_VENUE: Final = Settings(data_feed=Feed.IEX)
"""The default settings of a deployment on the feed of a single venue."""

RULES: Final = rules_of(_DEFAULTS)
_NO_PEER: Final = Peer(Style.MARKET, 0, 0, 0, 0)
_NO_RULES: Final = Rules(0, 0, 0, 0, 0, may_take=False)
_WIDEST: Final = int(_DEFAULTS.max_spread_pct * 10_000)
_THINNEST: Final = _DEFAULTS.min_volume_shares
_OLDEST: Final = _DEFAULTS.max_quote_age_seconds
_MOVES: Final = _DEFAULTS.max_repegs
_ATTEMPTS: Final = _DEFAULTS.max_attempts
_COLLAR: Final = int(_DEFAULTS.max_slippage_bps * 100)
_WHOLE: Final = False


def ours(
    horizon: int, period: int = 2, rules: Rules = RULES, *, seeded: int = SEEDED, sliced: bool = True,
    oldest: int = _OLDEST, widest: int = _WIDEST,
) -> Plan:  # fmt: skip
    """The policy with a patience of `horizon` seconds and a look every `period`; then it crosses piece by piece."""
    return Plan(
        Kind.REPEG, period, horizon, horizon + OVERTIME, widest, _THINNEST, oldest, _MOVES, _ATTEMPTS, _COLLAR, 1,
        sliced, seeded, rules, _NO_PEER,
    )  # fmt: skip


def anchor(horizon: int) -> Plan:
    """The original rule: turns of 30 seconds, to the mid and then across when patience is spent."""
    return Plan(
        Kind.ANCHOR, 30, horizon, horizon + OVERTIME, _WIDEST, _THINNEST, _OLDEST, _MOVES, _ATTEMPTS, _COLLAR, 1,
        _WHOLE, 0, _NO_RULES, _NO_PEER,
    )  # fmt: skip


def _peer(
    horizon: int, style: Style, period: int = 30, threshold: int = 0, moves: int = ALWAYS, *,
    patience: int | None = None, guard: int = 0, slices: int = 1,
) -> Plan:  # fmt: skip
    peer = Peer(style, threshold, moves, horizon if patience is None else patience, guard)
    return Plan(
        Kind.PEER, period, peer.patience, horizon, ALWAYS, 0, ALWAYS, ALWAYS, ALWAYS, ALWAYS, slices, _WHOLE, 0,
        _NO_RULES, peer,
    )  # fmt: skip


def strategies(horizon: int, settings: Settings = _DEFAULTS) -> dict[str, Plan]:
    """Every strategy under the name that the output knows it by. The presets have horizons of their own.

    Ours are those of the settings, which differ where the feed is that of one venue.
    """
    rules, oldest = rules_of(settings), settings.oldest_quote_seconds
    return {
        "repeg": ours(horizon, rules=rules, oldest=oldest),
        "repeg_patient": ours(max(horizon, min(6 * horizon, LONGEST_PATIENCE)), rules=rules, oldest=oldest),
        "repeg_urgent": ours(max(horizon // 5, 1), rules=rules, oldest=oldest),
        "anchor": anchor(horizon),
        "market": _peer(horizon, Style.MARKET),
        "plus_tick_3": _peer(horizon, Style.PLUS_TICK, threshold=1_000, moves=3),
        "plus_tick_5": _peer(horizon, Style.PLUS_TICK, threshold=1_000, moves=5),
        "plus_tick_10": _peer(horizon, Style.PLUS_TICK, threshold=1_000, moves=10),
        "join": _peer(horizon, Style.JOIN),
        "mid": _peer(horizon, Style.MID),
        "inside": _peer(horizon, Style.INSIDE),
        "chaser": _peer(horizon, Style.JOIN, period=1),
        "ladder": _peer(horizon, Style.LADDER, period=max(1, horizon // 20)),
        "mid_far_patient": _peer(horizon, Style.MID, period=5, patience=max(1, horizon * 2 // 5)),
        "mid_far_urgent": _peer(horizon, Style.MID, period=5, patience=max(1, horizon // 20)),
        "guarded_market": _peer(horizon, Style.GUARDED, period=5, guard=500),
        "twap": _peer(horizon, Style.TWAP, slices=5),
    }


PEERS: Final = (
    "market", "plus_tick_3", "plus_tick_5", "plus_tick_10", "join", "mid", "inside", "chaser", "ladder",
    "mid_far_patient", "mid_far_urgent", "guarded_market", "twap",
)  # fmt: skip
