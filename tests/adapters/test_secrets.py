"""Keys from Secrets Manager: cached, fetched again once after a rejection, shared by all workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3  # noqa: TID251 - the secret has to come from somewhere
import pytest
from moto import mock_aws

from repeg.adapters.alpaca.keys import FixedKeys, Keys, TradingMode
from repeg.adapters.runtime import SystemRuntime
from repeg.adapters.secrets import SecretKeys
from repeg.domain.errors import BrokerUnavailable, InvalidSettings


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the mocked service that holds the secret `keys`."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        client.create_secret(Name="keys", SecretString=json.dumps({"key_id": "PKOLD", "secret_key": "old"}))
        yield client


def rotate(vault: Any, text: str) -> None:
    """Put a new value into the secret."""
    vault.put_secret_value(SecretId="keys", SecretString=text)


def pair(name: str) -> str:
    """A secret's text."""
    return json.dumps({"key_id": f"PK{name}", "secret_key": name.lower()})


def name_of(keys: Keys) -> str:
    """The key id."""
    return keys.key_id.get_secret_value()


def test_the_key_pair_is_read_once_and_cached(vault: Any) -> None:
    source = SecretKeys("keys", TradingMode.PAPER)
    rotate(vault, pair("NEW"))
    assert name_of(source.current()) == "PKOLD"


def test_a_rejected_key_pair_is_read_again_past_the_cache(vault: Any) -> None:
    source = SecretKeys("keys", TradingMode.PAPER)
    rotate(vault, pair("NEW"))
    assert name_of(source.renewed(source.current())) == "PKNEW"
    assert name_of(source.current()) == "PKNEW"


def test_a_worker_with_an_older_key_pair_gets_the_newer_from_the_cache(vault: Any) -> None:
    source = SecretKeys("keys", TradingMode.PAPER)
    old = source.current()
    rotate(vault, pair("NEW"))
    source.renewed(old)
    rotate(vault, pair("NEWER"))
    assert name_of(source.renewed(old)) == "PKNEW"


def test_a_key_pair_still_rejected_is_not_fetched_again(vault: Any) -> None:
    source = SecretKeys("keys", TradingMode.PAPER)
    old = source.current()
    assert source.renewed(old) == old
    rotate(vault, pair("NEW"))
    assert source.renewed(old) == old


def test_eight_workers_rejected_together_fetch_the_keys_once(vault: Any) -> None:
    source = SecretKeys("keys", TradingMode.PAPER)
    old = source.current()
    rotate(vault, pair("NEW"))
    fetches: list[object] = []
    read = source._provider.get
    source._provider.get = lambda *a, **k: fetches.append(1) or read(*a, **k)  # type: ignore[func-returns-value,method-assign]
    renewed = SystemRuntime().map(lambda _: source.renewed(old), range(8))
    assert {name_of(keys) for keys in renewed} == {"PKNEW"}
    assert len(fetches) == 1


@pytest.mark.parametrize("text", ["{not json", '"PKX"', "[]", '{"key_id": 7}'])
def test_a_secret_without_a_key_pair_is_refused(vault: Any, text: str) -> None:
    rotate(vault, text)
    with pytest.raises(InvalidSettings, match="BROKER_SECRET_ARN"):
        SecretKeys("keys", TradingMode.PAPER)


def test_a_rotation_to_live_keys_is_refused_in_paper_mode(vault: Any) -> None:
    source = SecretKeys("keys", TradingMode.PAPER)
    rotate(vault, json.dumps({"key_id": "AKX", "secret_key": "x"}))
    with pytest.raises(InvalidSettings, match="expected live"):
        source.renewed(source.current())


def test_a_secrets_manager_error_is_unavailable(vault: Any) -> None:
    with pytest.raises(BrokerUnavailable):
        SecretKeys("another", TradingMode.PAPER)


def test_fixed_keys_are_never_renewed() -> None:
    keys = Keys.model_validate({"key_id": "PKX", "secret_key": "x"})
    assert FixedKeys(keys).renewed(keys) is FixedKeys(keys).current()
