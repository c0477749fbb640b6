"""The savings as tables and sentences, for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from rich.table import Table

from repeg.domain.arm import Arm
from repeg.domain.clustered import FEWEST_RUNS, Mean
from repeg.domain.crossing import CrossingCost
from repeg.domain.savings import Savings, Slice
from repeg_workbench.operate.answer import counted, table

_NOTHING = "–"


def shown(savings: Savings) -> Iterator[str | Table]:
    """Everything that is said, from what was counted to the verdict."""
    yield _head(savings)
    yield ""
    yield "What taking costs, effective over quoted half-spread (1 is the displayed price, 0 the mid):"
    yield _taking(savings)
    yield _crossing(savings.crossing)
    if "iex" in savings.feeds:
        yield (
            "Half-spreads are those of the feed iex, which shows one venue: they are wider than the market's, and the "
            "ratio holds for estimates on that feed alone. Basis points do not depend on it."
        )
    yield ""
    yield "What an order costs against its arrival mid, as drawn:"
    yield _arms(savings)
    yield ""
    yield "What the policy saves against market orders at arrival:"
    yield _saved(savings)
    yield verdict(savings)
    yield from _sliced("Up to", savings.over_time)
    yield from _sliced("Spread at arrival", savings.by_spread)


def verdict(savings: Savings) -> str:
    """What may be said of the sign of the saving, and what is missing for it."""
    saved, counts = savings.saved.half_spreads, savings.counts
    if saved is None:
        missing = "control" if counts.control == 0 else "treated"
        return f"No comparison: there is no {missing} order among those that can be compared."
    if saved.error is None:
        return f"No verdict: both arms need orders of at least {FEWEST_RUNS} runs for an interval."
    if saved.is_certain:
        word = "cheaper" if saved.value > 0 else "dearer"
        return f"Verdict at 95 % confidence: the policy's orders were {word} than market orders at arrival."
    if savings.for_verdict is None:
        return "No verdict at 95 % confidence: the arms differ by too little to say how many more orders would tell."
    return (
        f"No verdict yet at 95 % confidence: about {savings.for_verdict:,} more orders would tell a saving of the size "
        "seen so far in four cases of five. Look again when they are there: looking daily finds a verdict too often."
    )


def _head(savings: Savings) -> str:
    counts = savings.counts
    arms = f"{counted(counts.control, 'control order')} and {counted(counts.treated, 'treated order')}"
    measured = f"{counted(counts.observed, 'measured order')} in {counted(savings.runs, 'run')}"
    compared = f"{arms} can be compared, of {measured}."
    left_out = {
        "took no part": counts.apart,
        "drawn with a share of 1": counts.certain,
        "without a price for what was not filled": counts.unpriced,
        "of a preview": counts.previews,
        "traded outside of the core session": counts.off_session,
    }
    said = [f"{number} {why}" for why, number in left_out.items() if number]
    return f"{compared} Left out: {', '.join(said)}." if said else compared


def _taking(savings: Savings) -> Table:
    numbers = ("orders", "runs", "each alike", "interval", "by dollars", "interval ")
    made = table("taken by", *numbers, numbers=numbers)
    for name, taking in (("control orders", savings.control), ("the policy's own takes", savings.takes)):
        each, dollars = taking.each, taking.by_dollars
        counts = (_NOTHING, _NOTHING) if each is None else (str(each.orders), str(each.runs))
        made.add_row(name, *counts, _value(each), _interval(each), _value(dollars), _interval(dollars))
    return made


def _crossing(crossing: CrossingCost) -> str:
    if crossing.value is None:
        return f"Estimates keep the assumed crossing_cost: {crossing.because}."
    value = f"{crossing.value:.2f}"
    return f"Reckon with crossing_cost={value} ({crossing.because}) instead of an assumption."


def _arms(savings: Savings) -> Table:
    numbers = ("orders", "half-spreads", "bps", "filled")
    made = table("arm", *numbers, numbers=numbers)
    for arm in Arm:
        cost = savings.arms[arm]
        filled = _NOTHING if cost.filled is None else f"{cost.filled * 100:.1f} %"
        orders = "0" if cost.half_spreads is None else str(cost.half_spreads.orders)
        made.add_row(str(arm), orders, _value(cost.half_spreads), _value(cost.bps), filled)
    return made


def _saved(savings: Savings) -> Table:
    made = table("measured in", "saving", "interval", numbers=("saving", "interval"))
    saved = savings.saved
    for name, mean in (
        ("half-spreads, every order alike", saved.half_spreads),
        ("basis points, every order alike", saved.bps),
        ("basis points, by dollars", saved.bps_by_dollars),
    ):
        made.add_row(name, _value(mean), _interval(mean))
    return made


def _sliced(name: str, slices: Sequence[Slice]) -> Iterator[str | Table]:
    rows = [each for each in slices if each.control or each.treated]
    if not rows:
        return
    numbers = ("control", "treated", "saved half-spreads", "interval")
    made = table(name, *numbers, numbers=numbers)
    for each in rows:
        cells = (str(each.control), str(each.treated), _value(each.half_spreads), _interval(each.half_spreads))
        made.add_row(each.name, *cells)
    yield ""
    yield made


def _value(mean: Mean | None) -> str:
    return _NOTHING if mean is None else _number(mean.value)


def _interval(mean: Mean | None) -> str:
    if mean is None or mean.low is None or mean.high is None:
        return _NOTHING
    return f"{_number(mean.low)} to {_number(mean.high)}"


def _number(value: Decimal) -> str:
    return f"{value:.3f}".replace("-", "−")
