"""Stands in for pandas, which alpaca-py imports for conveniences that no step of a run uses."""

from typing import NoReturn


class DataFrame:
    """What the annotations of alpaca-py's models name."""


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"pandas is not in the layer, and pandas.{name} was asked for")
