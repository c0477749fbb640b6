"""`repeg savings` on journals of the desk: what it says, and what it says of what is missing."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from repeg.domain.arm import Arm
from repeg.domain.journal import Entry
from repeg.domain.journal_file import StepName, encode
from repeg_workbench.operate.answer import CANNOT, DONE, UNFINISHED, Answer, run
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.savings import Request, savings
from repeg_workbench.operate.workstation import Workstation
from tests.builders import NOON
from tests.functions.books import AAPL, KO
from tests.functions.desk import Desk, OpenDesk, holding
from tests.journal.simulated import keep, kept_lines

BROKEN = ["1", "0.000001"]


@pytest.fixture
def open_desk() -> Any:
    """Opens desks, and closes them after the test."""
    desks: list[Desk] = []

    def opened(books: Any, **options: Any) -> Desk:
        desks.append(Desk(books, **options))
        return desks[-1]

    yield opened
    for desk in desks:
        desk.scheduler.close()


def a_day(open_desk: OpenDesk, share: str = "0.5", *, fills: bool = True, **settings: Any) -> list[Entry]:
    """The journal of a run of two small orders; without fills its book is wide all morning."""
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding(KO="100"))
    desk.begin("buy 20 AAPL", "sell 50 KO", control_share=share, **settings)
    desk.place()
    desk.wait(1)
    if fills:
        desk.repeg()
    desk.close()
    return list(desk.journal.entries)


def kept(folder: Path, entries: list[Entry], name: str = "CloseRun", run_id: str | None = None) -> Path:
    """A journal file of these entries, as a step stores it; under the name of another run if one is given."""
    step = StepName(run_id or entries[0].run_id, name, NOON + timedelta(seconds=len(list(folder.glob("*")))), "x")
    file = folder / f"{len(list(folder.glob('*')))}-{name}-x.jsonl.gz"
    file.write_bytes(encode(step, entries))
    return file


def said(*folders: Path, since: str | None = None) -> Answer:
    return savings(Workstation(), Request([str(folder) for folder in folders], None, since))


def test_the_arms_and_takes_of_a_run_are_read_back(open_desk: OpenDesk, tmp_path: Path) -> None:
    kept(tmp_path, a_day(open_desk))
    answer = said(tmp_path)
    counts = answer.data["counts"]
    assert (answer.code, counts["observed"], counts["control"] + counts["treated"]) == (DONE, 2, 2)
    assert answer.data["problems"] == answer.data["unmeasured"] == []


def test_control_orders_pay_what_the_exchange_displays(open_desk: OpenDesk, tmp_path: Path) -> None:
    kept(tmp_path, a_day(open_desk, "1"))
    answer = said(tmp_path)
    assert [float(answer.data["control"][kind]["value"]) for kind in ("each", "by_dollars")] == [1.0, 1.0]
    assert answer.data["crossing"]["because"] == "2 control orders have traded; 20 are needed"
    assert any("every order was drawn for control" in remark for remark in answer.data["remarks"])
    assert "no control order among" in answer.data["verdict"]


def test_a_stack_without_control_orders_says_so(open_desk: OpenDesk, tmp_path: Path) -> None:
    kept(tmp_path, a_day(open_desk, "0"))
    answer = said(tmp_path)
    assert answer.data["verdict"] == "No comparison: there is no control order among those that can be compared."
    assert answer.data["counts"]["apart"] == 2


def test_a_run_without_fills_is_named(open_desk: OpenDesk, tmp_path: Path) -> None:
    kept(tmp_path, a_day(open_desk, "0.000001", fills=False))
    answer = said(tmp_path)
    assert any("nothing was filled" in remark for remark in answer.data["remarks"])
    assert answer.data["counts"]["treated"] == 2


def test_drawn_orders_whose_run_has_no_end_are_named(open_desk: OpenDesk, tmp_path: Path) -> None:
    entries = [entry for entry in a_day(open_desk, "1") if entry.verb != "measure"]
    kept(tmp_path, entries, "ValidateQuotes")
    answer = said(tmp_path)
    assert answer.code == UNFINISHED
    assert {(each["symbol"], each["arm"]) for each in answer.data["unmeasured"]} == {
        ("AAPL", "control"),
        ("KO", "control"),
    }
    assert any("is not known" in remark for remark in answer.data["remarks"])


@pytest.mark.parametrize("damage", ["cut", "other schema", "no gzip"])
def test_a_file_that_cannot_be_read_is_named(open_desk: OpenDesk, tmp_path: Path, damage: str) -> None:
    file = kept(tmp_path, a_day(open_desk, "1"))
    whole = file.read_bytes()
    header = json.dumps({"schema": 9, "run_id": "core-2026-11-23", "function": "CloseRun"}) + "\n"
    spoilt = {"cut": whole[: len(whole) // 2], "other schema": gzip.compress(header.encode()), "no gzip": b"no"}
    file.write_bytes(spoilt[damage])
    answer = said(tmp_path)
    assert answer.code == UNFINISHED
    assert str(file) in answer.data["problems"][0]


def test_the_journal_of_a_simulated_day_is_read(open_desk: OpenDesk, tmp_path: Path) -> None:
    lines = kept_lines(a_day(open_desk, "1"))
    keep(tmp_path, lines)
    answer = said(tmp_path)
    assert (answer.code, answer.data["control"]["each"]["orders"]) == (DONE, 2)
    keep(tmp_path, lines[:-1])
    assert said(tmp_path).code == UNFINISHED


def test_a_repeated_close_counts_once(open_desk: OpenDesk, tmp_path: Path) -> None:
    entries = a_day(open_desk, "1")
    kept(tmp_path, entries)
    kept(tmp_path, [entry for entry in entries if entry.verb == "measure"])
    assert said(tmp_path).data["counts"]["observed"] == 2


def test_runs_before_the_first_day_are_left_out(open_desk: OpenDesk, tmp_path: Path) -> None:
    kept(tmp_path, a_day(open_desk, "1"))
    assert said(tmp_path, since="2026-11-23").data["counts"]["observed"] == 2
    assert said(tmp_path, since="2026-11-24").data["counts"]["observed"] == 0


def test_the_answer_is_shown_as_text(open_desk: OpenDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept(tmp_path, a_day(open_desk, "1"))
    assert run(Workstation(), lambda _: said(tmp_path), is_json=False) == DONE
    shown = capsys.readouterr().out
    assert "control orders" in shown
    assert "Estimates keep the assumed crossing_cost" in shown


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(["/nowhere"], None, None), "/nowhere does not exist"),
        (Request(["DIR"], None, None), "no *.jsonl.gz"),
        (Request(["DIR"], "paper", None), "either folders or a stack"),
        (Request(["DIR"], None, "yesterday"), "since: 'yesterday' is not valid"),
    ],
)
def test_a_request_that_names_nothing_to_read_is_refused(request_: Request, words: str, tmp_path: Path) -> None:
    folders = [str(tmp_path) if folder == "DIR" else folder for folder in request_.folders]
    given = Request(folders, request_.stack, request_.since)
    with pytest.raises(CannotOperate) as caught:
        savings(Workstation(), given)
    assert words in str(caught.value)
    assert run(Workstation(), lambda at: savings(at, given), is_json=True) == CANNOT


def test_both_arms_have_names_in_the_answer(open_desk: OpenDesk, tmp_path: Path) -> None:
    kept(tmp_path, a_day(open_desk))
    assert set(said(tmp_path).data["arms"]) == set(Arm)
