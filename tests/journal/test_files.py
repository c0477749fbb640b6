"""A step's journal file: nothing is lost in it, and a damaged one is read as far as it goes and says so."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest

from repeg.adapters.journal.files import StepJournal, read_file
from repeg.domain.journal import Entry, Ruling
from repeg.domain.journal_file import SCHEMA, StepName, encode, key_of
from repeg.domain.journalled_rules import NEXT_ACTION, decide_again
from repeg.domain.peg import decide
from repeg.domain.settings import Settings
from tests.builders import NOON, a_moment, a_quote, after_noon, an_order

STEP = StepName("core-2026-11-23", "RepegOrders", NOON, "42")
KEY = key_of(STEP)
ORDER, SETTINGS = an_order(), Settings()


def a_decision(seconds: int = 0) -> Entry:
    """A decision on a fresh quote, of an order and settings that all decisions share."""
    quote, moment = a_quote(at=after_noon(seconds)), a_moment(after_noon(seconds))
    answer = decide(ORDER, quote, moment, SETTINGS)
    ruling = Ruling(NEXT_ACTION, {"order": ORDER, "quote": quote, "moment": moment, "settings": SETTINGS}, answer)
    return Entry(moment.now, STEP.run_id, "AAPL", str(answer.verb), "40 @ 100.01", answer.because, *ruling)


def an_alarm() -> Entry:
    return Entry(NOON, STEP.run_id, "run", "skip", reason="no answer", is_abnormal=True)


def lines(entries: list[Entry]) -> list[str]:
    return gzip.decompress(encode(STEP, entries)).decode().splitlines()


def packed(text: list[str]) -> bytes:
    return gzip.compress("".join(f"{line}\n" for line in text).encode())


def test_a_file_reads_back_as_it_was_recorded() -> None:
    entries = [a_decision(), an_alarm(), a_decision(30)]
    read = read_file(KEY, encode(STEP, entries))
    assert read.problems == []
    assert (read.run_id, read.function, read.invocation, read.began) == (*STEP[:2], STEP.invocation, STEP.began)
    assert [each.entry for each in read.entries] == [entry._replace(inputs={}) for entry in entries]


def test_a_decision_can_be_made_again_from_a_file() -> None:
    (first, second) = read_file(KEY, encode(STEP, [a_decision(), a_decision(30)])).entries
    for each in (first, second):
        assert decide_again(each.entry.rule, each.inputs) == each.entry.answer


def test_values_that_decisions_share_are_stored_once() -> None:
    stored = [line for line in lines([a_decision(seconds) for seconds in range(10)]) if '"value"' in line]
    # The order and the settings once; a quote and a moment for each; the answers are equal but for the price.
    assert sum('"max_spread_pct"' in line for line in stored) == 1
    assert sum('"target"' in line for line in stored) == 1


def test_keys_of_a_run_sort_by_the_time_of_their_steps() -> None:
    clocks = [(9, 59, 58, 7), (9, 59, 58, 700_000), (9, 59, 59, 0), (10, 0, 1, 0), (10, 1, 0, 0), (11, 0, 0, 0)]
    times = [datetime(2026, 11, 23, *clock, tzinfo=UTC) for clock in clocks]
    keys = [key_of(STEP._replace(began=time)) for time in times]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


# Damaged files


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(share: float) -> None:
    entries = [a_decision(seconds) for seconds in range(0, 600, 2)]
    whole = encode(STEP, entries)
    read = read_file(KEY, whole[: int(len(whole) * share)])
    assert read.problems[-1] == f"it was cut off after {len(read.entries)} entries"
    assert [each.entry for each in read.entries] == [
        entry._replace(inputs={}) for entry in entries[: len(read.entries)]
    ]
    assert len(read.entries) > len(entries) * (share - 0.2)


@pytest.mark.parametrize(
    "body",
    [b"", b"\x1f", b"not gzip at all", gzip.compress(b"", mtime=0), gzip.compress(b"[]\n", mtime=0)],
    ids=["nothing", "the start of a header", "plain text", "an empty file", "a file without its header"],
)
def test_a_file_of_something_else_says_so(body: bytes) -> None:
    read = read_file(KEY, body)
    assert (read.entries, read.problems) == ([], ["it has no header: nothing of it can be read"])


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, "two", None])
def test_a_file_of_another_schema_says_so_and_is_not_guessed_at(schema: object) -> None:
    text = lines([a_decision()])
    text[0] = json.dumps({**json.loads(text[0]), "schema": schema})
    read = read_file(KEY, packed(text))
    assert (read.entries, read.problems) == ([], [f"its schema is {schema}; this release reads {SCHEMA}"])


def test_a_new_field_of_the_same_schema_is_ignored() -> None:
    text = [json.dumps({**json.loads(line), "later": 1}) for line in lines([a_decision(), an_alarm()])]
    read = read_file(KEY, packed(text))
    assert (len(read.entries), read.problems) == (2, [])


def test_a_file_without_a_footer_says_that_entries_may_be_missing() -> None:
    read = read_file(KEY, packed(lines([an_alarm()])[:-1]))
    assert (len(read.entries), read.problems) == (1, ["it has no footer: the step's last entries may be missing"])


@pytest.mark.parametrize("broken", ["{", "7", '{"at": "yesterday", "subject": "AAPL", "verb": "hold"}', '{"at": 5}'])
def test_a_line_that_cannot_be_read_is_counted_and_the_others_are_read(broken: str) -> None:
    text = lines([an_alarm(), an_alarm()])
    text[1] = broken
    read = read_file(KEY, packed(text))
    assert len(read.entries) == 1
    assert read.problems == ["1 of its lines could not be read", "1 of its 2 entries are missing"]


def test_an_entry_whose_value_is_missing_is_not_invented() -> None:
    text = [line for line in lines([a_decision()]) if '"max_spread_pct"' not in line]
    read = read_file(KEY, packed(text))
    assert (read.entries, read.problems[0]) == ([], "1 of its lines could not be read")


def test_a_rule_that_this_release_does_not_know_keeps_its_answer_as_it_is() -> None:
    text = [line.replace(NEXT_ACTION, "peg.foresee") for line in lines([a_decision()])]
    (each,) = read_file(KEY, packed(text)).entries
    assert (each.entry.rule, each.entry.answer) == ("peg.foresee", None)
    assert each.answer["verb"] == "place"


def test_a_dropped_entry_is_a_problem_of_the_file() -> None:
    read: StepJournal = read_file(KEY, encode(STEP, [an_alarm()], dropped=7))
    assert read.problems == ["the step dropped 7 entries"]


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "line",
    ['{"entries":null}', '{"entries":"x"}', '{"entries":Infinity}', '{"value":[1],"is":2}', '{"value":null}', DEEP,
     '{"at":"2026-11-23T12:00:00","subject":"AAPL","verb":"hold"}',
     '{"at":"2026-11-23T12:00:00+00:00","subject":7,"verb":"hold"}',
     '{"at":"2026-11-23T12:00:00+00:00","subject":"AAPL","verb":["hold"]}',
     '{"at":"2026-11-23T12:00:00+00:00","subject":"AAPL","verb":"hold","reason":null}',
     '{"at":"2026-11-23T12:00:00+00:00","subject":"\\ud800","verb":"hold"}'],
)  # fmt: skip
def test_a_line_with_other_types_is_a_problem_of_its_file(line: str) -> None:
    header, *rest = lines([an_alarm()])
    read = read_file(KEY, packed([header, line, *rest]))
    assert [each.entry.verb for each in read.entries] == ["skip"]
    assert "1 of its lines could not be read" in read.problems
