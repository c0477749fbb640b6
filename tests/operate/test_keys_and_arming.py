"""`repeg keys`, `arm` and `disarm`: checked before anything is written, and read back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from repeg.domain.run import RunState
from repeg_workbench.exchange.broker.opening import OpeningAccount
from tests.operate.operator import PLAN, RUN_ID, Deploy, Operator, denied

PAIR = (OpeningAccount().key_id, OpeningAccount().secret_key)
LIVE = {"TradingMode": "live", "AlarmEmail": "me@example.com", "MaxOrderNotional": "500"}


def secret(operator: Operator) -> Any:
    arn = operator.day.engine.stack.physical_id("BrokerSecret")
    return json.loads(operator.day.engine.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


def type_in(operator: Operator, *answers: str) -> list[str]:
    """What the person will type without echo; returns the questions as they come."""
    questions: list[str] = []
    left = list(answers)

    def ask(question: str) -> str:
        questions.append(question)
        return left.pop(0)

    operator.at = replace(operator.at, ask_secret=ask)
    return questions


@pytest.fixture
def placeholder(operator: Operator) -> Operator:
    """The stack just after its first deploy."""
    arn = operator.day.engine.stack.physical_id("BrokerSecret")
    empty = {"key_id": "put-yours-here", "secret_key": "x"}
    operator.day.engine.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(empty))
    return operator


def test_the_keys_are_checked_and_stored(placeholder: Operator) -> None:
    questions = type_in(placeholder, f" {PAIR[0]} ", PAIR[1])
    said = placeholder.repeg("keys")
    assert said.code == 0
    assert questions == ["key id for repeg (paper): ", "secret key for repeg (paper): "]
    assert secret(placeholder) == {"key_id": PAIR[0], "secret_key": PAIR[1]}
    assert said.out.startswith("repeg (paper): stored the keys of account PA")
    assert PAIR[1] not in said.out + said.err


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("PKWRONG", "x"), "Alpaca's paper endpoint does not accept this pair; nothing is stored"),
        (("AKLIVE", "x"), "these keys are of a live account, and repeg (paper) is paper; nothing is stored"),
        (("", "x"), "a key is empty; nothing is stored"),
        ((PAIR[0], "  "), "a key is empty; nothing is stored"),
    ],
)
def test_a_pair_that_does_not_fit_is_not_stored(placeholder: Operator, answers: tuple[str, str], expected: str) -> None:
    type_in(placeholder, *answers)
    said = placeholder.repeg("keys")
    assert (said.code, said.out, secret(placeholder)["key_id"]) == (2, "", "put-yours-here")
    assert said.err.startswith(expected)


def test_keys_are_not_stored_while_the_broker_does_not_answer(placeholder: Operator) -> None:
    placeholder.arm("GET")
    type_in(placeholder, *PAIR)
    assert placeholder.repeg("keys").code == 2
    assert secret(placeholder)["key_id"] == "put-yours-here"


def test_keys_without_the_permission_to_store_them(placeholder: Operator) -> None:
    type_in(placeholder, *PAIR)
    said = placeholder.repeg("keys", session=denied("PutSecretValue"))
    assert (said.code, secret(placeholder)["key_id"]) == (2, "put-yours-here")
    assert "you may not call PutSecretValue in us-east-1" in said.err


def test_keys_of_another_account_are_refused_while_a_run_is_active(operator: Operator) -> None:
    operator.day.start("calls")
    operator.until("09:26")
    run = operator.day.ports.store.run(RUN_ID)
    assert run is not None
    other = run.model_copy(update={"run_id": "other-2026-11-23", "owner": "arn:other", "account_number": "PA0OTHER"})
    operator.day.ports.store.claim_run(other)
    type_in(operator, *PAIR)
    said = operator.repeg("keys")
    assert said.code == 2
    assert "run other-2026-11-23 is active in account PA0OTHER" in said.err
    operator.day.ports.store.set_run_state("other-2026-11-23", 1, RunState.CLOSING)
    operator.day.ports.store.set_run_state("other-2026-11-23", 1, RunState.CLOSED)
    type_in(operator, *PAIR)
    assert operator.repeg("keys").code == 0


def test_a_live_stack_is_armed_and_disarmed(deploy: Deploy) -> None:
    operator = deploy(parameters=LIVE)
    said = operator.repeg("arm", "--until", "2026-12-11")
    assert said.out == "repeg (LIVE): live trading is armed until 2026-12-12 00:00 New York; `repeg disarm` ends it\n"
    (question,) = operator.asked
    limits, asked = question.splitlines()
    assert limits.startswith("limits: AllowedSymbols none, MaxOrderNotional 500, MaxRunNotional none")
    assert asked == "Arm repeg (LIVE) with REAL MONEY until 2026-12-12 00:00 New York?"
    armed = operator.day.ports.store.armed_until()
    assert armed is not None
    assert armed.isoformat() == "2026-12-12T05:00:00+00:00"
    said = operator.repeg("disarm")
    assert (said.code, operator.day.ports.store.armed_until()) == (0, None)
    assert said.out == "repeg (LIVE): live trading is not armed\n"


def test_arming_may_be_declined(deploy: Deploy) -> None:
    operator = deploy(parameters=LIVE)
    operator.at = replace(operator.at, confirm=lambda _: False)
    assert operator.repeg("arm", "--until", "2026-12-11").code == 1
    assert operator.day.ports.store.armed_until() is None


@pytest.mark.parametrize("until", ["2026-11-22", "2027-01-11", "tomorrow", ""])
def test_a_date_that_cannot_arm_is_refused(deploy: Deploy, until: str) -> None:
    operator = deploy(parameters=LIVE)
    said = operator.repeg("arm", "--until", until, "--yes")
    assert (said.code, operator.day.ports.store.armed_until()) == (2, None)
    assert said.err.startswith(
        (f"until: '{until}' is not valid; expected a date from", f"date: '{until}' is not valid")
    )


def test_a_paper_stack_needs_no_arming(operator: Operator) -> None:
    said = operator.repeg("arm", "--until", "2026-12-11", "--yes")
    assert (said.code, operator.day.ports.store.armed_until()) == (2, None)
    assert said.err.startswith("stack repeg trades on paper and needs no arming")


def test_a_live_stack_refuses_a_start_until_it_is_armed(deploy: Deploy, folder: Any) -> None:
    """Armed, it is refused for what the simulation is: a paper account behind the keys of a live one."""
    operator = deploy(parameters=LIVE)
    (folder / "plan.json").write_text(json.dumps(PLAN))
    said = operator.repeg("start", "plan.json", "--yes")
    assert said.code == 2
    assert said.err == (
        "live trading is not armed: TradingMode is live, but there is no arming record; "
        "run `repeg arm --until <date>`\n"
    )
    operator.repeg("arm", "--until", "2026-12-11", "--yes")
    assert "TRADING_MODE: 'live' is not valid" in operator.repeg("start", "plan.json", "--yes").err
