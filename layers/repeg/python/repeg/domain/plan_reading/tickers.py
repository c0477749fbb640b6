"""Tickers as files write them, and as the broker does: BRK-B, brk/b and NYSE:BRK.B are BRK.B."""

from __future__ import annotations

import re

from repeg.domain.plan import CASH_WORDS, SYMBOL, letters_of
from repeg.domain.plan_reading.notation import unwrapped

_EXCHANGE = re.compile(
    r"(?:NASDAQ|NYSE|NYSEARCA|NYSEAMERICAN|NYSEMKT|AMEX|ARCA|BATS|CBOE|IEX|XNAS|XNYS|ARCX|XASE)\s*:\s*"
)
_COUNTRY = re.compile(r" US(?: EQUITY)?$")
_CLASS = re.compile(r"([A-Z]{1,5})[-/_. ]([A-Z]{1,2})")
# The core position of an account, as in SPAXX**.
_CORE = re.compile(r"[A-Z]+\*\*")
_CASH_BEGINNINGS = ("CASH", "MONEYMARKET", "USDOLLAR")


def ticker_of(raw: str) -> str:
    """The ticker as the broker writes it; the text as it is if it is no ticker."""
    text = " ".join(unwrapped(raw).split()).upper().removeprefix("$")
    text = _COUNTRY.sub("", _EXCHANGE.sub("", text, count=1))
    parts = _CLASS.fullmatch(text)
    text = f"{parts[1]}.{parts[2]}" if parts else text
    return text if SYMBOL.fullmatch(text) else raw


def is_ticker(raw: str) -> bool:
    """Whether a text reads as a ticker, or as a word for cash."""
    return bool(SYMBOL.fullmatch(ticker_of(raw))) or is_cash(raw)


def is_cash(raw: str) -> bool:
    """Whether a text names cash, in words that are no ticker or are one by accident."""
    text = unwrapped(raw).upper()
    letters = letters_of(text)
    sign = text.removeprefix("US").strip()
    is_sign = bool(sign) and not sign.strip("$€£¥")
    is_longer = letters.startswith(_CASH_BEGINNINGS) and not SYMBOL.fullmatch(text)
    return is_sign or letters in CASH_WORDS or is_longer or bool(_CORE.fullmatch(text))
