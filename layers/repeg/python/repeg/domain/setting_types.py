"""The types of settings' values: words, numbers with their ranges, tickers, and objects that may come as text."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from repeg.domain.child_order import MOST_CHILDREN
from repeg.domain.plan import SYMBOL


class Escalation(StrEnum):
    """How far an order may escalate once its patience is exhausted: no further, to the mid, the far side, or market."""

    NONE = "none"
    MID = "mid"
    CROSS = "cross"
    MARKET = "market"


class Policy(StrEnum):
    """How an order is worked: by the original rule, by the rules of `look` under one of three horizons, or market."""

    ANCHOR = "anchor"
    PATIENT = "patient"
    NORMAL = "normal"
    URGENT = "urgent"
    MARKET = "market"


class Waiting(StrEnum):
    """What a step does between two turns: it ends, or listens to the broker's streams."""

    POLL = "poll"
    STREAM = "stream"


class FundBuysFrom(StrEnum):
    """What buys are funded from: the account's own cash, or what the broker lets it buy, borrowed money included."""

    CASH = "cash"
    BUYING_POWER = "buying_power"


class Feed(StrEnum):
    """Whose quotes are shown: one venue's own book, or the best of all venues."""

    IEX = "iex"
    SIP = "sip"


# The policies that follow the rules of `look`, and how many times `patience_seconds` each of them waits.
HORIZONS: dict[Policy, Decimal] = {
    Policy.PATIENT: Decimal(6),
    Policy.NORMAL: Decimal(1),
    Policy.URGENT: Decimal("0.2"),
}


class Fallback(StrEnum):
    """How an order that its book still holds near the close is sent: not at all, at its collar, or at the market."""

    NONE = "none"
    COLLAR = "collar"
    MARKET = "market"


_BOOL = TypeAdapter(bool)


def is_off(value: object) -> bool:
    """Whether a value, of any form that settings are given in, means `false`."""
    try:
        return not _BOOL.validate_python(value)
    except ValidationError:
        return False


def whole_number(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("whole_number", "input should be a whole number")
    return value


Count = Annotated[int, Field(ge=0), BeforeValidator(whole_number)]
Seconds = Annotated[int, Field(ge=1, le=23_400), BeforeValidator(whole_number)]
# At most what the function's time limit in template.yaml has room for, besides a last turn.
ListenSeconds = Annotated[int, Field(ge=30, le=600), BeforeValidator(whole_number)]
Minutes = Annotated[int, Field(ge=0, le=180), BeforeValidator(whole_number)]
# At least a minute: the fallback needs a turn to be sent in.
FallbackMinutes = Annotated[int, Field(ge=1, le=180), BeforeValidator(whole_number)]
Percent = Annotated[Decimal, Field(gt=0, le=100, allow_inf_nan=False)]
Threshold = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)]
# Below 10,000: at 10,000 a sell's collar would be zero.
BasisPoints = Annotated[Decimal, Field(ge=0, lt=10_000, allow_inf_nan=False)]
Dollars = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
# Whole cents: there is no finer step from a dollar up. At most a dollar: more could round a price to zero.
Step = Annotated[Decimal, Field(gt=0, le=1, multiple_of=Decimal("0.01"), allow_inf_nan=False)]
Orders = Annotated[int, Field(ge=1, le=100_000), BeforeValidator(whole_number)]
Attempts = Annotated[int, Field(ge=1, le=MOST_CHILDREN), BeforeValidator(whole_number)]
# At no time at all an order follows at each look.
Wait = Annotated[int, Field(ge=0, le=23_400), BeforeValidator(whole_number)]
# In half-spreads: 1 is the displayed far side, 0 the mid. Above 2 the price would be a whole spread past the mid.
HalfSpreads = Annotated[Decimal, Field(ge=0, le=2, allow_inf_nan=False)]
Share = Annotated[Decimal, Field(ge=0, lt=1, allow_inf_nan=False)]
# The part of the orders in one arm of an experiment, from none to all.
Arms = Annotated[Decimal, Field(ge=0, le=1, allow_inf_nan=False)]
# Its mirror image is where an order steps back, so it lies above one half; at 1 nothing is taken.
Imbalance = Annotated[Decimal, Field(gt=Decimal("0.5"), le=1, allow_inf_nan=False)]
Ticker = Annotated[str, Field(pattern=f"^{SYMBOL.pattern}$")]


def listed(value: object) -> object:
    """A list, or its names in one text between commas, as an environment variable can hold them."""
    return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value


Tickers = Annotated[tuple[Ticker, ...], BeforeValidator(listed)]


def json_object(value: object) -> object:
    """An object, or its JSON in a text, as an environment variable can hold it."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise PydanticCustomError("json", "an object of symbols with settings, as JSON") from None
