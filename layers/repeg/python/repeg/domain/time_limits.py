"""The chain of time limits, from one request to the watchdog.

Each limit must outlast what it waits for, or an order could be sent by a step that others already count as dead:

    REQUEST < SEND_MARGIN                                the window's last request is answered inside the window
    ANSWER < SEND_MARGIN                                 an intent outlives the decision that it was written for
    REQUEST < SENDS_FOR                                  a slow request of a step does not cost the next one its order
    LISTENS_FOR < STEP_PLACES_FOR                        the last look of a listening step's turn may still send
    LOOKS_FOR + REQUEST <= STEP_PLACES_FOR               the last look of a turn has time to send what it decides
    STEP_BATCHES_FOR + a bucket of the quota <= STEP_PLACES_FOR    a batch that waited for its requests may be sent
    STEP_PLACES_FOR + REQUEST < a function's limit       a placement is never cut in two by its function's limit
    a function's limit < its Task's limit                the service retries only after the function has ended
    SENDS_FOR + REQUEST < DEAD_STEP                      a sweep looks again after a fenced step's last request
    a function's limit + REQUEST < DEAD_STEP             and after that of one that was frozen just before it
    SENDS_FOR + REQUEST < RESEND_AFTER                   an order is resent only when its first sender is dead
    a Task's limit < RESEND_AFTER                        also a frozen one, unless it listens
    RESEND_AFTER + SENDS_FOR + REQUEST < LOST_AFTER      an order is given up only when its second sender is dead
    RESEND_AFTER + a Task's limit < LOST_AFTER           also a frozen one
    CLOSES_FOR + two waits for the quota + two lists < CloseRun's limit   what was cancelled is confirmed and reported
    CANCELS_FOR + SWEEP_LOOKS looks of CLOSES_FOR, DEAD_STEP apart < a sweep's limit
                                                         a sweep is never cut off between two looks
    CANCELS_FOR + two looks < ServeOperator's limit      an operator is told what is open before the function ends
    LOST_AFTER < UNPRICED_LOST_AFTER                     no order without a limit doubles one that is still under way
    LOST_AFTER < RUN_SILENT                              the watchdog leaves a run alone that is resolving an order
    2 REQUEST < FUNDING_LEASE < STEP_PLACES_FOR          a living step extends its lease between two slow requests

A sender is dead SENDS_FOR + REQUEST after its order's decision, whatever its function's limit: the deadline of an order
is checked immediately before its request. Only a process that is frozen between the two lives longer. And a step
decides on no order once a later step of its run has begun, or its run has been taken over or is closing: each intent,
reservation and resend is a write on that condition. So a step that nothing waits for any more, such as one whose answer
was lost, is harmless 17 seconds after the next step has begun.

`tests/template/test_time_limits.py` checks each line against the template and the state machine's definition.
"""

from __future__ import annotations

from datetime import timedelta

# One HTTP request to the broker or the feed: connecting, then reading the answer.
CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
REQUEST = timedelta(seconds=CONNECT_SECONDS + READ_SECONDS)

# A request that is accepted is accepted within this long: an intent expires so long before the window closes.
ANSWER = timedelta(seconds=5)

# A request may be sent for this long after its order was decided. Whatever keeps it from leaving until then, a wait for
# the account's quota or new keys, its order is decided anew, on the book as it is by then. So a step that has lost its
# run sends nothing any more SENDS_FOR + REQUEST after it was fenced, however long its function may live.
SENDS_FOR = timedelta(seconds=10)

# What an intent's write has read of the kill switch holds for so long. A request that leaves later, because the table's
# answer or the account's quota kept it waiting, reads the switch again.
SWITCH_AGE = timedelta(seconds=1)

# The last request of a window is sent this long before it closes, so that its answer, time-outs included, comes inside.
SEND_MARGIN = timedelta(seconds=10)

# A step starts no new order after this long: its function's time limit must never cut a placement in two.
STEP_PLACES_FOR = timedelta(seconds=35)

# A step begins no further batch of orders after this long: it may then wait for the next bucket of the quota, and the
# quotes of a batch are read again once they are this old.
STEP_BATCHES_FOR = timedelta(seconds=25)
BATCH_QUOTES_AGE = timedelta(seconds=2)

# A turn that looks several times begins no look after this long. It reads the open orders again at most this often.
LOOKS_FOR = timedelta(seconds=28)
OPEN_ORDERS_AGE = timedelta(seconds=5)

# The machine waits so long for a step that makes one turn. One that listens may take its `listen_seconds` more.
TURN_TASK_SECONDS = 55

# A turn of a listening step is over after this long: its clock is too old to send by later. The first one waits at most
# CONNECTS_WITHIN for the stream. Orders are read back for hints at most every HINTS_APART, so that no storm of events
# uses up the quota; more than LISTED_FROM orders with one request, for the list. What the stream says may not show in a
# read for SHOWN_WITHIN (250 ms were observed), so a read that begins earlier is repeated. Streamed quotes are looked at
# up to STREAMED_QUOTE_AGE: an older one is read from the feed.
LISTENS_FOR = timedelta(seconds=32)
CONNECTS_WITHIN = timedelta(seconds=1)
HINTS_APART = timedelta(seconds=0.5)
SHOWN_WITHIN = timedelta(seconds=0.5)
LISTED_FROM = 3
STREAMED_QUOTE_AGE = timedelta(seconds=2)

# A cancel that is repeated this long after its mark is marked anew. A child that still shows as live LOST_AFTER its
# mark rests again: no step that could request the cancel is alive by then, and no request is under way.
CANCEL_REMARKED_AFTER = timedelta(seconds=10)

# A cancel is confirmed by reading the order after each of these pauses, two seconds in all.
CANCEL_CONFIRMATION_PAUSES = (0.1, 0.2, 0.3, 0.6, 0.8)

# An order that the broker does not know may be in flight for so long. Then the same intent is sent again: its first
# sender's deadline has passed by then, and a frozen sender has been ended by its own time limit.
RESEND_AFTER = timedelta(seconds=60)

# A step that froze between deadline and request lives for its time limit, and a request may be delayed as long again.
# Only then is an order that was never seen given up.
LOST_AFTER = timedelta(seconds=120)

# An order without a limit is not sent again. Only so long after its request may its parent get another order, under a
# new id: longer than any request has been seen to be delayed.
UNPRICED_LOST_AFTER = timedelta(minutes=15)

# Longer than a fenced step can still send, and its last request can take. A sweep looks again after this long.
DEAD_STEP = timedelta(seconds=60)
SWEEP_LOOKS = 5
EMPTY_LOOKS_NEEDED = 2

# A step of closing requests no cancel after this long: the confirmations and the report follow, and what is left is for
# the next step.
CLOSES_FOR = timedelta(seconds=45)

# A closing step, a sweep or the watchdog repeats a read that fails at once after each of these pauses: otherwise one
# bad answer would leave a dead run's orders open for minutes. A read that took longer is not repeated: steps have a
# limit.
CLOSING_READ_PAUSES = (0.5, 1.5)
FAILS_AT_ONCE = timedelta(seconds=2)

# An operator's cancels begin no batch after this long: what is left is for the next call of the function. A batch holds
# as many requests as are sent at once, so that none of it waits for another.
CANCELS_FOR = timedelta(seconds=100)
CANCEL_BATCH = 8

# The funding lease of a dead step keeps other runs from buying for so long. A living one extends it with each intent
# that it writes, and an intent is refused once the lease has passed on.
FUNDING_LEASE = timedelta(seconds=20)
FUNDING_PAUSES = (1.0, 2.0, 3.0)

# The broker's balances may be this much older than its orders: what was sent since is taken off them.
BALANCE_LAG = timedelta(seconds=10)

# Holdings that a sell is checked against are at most this old.
HOLDINGS_AGE = timedelta(seconds=5)

# After a refusal that may pass, the next attempt waits this long, doubled with each further refusal.
FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(minutes=10)

# A run that has not begun this long after the open is missed; a scheduler may be a minute late.
RUN_LATE = timedelta(minutes=10)

# A run that has not turned for this long, and for this many of its own turns, is stuck.
RUN_SILENT = timedelta(minutes=5)
SILENT_TURNS = 3

# The broker's books of a day count as final this long after the session's close: its own late fills are listed by then.
BOOKS_FINAL_AFTER = timedelta(minutes=20)

# The costs of an ended run are measured from historical quotes for this long in a pass of the watchdog, one request for
# each book, which is repeated after these pauses. While the feed does not answer the next pass tries again, until
# MEASURED_BY after the close.
MEASURES_FOR = timedelta(minutes=4)
MEASURE_PAUSES = (5.0, 20.0, 40.0)
MEASURED_BY = timedelta(minutes=45)

# An order still open this long after its run's window closed is orphaned: no closing step can be working on it.
ORPHANED_AFTER = timedelta(minutes=3)
