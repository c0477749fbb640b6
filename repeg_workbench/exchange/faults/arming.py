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
class _Armed(Generic[_T]):
    what: _T
    when: When
    passed: int = 0
    taken: int = 0

    @property
    def is_spent(self) -> bool:
        return self.when.times is not None and self.taken >= self.when.times


class Armory(Generic[_T]):
    """What is armed, in the order it was; the first that fits an opportunity takes it."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(f"{seed}:misbehaviour")
        self._armed: list[_Armed[_T]] = []

    def __bool__(self) -> bool:
        return bool(self._armed)

    def arm(self, what: _T, when: When) -> None:
        """Have it wait for its opportunities."""
        self._armed.append(_Armed(what, when))

    def disarm(self) -> None:
        """Nothing happens any more."""
        self._armed.clear()

    def armed(self) -> list[tuple[_T, When, int]]:
        """What is armed, when it strikes, and how often it has."""
        return [(armed.what, armed.when, armed.taken) for armed in self._armed]

    def take(self, fits: Callable[[_T], bool]) -> _T | None:
        """What strikes at this opportunity, if anything does."""
        for armed in self._armed:
            if fits(armed.what) and self._strikes(armed):
                self._armed = [each for each in self._armed if not each.is_spent]
                return armed.what
        return None

    def _strikes(self, armed: _Armed[_T]) -> bool:
        armed.passed += 1
        if armed.passed <= armed.when.skip:
            return False
        if armed.when.chance < 1 and self._dice.random() >= armed.when.chance:
            return False
        armed.taken += 1
        return True
