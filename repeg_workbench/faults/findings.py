"""What each violation of the counted days was: a fault of the program, or a mistake of a judge or of the simulation."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A fault of the program: what happened, the seed of the day that showed it, and what was changed."""

    fault: str
    seed: str
    mended: str


class Mistake(NamedTuple):
    """A violation that was none: what the judge had found, on which seeds, and what it lacked."""

    violation: str
    seeds: str
    lacked: str


MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "`not_held_by_its_book`",
        "2525, 3082, 913, 109381",
        "The last quotes on which a line may be held are not the last that its run reads: no order leaves in a window's"
        " last ten seconds, and the closing step reads quotes for its report. A step that listens looks at quotes that"
        " it hears. An order in dollars is also held where its price is far from the one that it was sized at.",
    ),
    Mistake(
        "`sent_after_owner`",
        "3774, 676315",
        "A move by the account's owner that the broker rejects leaves the order as it was: it is worked on. And where a"
        " step dies between the mark that it stores and its request to cancel, nothing tells a cancel by the owner in"
        " the next two minutes from the run's own: it is taken for that, and the order is sent again.",
    ),
    Mistake(
        "`given_up`",
        "725888",
        "An execution whose step has failed closes its run, and may be stopped while it does.",
    ),
    Mistake(
        "`killed_without_switch`",
        "690601, 691718",
        "A run that failed may be reported while the broker cannot be read. Its orders get their outcomes from a later"
        " pass, which reads the switch as it is then.",
    ),
    Mistake(
        "`unswept`",
        "730234, 305119, 629698",
        "A request that the network delivers minutes after its run has died, and after its sweep, is found and ended by"
        " the watchdog. Its silence begins when the step of a stopped execution ends, since the function goes on. A"
        " frozen pass of the watchdog keeps the run that it has taken over, even if the execution died during it.",
    ),
    Mistake(
        "`outside_window`",
        "560000",
        "A broker whose clock is ahead opens its window as much earlier.",
    ),
    Mistake(
        "`idle`",
        "800053, 2664, 301947",
        "The cash that a plan keeps, or that the account's owner spends, is not there for its buys, and a line whose"
        " arrival price a fault keeps from being stored cannot be sent.",
    ),
    Mistake(
        "`not_a_price_of_the_book`, `past_the_collar`, `not_cancelled`",
        "3937, 20020, 20081, 4302, 6934, 301323, 302726, 304472, 501565, 631527, 650422",
        "An order that was cancelled to take the far side keeps its price if the far side has gone and all moves are"
        " made. Where a budget has no room for a later price, the reserved one is sent, also if its order was never"
        " sent or the cancel took minutes. Where a late quote shows an order's predecessor alone at the best price, it"
        " may retreat behind it. The arrival of an order in dollars is the first book near the price of its"
        " size. A dead run whose event was lost is left to the watchdog. A switch that is set anew before a turn has"
        " read it was not there for the run.",
    ),
    Mistake(
        "`unresolved`",
        "4487, 5002, 6513, 7192, 200024, 201281, 661846",
        "An order in flight cannot be looked for while every step of its run that is under way is frozen, or the pass"
        " of the watchdog that has taken the run over. That time does not count; the freeze of a second delivery, for"
        " which nothing waits, does. Where the event of a dead run was lost, the watchdog's silence begins anew with a"
        " step of it that is invoked by hand, and a second start that is refused later changes nothing of that. A turn"
        " whose look for the order a fault spoilt is followed by another.",
    ),
    Mistake(
        "`more_than_target`, `wrong_side`",
        "6475, 6487, 305011, 400730",
        "A feed that lags may serve a quote of minutes ago once more, and a weight may be sized at it. What a run had"
        " planned was read through the faults of its table, so the judge did not learn it. A holding whose quote has"
        " one side keeps the broker's value, its last trade's. A sell of more dollars than are held"
        " sells a fraction too.",
    ),
    Mistake(
        "`day_not_run`",
        "3140, 6407, 6427, 7337, 100819, 102292, 109157",
        "The workload drew settings that the program refuses: a symbol's ladder that the deployment's attempts did not"
        " reach, and an order's limit above the run's. The harness set the kill switch through the faults of the"
        " program's table and ended with them. The simulated exchange had no way back to the market for an order in a"
        " rare status whose cancel was under way.",
    ),
    Mistake(
        "`failed_without_cause`",
        "3050, 3104, 115, 380, 387, 2314, 302359, 623707, 624167, 638970, 639155, 723266, 724812, 724981",
        "An input is refused while another execution of the run was opened, and a sale of shares that another run's"
        " open order held. A second delivery that answers does not end a step whose last attempt a fault struck;"
        " one that opens a run once its execution has been refused leaves it without one. The broker may release the"
        " shares of a rejected sell a while later, and a quote without a bid is no price by which a plan is sized. An"
        " order in dollars is worth them before it has shares, and its sale needs a holding. A run that failed before"
        " the broker could be read is open until it can be, and keeps the next one from being opened. A split makes the"
        " sale of a whole holding worth more than was planned.",
    ),
    Mistake(
        "`too_many_requests`, `hint_ignored`",
        "621384, 601055",
        "Two stacks on one account count in tables of their own. Several steps at once lease most of a bucket of the"
        " quota among them without using it, and reads for hints wait for the next one.",
    ),
    Mistake(
        "`no_intent`",
        "639057",
        "A step was killed while the table carried out the write of its intent: the intent was stored, and not in the"
        " record of the day.",
    ),
    Mistake(
        "`unchecked_quote`",
        "244",
        "Patience begins with a line's first intent. Its order may reach the broker minutes later.",
    ),
    Mistake(
        "`published_late`",
        "762, 404211, 405079",
        "The end of an order that the broker does not find can be booked only once it finds it, or after the close. The"
        " watchdog's silence begins when the step of a stopped execution ends, and its sweep waits for stuck cancels.",
    ),
)

FINDINGS: tuple[Finding, ...] = (
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
