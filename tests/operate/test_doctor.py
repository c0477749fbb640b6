"""`repeg doctor`: reads everything a run depends on, says what to do about what is wrong, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.operate.operator import URL, Operator, an_operator, checks, denied


@pytest.fixture(scope="module")
def shared() -> Iterator[Operator]:
    """One stack for the looks that change nothing, at 10:00."""
    with an_operator() as operator:
        operator.until("10:00")
        yield operator


def test_a_healthy_stack_is_well(shared: Operator) -> None:
    found = checks(shared)
    assert {verdict for verdict, _ in found.values()} == {"ok", "warn"}
    assert [subject for subject, (verdict, _) in found.items() if verdict == "warn"] == ["subscriptions"]
    assert found["versions"][1].startswith("the machine calls the current versions: OpenRun 1")
    assert found["keys"][1].startswith("they open paper account PA")
    assert found["margin"] == ("ok", "a cash account")
    assert found["calendar"][1] == "2026-11-23: 09:30 to 16:00 New York"
    assert found["feed iex (used)"][1].startswith("readable; AAPL's quote is")
    assert found["feed sip"] == ("ok", "not readable: subscription does not permit querying recent SIP data")
    assert found["latency"][1].endswith(" ms a request, of 5")


def test_a_finding_stands_above_what_to_do(shared: Operator) -> None:
    lines = shared.repeg("doctor", "--symbol", "AAPL").out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("warn     subscriptions"))
    assert lines[at + 1].strip() == "-> deploy with AlarmEmail, or subscribe to the topic"


def test_no_secret_is_in_the_findings(shared: Operator) -> None:
    said = shared.repeg("doctor", "--symbol", "AAPL")
    assert shared.day.scenario.opening.secret_key not in said.out + said.err


def test_a_simulated_exchange_is_looked_at_alone(shared: Operator) -> None:
    found = checks(shared, "--exchange", URL)
    assert "table" not in found
    assert found["keys"][0] == "ok"


def test_an_exchange_of_another_machine_gets_no_keys(shared: Operator) -> None:
    said = shared.repeg("doctor", "--exchange", "http://example.com")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("exchange: http://example.com is not valid")


def test_the_keys_of_this_machine(shared: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shared.repeg("doctor", "--local-keys").err.startswith("no keys here: set APCA_API_KEY_ID and")
    opening = shared.day.scenario.opening
    monkeypatch.setenv("APCA_API_KEY_ID", opening.key_id)
    monkeypatch.setenv("APCA_API_SECRET_KEY", opening.secret_key)
    assert checks(shared, "--local-keys")["account"] == ("ok", "may trade; equity 17011, cash 10000")


def test_two_patients_at_once_are_refused(shared: Operator) -> None:
    said = shared.repeg("doctor", "--local-keys", "--exchange", URL)
    assert (said.code, said.err) == (2, "give one of --stack, --local-keys and --exchange\n")


@pytest.mark.parametrize(
    ("operation", "subject"),
    [
        ("DescribeTable", "table"), ("GetAlias", "versions"), ("GetSchedule", "schedule"), ("GetItem", "kill switch"),
        ("GetQueueAttributes", "queue"), ("DescribeAlarms", "alarms"), ("GetSecretValue", "secret"),
    ],
)  # fmt: skip
def test_a_look_without_permission_is_skipped(shared: Operator, operation: str, subject: str) -> None:
    verdict, found = checks(shared, session=denied(operation))[subject]
    assert (verdict, found.startswith(f"you may not call {operation} in us-east-1")) == ("skipped", True)
