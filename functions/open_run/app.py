"""OpenRun: read the input, refuse what is wrong with it, claim the run, freeze its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import BrokerDenied, InvalidInput, MarketClosed, RefusedRun
from repeg.domain.estimate import RunEstimate
from repeg.domain.steps import RunOpened, StartPayload, TurnCount
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.alerts import announce_opening
from repeg.workflow.estimating import estimate_run
from repeg.workflow.opening import (
    claim,
    claimed_before,
    journal_upgrade,
    prepare,
    read_start,
    release_of,
    require_earlier_runs_closed,
    session_for,
    step_seconds,
)
from repeg.workflow.turn import begin_turn, find_run


@lambda_step
def lambda_handler(payload: StartPayload, _context: LambdaContext) -> RunOpened | RunEstimate:
    """What every later step needs to find the run. Refusals and closed markets are counted apart.

    An operator asks for an estimate before a start. A refused estimate is no refused run, and is not counted.
    """
    if payload.estimate:
        return estimate(payload.input, payload.execution, os.environ, ports())
    try:
        return open_run(payload.input, payload.execution, os.environ, ports())
    except (InvalidInput, RefusedRun, BrokerDenied) as error:
        count("MarketsClosed" if isinstance(error, MarketClosed) else "RunsRefused", 1)
        raise


def open_run(raw: object, execution: str, environment: Mapping[str, str], ports: Ports) -> RunOpened:
    """Claim the run that the input describes, or take over one whose execution has been renewed."""
    if isinstance(raw, Mapping) and "renewal" in raw:
        return renew_run(raw["renewal"], execution, release_of(environment), ports)
    start = read_start(raw, environment, ports)
    now = ports.broker.clock().now
    run = claimed_before(start, execution, now, ports)
    if run is None:
        require_earlier_runs_closed(start, now, ports)
        run = claim(start, prepare(start, session_for(start, now, ports), execution, now, ports), now, ports)
    turn = begin_turn(run.run_id, ports)
    turn.journal("run", "open", run.run_id, f"execution {execution.rpartition(':')[2]}")
    announce_opening(turn)
    for note in start.notes:
        turn.journal("run", "note", reason=note)
    return RunOpened(
        run_id=run.run_id, epoch=run.epoch, first_turn=0, step_seconds=step_seconds(run.settings), turn=TurnCount()
    )


def estimate(raw: object, execution: str, environment: Mapping[str, str], ports: Ports) -> RunEstimate:
    """What the start would trade, checked as the start would be; nothing is claimed or written."""
    start = read_start(raw, environment, ports)
    return estimate_run(start, execution, ports.broker.clock().now, ports)


def renew_run(renewal: Mapping[str, Any], execution: str, release: str, ports: Ports) -> RunOpened:
    """Continue a run in a new execution. Its epoch rises, so that the old execution can place nothing more.

    A new execution runs the newest versions; where they are not those that opened the run, the journal says so.
    """
    held = ports.store.take_over(renewal["run_id"], int(renewal["epoch"]), execution)
    run = find_run(held.run_id, ports)
    journal_upgrade(run, release, ports)
    turns, seconds = int(renewal["turns"]), step_seconds(run.settings)
    turn = TurnCount(turns=turns)
    return RunOpened(run_id=run.run_id, epoch=held.epoch, first_turn=turns, step_seconds=seconds, turn=turn)
