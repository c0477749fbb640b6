"""Everything that touches moto's insides. moto is pinned, and checked before anything of it is imported here."""

from __future__ import annotations

from importlib.metadata import version

VERSION = "5.2.5"


class WrongMoto(ImportError):
    """The corrections were written and tested against another version of moto."""


def check_version(installed: str) -> None:
    """Raise WrongMoto unless that is the version that the corrections are for."""
    if installed != VERSION:
        raise WrongMoto(f"the engine corrects moto {VERSION}; {installed} is installed")


check_version(version("moto"))

# Before anything else of moto is imported: what it then reads without need is half the time of the import.
from repeg_workbench.engine.moto_corrections import start_up  # noqa: E402

start_up.apply()
