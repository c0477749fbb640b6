"""`make smoke STACK=…`: one preview in the deployed stack, compared with the local engine state by state.

It places no order. The local execution runs in a process of its own, so that the real account is never called where the
simulated one is open.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import typer

from repeg.domain.session import NEW_YORK
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer, run
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.operator import ask
from repeg_workbench.operate.stack import DeployedStack, find_stack
from repeg_workbench.operate.walk import Walk, differences, read_walk
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.simulate.simulation import Scenario, opened

DAY = date(2026, 11, 23)
AT = "10:00"
SYMBOL = "F"
EVERY_SECONDS = 2.0
PATIENCE_SECONDS = 300.0


def preview_of(symbol: str) -> dict[str, object]:
    """The input of the execution: a preview of one share."""
    return {"plan": {"name": "smoke", "orders": [{"symbol": symbol, "side": "buy", "qty": "1"}]}, "preview": True}


def local_walk(symbol: str) -> Walk:
    """The same preview on the local engine, in the session of a generated day."""
    plan = preview_of(symbol)["plan"]
    scenario = Scenario(plan, GeneratedMarket(1), DAY, OpeningAccount(cash=Decimal(100_000)))
    with opened(scenario) as day:
        day.engine.run(datetime.fromisoformat(f"{DAY}T{AT}").replace(tzinfo=NEW_YORK))
        arn = day.engine.start_execution(preview_of(symbol), "smoke")
        day.run()
        return read_walk(day.engine.client("stepfunctions"), arn)


def local_walk_apart(symbol: str) -> Walk:
    """The local walk, from a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        return processes.submit(local_walk, symbol).result()


def smoke(at: Workstation, stack: str | None, symbol: str, local: Walk) -> Answer:
    """Start the preview, wait for its end, and compare; exit code 1 if the two walks differ."""
    found = find_stack(at, stack)
    _require_session(found)
    client = at.client("stepfunctions")
    name = f"smoke-{at.runtime.now():%Y%m%dT%H%M%S}"
    given = json.dumps(preview_of(symbol))
    arn = client.start_execution(stateMachineArn=found.machine, name=name, input=given)["executionArn"]
    _wait(at, client, arn)
    deployed = read_walk(client, arn)
    differing = differences(local, deployed)
    text = [
        f"{found.title}: {name} {deployed.status}, {len(deployed.states)} states, {deployed.events} events",
        f"locally: {local.status}, {len(local.states)} states, {local.events} events",
        *(f"differs: {difference}" for difference in differing),
        "the deployed stack does as the local engine"
        if not differing
        else "the deployed stack does NOT do as the local engine",
    ]
    data = {"execution": arn, "deployed": asdict(deployed), "local": asdict(local), "differences": differing}
    return Answer(data, text, UNFINISHED if differing else DONE)


def _require_session(stack: DeployedStack) -> None:
    """Outside of the session a start is refused, or waits for the open, and shows less."""
    broker = ask(stack, {}).broker
    if broker is not None and not broker.is_open:
        raise CannotOperate("the market is closed: run this between 9:35 and 15:50 New York on a session day")


def _wait(at: Workstation, client: object, arn: str) -> None:
    waited = 0.0
    while client.describe_execution(executionArn=arn)["status"] == "RUNNING":  # type: ignore[attr-defined]
        if waited >= PATIENCE_SECONDS:
            raise CannotOperate(f"{arn} still runs after {PATIENCE_SECONDS:.0f} seconds: look at it in the console")
        at.runtime.pause(EVERY_SECONDS)
        waited += EVERY_SECONDS


def main(
    stack: Annotated[str | None, typer.Option(help="The stack. Default: that of samconfig.toml.")] = None,
    symbol: Annotated[str, typer.Option(help="The symbol of the preview.")] = SYMBOL,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,  # noqa: FBT002 - an option
) -> None:
    """Run one preview in a deployed stack, and compare it with the local engine. It places no order."""
    local = local_walk_apart(symbol)
    sys.exit(run(None, lambda at: smoke(at, stack, symbol, local), is_json=json))


if __name__ == "__main__":
    typer.run(main)
