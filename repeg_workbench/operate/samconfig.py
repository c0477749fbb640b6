"""What samconfig.toml says of the default stack: its name and its region."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from repeg_workbench.operate.failures import CannotOperate

CONFIG = "samconfig.toml"
CONFIG_ENV = "paper"

_REPOSITORY = Path(__file__).parents[2]


def default_name(folder: Path) -> str:
    """The stack that samconfig.toml names, in this folder or in the repository. Raises CannotOperate."""
    path = _path(folder)
    if path is None:
        raise CannotOperate(f"no stack: there is no {CONFIG} here; give --stack NAME")
    try:
        return str(_parameters(path)["stack_name"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        raise CannotOperate(
            f"no stack: {path} names none at {CONFIG_ENV}.deploy.parameters.stack_name; give --stack NAME"
        ) from None


def default_region(folder: Path) -> str | None:
    """The region that samconfig.toml deploys the default stack to; None if it names none."""
    path = _path(folder)
    with suppress(tomllib.TOMLDecodeError, KeyError, TypeError):
        return str(_parameters(path)["region"]) if path is not None else None
    return None


def _path(folder: Path) -> Path | None:
    return next((place / CONFIG for place in (folder, _REPOSITORY) if (place / CONFIG).exists()), None)


def _parameters(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))[CONFIG_ENV]["deploy"]["parameters"]
    return found
