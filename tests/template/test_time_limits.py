"""The chain of time limits of `repeg.domain.time_limits`, checked against the template and the definition."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repeg.adapters.request_limiter import MAX_WAITS
from repeg.adapters.runtime import MAX_WORKERS
from repeg.domain.request_quota import BUCKET_SECONDS
from repeg.domain.setting_types import Waiting
from repeg.domain.settings import Settings
from repeg.domain.time_limits import (
    ANSWER,
    BATCH_QUOTES_AGE,
    CANCEL_BATCH,
    CANCEL_CONFIRMATION_PAUSES,
    CANCELS_FOR,
    CLOSES_FOR,
    DEAD_STEP,
    FUNDING_LEASE,
    LISTENS_FOR,
    LOOKS_FOR,
    LOST_AFTER,
    REQUEST,
    RESEND_AFTER,
    RUN_SILENT,
    SEND_MARGIN,
    SENDS_FOR,
    STEP_BATCHES_FOR,
    STEP_PLACES_FOR,
    SWEEP_LOOKS,
    TURN_TASK_SECONDS,
    UNPRICED_LOST_AFTER,
)
from repeg.workflow.opening import step_seconds
from tests.statemachine.rules import tasks
from tests.template.stack import ROOT, definition, functions

# Every request may wait for the next bucket of the quota, as often as the limiter lets it, and then be slow.
SLOWEST = MAX_WAITS * timedelta(seconds=BUCKET_SECONDS) + REQUEST

PLACING = ("PlaceOrders", "RepegOrders")
SENDING = tuple(name for name in tasks(definition()) if name != "CloseRun")
SENDER_LIVES = SENDS_FOR + REQUEST


def function_limit(name: str) -> timedelta:
    return timedelta(seconds=functions()[name]["Timeout"])


def task_limit(name: str) -> timedelta:
    return timedelta(seconds=definition()["States"][name].get("TimeoutSeconds", TURN_TASK_SECONDS))


def test_the_last_request_of_a_window_is_answered_inside_it() -> None:
    assert REQUEST < SEND_MARGIN


def test_the_last_look_of_a_turn_has_time_to_send() -> None:
    assert LOOKS_FOR + REQUEST <= STEP_PLACES_FOR


def test_an_answer_fits_into_the_send_margin() -> None:
    assert ANSWER < SEND_MARGIN


@pytest.mark.parametrize("name", PLACING)
def test_a_placement_ends_before_its_functions_timeout(name: str) -> None:
    cancel = timedelta(seconds=sum(CANCEL_CONFIRMATION_PAUSES))
    assert STEP_PLACES_FOR + cancel + REQUEST < function_limit(name)


@pytest.mark.parametrize("name", tasks(definition()))
def test_the_service_retries_only_after_the_function_has_ended(name: str) -> None:
    assert function_limit(name) + timedelta(seconds=5) <= task_limit(name)


@pytest.mark.parametrize("name", tasks(definition()))
def test_a_function_has_time_for_more_than_one_slow_request(name: str) -> None:
    assert function_limit(name) > 2 * REQUEST


def test_a_slow_request_does_not_cost_the_next_order_its_deadline() -> None:
    assert REQUEST < SENDS_FOR


def test_a_sweeps_second_check_follows_a_fenced_steps_last_request() -> None:
    assert SENDER_LIVES < DEAD_STEP


def test_a_sweeps_second_check_follows_a_frozen_steps_last_request() -> None:
    assert max(function_limit(name) for name in SENDING) + REQUEST < DEAD_STEP


def test_a_listening_step_has_time_for_its_last_turn() -> None:
    """However long it listens; and the machine waits for it."""
    longest = Settings.model_fields["listen_seconds"].metadata
    most = next(bound.le for bound in longest if hasattr(bound, "le"))
    limit = functions(listening=True)["RepegOrders"]["Timeout"]
    assert most + function_limit("RepegOrders").seconds <= limit
    assert step_seconds(Settings(waiting=Waiting.STREAM, listen_seconds=most)) >= limit
    assert step_seconds(Settings()) == TURN_TASK_SECONDS == task_limit("PlaceOrders").seconds


def test_a_listening_steps_turn_ends_while_it_may_send() -> None:
    assert LISTENS_FOR < STEP_PLACES_FOR
    assert LISTENS_FOR < RUN_SILENT


def test_an_order_is_resent_only_when_its_first_sender_is_dead() -> None:
    assert max(SENDER_LIVES, *(task_limit(name) for name in SENDING)) < RESEND_AFTER


def test_an_order_is_abandoned_only_when_its_second_sender_is_dead() -> None:
    assert RESEND_AFTER + max(SENDER_LIVES, *(task_limit(name) for name in SENDING)) < LOST_AFTER


def test_an_orphaned_step_is_harmless_as_soon_as_the_documentation_says() -> None:
    """So long after the next step has begun: it decides on nothing, and what it had decided has been sent."""
    assert timedelta(seconds=17) == SENDER_LIVES
    for page in ("docs/trading-rules.md", "docs/operations.md"):
        assert f"{SENDER_LIVES.seconds} seconds" in (ROOT / page).read_text()


@pytest.mark.parametrize("name", ["SweepOrders", "WatchRuns"])
def test_a_sweeps_checks_fit_into_its_functions_timeout(name: str) -> None:
    looks = SWEEP_LOOKS * (CLOSES_FOR + SLOWEST) + (SWEEP_LOOKS - 1) * DEAD_STEP
    assert CANCELS_FOR + SLOWEST + looks < function_limit(name)


def test_a_step_of_closing_confirms_its_cancels_and_reports() -> None:
    """Its last cancel may have waited for the quota, and so may the lists that confirm it."""
    confirmed = timedelta(seconds=sum(CANCEL_CONFIRMATION_PAUSES)) + SLOWEST
    assert CLOSES_FOR + SLOWEST + confirmed < function_limit("CloseRun")


def test_a_batch_that_waited_for_its_requests_may_be_sent() -> None:
    assert STEP_BATCHES_FOR + timedelta(seconds=BUCKET_SECONDS) <= STEP_PLACES_FOR


def test_quotes_that_are_not_read_again_for_a_batch_may_be_traded_on() -> None:
    assert BATCH_QUOTES_AGE.total_seconds() < min(Settings().max_quote_age_seconds, BUCKET_SECONDS)


def test_a_run_resolving_an_order_is_not_considered_stuck() -> None:
    assert min(RUN_SILENT, UNPRICED_LOST_AFTER) > LOST_AFTER


def test_a_living_step_extends_its_funding_lease_between_slow_requests() -> None:
    """Between two intents of a step lie a read of the cash, or an order and its answer."""
    assert 2 * REQUEST < FUNDING_LEASE < STEP_PLACES_FOR


def test_an_operator_is_told_what_is_open_before_the_function_ends() -> None:
    """Every request may wait for the next bucket of the quota, as often as the limiter lets it, and then be slow."""
    slowest = MAX_WAITS * timedelta(seconds=BUCKET_SECONDS) + REQUEST
    pages = 2
    listing, clock, day, account = pages, 1, 1, 1
    view = (clock + day + account + listing) * slowest
    assert CANCELS_FOR + listing * slowest + view < function_limit("ServeOperator")
    assert CANCELS_FOR + slowest + view < function_limit("ServeOperator")


def test_a_batch_of_cancels_is_sent_at_once() -> None:
    assert CANCEL_BATCH == MAX_WORKERS
