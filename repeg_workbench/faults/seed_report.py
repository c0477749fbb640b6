"""A readable report of one seed, for debugging a violation."""

from __future__ import annotations

from repeg.domain.session import NEW_YORK
from repeg_workbench.faults.records import Result


def seed_report(result: Result) -> str:
    """Violations, injected faults and the tape of a seed's day."""
    lines = [
        f"seed {result.seed}: {', '.join(result.statuses)}",
        *(f"  violated  {text}" for text in result.violations),
    ]
    lines += [f"  fault     {what} x{number}" for what, number in sorted(result.injected.items())]
    for entry in result.journal:
        at = entry.at.astimezone(NEW_YORK).strftime("%H:%M:%S.%f")[:-3]
        lines.append(f"{at}  {entry.subject:<8} {entry.verb:<8} {entry.detail:<28} {entry.reason}".rstrip())
    return "\n".join(lines)
