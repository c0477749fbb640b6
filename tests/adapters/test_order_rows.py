"""The size of an order's row, which must stay below DynamoDB's 400 KB limit."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.adapters.dynamodb import rows
from repeg.domain.child_order import NOTE_LENGTH, Child, ChildState, Rung
from repeg.domain.errors import InvalidSettings
from repeg.domain.order_ids import CLIENT_ORDER_ID_LENGTH
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.settings_sources import resolve
from tests.builders import NOON, an_order

LARGEST_ROW = 400 * 1_024
MOST_ATTEMPTS = 400


def attempt(n: int) -> Child:
    """The largest child order: every field is set and the refusal message is long."""
    child = Child(
        n=n,
        client_order_id="x" * CLIENT_ORDER_ID_LENGTH,
        qty=Decimal("123456789.123456789"),
        limit=Decimal("123456.7891"),
        rung=Rung.PASSIVE,
        decided_at=NOON,
        resent_at=NOON + timedelta(microseconds=1),
        broker_id="61e69015-8549-4bfd-b9c3-01e75843f47d",
        replaces=n - 1,
        filled=Decimal("123456789.123456788"),
        average_price=Decimal("123456.7891234"),
        notional=Decimal("12345678901234.567891234"),
        cancelling_since=NOON + timedelta(microseconds=1),
        cancel_marked_at=NOON + timedelta(microseconds=1),
        changed_at=NOON + timedelta(microseconds=1),
        seen_at=NOON + timedelta(microseconds=1),
    )
    return child.becomes(ChildState.REFUSED, "\N{MONEY BAG}" * 300)


def test_the_row_of_an_order_with_every_attempt_used_fits_the_table() -> None:
    full = an_order(Side.BUY, "100", *(attempt(n) for n in range(1, MOST_ATTEMPTS + 1)))
    row = rows.order_row(full)
    assert sum(len(name) + len(str(value).encode()) for name, value in row.items()) < LARGEST_ROW
    assert rows.read_order(row) == full


def test_max_attempts_cannot_exceed_the_capacity_of_a_row() -> None:
    assert resolve({"EXECUTION__MAX_ATTEMPTS": str(MOST_ATTEMPTS)}, None).max_attempts == MOST_ATTEMPTS
    with pytest.raises(InvalidSettings, match="max_attempts"):
        resolve({}, {"max_attempts": MOST_ATTEMPTS + 1})


def test_a_note_is_truncated() -> None:
    assert attempt(1).note == "\N{MONEY BAG}" * NOTE_LENGTH


def test_every_field_of_an_order_is_stored() -> None:
    """A default that was left out would be read as the next release's default."""
    row = rows.order_row(an_order(Side.BUY, "100", attempt(1)))
    body = json.loads(str(row["body"]))
    assert body.keys() == ParentOrder.model_fields.keys()
    assert body["children"][0].keys() == Child.model_fields.keys()
    assert row["schema"] == rows.SCHEMA
