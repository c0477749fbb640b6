"""Plants a defect in the definition."""

from __future__ import annotations

import copy
from typing import Any


def planted(definition: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy of the definition with one field changed, or removed if the value is None."""
    faulty = copy.deepcopy(definition)
    *parents, field = path.split("/")
    place: Any = faulty
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    if value is None:
        del place[field]
    else:
        place[field] = value
    return faulty
