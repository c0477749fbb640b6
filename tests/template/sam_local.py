"""`make sam-local`: every function in a container, by `sam local invoke`, in the order of a run.

The broker is `repeg exchange`, AWS is moto's server, and both listen where the engine's containers reach them. SAM
exits with 0 when a function fails, so the answers are read. Exit code: 0 all have answered, 1 one has not, 2 something
is missing, and nothing was run.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import TypeAdapter
from samtranslator.yaml_helper import yaml_parse

from repeg.domain.session import NEW_YORK
from tests.exchange.served import Served, served
from tests.statemachine.rules import states
from tests.template.artefact import SAM, build, missing
from tests.template.containers import INSIDE, Engine, NotHere, find_engine
from tests.template.stack import REGION, ROOT, definition
from tests.template.world import (
    ATTEMPTS,
    CREDENTIALS,
    DAY,
    account_of_aws,
    event_of,
    make_bucket,
    make_secret,
    make_table,
    retried,
)

BUILT = ROOT / ".aws-sam" / "sam-local"
FOLDER = ROOT / ".aws-sam" / "sam-local-run"
TIME = TypeAdapter(datetime)
NAME = "sam-local"
# Each function and the time in New York before it; those beside the machine come last.
STEPS = (
    ("OpenRun", "09:25:30"),
    ("CheckSession", "09:25:30"),
    ("PlanOrders", "09:35:01"),
    ("ValidateQuotes", "09:35:01"),
    ("PlaceOrders", "09:35:01"),
    ("RepegOrders", "09:35:30"),
    ("CloseRun", "09:40:00"),
    ("WritePage", "09:40:00"),
    ("SweepOrders", "09:40:00"),
    ("WatchRuns", "09:50:00"),
    ("ServeOperator", "09:50:00"),
)
DONE, FAILED, CANNOT = 0, 1, 2


class Failure(Exception):
    """A function that has not answered as it should."""


@dataclass(frozen=True)
class Local:
    """What `sam local invoke` needs: the command, its options, a folder for what it reads and writes, the exchange."""

    sam: Path
    options: Sequence[str]
    folder: Path
    exchange: Served

    def answer_to(self, name: str) -> dict[str, Any]:
        """The function's answer to its event, retried as the machine would. Raises Failure."""
        answer: dict[str, Any] = {}
        for _ in range(ATTEMPTS):
            answer = self._invoke(name)
            if answer.get("errorType") not in retried(name):
                break
            self.move(10)
        if "errorType" in answer or "errorMessage" in answer:
            raise Failure(f"{name} has failed: {json.dumps(answer)[:500]}")
        selected = states(definition()).get(name, {}).get("ResultSelector", {}).values()
        lacking = [path for path in selected if path.removeprefix("$.Payload.") not in answer]
        if lacking:
            raise Failure(f"{name} has answered without {', '.join(lacking)}: {json.dumps(answer)[:500]}")
        return answer

    def _invoke(self, name: str) -> dict[str, Any]:
        event, log = self.folder / f"{name}.event.json", self.folder / f"{name}.log"
        event.write_text(json.dumps(event_of(name)))
        with log.open("ab") as errors:
            invoked = subprocess.run(
                [self.sam, "local", "invoke", name, "--event", event, *self.options],
                env=_without_credentials(), stdout=subprocess.PIPE, stderr=errors, check=False,
            )  # fmt: skip
        answer = _last_line(invoked.stdout.decode())
        if invoked.returncode != 0 or not isinstance(answer, dict):
            raise Failure(f"{name} has not answered (sam's exit code {invoked.returncode}); its log is {log}")
        return answer

    def move(self, seconds: float) -> None:
        """Move the exchange's clock forward."""
        body = {"advance_seconds": max(seconds, 0)}
        requests.post(f"{self.exchange.url}/_sim/clock", json=body, timeout=60).raise_for_status()

    def move_to(self, time: str) -> None:
        """Move the exchange's clock to a time in New York, if it is earlier."""
        due = datetime.fromisoformat(f"{DAY}T{time}").replace(tzinfo=NEW_YORK)
        now = TIME.validate_python(self.read("clock")["timestamp"])
        self.move((due - now).total_seconds())

    def read(self, what: str) -> Any:
        """What the exchange's trading API answers."""
        key_id, secret_key = self.exchange.keys
        headers = {"APCA-API-KEY-ID": key_id, "APCA-API-SECRET-KEY": secret_key}
        return requests.get(f"{self.exchange.url}/v2/{what}", headers=headers, timeout=60).json()


@contextmanager
def surroundings(engine: Engine, sam: Path, built: Path, folder: Path, extra: Sequence[str] = ()) -> Iterator[Local]:
    """The exchange, AWS, and the files that sam reads; `built` is the output of `sam build`."""
    (folder / "held.json").write_text('{"KO": "100"}')
    opened = ("--date", str(DAY), "--start", STEPS[0][1], "--positions", "held.json", "--host", engine.listens_on)
    with account_of_aws(engine.listens_on) as endpoint, served(folder, *opened) as exchange:
        values = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": _inside(endpoint),
            "TABLE_NAME": make_table(endpoint, NAME),
            "JOURNAL_BUCKET": make_bucket(endpoint),
            "BROKER_SECRET_ARN": make_secret(endpoint, NAME),
            "BROKER_URL": _inside(exchange.url),
            "DATA_URL": _inside(exchange.url),
            "STACK_NAME": NAME,
            "STACK_ID": NAME,
        }
        given = folder / "variables.json"
        given.write_text(json.dumps({"Parameters": values}))
        template = str(_declaring(values, built))
        options = ["--template", template, "--env-vars", str(given), "--region", REGION, *engine.options, *extra]
        yield Local(sam, options, folder, exchange)


def walk(local: Local, show: Callable[[str], None]) -> None:
    """Invoke every function once, in the order of a run. Raises Failure at the first that fails."""
    for name, time in STEPS:
        local.move_to(time)
        show(f"{name:<15} {json.dumps(local.answer_to(name))[:100]}")
    show(verdict(local.read("orders?status=all"), local.read("orders?status=open")))


def verdict(sent: Sequence[Any], still_open: Sequence[Any]) -> str:
    """What the orders at the end of the walk say. Raises Failure if none was sent, or one is still open."""
    if not sent:
        raise Failure("every function has answered, but no order was sent")
    if still_open:
        raise Failure(f"every function has answered, but {len(still_open)} of {len(sent)} orders are still open")
    return f"every function has answered; {len(sent)} orders were sent, and none is open"


def main(extra: Sequence[str], show: Callable[[str], None]) -> int:
    """Find the engine, build, and walk; `extra` are further options of `sam local invoke`."""
    try:
        engine = find_engine()
    except NotHere as lack:
        show(f"sam-local: {lack}")
        return CANNOT
    if missing():
        show(f"sam-local: {missing()}")
        return CANNOT
    # One line for each request, otherwise.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    show("building the functions, then one container for each")
    build(BUILT)
    FOLDER.mkdir(exist_ok=True)
    try:
        with surroundings(engine, SAM, BUILT, FOLDER, extra) as local:
            walk(local, show)
    except Failure as failure:
        show(f"sam-local: {failure}")
        return FAILED
    return DONE


def _declaring(values: Mapping[str, str], built: Path) -> Path:
    """The built template with these variables declared, because sam passes no others."""
    template = yaml_parse((built / "template.yaml").read_text())
    template["Globals"]["Function"]["Environment"]["Variables"].update(dict.fromkeys(values, ""))
    declaring = built / "sam-local.json"
    declaring.write_text(json.dumps(template, default=str))
    return declaring


def _inside(url: str) -> str:
    """A URL of this machine as a container sees it."""
    return f"http://{INSIDE}:{urlsplit(url).port}"


def _last_line(printed: str) -> Any:
    """The JSON of the last line that is not empty, or None. A function's own prints come before its answer."""
    lines = [line for line in printed.splitlines() if line.strip()]
    try:
        return json.loads(lines[-1]) if lines else None
    except ValueError:
        return None


def _without_credentials() -> dict[str, str]:
    """This process's environment without a person's credentials: sam would pass them on to the containers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **nowhere, "AWS_EC2_METADATA_DISABLED": "true", "SAM_CLI_TELEMETRY": "0"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], print))
