"""`make sam-local` up to the container: with stand-ins for `docker`, and for `sam`, which reaches what it is given."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.statemachine.rules import tasks
from tests.template import fake_sam
from tests.template.containers import Engine, NotHere, find_engine
from tests.template.sam_local import STEPS, Failure, Local, surroundings, verdict, walk
from tests.template.stack import FUNCTION, TEMPLATE, definition, of_type, written
from tests.template.world import DAY, event_of

ORDER = {"symbol": "KO", "side": "buy", "type": "limit", "qty": "1", "limit_price": "1", "time_in_force": "day"}
REQUESTS = {"PlaceOrders": [("POST", "/v2/orders", ORDER)], "CloseRun": [("DELETE", "/v2/orders", None)]}
ANSWERS = {
    "OpenRun": {"run_id": f"rebalance-{DAY}", "epoch": 1, "first_turn": 0, "step_seconds": 55, "turn": {"turns": 0}},
    "CheckSession": {"decision": "wait", "reason": "early", "until": f"{DAY}T14:35:00Z"},
    "PlanOrders": {"orders": 2},
    "ValidateQuotes": {"use": 2, "hold": 0},
    "PlaceOrders": {"turns": 0, "turn_at": f"{DAY}T14:35:30Z", "placed": 2, "left": 0},
    "RepegOrders": {"decision": "wait", "turns": 1, "turn_at": f"{DAY}T14:36:00Z"},
    "CloseRun": {"outcome": "settled", "error": "", "reason": "every order has an outcome", "again_at": ""},
    "SweepOrders": {"outcome": "over"},
    "WatchRuns": {"alerts": []},
    "ServeOperator": {"switch": "active"},
    "WritePage": {"key": f"reports/{DAY}/rebalance-{DAY}/run.html", "dropped": ""},
}
UNAVAILABLE = {"errorType": "BrokerUnavailable", "errorMessage": "no answer", "stackTrace": []}


# ── The engine ────────────────────────────────────────────────────────────────────────────────────────────────────────


def docker(folder: Path, answers: dict[str, str], code: int = 0) -> str:
    """A path whose `docker` answers a command by its first word."""
    cases = "".join(f"{word}) echo '{answer}';;\n" for word, answer in answers.items())
    script, unknown = folder / "docker", 'echo "unknown command $1" >&2; exit 1'
    script.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}*) {unknown};;\nesac\nexit {code}\n')
    script.chmod(0o755)
    return str(folder)


def test_a_machine_without_docker_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NotHere, match=r"^there is no container engine: install Docker, .*$"):
        find_engine(str(tmp_path))


def test_a_client_without_an_engine_is_told_in_one_line(tmp_path: Path) -> None:
    path = docker(tmp_path, {"version": "Cannot connect to the Docker daemon.\nIs it running?"}, code=1)
    with pytest.raises(NotHere) as told:
        find_engine(path)
    said = "`docker version` says: Cannot connect to the Docker daemon. Is it running?"
    assert str(told.value) == f"the container engine does not answer: {said}"


@pytest.mark.parametrize(
    ("network", "address"),
    [('[{"Subnet":"172.17.0.0/16"}]', "172.17.0.1"), ('[{"Subnet":"10.9.0.0/16","Gateway":"10.9.0.7"}]', "10.9.0.7")],
)
def test_containers_of_an_engine_on_linux_reach_the_bridge(network: str, address: str, tmp_path: Path) -> None:
    engine = find_engine(docker(tmp_path, {"version": "28", "info": "Debian GNU/Linux 12", "network": network}))
    assert engine == Engine(address, knows_the_machine=False)
    assert engine.options == ["--add-host", f"host.docker.internal:{address}"]


def test_containers_of_docker_desktop_know_the_machine_by_name(tmp_path: Path) -> None:
    engine = find_engine(docker(tmp_path, {"version": "28", "info": "Docker Desktop"}))
    assert (engine.listens_on, engine.options) == ("127.0.0.1", [])


# ── The walk ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_function_is_invoked_once_in_the_order_of_a_run() -> None:
    names = [name for name, _ in STEPS]
    assert sorted(names) == sorted(of_type(written(), FUNCTION))
    assert names[: len(tasks(definition()))] == list(tasks(definition()))
    assert sorted(time for _, time in STEPS) == [time for _, time in STEPS]


@dataclass(frozen=True)
class Stage:
    """Surroundings with a stand-in for sam, after one walk, with what it was given."""

    local: Local
    shown: list[str]
    notes: list[dict[str, Any]]


def script(folder: Path, **changes: list[Any]) -> None:
    """Let the functions answer as in a quiet run, but for these; a text is printed as it is."""
    answers = {name: [answer] for name, answer in ANSWERS.items()} | changes
    printed = {name: [_printed(answer) for answer in given] for name, given in answers.items()}
    (folder / "script.json").write_text(json.dumps({"answers": printed, "requests": REQUESTS}))


def _printed(answer: Any) -> str:
    return answer if isinstance(answer, str) else f"what the function prints\n{json.dumps(answer)}\n\n"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("sam-local")
    sam = folder / "sam"
    sam.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {fake_sam.__file__} {folder} "$@"\n')
    sam.chmod(0o755)
    shutil.copy(TEMPLATE, folder / "template.yaml")
    # The machine would retry this answer.
    script(folder, CheckSession=[UNAVAILABLE, ANSWERS["CheckSession"]])
    with surroundings(Engine("127.0.0.1", knows_the_machine=False), sam, folder, folder) as local:
        shown: list[str] = []
        walk(local, shown.append)
        notes = [json.loads(line) for line in (folder / "notes.jsonl").read_text().splitlines()]
        yield Stage(local, shown, notes)


def test_the_walk_ends_with_the_orders_that_were_sent(stage: Stage) -> None:
    assert [line.split()[0] for line in stage.shown[:-1]] == [name for name, _ in STEPS]
    assert stage.shown[-1] == "every function has answered; 1 orders were sent, and none is open"


def test_a_step_is_repeated_where_the_machine_would_repeat_it(stage: Stage) -> None:
    assert [note["name"] for note in stage.notes] == ["OpenRun", "CheckSession", *(name for name, _ in STEPS[1:])]


def test_each_container_reaches_the_broker_and_the_table_at_its_time(stage: Stage) -> None:
    for note in stage.notes:
        assert note["event"] == event_of(note["name"])
        assert f"{DAY}T{dict(STEPS)[note['name']]}" <= note["at"]
        assert [key["AttributeName"] for key in note["table"]] == ["pk", "sk"]
        assert note["variables"]["AWS_ACCESS_KEY_ID"] == "simulated"
        assert note["variables"]["DATA_URL"] == note["variables"]["BROKER_URL"]


ERROR = {"errorType": "InvalidSettings", "errorMessage": "TABLE_NAME: '' is not valid", "stackTrace": []}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ERROR, "PlanOrders has failed: .*TABLE_NAME"),
        ({"errorMessage": "Task timed out after 25.00 seconds"}, "PlanOrders has failed: .*timed out"),
        (UNAVAILABLE, "PlanOrders has failed: .*no answer"),
        ({}, r"PlanOrders has answered without \$\.Payload\.orders"),
        ("", r"PlanOrders has not answered \(sam's exit code 0\); its log is .*PlanOrders\.log"),
        ("Function 'PlanOrders' timed out", "PlanOrders has not answered"),
        ('"orders"', "PlanOrders has not answered"),
    ],
    ids=["error", "timeout", "error that lasts", "wrong answer", "nothing", "no JSON", "no object"],
)
def test_a_failed_function_is_seen_although_sam_exits_with_0(answer: Any, said: str, stage: Stage) -> None:
    script(stage.local.folder, PlanOrders=[answer])
    with pytest.raises(Failure, match=said):
        stage.local.answer_to("PlanOrders")


@pytest.mark.parametrize(
    ("sent", "still_open", "said"), [([], [], "no order was sent"), (["a", "b"], ["b"], "1 of 2 orders are still open")]
)
def test_a_walk_without_an_order_or_with_an_open_one_has_failed(
    sent: list[str], still_open: list[str], said: str
) -> None:
    with pytest.raises(Failure, match=said):
        verdict(sent, still_open)
