"""Scripted functions: each call answers, fails or hangs as drawn from its run's seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - seeded
from typing import Any

START = datetime(2026, 11, 20, 14, 25, 30, tzinfo=UTC)

ERRORS = (
    "Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.Unknown", "Sandbox.Timedout",
    "Runtime.ExitError", "BrokerUnavailable", "StoreUnavailable", "Conflict", "StillOpen", "RefusedRun", "InvalidPlan",
    "DuplicateRun", "KeyError",
)  # fmt: skip

# Messages for the cause of a failed execution that are hard to parse as JSON inside JSON.
WORDS = ("the broker is down", 'a "quoted" word', "{braces} and [brackets]", "AAPL × 3 – ½", "back\\slash, $.path")


class StepFailed(Exception):
    """A scripted failure: the error's name and its message."""

    def __init__(self, error: str, sentence: str) -> None:
        self.error, self.sentence = error, sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Hang:
    """No answer within any timeout of the state machine."""

    seconds: float = 500.0


Answer = dict[str, Any] | StepFailed | Hang


class Script:
    """The answers of one run's functions; the same seed gives the same answers to the same calls."""

    def __init__(self, seed: int) -> None:
        self.run_id = f"seed{seed}"
        self._chance = Random(f"script {seed}")
        self._called: Counter[str] = Counter()
        names = ("OpenRun", "CheckSession", "PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders", "CloseRun")
        # In some runs one step fails repeatedly, until its retries are exhausted or nearly so.
        self._stuck = self._chance.choice((*names, *names, "", "", "", ""))
        self._stuck_for = self._chance.randint(1, 25)
        self._stuck_with = self._chance.choice(ERRORS)

    @property
    def input(self) -> dict[str, Any]:
        """The execution's input: a plan, or in some runs a run to continue."""
        if self._chance.random() < 0.15:
            return {"renewal": {"run_id": self.run_id, "epoch": 4, "turns": 7}}
        return {"plan_uri": self.run_id}

    def answer(self, function: str) -> Answer:
        """The next answer of a function."""
        self._called[function] += 1
        if function == self._stuck and self._called[function] <= self._stuck_for:
            return StepFailed(self._stuck_with, self._chance.choice(WORDS))
        dice = self._chance.random()
        if dice < 0.01:
            return Hang()
        if dice < 0.06:
            return StepFailed(self._chance.choice(ERRORS), self._chance.choice(WORDS))
        return self._success(function)

    def _success(self, function: str) -> dict[str, Any]:
        count, choice = self._called[function], self._chance.choice
        if function == "OpenRun":
            return {
                "run_id": self.run_id,
                "epoch": 1,
                "first_turn": 0,
                "step_seconds": 55,
                "turn": {"turns": 0},
                "more": "ignored",
            }
        if function == "CheckSession":
            word = "trade" if count > 3 else choice(("trade", "trade", "wait", "wait", "stop", "perhaps"))
            return {"decision": word, "reason": "as scripted", "until": self._soon()}
        if function == "RepegOrders":
            words = ("wait", "wait", "validate", "validate", "close", "renew", "sideways")
            word = "close" if count > 5 else choice(words)
            return {"decision": word, "turns": self._chance.randint(1, 9), "turn_at": self._soon()}
        if function == "CloseRun":
            outcome = (
                choice(("settled", "settled", "failed")) if count > 3 else choice(("settled", "failed", "closing"))
            )
            error = "Unexplained" if outcome == "failed" else ""
            return {"outcome": outcome, "error": error, "reason": choice(WORDS), "again_at": self._soon()}
        return {"turns": count, "turn_at": self._soon(), "orders": count, "use": count, "hold": 0, "left": count % 2}

    def _soon(self) -> str:
        """A moment near the present, perhaps in the past."""
        return (START + timedelta(seconds=self._chance.randint(0, 900))).strftime("%Y-%m-%dT%H:%M:%SZ")


def run_of(payload: dict[str, Any]) -> str:
    """The run of a step, from its payload."""
    given = payload.get("input", payload)
    return str(given.get("run_id") or given.get("plan_uri") or given["renewal"]["run_id"])
