"""Why a decision was taken, in a sentence with the numbers that it was taken from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from repeg.domain.decision import Action, Decision
from repeg.domain.fallback import FALLBACK
from repeg.domain.pieces import far_size, patience_of
from repeg.domain.pricing import worse_by
from repeg.domain.quote import QuoteVerdict, age_seconds
from repeg.domain.quote_check import QuoteCheck
from repeg.domain.settings import Settings
from repeg_workbench.explain.decided import Decided
from repeg_workbench.explain.figures import book, percent, price, shares, span


def reason_of(decided: Decided) -> str:
    """The sentence for a decision. A reason that this release does not know keeps the words of the journal."""
    answer = decided.answer
    if isinstance(answer, QuoteCheck):
        return _of_check(decided, answer)
    sentence = _OF_A_VERDICT.get(answer.reason) or (_HOLDING if answer.verb is Action.HOLD else _SENDING).get(
        answer.reason
    )
    if sentence is None or decided.quote is None:
        return answer.because
    stays = "; it stays where it is" if answer.reason in _OF_A_VERDICT and decided.child is not None else ""
    return f"{book(decided.quote)}: {sentence(decided, answer)}{stays}"


def why_not_tradable(decided: Decided, verdict: str) -> str:
    """What is wrong with a quote, by which setting; empty for one that may be traded on."""
    sentence = _OF_A_VERDICT.get(verdict)
    if sentence is None:
        return ""
    answer = decided.answer
    known = answer if isinstance(answer, Decision) else None
    return sentence(decided, known)


def _of_check(decided: Decided, check: QuoteCheck) -> str:
    if check.is_fallback:
        return f"{book(decided.quote)}: {why_not_tradable(decided, check.gate)}; sent all the same, as its fallback"
    if check.gate is not QuoteVerdict.OK:
        return f"{book(decided.quote)}: {why_not_tradable(decided, check.gate)}"
    if decided.order.arrival is not None or decided.quote is None or check.collar is None:
        return f"{book(decided.quote)}: may be traded on"
    worst = "more" if decided.side.sign > 0 else "less"
    bps = decided.settings.max_slippage_bps.normalize()
    arm = "" if check.arm is None else f"; drawn for the {check.arm} arm of the experiment"
    return (
        f"{book(decided.quote)}: its mid {price(decided.quote.mid)} is the arrival price; no share may cost {worst} "
        f"than the collar of {price(check.collar)}, max_slippage_bps={bps:f} from it{arm}"
    )


def _wide(decided: Decided, _: Decision | None) -> str:
    return f"the spread is {percent(decided.spread_pct)} of the mid; max_spread_pct={decided.settings.max_spread_pct}"


def _stale(decided: Decided, _: Decision | None) -> str:
    age = None if decided.quote is None else age_seconds(decided.quote, decided.moment.now)
    if age is None:
        return "the quote has no time stamp, so its age is not known"
    if age < 0:
        return f"the quote is stamped {-age:.0f} seconds in the future"
    most = decided.settings.oldest_quote_seconds
    if most != decided.settings.max_quote_age_seconds:
        return f"the quote is {age:.0f} seconds old; on one venue's feed {most} are the most"
    return f"the quote is {age:.0f} seconds old; max_quote_age_seconds={most}"


def _thin(decided: Decided, _: Decision | None) -> str:
    size = shares(decided.quote.near_size(decided.side)) if decided.quote is not None else "0"
    return f"the {decided.near_name} displays {size}; min_volume_shares={decided.settings.min_volume_shares}"


_OF_A_VERDICT: dict[str, Callable[[Decided, Decision | None], str]] = {
    QuoteVerdict.MISSING: lambda _, __: "the feed had no quote",
    QuoteVerdict.ONE_SIDED: lambda _, __: "one side was empty",
    QuoteVerdict.CROSSED: lambda _, __: "the bid was above the ask",
    QuoteVerdict.LOCKED: lambda _, __: "bid and ask were equal",
    QuoteVerdict.STALE: _stale,
    QuoteVerdict.WIDE: _wide,
    QuoteVerdict.THIN: _thin,
}


def patience(decided: Decided) -> timedelta:
    """How long the order is worked before it escalates, by the policy that works it."""
    settings = decided.settings
    return patience_of(decided.order, settings) if settings.looks else timedelta(seconds=settings.patience_seconds)


def _patience(decided: Decided, answer: Decision) -> str:
    spent = f"worked for {span(decided.worked_for)}, and its patience was {span(patience(decided))}"
    return f"{spent}: {_how(decided, answer)}"


def _how(decided: Decided, answer: Decision) -> str:
    if answer.limit is None:
        return "the rest goes to the market"
    if answer.rung == "mid":
        return "it goes to the mid"
    return f"the rest takes the {decided.far_name}" if answer.rung == "take" else "it goes to its collar"


def _improve(decided: Decided, _: Decision) -> str:
    return f"the spread is {decided.ticks} ticks, so it rests a tick in front of the {decided.near_name}"


def _join(decided: Decided, _: Decision) -> str:
    if decided.ticks <= 1:
        return f"the spread is one tick, so a better price would take: it joins the {decided.near_name}"
    return f"it joins the {decided.near_name}"


def _step_back(decided: Decided, _: Decision) -> str:
    return (
        f"the {decided.far_name} displays {_far(decided)} against {_near(decided)} on our side, so the price is about "
        "to come to us: it rests a tick back"
    )


def _imbalance(decided: Decided, _: Decision) -> str:
    return (
        f"our side displays {_near(decided)} against {_far(decided)}, more than imbalance_cross="
        f"{decided.settings.imbalance_cross} of both, so the price is about to leave: it takes the {decided.far_name}"
    )


def _tight(decided: Decided, _: Decision) -> str:
    quote = decided.quote
    half = "" if quote is None else f", {price(quote.spread / 2)} a share from the mid"
    return (
        f"the spread of {decided.ticks} is tight against the usual {decided.usual_ticks} ticks "
        f"(tight_share={decided.settings.tight_share}), so taking costs little{half}: it takes the {decided.far_name}"
    )


def _moves_spent(decided: Decided, answer: Decision) -> str:
    return (
        f"all max_repegs={decided.settings.max_repegs} moves are made and the price has left: {_how(decided, answer)}"
    )


def _follow(decided: Decided, _: Decision) -> str:
    rested = _rested(decided)
    after = f" after {span(rested)}" if rested is not None else ""
    return f"others have gone in front{after}; move {decided.order.moves + 1} of {decided.settings.max_repegs}"


def _retreat(decided: Decided, _: Decision) -> str:
    return f"the others stand further from the {decided.far_name} by now, and so does it; no counted move"


def _close(decided: Decided, answer: Decision) -> str:
    left = span(decided.moment.closes - decided.moment.now)
    return f"{left} of the window are left: {_how(decided, answer)}"


_SENDING: dict[str, Callable[[Decided, Decision], str]] = {
    "improve": _improve,
    "join": _join,
    "step_back": _step_back,
    "imbalance": _imbalance,
    "tight": _tight,
    "patience_spent": _patience,
    "moves_spent": _moves_spent,
    "follow": _follow,
    "near_moved": _follow,
    "retreat": _retreat,
    "close_is_near": _close,
    "stay": lambda _, __: "its place is still the best one by the rules",
    "collar": lambda d, _: f"the rules would go further, but its collar is {_collar(d)}",
    "order_notional": lambda d, _: f"max_order_notional={d.settings.max_order_notional} allows no higher price",
    "market_orders": lambda _, __: "every order of this run is a market order",
    "control": lambda _, __: "drawn as a control order, which goes to the market at once",
    FALLBACK: lambda d, _: f"its book had held it since {_held_since(d)}; fallback={d.settings.fallback}",
    "mid": lambda _, __: "it rests at the mid",
    "cross": lambda _, __: "it goes to its collar",
}


def _stays(decided: Decided, _: Decision) -> str:
    child, quote = decided.child, decided.quote
    if child is None or child.limit is None or quote is None:
        return "it stays"
    gap, settings = worse_by(decided.side, quote.near(decided.side), child.limit), decided.settings
    if gap < 0:
        return f"no {decided.near_name} is as good as our {price(child.limit)}"
    if gap == 0:
        return f"we are at the {decided.near_name}"
    ahead = f"the {decided.near_name} is {price(gap)} in front of us"
    if decided.order.moves >= settings.max_repegs:
        return f"{ahead}, and all max_repegs={settings.max_repegs} moves are made"
    return f"{ahead}; {_not_yet(decided, settings)}"


def _not_yet(decided: Decided, settings: Settings) -> str:
    rested = _rested(decided)
    if not settings.looks:
        return f"it follows beyond repeg_threshold_pct={settings.repeg_threshold_pct}"
    if rested is not None and rested.total_seconds() < settings.follow_after_seconds:
        return f"it has rested for {span(rested)} of follow_after_seconds={settings.follow_after_seconds}"
    return "the rules give no better place"


_HOLDING: dict[str, Callable[[Decided, Decision], str]] = {
    "near": _stays,
    "collar": lambda d, _: f"the {d.near_name} is at or past its collar of {_collar(d)}, where it stays",
    "order_notional": lambda d, _: f"max_order_notional={d.settings.max_order_notional} allows no higher price",
    "working": lambda _, __: "it waits for its fill",
    "attempts": lambda d, _: f"few of max_attempts={d.settings.max_attempts} orders are left; they are kept",
    "moves_spent": lambda d, _: f"all max_repegs={d.settings.max_repegs} moves are made",
    "not_arrived": lambda _, __: "it has no arrival price yet",
}


def _collar(decided: Decided) -> str:
    return "not fixed" if decided.order.collar is None else price(decided.order.collar)


def _held_since(decided: Decided) -> str:
    since = decided.order.held_by_book_since
    return "its start" if since is None else f"{span(decided.moment.now - since)} ago"


def _rested(decided: Decided) -> timedelta | None:
    return None if decided.child is None else decided.moment.now - decided.child.decided_at


def _near(decided: Decided) -> str:
    return "nothing" if decided.quote is None else shares(decided.quote.near_size(decided.side))


def _far(decided: Decided) -> str:
    return "nothing" if decided.quote is None else shares(far_size(decided.quote, decided.side))
