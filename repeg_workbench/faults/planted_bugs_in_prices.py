"""Planted bugs of quotes and prices: the quote check, the arrival, the collar, the rungs and the moves."""

from __future__ import annotations

from repeg.domain import fallback, peg, pricing, quote, quote_check, tick
from repeg.workflow import quote_check as quote_check_step
from repeg.workflow import working
from repeg_workbench.faults.planting import Edit, PlantedBug, edited

_SPENT_MOVES = "if order.moves >= settings.max_repegs:"
_ROUNDED_IN = "tick.round_down(worst, day, floor) if side is Side.BUY else tick.round_up(worst, day, floor)"
_ROUNDED_OUT = "tick.round_up(worst, day, floor) if side is Side.BUY else tick.round_down(worst, day, floor)"

PRICE_BUGS: dict[str, PlantedBug] = {
    "collar_outwards": edited(
        "the collar is rounded outwards",
        Edit(pricing, "collar", _ROUNDED_IN, _ROUNDED_OUT),
        seen_by="tests/domain/test_peg_price.py::test_the_collar_is_max_slippage_from_the_arrival_mid",
    ),
    "collar_from_far_side": edited(
        "the collar is measured from the far side instead of the mid",
        Edit(pricing, "collar", "arrival.mid", "arrival.far(side)"),
        seen_by="tests/domain/test_peg_price.py::test_the_collar_is_max_slippage_from_the_arrival_mid",
    ),
    "collar_anew_after_hold": edited(
        "arrival and collar are fixed anew whenever an order is placed again",
        Edit(quote_check, "check_waiting_order", "arrival is None or order.arrival is not None", "arrival is None"),
        Edit(quote_check.QuoteCheck, "arrival", "order.arrival is not None or not self.frees", "not self.frees"),
        Edit(quote_check_step, "apply_quote_check", "if free.arrival is None:", "if free.arrival != arrival:"),
        seen_by="tests/functions/test_validate_quotes.py::test_the_arrival_and_the_collar_never_change",
    ),
    "collar_of_each_quote": edited(
        "a crossing order's collar is taken from the quote of the moment",
        Edit(
            pricing,
            "limit_for",
            "furthest_price(order, day, settings)",
            "collar(order.side, quote, settings.max_slippage_bps, day, settings.tick_size)",
        ),
        seen_by="tests/functions/test_fallback.py::test_a_fallback_rests_where_it_is_when_the_book_is_good_again",
    ),
    "passive_at_the_collar_only": edited(
        "only crossing orders are kept inside the collar",
        Edit(
            pricing,
            "limit_for",
            "inside(order, price(order.side, quote, day, settings.tick_size))",
            "price(order.side, quote, day, settings.tick_size)",
        ),
        seen_by="tests/functions/test_close_run.py::test_an_order_unfilled_at_its_collar_is_reported_as_such",
    ),
    "half_tick": edited(
        "the mid is sent as it is, between two ticks",
        Edit(
            pricing,
            "mid_price",
            "tick.round_down(quote.mid, day, floor) if side is Side.BUY else tick.round_up(quote.mid, day, floor)",
            "quote.mid",
        ),
        seen_by="tests/domain/test_peg_ladder.py::test_the_ladder_escalates_turn_by_turn",
    ),
    "passive_takes": edited(
        "the passive price reaches the far side at a one-tick spread",
        Edit(pricing, "passive_price", "improved < quote.ask", "improved <= quote.ask"),
        Edit(pricing, "passive_price", "improved > quote.bid", "improved >= quote.bid"),
        seen_by="tests/domain/test_peg_price.py::test_a_passive_order_improves_by_a_tick_or_joins",
    ),
    "cent_below_a_dollar": edited(
        "a cent is the tick below a dollar too",
        Edit(tick, "tick_at", "max(step, floor) if price >= 1 else step", "max(step, floor)"),
        seen_by="tests/domain/test_tick.py::test_the_tick_is_a_cent_from_a_dollar_up_and_finer_below",
    ),
    "own_quote_followed": edited(
        "an order follows its own quote",
        Edit(
            peg,
            "_keep_up",
            "worse_by(order.side, near, child.limit) <= 0",
            "worse_by(order.side, near, child.limit) < 0",
        ),
        Edit(
            peg,
            "_keep_up",
            " if is_far_enough else None",
            "",
        ),
        seen_by="tests/domain/test_peg_turns.py::test_an_unmoved_book_holds_the_order",
    ),
    "moves_not_limited": edited(
        "max_repegs limits the escalation only, not the moves",
        Edit(peg, "_keep_up", _SPENT_MOVES, "if False:"),
        seen_by="tests/domain/test_peg_ladder.py::test_exhausted_moves_without_escalation_hold_the_order",
    ),
    "ladder_to_the_market": edited(
        "the escalation goes to the market whatever the settings say",
        Edit(peg, "due_rung", "LADDERS[settings.escalation]", "LADDERS[Escalation.MARKET]"),
    ),
    "bad_quote_crossed": edited(
        "a wide, thin or stale quote is crossed once the close is near",
        Edit(
            peg,
            "_on_any_quote",
            "answer = check_market_quote(order, quote, moment.now, settings)",
            "answer = QuoteVerdict.OK if moment.close_is_near and quote else"
            " check_market_quote(order, quote, moment.now, settings)",
        ),
        seen_by="tests/domain/test_peg_ladder.py::test_a_wide_book_is_not_crossed_even_near_the_close",
    ),
    "no_time_stamp_is_fresh": edited(
        "a quote without a time stamp counts as fresh",
        Edit(
            quote,
            "check_quote",
            "age is None or not -CLOCK_ERROR_SECONDS <= age",
            "age is not None and not -CLOCK_ERROR_SECONDS <= age",
        ),
        seen_by="tests/domain/test_quote.py::test_a_missing_timestamp_is_stale",
    ),
    "crossed_quote_used": edited(
        "a crossed quote may be traded on",
        Edit(quote, "check_quote", "if quote.bid > quote.ask:", "if False:"),
        seen_by="tests/domain/test_quote.py::test_a_bid_at_or_above_the_ask_is_locked_or_crossed",
    ),
    "fallback_again": edited(
        "a fallback is sent on each turn",
        Edit(fallback, "is_fallback_due", "or has_fallen_back(order) ", ""),
        seen_by="tests/domain/test_fallback.py::test_an_order_falls_back_once",
    ),
    "fallback_in_a_halt": edited(
        "a fallback is sent although the symbol may be halted",
        Edit(fallback, "is_fallback_due", "return _may_be_trading(quote, moment.now) and ", "return "),
        seen_by="tests/domain/test_fallback.py::test_a_quote_that_may_be_halted_is_not_followed_by_a_fallback",
    ),
    "repriced_order_placed": edited(
        "an order is placed although its price is far from the one its weight was sized at",
        Edit(quote_check, "is_repriced", "order.sized_at is not None and", "False and"),
        seen_by="tests/domain/test_sizing_price.py::test_an_arrival_far_from_the_sizing_price_is_repriced",
    ),
    "rung_lost": edited(
        "an order that has lost its child starts again at the passive rung",
        Edit(peg, "_decide", "return _start(order, quote, rung,", "return _start(order, quote, Rung.PASSIVE,"),
        seen_by="tests/domain/test_peg_ladder.py::test_an_order_near_the_close_escalates_at_once",
    ),
    "market_on_an_old_quote": edited(
        "an order without a limit is sent on one venue's quote of almost five minutes",
        Edit(peg, "decide", "if is_at_most(quote, moment.now, settings.max_quote_age_seconds):", "if True:"),
        seen_by="tests/domain/test_escalation.py"
        "::test_no_market_order_is_sent_on_a_quote_of_more_than_the_configured_age",
    ),
    "dust_sent_for_ever": edited(
        "a remainder too small for the broker is sent again and again",
        Edit(working, "_is_dust_left", "return order.filled > 0 and", "return False and"),
        seen_by="tests/guards/test_permission_before_cancel.py"
        "::test_a_remainder_too_small_for_the_broker_ends_as_filled",
    ),
}
