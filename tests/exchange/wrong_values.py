"""Values of the wrong type for every field and parameter of the exchange's calls, as JSON text."""

import json
from dataclasses import dataclass
from random import Random  # noqa: TID251 - seeded

DEEP = "[" * 20_000 + "]" * 20_000
NESTED = '{"a":' * 60 + "null" + "}" * 60
LONG = json.dumps("x" * 60_000)
HUGE = "9" * 4_000
ALWAYS_WRONG = (
    "{}",
    "[]",
    "[null]",
    '{"a": {"b": [1]}}',
    '[{"limit_price": 1}]',
    NESTED,
    DEEP,
    "NaN",
    "-Infinity",
    "{",
)
"""Wrong for a number, a word and a flag alike; the last three make the whole body invalid."""

OF_NUMBER = (
    "true",
    '"ten"',
    '"1_000"',
    '""',
    '"\\u0000"',
    "1e400",
    HUGE,
    LONG,
    '"NaN"',
    '"0x10"',
    "-1",
    "0",
    '"\\ud800"',
)
OF_WORD = ("true", "5", "1e400", HUGE, LONG, '"\\u0000"', '"\\ud800"', '"no such word"')
OF_FLAG = ("1", "0", '"true"', '""', LONG, "1.5")
OF_OBJECT = ("true", "5", '"x"', "[]", "[1]", LONG, HUGE, DEEP, "NaN")
OF_ID = ("true", "5", "1e400", HUGE, LONG, "{}", "[]", NESTED, DEEP)


@dataclass(frozen=True)
class Body:
    """One call with a body: a valid body, the wrong values of each field, and the smallest status of a refusal."""

    method: str
    path: str
    valid: dict[str, object]
    wrong: dict[str, tuple[str, ...]]

    def cases(self) -> list[str]:
        """The valid body with one field wrong, then the same field twice, for every field and value."""
        return [
            text
            for field, values in self.wrong.items()
            for value in values
            for text in (self._with(field, value), self._twice(field, value))
        ]

    def _with(self, field: str, value: str) -> str:
        fields = {name: json.dumps(valid) for name, valid in self.valid.items()} | {field: value}
        return "{" + ", ".join(f'"{name}": {text}' for name, text in fields.items()) + "}"

    def _twice(self, field: str, value: str) -> str:
        # The last of two fields with one name counts, as in most parsers.
        first = json.dumps(self.valid.get(field))
        rest = {name: json.dumps(valid) for name, valid in self.valid.items() if name != field}
        fields = [*rest.items(), (field, first), (field, value)]
        return "{" + ", ".join(f'"{name}": {text}' for name, text in fields) + "}"


NUMBERS = (*ALWAYS_WRONG, *OF_NUMBER)
WORDS = (*ALWAYS_WRONG, *OF_WORD)
FLAGS = (*ALWAYS_WRONG, *OF_FLAG)

_ORDER: dict[str, object] = {
    "symbol": "AAPL",
    "qty": "1",
    "side": "buy",
    "type": "limit",
    "time_in_force": "day",
    "limit_price": "90",
}
_BRACKET = _ORDER | {
    "order_class": "bracket",
    "take_profit": {"limit_price": "120"},
    "stop_loss": {"stop_price": "80"},
}

BODIES = (
    Body(
        "POST",
        "/v2/orders",
        _ORDER,
        {
            "symbol": WORDS,
            "qty": NUMBERS,
            "notional": NUMBERS,
            "side": WORDS,
            "type": WORDS,
            "time_in_force": WORDS,
            "limit_price": NUMBERS,
            "stop_price": NUMBERS,
            "trail_price": NUMBERS,
            "trail_percent": NUMBERS,
            "extended_hours": FLAGS,
            "client_order_id": OF_ID,
            "order_class": WORDS,
            "position_intent": WORDS,
            "take_profit": OF_OBJECT,
            "stop_loss": OF_OBJECT,
        },
    ),
    Body("POST", "/v2/orders", _BRACKET, {"take_profit": ("{}", *OF_OBJECT), "stop_loss": ("{}", *OF_OBJECT)}),
    Body(
        "PATCH",
        "/v2/orders/{order}",
        {"limit_price": "91"},
        {
            "qty": NUMBERS,
            "limit_price": NUMBERS,
            "stop_price": NUMBERS,
            "trail": NUMBERS,
            "time_in_force": WORDS,
            "client_order_id": OF_ID,
        },
    ),
    Body(
        "PATCH",
        "/v2/account/configurations",
        {},
        {
            "suspend_trade": FLAGS,
            "no_shorting": FLAGS,
            "fractional_trading": FLAGS,
            "ptp_no_exception_entry": FLAGS,
            "disable_overnight_trading": FLAGS,
            "trade_confirm_email": WORDS,
            "max_margin_multiplier": WORDS,
            "max_options_trading_level": (*ALWAYS_WRONG, '"ten"', "true", "-1", "1e400", HUGE, LONG, "4", "1.5"),
        },
    ),
)

TEXTS = (
    "",
    "null",
    "{}",
    "[]",
    "[[[[",
    "-1",
    "0",
    "1e400",
    "NaN",
    "9" * 400,
    "9" * 5_000,
    "x" * 6_000,
    "\x00",
    "\r\nX: y",
    "\ud800",
    "٣",
    "%00%ff",
    "2026-13-45",
    "0001-01-01",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59-23:59",
    "2026-11-20T10:00:00+99:99",
    "a,,b,,,",
    "," * 3_000,
)
"""Values of a query parameter or path segment."""


def mixtures(seed: int, count: int) -> list[str]:
    """Random JSON bodies with any value in any known field, the same for every run."""
    dice = Random(seed)
    names = [field for body in BODIES for field in body.wrong]
    values = [*NUMBERS, *WORDS, *FLAGS, *OF_OBJECT, '"AAPL"', '"buy"', '"limit"', '"day"', '"10"', "100", "null"]
    return [
        "{" + ", ".join(f'"{dice.choice(names)}": {dice.choice(values)}' for _ in range(dice.randrange(8))) + "}"
        for _ in range(count)
    ]
