"""`repeg doctor`: looks at everything that a run depends on, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from repeg.adapters.alpaca.keys import Keys, TradingMode
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer
from repeg_workbench.operate.broker_checks import SYMBOL, check_broker
from repeg_workbench.operate.broker_line import (
    Line,
    Place,
    local_keys,
    mode_of,
    real,
    simulated,
    simulated_keys,
)
from repeg_workbench.operate.check import Check, Verdict, alone
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import DeployedStack, find_stack
from repeg_workbench.operate.stack_checks import check_stack, keys_of
from repeg_workbench.operate.workstation import Workstation


@dataclass(frozen=True)
class Patient:
    """What is looked at: a stack, the keys of this machine, or a simulated exchange. At most one is given."""

    stack: str | None = None
    uses_local_keys: bool = False
    exchange: str | None = None
    symbol: str = SYMBOL


def doctor(at: Workstation, patient: Patient) -> Answer:
    """The findings, with exit code 1 if one of them is wrong."""
    given = [patient.stack is not None, patient.uses_local_keys, patient.exchange is not None]
    if sum(given) > 1:
        raise CannotOperate("give one of --stack, --local-keys and --exchange")
    checks = list(_checks(at, patient))
    is_well = all(check.verdict is not Verdict.FAIL for check in checks)
    data = {"is_well": is_well, "checks": [check.data for check in checks]}
    return Answer(data, [line for check in checks for line in _lines(check)], DONE if is_well else UNFINISHED)


def _checks(at: Workstation, patient: Patient) -> Iterator[Check]:
    if patient.exchange is not None:
        yield from _behind(at, simulated(patient.exchange), simulated_keys(), "iex", patient)
    elif patient.uses_local_keys:
        keys = local_keys()
        yield from _behind(at, real(mode_of(keys)), keys, "iex", patient)
    else:
        stack = find_stack(at, patient.stack)
        yield from check_stack(stack)
        yield from alone("secret", partial(_with_secret, stack, patient), at.region)


def _lines(check: Check) -> list[str]:
    """A finding, and on a line of its own what to do."""
    found = f"{check.verdict:<8} {check.subject:<16} {check.found}"
    return [found, f"{'':<26}-> {check.to_do}"] if check.to_do else [found]


def _with_secret(stack: DeployedStack, patient: Patient) -> Iterator[Check]:
    keys, finding = keys_of(stack)
    yield finding
    if keys is not None:
        feed = stack.parameters.get("DataFeed", "iex")
        yield from _behind(stack.at, real(TradingMode(stack.mode)), keys, feed, patient)


def _behind(at: Workstation, place: Place, keys: Keys, feed: str, patient: Patient) -> Iterator[Check]:
    with closing(Line(place, keys, at.runtime)) as line:
        yield from check_broker(line, keys, feed, at.runtime, patient.symbol)
