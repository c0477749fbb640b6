"""The faults of the program that simulated days have shown, and how each was mended."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A fault of the program: what happened, the seed of the day that showed it, and what was changed."""

    fault: str
    seed: str
    mended: str


FINDINGS: tuple[Finding, ...] = (
    Finding(
        "A filled sell had no answer, and from then on the broker found it neither by its id nor in a list. It was not"
        " resent, because its shares were not held any more. The closing step gave it up as never arrived, and the run"
        " reported `rejected` and was settled.",
        "760360 at `5beeac5705`",
        "Trades in orders that the broker does not show, and shares that are gone, say that an order in flight may have"
        " traded: it ends as `unknown`, with an alert (`tests/functions/test_unseen_trades.py`).",
    ),
    Finding(
        "A buy was to move to the market, and the cash for it was not there. For the two minutes until the close it was"
        " reported as held by a wide book, as it had been before.",
        "800027 at `ddf05e8251`",
        "What held an order before is dropped there (`tests/guards/test_market_moves.py`).",
    ),
    Finding(
        "The ask was half a cent above a dollar, and a sell improved it by a whole cent: it was sent at 0.995, below a"
        " dollar, where prices are finer, and not at 1.00.",
        "676537 at `b1b22e151d`",
        "A price that is better than the near side is rounded by the step of the near side"
        " (`tests/domain/test_policy_at_a_dollar.py`).",
    ),
    Finding(
        "A look that an event caused took the far side after 0.9 of 6 seconds of patience: it was nearer to their end"
        " than the next turn, fifteen seconds later.",
        "610421 at `38cd133148`",
        "Half of the patience passes first (`tests/domain/test_pieces.py`).",
    ),
    Finding(
        "Twenty thousand fills of one share each made 203 pages. One answer in twenty was spoilt, each failure began"
        " the list anew, and none of its readers came to the end: the run failed, and its fills were not in the books.",
        "501502 at `2d0512966a`",
        "A page that fails is read again, not the list (`tests/adapters/test_alpaca_parsing.py`).",
    ),
    Finding(
        "A filled order had no answer, and from then on the broker found it neither by its id nor in a list. It refused"
        " the resend because the id was used. Two minutes later the closing step gave the order up as never arrived,"
        " and the run reported it as not filled.",
        "404798 at `9823960988`",
        "An order whose id is used has arrived: it is not resent or given up, and ends as `unknown`, with an alert"
        " (`tests/functions/test_close_run_unaccounted.py`).",
    ),
    Finding(
        "The shares of a sell had gone: another order had sold them. The run counted on its dollars until its window"
        " ended, and for so long left cash idle that a waiting buy could have been placed with in part.",
        "301947 at `f16588820a`",
        "A sell whose shares are not there is expected to bring nothing (`tests/domain/test_funding.py`).",
    ),
    Finding(
        "A waiting buy's book had two sides when it was checked, and one when cash was granted. What part of it was"
        " worth placing was computed from a bid of zero, and the run failed. Its open orders were cancelled.",
        "102270 at `71ff1a04ed`",
        "No part is worth placing on a book without a mid (`tests/functions/test_buys_in_part.py`).",
    ),
    Finding(
        "A request found its bucket of the account's quota exhausted, and the next one began while the table answered."
        " The request waited for the one after that: ten seconds in which its step did not act on a fill.",
        "101769, 102864, 103311, 106209 at `71ff1a04ed`",
        "A bucket that has begun meanwhile is not waited out (`tests/domain/test_request_quota.py`).",
    ),
    Finding(
        "An order that was left to its owner, who had moved it, filled between two closing steps: the first had"
        " been cut off after it had ended the order. All shares were booked and reported, with the outcome"
        " `ended_by_owner`.",
        "8518 at `ea2b0998be`",
        "The report gives an order that was filled since its end the outcome `filled`"
        " (`tests/functions/test_other_hands.py`).",
    ),
    Finding(
        "The place of a successor was reserved for ten shares, all that the cash was there for. Its cancel was"
        " confirmed in a later turn, with cash for 350; the budgets refused that many, and they were sent at 40 cents"
        " each, the reserved dollars over the wrong shares. The order rested far from the market; no limit was broken.",
        "800155 at `1eeb338944`",
        "A successor that the budgets refuse takes the reserved shares as well as the reserved price"
        " (`tests/domain/test_affordable_price.py`).",
    ),
    Finding(
        "A sweep, and each pass of the watchdog, ended at its first failed read. On a line that spoilt a fifth of all"
        " answers, an order in flight of an aborted run was looked for only half an hour later.",
        "739 at `44ddd9c951`",
        "A closing step's read that fails at once is repeated, up to twice"
        " (`tests/guards/test_closing_reads.py`). The sweep of that day now ends within three and a half minutes.",
    ),
    Finding(
        "Where a price crossed a dollar, the usual spread became a hundred times as wide: it was kept in steps of the"
        " grid. An order retreated far from the market, and a run wanted a price below zero and ended.",
        "not kept",
        "The usual spread is kept in steps of the arrival's grid (`tests/domain/test_seeding.py`).",
    ),
    Finding(
        "One old trade of one holding changed the size of every weight: equity was the broker's, which values a holding"
        " at its last trade, whatever its age.",
        "not kept",
        "The plan's holdings are valued at their fresh prices (`tests/domain/test_equity.py`).",
    ),
    Finding(
        "An intent is written under the kill switch, and then its request may wait twenty seconds for the account's"
        " quota. A switch set during the wait did not keep the order from being sent.",
        "not kept",
        "The switch is read again after a wait (`tests/domain/test_request_quota.py`).",
    ),
    Finding(
        "A turn counted its wait for the request quota as time at the broker. After half a minute of waiting every"
        " quote looked stale, and near the close a run ended up to half a minute before its window.",
        "not kept",
        "A turn's clock leaves the wait out (`tests/guards/test_request_budget.py`).",
    ),
    Finding(
        "A rejected replacement showed once what its predecessor had filled, and its own fills stayed unclear for ever:"
        " the run never ended.",
        "7053",
        "A rejected replacement has no fills of its own.",
    ),
    Finding(
        "A sweep sent an order again that was on its way. It arrived after the order had been given up.",
        "105, 132, 281",
        "Nothing is sent again while a run closes, and an order in flight is waited for.",
    ),
    Finding(
        "A run's end was stored and never published: the step was cut off between the two.",
        "254",
        "The watchdog publishes ends that were not.",
    ),
    Finding(
        "An order had no outcome: its last save was lost after the report had been made.",
        "191",
        "A run is closed only once every order has a stored outcome.",
    ),
)
