"""The account's two buying powers: the smaller one counts, and what may be spent without a loan is another matter."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.adapters.brokers import a_broker, an_account_row
from tests.adapters.scripted_server import answer, scripted


@pytest.mark.parametrize(("overnight", "counts"), [(None, "240001"), ("120000.5", "120000.5"), ("300000", "240001")])
def test_buying_power_is_what_may_be_held_over_night(overnight: str | None, counts: str) -> None:
    """A day trader's four times the equity would have to be halved before the close."""
    with scripted(answer(200, an_account_row(regt_buying_power=overnight))) as script:
        account = a_broker(script).account()
    assert (account.buying_power, account.spendable) == (Decimal(counts), Decimal("55000.25"))
