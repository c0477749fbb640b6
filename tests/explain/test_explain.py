"""`repeg explain`: the stories of a morning, the answers about its orders, and what a damaged journal still shows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from repeg.domain.decision import Decision
from repeg.domain.journal import Entry
from repeg_workbench.cli import app
from repeg_workbench.explain.command import explain
from repeg_workbench.explain.figures import price
from repeg_workbench.explain.found import Place, RunJournal, find_journal
from repeg_workbench.explain.spent_time import spent
from repeg_workbench.explain.story import OrderStory, stories
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.workstation import Workstation
from tests.explain.mornings import deployed, eventful, simulated

WHY_NOT, WHY_PRICE, WHY_LATE = "Why was it not filled?", "Why this price?", "Why so late?"


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return eventful()


@pytest.fixture
def folder(tmp_path: Path, entries: list[Entry]) -> Path:
    return simulated(tmp_path / "day", entries)


def told(where: Path, symbol: str | None = None, **options: Any) -> Answer:
    return explain(Workstation(), Place(str(where)), symbol, **options)


def about(where: Path, symbol: str) -> dict[str, Any]:
    (order,) = told(where, symbol).data["orders"]
    return dict(order)


def journal_of(where: Path) -> RunJournal:
    return find_journal(Workstation(), Place(str(where)))


def story(where: Path, symbol: str) -> OrderStory:
    return stories(journal_of(where), [symbol])[0]


def test_an_order_held_by_its_book_names_book_and_setting(folder: Path) -> None:
    answer = about(folder, "F")["answers"][WHY_NOT]
    assert "None of its 10 shares had traded when it ended at" in answer
    assert "7.23 %" in answer, "0.90 of a mid of 12.45"
    assert "max_spread_pct=0.25" in answer


def test_a_buy_without_cash_names_what_it_needed_and_what_there_was(folder: Path, entries: list[Entry]) -> None:
    order = about(folder, "PG")
    said = " ".join([*order["answers"].values(), *(line["why"] for line in order["story"])])
    assert "its 50 shares may cost 7,538.00, at 150.76 each" in said
    assert (
        "9,000.00 was there for all buys, larger buys of 7,614.40 first, and the open sells may bring 6,012.00" in said
    )
    assert any("150.76" in entry.detail for entry in entries if (entry.subject, entry.verb) == ("PG", "accept"))


def test_the_price_is_the_fills_against_the_arrival(folder: Path) -> None:
    found = story(folder, "AAPL")
    assert found.order is not None
    assert found.order.average_price is not None
    answer = about(folder, "AAPL")["answers"][WHY_PRICE]
    apart = found.order.average_price - found.order.arrival.mid  # type: ignore[union-attr]
    assert f"It paid {price(found.order.average_price)} a share, {price(apart)} worse than the arrival mid" in answer


@pytest.mark.parametrize("symbol", ["AAPL", "F", "KO", "PG", "T"])
def test_the_states_of_an_order_take_its_whole_time(folder: Path, symbol: str) -> None:
    found = story(folder, symbol)
    assert found.planned is not None
    assert found.end is not None
    total = sum((part.length for part in spent(found)), timedelta(0))
    assert abs(total - (found.end.at - found.planned.at)) < timedelta(seconds=len(spent(found)) + 1)


def test_a_repeated_hold_is_one_line_and_every_look_on_request(tmp_path: Path, entries: list[Entry]) -> None:
    hold = next(index for index, entry in enumerate(entries) if (entry.subject, entry.verb) == ("T", "hold"))
    again = entries[hold]._replace(at=entries[hold].at + timedelta(seconds=2))
    where = simulated(tmp_path, [*entries[: hold + 1], again, *entries[hold + 1 :]])
    short, long = (told(where, "T", is_every=every).data["orders"][0]["story"] for every in (False, True))
    assert len(long) == len(short) + 1
    assert [line["times"] for line in short if line["at"] == entries[hold].at] == [2]


def test_all_orders_are_told_in_short(folder: Path) -> None:
    answer = told(folder)
    assert answer.code == DONE
    assert [order["symbol"] for order in answer.data["orders"]] == ["AAPL", "F", "KO", "PG", "T"]


def test_a_deployed_journal_tells_the_same_story(folder: Path, tmp_path: Path, entries: list[Entry]) -> None:
    assert told(deployed(tmp_path / "copied", entries), "AAPL").data == told(folder, "AAPL").data


def test_the_command_prints_the_story_and_its_questions(folder: Path) -> None:
    said = CliRunner().invoke(app, ["explain", str(folder), "f"])
    assert said.exit_code == DONE
    for words in (WHY_NOT, WHY_LATE, "Decision by decision:", "max_spread_pct=0.25"):
        assert words in said.stdout


def test_every_reason_of_the_rules_has_a_sentence_of_its_own(entries: list[Entry], folder: Path) -> None:
    decided = [entry for entry in entries if isinstance(entry.answer, Decision) and not entry.is_abnormal]
    shown = {
        (line["at"], symbol): line["why"]
        for symbol in ("AAPL", "KO", "PG", "T")
        for line in told(folder, symbol, is_every=True).data["orders"][0]["story"]
    }
    for entry in decided:
        assert isinstance(entry.answer, Decision)
        assert shown[entry.at, entry.subject] != entry.answer.because, entry.answer.reason


def cut(lines: list[str]) -> list[str]:
    return [*lines[: len(lines) // 2], lines[-1][:40]]


def edited(lines: list[str]) -> list[str]:
    """One decision's limit is another one."""
    found = next(index for index, line in enumerate(lines) if '"verb":"place"' in line and '"AAPL"' in line)
    line = json.loads(lines[found])
    line["answer"]["limit"] = "1.23"
    return [*lines[:found], json.dumps(line), *lines[found + 1 :]]


def without_an_input(lines: list[str]) -> list[str]:
    return [line.replace('"moment":', '"moments":') for line in lines]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "cut off in the middle of a line"),
        (edited, "AAPL at 09:36:00, place: this release's rules decide otherwise"),
        (without_an_input, "an input of it is missing"),
    ],
)
def test_a_damaged_journal_is_named_and_told_as_far_as_it_goes(folder: Path, damage: Any, words: str) -> None:
    file = folder / "journal.jsonl"
    lines = damage(file.read_text(encoding="utf-8").splitlines())
    file.write_text("\n".join(lines) + ("" if damage is cut else "\n"), encoding="utf-8")
    answer = told(folder, "AAPL")
    assert answer.code == UNFINISHED
    assert any(words in problem for problem in answer.data["problems"]), answer.data["problems"]
    assert answer.data["orders"][0]["story"]
    assert any("what it still shows" in str(part) for part in answer.text)


def test_an_order_whose_end_is_cut_off_says_so(tmp_path: Path, entries: list[Entry]) -> None:
    until = next(index for index, entry in enumerate(entries) if entry.verb == "fill") + 1
    found = about(simulated(tmp_path, entries[:until]), "AAPL")
    assert "its end is not in the journal" in found["headline"]
    assert "as far as the journal goes" in found["answers"][WHY_NOT]


def test_a_journal_of_another_version_is_named(tmp_path: Path) -> None:
    header = json.dumps({"schema": 9, "run_id": "core-2026-11-23", "function": "RepegOrders"})
    (tmp_path / "one.jsonl.gz").write_bytes(gzip.compress(f"{header}\n".encode()))
    with pytest.raises(CannotOperate, match="its schema is 9; this release reads 1"):
        told(tmp_path)


def refused(place: Place, symbol: str | None = None) -> str:
    with pytest.raises(CannotOperate) as error:
        explain(Workstation(), place, symbol)
    return str(error.value)


def test_an_unknown_symbol_is_named_with_those_there_are(folder: Path) -> None:
    said = refused(Place(str(folder)), "AAPPL")
    assert said == "symbol: core-2026-11-23 has no order for 'AAPPL'; did you mean AAPL? it has AAPL, F, KO, PG, T"


def test_a_place_without_a_journal_says_what_would_be_one(tmp_path: Path, entries: Iterable[Entry]) -> None:
    assert "no *.jsonl.gz and no journal.jsonl" in refused(Place(str(tmp_path)))
    assert "no run's id" in refused(Place("no-such-folder"))
    other = [entry._replace(run_id="other-2026-11-23") for entry in entries]
    simulated(tmp_path / "one", entries)
    simulated(tmp_path / "two", other)
    assert "name one with --run: core-2026-11-23, other-2026-11-23" in refused(Place(str(tmp_path)))
    assert "has no run third-2026-11-23" in refused(Place(str(tmp_path), run_id="third-2026-11-23"))
    assert "name one of the two" in refused(Place(str(tmp_path), stack="repeg"))
    answer = explain(Workstation(), Place(str(tmp_path), run_id="other-2026-11-23"), "F")
    assert answer.data["run_id"] == "other-2026-11-23"
