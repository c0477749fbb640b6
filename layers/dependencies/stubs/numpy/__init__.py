"""Stands in for numpy, which alpaca-py imports for conveniences that no step of a run uses."""

from typing import NoReturn


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"numpy is not in the layer, and numpy.{name} was asked for")
