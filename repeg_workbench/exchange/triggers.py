"""Armed faults and races: when each strikes, how often and with what chance."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random  # noqa: TID251 - seeded
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class When:
    """Skip the first `skip` opportunities, then strike with the given chance, `times` times in all (None: no limit)."""

    times: int | None = 1
    skip: int = 0
    chance: float = 1.0


@dataclass(slots=True)
class _Entry(Generic[_T]):
    what: _T
    when: When
    dice: Random
    passed: int = 0
    taken: int = 0

    @property
    def is_exhausted(self) -> bool:
        return self.when.times is not None and self.taken >= self.when.times


class Armed(Generic[_T]):
    """Armed faults or races in the order they were armed; the first that fits an opportunity strikes."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(f"{seed}:misbehaviour")
        self._entries: list[_Entry[_T]] = []

    def __bool__(self) -> bool:
        return bool(self._entries)

    def arm(self, what: _T, when: When, dice: Random | None = None) -> None:
        """Add a fault or race, to strike as `when` says, by the dice that all share or by its own."""
        self._entries.append(_Entry(what, when, dice or self._dice))

    def disarm(self) -> None:
        """Remove everything."""
        self._entries.clear()

    def entries(self) -> list[tuple[_T, When, int]]:
        """Each armed fault or race, when it strikes, and how often it has struck."""
        return [(entry.what, entry.when, entry.taken) for entry in self._entries]

    def take(self, fits: Callable[[_T], bool]) -> _T | None:
        """The fault or race that strikes at this opportunity, if any."""
        for entry in self._entries:
            if fits(entry.what) and self._strikes(entry):
                self._entries = [each for each in self._entries if not each.is_exhausted]
                return entry.what
        return None

    def _strikes(self, entry: _Entry[_T]) -> bool:
        entry.passed += 1
        if entry.passed <= entry.when.skip:
            return False
        if entry.when.chance < 1 and entry.dice.random() >= entry.when.chance:
            return False
        entry.taken += 1
        return True
