"""The deployed definition satisfies every rule, and each rule detects its planted defects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from repeg.domain.next_step import EVENTS_PER_RETRY, EVENTS_PER_TURN, HISTORY_BUDGET, TURNS_PER_EXECUTION
from repeg.domain.plan import MAX_NAME_LENGTH, run_id
from tests.statemachine.planting import planted
from tests.statemachine.rules import (
    CLOSING,
    RULES,
    Definition,
    every_cycle_waits,
    every_decision_has_its_branch,
    every_end_is_reached_through_closing,
    every_function_retries_transient_errors,
    every_name_is_a_verb_and_a_noun,
    every_named_error_exists,
    every_retry_is_capped_and_jittered,
    every_state_is_reachable,
    every_state_leads_on_or_ends,
    every_target_exists,
    every_task_calls_its_namesake,
    every_task_catches_everything,
    every_task_is_bounded,
    every_wait_is_for_an_instant,
    longest,
    no_error_is_named_twice,
    states,
    states_all_stands_last_and_alone,
    tasks,
    the_language_is_jsonpath,
)

PATH = Path(__file__).parents[2] / "statemachine" / "execute_plan.asl.json"
# 09:25, when the schedule fires, to the close at 16:00.
DAY_SECONDS = 6 * 3600 + 35 * 60
EVENTS = {"Wait": 2, "Task": 5, "Choice": 2, "Pass": 2}

Rule = Callable[[Definition], Iterator[str]]


def no_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Reject duplicate keys, of which JSON silently keeps the last."""
    assert len({key for key, _ in pairs}) == len(pairs), [key for key, _ in pairs]
    return dict(pairs)


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(PATH.read_text(), object_pairs_hook=no_repeated_keys)
    return parsed


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_definition_satisfies_the_rule(rule: Rule, definition: dict[str, Any]) -> None:
    assert list(rule(definition)) == []


DEFECTS: list[tuple[Rule, str, Any]] = [
    (every_target_exists, "States/PlanOrders/Next", "ValidateQuote"),
    (every_target_exists, "States/PlaceOrders/Catch/0/Next", "CloseRuns"),
    (every_target_exists, "StartAt", "Open"),
    (every_state_leads_on_or_ends, "States/CheckSession", {"Type": "Task"}),
    (every_state_leads_on_or_ends, "States/RunOutcome/Default", None),
    (every_state_is_reachable, "States/TurnDecision/Choices/3/Next", "CloseRun"),
    (every_state_is_reachable, "States/OpenRun/Catch/0/Next", "OpenFailure"),
    (every_cycle_waits, "States/TurnDecision/Choices/1/Next", "RepegOrders"),
    (every_cycle_waits, "States/CloseRun/Catch/0/Next", "OpenFailure"),
    (every_end_is_reached_through_closing, "States/SessionDecision/Default", "RunSettled"),
    (every_end_is_reached_through_closing, "States/RepegOrders/Catch/0/Next", "RunFailed"),
    (every_task_is_bounded, "States/PlaceOrders/TimeoutSeconds", None),
    (every_task_is_bounded, "States/PlaceOrders/TimeoutSeconds", 90),
    (every_task_is_bounded, "States/RepegOrders/TimeoutSecondsPath", None),
    (every_task_is_bounded, "States/RepegOrders/TimeoutSecondsPath", "$.turn.turns"),
    (every_task_is_bounded, "States/PlaceOrders/TimeoutSecondsPath", "$.step_seconds"),
    (every_task_is_bounded, "States/RenewRun/Retry", None),
    (every_task_catches_everything, "States/PlanOrders/Catch/0/ErrorEquals", ["States.TaskFailed"]),
    (every_task_catches_everything, "States/PlanOrders/Catch/0/ResultPath", None),
    (every_task_catches_everything, "States/RenewRun/Catch/1/Next", "RunContinued"),
    (states_all_stands_last_and_alone, "States/OpenRun/Catch/0/ErrorEquals", ["States.ALL"]),
    (states_all_stands_last_and_alone, "States/CloseRun/Retry/5/ErrorEquals", ["States.ALL", "Fenced"]),
    (no_error_is_named_twice, "States/CloseRun/Retry/0/ErrorEquals", ["StillOpen"]),
    (every_retry_is_capped_and_jittered, "States/PlaceOrders/Retry/3/JitterStrategy", None),
    (every_retry_is_capped_and_jittered, "States/PlaceOrders/Retry/3/MaxDelaySeconds", None),
    (every_retry_is_capped_and_jittered, "States/CloseRun/Retry/2/MaxAttempts", 100),
    (every_function_retries_transient_errors, "States/ValidateQuotes/Retry/0/ErrorEquals", ["Lambda.ServiceException"]),
    (every_function_retries_transient_errors, "States/ValidateQuotes/Retry/3/ErrorEquals", ["Conflict"]),
    (every_named_error_exists, "States/OpenRun/Catch/0/ErrorEquals", ["DuplicatedRun"]),
    (every_task_calls_its_namesake, "States/PlaceOrders/Parameters/FunctionName", "${RepegOrdersArn}"),
    (every_task_calls_its_namesake, "States/PlaceOrders/Parameters/Payload.$", "$.turn"),
    (every_decision_has_its_branch, "States/TurnDecision/Choices/3/StringEquals", "renewed"),
    (every_decision_has_its_branch, "States/SessionDecision/Default", "PlanOrders"),
    (every_wait_is_for_an_instant, "States/WaitForMarket/TimestampPath", None),
    (every_name_is_a_verb_and_a_noun, "States/Reconcile", {"Type": "Task"}),
    (the_language_is_jsonpath, "QueryLanguage", "JSONata"),
    (the_language_is_jsonpath, "States/PlanOrders/Arguments", {}),
]


@pytest.mark.parametrize(("rule", "path", "value"), DEFECTS, ids=lambda part: getattr(part, "__name__", str(part)))
def test_the_rule_detects_the_defect(rule: Rule, path: str, value: object, definition: dict[str, Any]) -> None:
    assert list(rule(planted(definition, path, value))) != []


def test_every_rule_has_a_planted_defect() -> None:
    assert {rule for rule, _, _ in DEFECTS} == set(RULES)


def test_a_failing_step_gives_up_within_half_an_hour(definition: dict[str, Any]) -> None:
    patience = {name: longest(state) for name, state in tasks(definition).items() if name != CLOSING}
    assert max(patience.values()) <= 1800, patience


def test_closing_waits_at_least_15_minutes_for_an_open_order(definition: dict[str, Any]) -> None:
    (still_open,) = (entry for entry in tasks(definition)[CLOSING]["Retry"] if entry["ErrorEquals"] == ["StillOpen"])
    assert longest({"Retry": [still_open], "TimeoutSeconds": 0}) >= 900
    # Full jitter may not wait at all.
    assert still_open["JitterStrategy"] == "NONE"


def test_closing_gives_up_within_two_and_a_half_hours(definition: dict[str, Any]) -> None:
    assert longest(tasks(definition)[CLOSING]) <= 9000


def test_the_machines_timeout_covers_the_day_and_the_slowest_close(definition: dict[str, Any]) -> None:
    last_turn = longest(tasks(definition)["RepegOrders"])
    assert DAY_SECONDS + last_turn + longest(tasks(definition)[CLOSING]) < definition["TimeoutSeconds"]


def events(definition: dict[str, Any], *names: str) -> int:
    """The history events of a path through these states, without retries."""
    return sum(EVENTS[states(definition)[name]["Type"]] for name in names)


def test_a_quiet_turn_adds_nine_events(definition: dict[str, Any]) -> None:
    assert events(definition, "WaitForMarket", "RepegOrders", "TurnDecision") == 9


def test_the_longest_turn_matches_the_renewals_event_count(definition: dict[str, Any]) -> None:
    turn = ("WaitForMarket", "RepegOrders", "TurnDecision", "ValidateQuotes", "PlaceOrders")
    assert events(definition, *turn) == EVENTS_PER_TURN


def test_an_execution_renews_before_its_history_is_full(definition: dict[str, Any]) -> None:
    assert TURNS_PER_EXECUTION * (EVENTS_PER_TURN + EVENTS_PER_RETRY) <= HISTORY_BUDGET <= 0.8 * 25_000


def test_a_run_with_turns_of_26_seconds_ends_in_its_first_execution() -> None:
    """As the page on operations says: a deploy in the session cannot change its code."""
    window = timedelta(hours=6, minutes=20)  # 09:35 to 15:55
    assert timedelta(seconds=25) * TURNS_PER_EXECUTION < window < timedelta(seconds=26) * TURNS_PER_EXECUTION


def test_a_successors_name_is_within_the_length_limit(definition: dict[str, Any]) -> None:
    longest_id = run_id("x" * MAX_NAME_LENGTH, date(2026, 11, 20), run_number=999)
    assert states(definition)["RenewRun"]["Parameters"]["Name.$"] == "States.Format('{}-t{}', $.run_id, $.turn.turns)"
    assert len(f"{longest_id}-t9999999") <= 80


def test_a_successor_receives_only_its_runs_identity(definition: dict[str, Any]) -> None:
    passed = states(definition)["RenewRun"]["Parameters"]["Input"]
    assert passed == {"renewal": {"run_id.$": "$.run_id", "epoch.$": "$.epoch", "turns.$": "$.turn.turns"}}


def test_names_and_size_are_within_the_services_limits(definition: dict[str, Any]) -> None:
    assert max(map(len, states(definition))) <= 80
    assert PATH.stat().st_size < 1_000_000
