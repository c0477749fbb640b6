"""The regimes of the generated market: their numbers, each fitted to one recorded stock."""

from dataclasses import replace
from typing import Final

from repeg_workbench.exchange.market.generated_regimes import Drawn, Leaning, Loose, Pinned, Regime, Trading

# Fitted to BAC.
PINNED: Final = Regime(
    name="pinned",
    updates=42_000,
    events=4_103,
    step=80,
    bursts=631,
    book=Pinned(reach=880, flickers=15, edge_flickers=25, flicker_ms=439),
    trading=Trading(
        uninformed=1_608,
        at_edge=1_247,
        leaning=177,
        followed=2_981,
        hits=7_616,
        same_venue=3_000,
        sizes=(40, 100, 100, 200, 300, 500, 800, 1_000, 1_500, 2_500, 4_000, 7_000),
    ),
    queues=Leaning(
        shares=(5, 45, 76, 151, 197, 205, 146, 101, 66, 8),
        lean=1_415,
        foresight=0,
        length=95,
        depth=150_000,
        depth_drift=400,
        depth_length=600,
    ),
    opening_spread=100,
)
# Fitted to AIG.
ONE_TICK: Final = Regime(
    name="one_tick",
    updates=60_000,
    events=13_440,
    step=153,
    bursts=230,
    book=Pinned(reach=934, flickers=45, edge_flickers=759, flicker_ms=222),
    trading=Trading(
        uninformed=278,
        at_edge=1_568,
        leaning=847,
        followed=4_912,
        hits=4_354,
        same_venue=7_700,
        sizes=(15, 60, 100, 100, 100, 100, 200, 300, 500),
    ),
    queues=Leaning(
        shares=(38, 70, 108, 138, 140, 162, 139, 104, 71, 31),
        lean=1_360,
        foresight=0,
        length=12,
        depth=1_814,
        depth_drift=400,
        depth_length=400,
    ),
    jumps=200,
    jump=300,
    opening_spread=1_100,
    calm_after=540,
)
# Fitted to IBM.
FEW_TICKS: Final = Regime(
    name="few_ticks",
    updates=8_600,
    events=3_037,
    step=790,
    bursts=504,
    book=Loose(
        quotes=1_311,
        least=387,
        usual=380,
        variety=1_067,
        nearest=297,
        grasp=719,
        tight=3_558,
        drift=819,
        persistence=177,
        flashes=175,
    ),
    trading=Trading(
        uninformed=183,
        at_edge=0,
        leaning=1_530,
        followed=0,
        hits=6_500,
        same_venue=7_800,
        sizes=(5, 20, 50, 80, 100, 100, 100, 100, 100, 200, 200),
        hidden=1_744,
    ),
    queues=Leaning(
        shares=(6, 26, 84, 114, 69, 256, 210, 112, 109, 14),
        lean=80,
        foresight=130,
        length=7,
        depth=400,
        depth_drift=500,
        depth_length=10,
    ),
    jumps=3,
    jump=110,
    swing=3_000,
    swing_length=25,
    opening_spread=1_000,
    opening_steps=260,
)
# Fitted to XXX.
THREE_TICKS: Final = Regime(
    name="three_ticks",
    updates=8_600,
    events=2_434,
    step=900,
    bursts=619,
    book=Loose(
        quotes=2_754,
        least=264,
        usual=450,
        variety=650,
        nearest=155,
        grasp=48,
        tight=530,
        drift=621,
        persistence=302,
        flashes=37,
    ),
    trading=Trading(
        uninformed=450,
        at_edge=0,
        leaning=70,
        followed=0,
        hits=5_712,
        same_venue=5_000,
        sizes=(5, 20, 50, 80, 100, 100, 100, 100, 100, 200, 200),
        hidden=3_768,
    ),
    queues=Leaning(
        shares=(4, 16, 70, 151, 42, 353, 231, 82, 50, 2),
        lean=-75,
        foresight=153,
        length=14,
        depth=400,
        depth_drift=500,
        depth_length=10,
    ),
    jumps=1,
    jump=191,
    opening_spread=640,
    opening_steps=280,
)
_WIDE_BOOK: Final = Loose(
    quotes=1_391,
    least=3_974,
    usual=1_180,
    variety=599,
    nearest=-196,
    grasp=843,
    tight=861,
    drift=410,
    persistence=285,
)
# Fitted to AMZN.
WIDE: Final = Regime(
    name="wide",
    updates=9_000,
    events=3_665,
    step=2_292,
    bursts=524,
    book=_WIDE_BOOK,
    trading=Trading(
        uninformed=596,
        at_edge=0,
        leaning=10,
        followed=0,
        hits=5_207,
        same_venue=10_000,
        sizes=(1, 5, 10, 25, 50, 75, 100, 100, 100, 100),
    ),
    queues=Drawn(
        sizes=(10, 25, 40, 80, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 200, 300),
        length=5,
    ),
    jumps=1,
    jump=162,
    opening_spread=360,
    opening_steps=230,
)
# Fitted to GOOG.
VERY_WIDE: Final = Regime(
    name="very_wide",
    updates=7_600,
    events=3_325,
    step=3_579,
    bursts=847,
    book=Loose(
        quotes=1_833,
        least=9_589,
        usual=2_013,
        variety=452,
        nearest=-283,
        grasp=2_090,
        tight=381,
        drift=275,
        persistence=67,
        flashes=53,
    ),
    trading=Trading(
        uninformed=302,
        at_edge=0,
        leaning=10,
        followed=0,
        hits=10_000,
        same_venue=10_000,
        sizes=(1, 5, 10, 25, 50, 75, 100, 100, 100, 100),
    ),
    queues=Drawn(
        sizes=(10, 25, 40, 80, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 200, 300),
        length=4,
    ),
    jumps=2,
    jump=201,
    opening_spread=440,
    opening_steps=340,
)
# Not fitted to a recording.
LIQUID: Final = replace(
    ONE_TICK,
    name="liquid",
    trading=replace(ONE_TICK.trading, sizes=(20, 100, 100, 200, 300, 500, 800, 1_500)),
    queues=replace(ONE_TICK.queues, depth=9_000),  # type: ignore[arg-type]
    opening_spread=100,
)
NEVER_NARROW: Final = replace(
    WIDE,
    name="never_narrow",
    updates=2_400,
    step=250,
    book=replace(_WIDE_BOOK, nearest=4_000, grasp=0, least=4_500, usual=1_500, flashes=0),
)
SUB_DOLLAR: Final = replace(
    FEW_TICKS,
    name="sub_dollar",
    step=900,
    queues=Drawn(sizes=(200, 500, 800, 1_000, 1_500, 2_000, 3_000, 5_000, 9_000), length=6),
)
