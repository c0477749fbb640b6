"""Misbehaviour that waits for its moment: how often, how soon, and with what chance."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random  # noqa: TID251 - seeded
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class When:
    """The first `skip` opportunities pass, then each is taken with the chance, `times` times in all (None: always)."""

    times: int | None = 1
    skip: int = 0
    chance: float = 1.0


@dataclass(slots=True)
class _Entry(Generic[_T]):
    what: _T
    when: When
    passed: int = 0
    taken: int = 0

    @property
    def is_spent(self) -> bool:
        return self.when.times is not None and self.taken >= self.when.times


class Armed(Generic[_T]):
    """What is armed, in the order it was; the first that fits an opportunity takes it."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(f"{seed}:misbehaviour")
        self._entries: list[_Entry[_T]] = []

    def __bool__(self) -> bool:
        return bool(self._entries)

    def arm(self, what: _T, when: When) -> None:
        """Have it wait for its opportunities."""
        self._entries.append(_Entry(what, when))

    def disarm(self) -> None:
        """Nothing happens any more."""
        self._entries.clear()

    def entries(self) -> list[tuple[_T, When, int]]:
        """What is armed, when it strikes, and how often it has."""
        return [(entry.what, entry.when, entry.taken) for entry in self._entries]

    def take(self, fits: Callable[[_T], bool]) -> _T | None:
        """What strikes at this opportunity, if anything does."""
        for entry in self._entries:
            if fits(entry.what) and self._strikes(entry):
                self._entries = [each for each in self._entries if not each.is_spent]
                return entry.what
        return None

    def _strikes(self, entry: _Entry[_T]) -> bool:
        entry.passed += 1
        if entry.passed <= entry.when.skip:
            return False
        if entry.when.chance < 1 and self._dice.random() >= entry.when.chance:
            return False
        entry.taken += 1
        return True
