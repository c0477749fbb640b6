"""The broker's API keys: their source, their rotation, and the check that they belong to the endpoint."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from repeg.domain.errors import InvalidSettings


class TradingMode(StrEnum):
    """Whether the paper or the live account is traded. It also decides which of Alpaca's endpoints is called."""

    PAPER = "paper"
    LIVE = "live"


class Keys(BaseModel):
    """A key pair. Neither its repr nor a validation error reveals the values."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    key_id: SecretStr = Field(min_length=1)
    secret_key: SecretStr = Field(min_length=1)

    @property
    def is_placeholder(self) -> bool:
        """Whether these are no keys, but what the template puts in their place."""
        return self.key_id.get_secret_value() == PLACEHOLDER


# What the template's secret holds until the operator has put the keys.
PLACEHOLDER = "put-yours-here"
NO_KEYS = "the secret still holds the placeholder of the deploy: put the broker's keys with `repeg keys`"


class KeySource(Protocol):
    """Supplies the key pair."""

    def current(self) -> Keys:
        """The pair to use."""

    def renewed(self, rejected: Keys) -> Keys:
        """The pair to use after the broker rejected one; the same pair if it has not been rotated.

        Raises BrokerUnavailable if the keys cannot be read.
        """


class FixedKeys:
    """Keys that never change."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def current(self) -> Keys:
        """The pair."""
        return self._keys

    def renewed(self, rejected: Keys) -> Keys:  # noqa: ARG002 - there is no other pair
        """The same pair."""
        return self._keys


# The pair that the simulated broker accepts by default; it is valid nowhere else.
SIMULATED = Keys(
    key_id=SecretStr("PKSIMULATED000000000"), secret_key=SecretStr("simulated-secret-key-of-forty-characters")
)

_PREFIX_OF_MODE = {TradingMode.PAPER: "PK", TradingMode.LIVE: "AK"}
_PAPER_ACCOUNT = "PA"


def ensure_keys_fit(keys: Keys, mode: TradingMode) -> None:
    """Raises InvalidSettings if the prefix of the key id belongs to the other endpoint."""
    for other, prefix in _PREFIX_OF_MODE.items():
        if other is not mode and keys.key_id.get_secret_value().startswith(prefix):
            raise InvalidSettings("TRADING_MODE", mode.value, f"{other.value}: the key id begins with {prefix}")


def ensure_account_fits(number: str, mode: TradingMode) -> None:
    """Raises InvalidSettings if the account is of the other mode; paper account numbers begin with PA."""
    if number.startswith(_PAPER_ACCOUNT) != (mode is TradingMode.PAPER):
        kind = "a paper" if number.startswith(_PAPER_ACCOUNT) else "no paper"
        raise InvalidSettings("TRADING_MODE", mode.value, f"another mode: the keys open {kind} account")
