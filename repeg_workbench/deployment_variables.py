"""Settings as the operator of a deployment sets them: as environment variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from repeg.domain.settings_sources import ENVIRONMENT_PREFIX


def variables(settings: Mapping[str, Any]) -> dict[str, str]:
    """The variables that give a deployment these settings; None means that a setting is not set."""
    return {f"{ENVIRONMENT_PREFIX}{name.upper()}": _text(value) for name, value in settings.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return json.dumps(value, default=_plain)
    return ",".join(value) if isinstance(value, (list, tuple)) else str(value)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form as text")
