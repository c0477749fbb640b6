"""One finding of `repeg doctor`: what was looked at, whether it is in order, and what to do if it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from repeg.domain.errors import RepegError
from repeg_workbench.operate.failures import AWS_ERRORS, CannotOperate, reason


class Verdict(StrEnum):
    """In order, worth a look, wrong, or not looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    SKIP = "skipped"


@dataclass(frozen=True)
class Check:
    """A finding. `to_do` is empty where nothing is to be done."""

    subject: str
    verdict: Verdict
    found: str
    to_do: str = ""

    @property
    def data(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return asdict(self)


def judged(subject: str, found: str, *, is_ok: bool, to_do: str, otherwise: Verdict = Verdict.FAIL) -> Check:
    """A finding that is in order or has something to do."""
    return Check(subject, Verdict.OK, found) if is_ok else Check(subject, otherwise, found, to_do)


Looks = Callable[[], Iterable[Check]]


def alone(subject: str, look: Looks, region: str = "") -> Iterator[Check]:
    """The findings of one look. A look that fails is skipped and says why; the others are still made."""
    try:
        yield from look()
    except (CannotOperate, RepegError, *AWS_ERRORS) as error:
        yield Check(subject, Verdict.SKIP, reason(error, region))
    except (KeyError, TypeError, ValueError) as error:
        yield Check(subject, Verdict.FAIL, f"an answer that is not understood ({type(error).__name__}: {error})")
