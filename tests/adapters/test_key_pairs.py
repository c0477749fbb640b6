"""Keys and accounts of the paper and the live endpoint: each is refused at the other."""

from __future__ import annotations

import pytest

from repeg.adapters.alpaca.keys import SIMULATED, Keys, TradingMode, ensure_account_fits, ensure_keys_fit
from repeg.domain.errors import InvalidSettings
from repeg_workbench.exchange.broker.opening import OpeningAccount


def keys(key_id: str) -> Keys:
    """A pair with that key id."""
    return Keys.model_validate({"key_id": key_id, "secret_key": "x"})


def test_keys_of_the_other_endpoint_are_refused_and_not_printed() -> None:
    with pytest.raises(InvalidSettings, match="expected live") as refused:
        ensure_keys_fit(keys("AKSECRETSECRET"), TradingMode.PAPER)
    assert "AKSECRETSECRET" not in str(refused.value)
    with pytest.raises(InvalidSettings, match="expected paper"):
        ensure_keys_fit(keys("PKX"), TradingMode.LIVE)


@pytest.mark.parametrize(
    ("key_id", "mode"), [("PKX", TradingMode.PAPER), ("AKX", TradingMode.LIVE), ("CKX", TradingMode.LIVE)]
)
def test_matching_and_neutral_key_prefixes_are_accepted(key_id: str, mode: TradingMode) -> None:
    ensure_keys_fit(keys(key_id), mode)


def test_an_account_of_the_other_endpoint_is_refused() -> None:
    ensure_account_fits("PA3ABC", TradingMode.PAPER)
    ensure_account_fits("123456789", TradingMode.LIVE)
    with pytest.raises(InvalidSettings, match="a paper account"):
        ensure_account_fits("PA3ABC", TradingMode.LIVE)
    with pytest.raises(InvalidSettings, match="no paper account"):
        ensure_account_fits("123456789", TradingMode.PAPER)


def test_the_simulated_keys_match_the_simulated_broker() -> None:
    opening = OpeningAccount()
    pair = (SIMULATED.key_id.get_secret_value(), SIMULATED.secret_key.get_secret_value())
    assert pair == (opening.key_id, opening.secret_key)
