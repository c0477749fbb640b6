"""Orders: their state transitions, and ids that are the same on a retry."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain.child_order import CLOSED, RESTING, TRANSITIONS, UNRESOLVED, ChildState
from repeg.domain.order_ids import (
    CLIENT_ORDER_ID_LENGTH,
    LOCAL_TAG,
    OrderId,
    client_order_id,
    legacy_prefix,
    parse_order_id,
    run_of,
    run_prefix,
    stack_tag,
)
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.plan import MAX_NAME_LENGTH, run_id
from repeg.domain.quote import Side
from tests.builders import MONDAY, a_child, a_report, an_order
from tests.domain.markets import SIDES

# A mark allows the transition from the row's state to the column's.
TABLE = """
                unknown live cancelling filled canceled expired rejected replaced refused never_arrived  lost
intended        x       x    x          x      x        x       x        x        x       x       x
unknown         .       x    x          x      x        x       x        x        x       x       x
live            .       .    x          x      x        x       x        x        .       .       x
cancelling      .       x    .          x      x        x       x        x        .       .       x
canceled        .       .    .          x      .        .       .        .        .       .       .
expired         .       .    .          x      .        .       .        .        .       .       .
replaced        .       .    .          x      .        .       .        .        .       .       .
never_arrived   .       x    x          x      x        x       x        x        .       .       x
lost            .       x    x          x      x        x       x        x        .       .       .
filled          .       .    .          .      .        .       .        .        .       .       .
rejected        .       .    .          .      .        .       .        .        .       .       .
refused         .       x    x          x      x        x       x        x        .       .       x
"""


def read_table() -> dict[ChildState, frozenset[ChildState]]:
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return {
        ChildState(before): frozenset(ChildState(after) for after, mark in zip(head, marks, strict=True) if mark == "x")
        for before, *marks in rows
    }


def test_the_transitions_match_the_documented_table() -> None:
    assert read_table() == TRANSITIONS


def test_every_state_has_transitions_and_is_open_or_closed() -> None:
    assert set(TRANSITIONS) == set(ChildState)
    assert set(ChildState) == UNRESOLVED | RESTING | CLOSED
    assert not CLOSED & (UNRESOLVED | RESTING)


@pytest.mark.parametrize("before", list(ChildState))
@pytest.mark.parametrize("after", list(ChildState))
def test_a_child_changes_state_only_along_the_table(before: ChildState, after: ChildState) -> None:
    child = a_child(state=before)
    if after is before or after in read_table()[before]:
        assert child.becomes(after, "reported").state is after
    else:
        with pytest.raises(ValueError, match=f"{before} may not become {after}"):
            child.becomes(after)


def test_a_repeated_state_changes_nothing_and_keeps_the_note() -> None:
    unknown = a_child(state=ChildState.INTENDED).becomes(ChildState.UNKNOWN, "read timed out")
    assert unknown.becomes(ChildState.UNKNOWN) == unknown
    assert unknown.note == "read timed out"
    assert unknown.becomes(ChildState.LIVE).note == "read timed out"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("new", ChildState.LIVE),
        ("accepted", ChildState.LIVE),
        ("pending_new", ChildState.LIVE),
        ("partially_filled", ChildState.LIVE),
        ("pending_replace", ChildState.LIVE),
        ("done_for_day", ChildState.EXPIRED),
        ("suspended", ChildState.LIVE),
        ("stopped", ChildState.LIVE),
        ("a new status", ChildState.LIVE),
        ("pending_cancel", ChildState.CANCELLING),
        ("filled", ChildState.FILLED),
        ("canceled", ChildState.CANCELED),
        ("expired", ChildState.EXPIRED),
        ("rejected", ChildState.REJECTED),
        ("replaced", ChildState.REPLACED),
    ],
)
def test_an_unknown_broker_status_leaves_the_order_open(status: str, state: ChildState) -> None:
    report = a_report(status)
    assert report.state is state
    assert report.is_closed is (state in CLOSED)


def test_an_order_of_ours_is_recognised_by_its_id() -> None:
    assert a_report().order_id == OrderId(LOCAL_TAG, "core-2026-11-23", run_prefix(LOCAL_TAG, "core-2026-11-23"))
    assert a_report(client_order_id="my-own-order").order_id is None


def test_a_parents_state_follows_from_its_children_and_outcome() -> None:
    assert an_order().state is ParentState.WAITING
    assert an_order(Side.BUY, "100", a_child()).state is ParentState.WORKING
    assert an_order(Side.BUY, "100", a_child(state=ChildState.INTENDED)).state is ParentState.WORKING
    assert an_order(Side.BUY, "100", a_child(state=ChildState.UNKNOWN)).state is ParentState.WORKING
    assert an_order().done(Outcome.HELD_WIDE, "wide").state is ParentState.DONE


def test_a_cancelled_child_with_unfilled_shares_leaves_its_order_waiting() -> None:
    order = an_order(Side.BUY, "100", a_child(filled="40", state=ChildState.CANCELED))
    assert order.state is ParentState.WAITING
    assert order.remaining == 60


def test_a_child_replaces_its_attempt_and_a_new_attempt_is_added() -> None:
    order = an_order(Side.BUY, "100", a_child(n=1, state=ChildState.CANCELED))
    again = order.with_child(a_child(n=1, state=ChildState.CANCELED, filled="5"))
    assert [child.filled for child in again.children] == [5]
    assert [child.n for child in again.with_child(a_child(n=2)).children] == [1, 2]


LONGEST = "a" * MAX_NAME_LENGTH

NAMES = st.lists(st.text("abr2", min_size=1, max_size=4), min_size=1, max_size=3).map("-".join)
DATES = st.dates(date(2026, 1, 1), date(2026, 1, 4))
SYMBOLS = st.sampled_from(["A", "AB", "A.B"])
RUNS = st.tuples(NAMES | st.sampled_from(["a", "a-r2", "a-2026-01-01", "a-2026-01-01-r2"]), DATES, st.integers(1, 99))


def id_of(run: str, symbol: str, side: Side, n: int) -> str:
    """The client order id of an attempt of a run of this program."""
    return client_order_id(run_prefix(LOCAL_TAG, run), symbol, side, n)


def test_the_longest_client_order_id_fits_the_brokers_limit() -> None:
    """The longest plan name, run number and symbol, and more attempts than a parent order may have."""
    made = client_order_id(run_prefix("k3x", run_id(LONGEST, MONDAY, 99)), "ABCDE.WS", Side.SELL, 999)
    assert made == "rpk3x-aaaaaaaaaaaaaaa-261123-r99.ABCDE.WS.s.999"
    assert len(made) == CLIENT_ORDER_ID_LENGTH - 1


def test_an_id_beyond_the_brokers_limit_raises() -> None:
    with pytest.raises(ValueError, match="longer than 48"):
        id_of(run_id(LONGEST, MONDAY, 99), "ABCDE.WS", Side.SELL, 10_000)


@given(RUNS, RUNS, SYMBOLS, SYMBOLS, SIDES, SIDES)
def test_client_order_ids_are_deterministic_and_unique(
    run: tuple[str, date, int], other: tuple[str, date, int], symbol: str, second: str, side: Side, turned: Side
) -> None:
    """A retry must send the same id, or it would create a second order."""
    first_id = id_of(run_id(*run), symbol, side, 1)
    assert first_id == id_of(run_id(*run), symbol, side, 1)
    is_same = (run, symbol, side) == (other, second, turned)
    assert (first_id == id_of(run_id(*other), second, turned, 1)) is is_same


@given(RUNS, RUNS)
def test_a_runs_id_prefix_matches_no_other_run(run: tuple[str, date, int], other: tuple[str, date, int]) -> None:
    prefix = run_prefix(LOCAL_TAG, run_id(*run))
    assert id_of(run_id(*other), "AAPL", Side.BUY, 1).startswith(prefix) is (run == other)


def test_a_further_run_of_a_day_needs_an_explicit_number() -> None:
    assert run_id("core", MONDAY) == "core-2026-11-23"
    assert run_id("core", MONDAY, 2) == "core-2026-11-23-r2"
    assert run_id("core", MONDAY + timedelta(days=1)) == "core-2026-11-24"


def test_attempts_of_a_run_have_different_ids() -> None:
    made = {id_of("core-2026-11-23", "AAPL", Side.BUY, n) for n in range(1, 31)}
    assert len(made) == 30
    assert a_child().client_order_id in made


@given(RUNS, SYMBOLS, SIDES, st.integers(1, 99))
def test_a_client_order_id_contains_its_run_id(run: tuple[str, date, int], symbol: str, side: Side, n: int) -> None:
    assert run_of(id_of(run_id(*run), symbol, side, n)) == run_id(*run)


@given(RUNS, SYMBOLS, SIDES, st.integers(1, 99))
def test_an_id_of_the_previous_release_is_parsed(run: tuple[str, date, int], symbol: str, side: Side, n: int) -> None:
    prefix = legacy_prefix(run_id(*run))
    assert parse_order_id(f"{prefix}{symbol}.{side[0]}.{n}") == OrderId("", run_id(*run), prefix)


@pytest.mark.parametrize(
    "foreign",
    ["rp-hello", "rp", "rpk3x-hello", "rp-core-2026-11-23", "rpk3x-core-261123.AAPL.b.0", "rpk3x-core-261123.AAPL.x.1",
     "rpk3x-core-261123.aapl.b.1", "rpK3X-core-261123.AAPL.b.1", "rpk3-core-261123.AAPL.b.1", "my-own-order", "",
     "rpk3x-core-269923.AAPL.b.1", "rpk3x-core-260230.AAPL.b.1", "rp-core-2026-13-01.AAPL.b.1",
     "rpk3x-core-26112\N{ARABIC-INDIC DIGIT THREE}.AAPL.b.1", "rpk3x-core-261123.AAPL.b.1\N{ARABIC-INDIC DIGIT ONE}"],
)  # fmt: skip
def test_an_id_that_does_not_parse_is_not_ours(foreign: str) -> None:
    assert parse_order_id(foreign) is None
    assert run_of(foreign) == ""


def test_a_stacks_tag_is_three_characters_of_its_own() -> None:
    tags = {stack_tag(f"repeg-{name}") for name in ("paper", "live", "test", "a", "b")}
    assert len(tags) == 5
    assert all(re.fullmatch("[0-9a-z]{3}", tag) for tag in tags)
    assert stack_tag("repeg-paper") == "31a"  # it is in the ids of open orders, and so must never change


def seen(order: ParentOrder) -> tuple[object, ...]:
    return order.filled, order.open_child, order.open_children, order.attempts


def test_a_changed_order_computes_its_totals_again() -> None:
    order = an_order(Side.BUY, "100", a_child(filled="30"))
    before = seen(order)
    changed = order.with_child(a_child(filled="100", state=ChildState.FILLED))
    assert seen(changed) != before
    assert seen(changed) == seen(an_order(Side.BUY, "100", a_child(filled="100", state=ChildState.FILLED)))
    assert changed.filled == 100
    assert changed.open_child is None


def test_an_order_is_equal_and_stored_alike_once_its_totals_are_read() -> None:
    fresh, read = an_order(Side.BUY, "100", a_child()), an_order(Side.BUY, "100", a_child())
    seen(read)
    assert read == fresh
    assert read.model_dump_json() == fresh.model_dump_json()
    assert repr(read) == repr(fresh)
    assert hash(read) == hash(fresh)
