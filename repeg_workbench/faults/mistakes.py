"""The violations of the counted days that were none: mistakes of a judge or of the simulation, mended there."""

from __future__ import annotations

from typing import NamedTuple


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
        " step dies after it has stored its mark and before it requests the cancel, a cancel by the owner in the next"
        " two minutes cannot be told from the run's own: it counts as that, and the order is sent again.",
    ),
    Mistake(
        "`given_up`",
        "725888, 743892",
        "An execution whose step has failed closes its run, and may be stopped while it does. The broker may keep the"
        " cash of an order that it works no more until the close.",
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
        "800053, 2664, 301947, 774010",
        "The cash that a plan keeps, or that the account's owner spends, is not there for its buys, and a line whose"
        " arrival price a fault keeps from being stored cannot be sent. Where the refusal of a market order could not"
        " be stored, the order is unknown for fifteen minutes.",
    ),
    Mistake(
        "`not_a_price_of_the_book`, `past_the_collar`, `not_cancelled`",
        "3937, 20020, 20081, 4302, 6934, 301323, 302726, 304472, 501565, 631527, 650422, 747325",
        "An order that was cancelled to take the far side keeps its price if the far side has gone and all moves are"
        " made. Where a budget has no room for a later price, the reserved one is sent, also if its order was never"
        " sent or the cancel took minutes. Where a late quote shows an order's predecessor alone at the best price, it"
        " may retreat behind it. The arrival of an order in dollars is the first book near the price of its size. That"
        " of a fallback stands if the order has to wait and its book passes later. A dead run whose event was lost is"
        " left to the watchdog. A switch that is set anew before a turn has read it was not there for the run.",
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
        "6475, 6487, 305011, 400730, 742451",
        "A feed that lags may serve a quote of minutes ago once more, and a weight may be sized at it. What a run had"
        " planned was read through the faults of its table, so the judge did not learn it. A holding whose quote has"
        " one side keeps the broker's value, its last trade's. A sell of more dollars than are held sells a fraction"
        " too. A trade between the reads of the holdings and of the equity leaves its move in the sum.",
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
        "3050, 3104, 115, 380, 387, 2314, 302359, 623707, 624167, 638970, 639155, 723266, 724812, 724981,"
        " 726065, 728968",
        "An input is refused while another execution of the run was opened, and a sale of shares that another run's"
        " open order held. A second delivery that answers does not end a step whose last attempt a fault struck;"
        " one that opens a run once its execution has been refused leaves it without one. The broker may release the"
        " shares of a rejected sell a while later, and a quote without a bid is no price by which a plan is sized. An"
        " order in dollars is worth them before it has shares, and its sale needs a holding. A run that failed before"
        " the broker could be read is open until it can be, and keeps the next one from being opened. A split makes the"
        " sale of a whole holding worth more than was planned. A start that is refused at once ends in the"
        " microsecond in which it began.",
    ),
    Mistake(
        "`too_many_requests`, `hint_ignored`",
        "621384, 601055, 754225, 744674",
        "Two stacks on one account count in tables of their own. Several steps at once lease most of a bucket of the"
        " quota among them without using it, and reads for hints wait for the next one. A list of executions takes a"
        " request for each of its pages, and that of thousands of trades the quota of half a minute.",
    ),
    Mistake(
        "`cash_negative`",
        "747736",
        "A market order whose request the network held up for five minutes traded at the price of its arrival, a third"
        " dearer. On a margin account the broker lends what is missing.",
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
