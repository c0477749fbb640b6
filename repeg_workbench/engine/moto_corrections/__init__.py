"""Corrections of moto's internals. moto is pinned, and its version is checked before anything of it is imported.

Each module names the upstream reports of the differences it corrects. moto's state machine interpreter is a copy of
LocalStack's, so some reports are LocalStack's. Where no report is named, none was found; the difference was observed
with the pinned version, and tests/engine/test_moto_corrections.py and test_moto_dynamodb.py show it on unmodified moto.
"""

from __future__ import annotations

from importlib.metadata import version

VERSION = "5.2.5"


class WrongMoto(ImportError):
    """The installed moto is not the version the corrections were tested with."""


def check_version(installed: str) -> None:
    """Raise WrongMoto unless this is the supported version."""
    if installed != VERSION:
        raise WrongMoto(f"the engine corrects moto {VERSION}; {installed} is installed")


check_version(version("moto"))

# Must precede every other import of moto: unneeded services are half of its import time.
from repeg_workbench.engine.moto_corrections import start_up  # noqa: E402

start_up.apply()
