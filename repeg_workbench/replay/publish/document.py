"""The published numbers: docs/execution-quality.json, from which the page is generated."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from repeg_workbench.replay.publish.block_sums import DayResult
from repeg_workbench.replay.publish.break_even import BreakEven, break_evens
from repeg_workbench.replay.publish.choosing import Choice
from repeg_workbench.replay.publish.protocol import GENERATED, HORIZON, IEX, RECORDED, SIZE, Case
from repeg_workbench.replay.publish.tables import Table, tables
from repeg_workbench.replay.publish.variants import Variant, variants

DOCS: Final = Path(__file__).parents[3] / "docs"
NUMBERS: Final = DOCS / "execution-quality.json"
PAGE: Final = DOCS / "execution-quality.md"

Results = Sequence[tuple[Case, DayResult]]


@dataclass(frozen=True)
class Published:
    """What is published: the tables of the generated and of the recorded days, and of which rules they are."""

    fingerprint: str
    tables: tuple[Table, ...]
    break_evens: tuple[BreakEven, ...] = ()
    choices: tuple[Choice, ...] = ()
    variants: tuple[Variant, ...] = ()

    def find(self, group: str, model: str, crossing_cost: float, size: int = SIZE, horizon: int = HORIZON) -> Table:
        """One table. Raises KeyError if there is none."""
        wanted = group, model, crossing_cost, size, horizon
        for table in self.tables:
            if (table.group, table.model, table.crossing_cost, table.size, table.horizon) == wanted:
                return table
        raise KeyError(wanted)

    def groups(self, prefix: str) -> list[str]:
        """The groups below one, such as the regimes of the generated days, in order."""
        return list(dict.fromkeys(table.group for table in self.tables if table.group.startswith(f"{prefix} ")))

    def text(self) -> str:
        """The file: a table on each line, so that a change shows which tables it changed."""
        rows = ",\n".join(json.dumps(table.document()) for table in self.tables)
        parts: dict[str, Sequence[BreakEven | Choice | Variant]] = {
            "break_evens": self.break_evens,
            "choices": self.choices,
            "variants": self.variants,
        }
        kept = "".join(f'"{name}": {json.dumps([asdict(each) for each in part])},\n' for name, part in parts.items())
        return f'{{"fingerprint": "{self.fingerprint}",\n{kept}"tables": [\n{rows}\n]}}\n'


def published(
    fingerprint: str, results: Results, old: Published | None, choices: Sequence[Choice] = ()
) -> Published:  # fmt: skip
    """What the results say. Without results on recorded days, the old tables of these are kept."""
    found = list(_tables(results))
    if old is not None and not any(case.group == RECORDED for case, _ in results):
        found += [table for table in old.tables if table.group.startswith(RECORDED)]
    return Published(fingerprint, tuple(found), tuple(break_evens(results)), tuple(choices), tuple(variants(results)))


def kept() -> Published:
    """The saved numbers."""
    return read(json.loads(NUMBERS.read_text(encoding="utf-8")))


def read(document: Mapping[str, Any]) -> Published:
    """The numbers that a document has."""
    evens = tuple(BreakEven(**each) for each in document["break_evens"])
    choices = tuple(Choice(**each) for each in document["choices"])
    tried = tuple(Variant(**each) for each in document.get("variants", ()))
    found = tuple(Table.read(table) for table in document["tables"])
    return Published(document["fingerprint"], found, evens, choices, tried)


def _tables(results: Results) -> Iterator[Table]:
    for size, horizon in dict.fromkeys((case.size, case.horizon) for case, _ in results):
        chosen = [(case, day) for case, day in results if (case.size, case.horizon) == (size, horizon)]
        made, alone = ([(case, day) for case, day in chosen if case.group == group] for group in (GENERATED, IEX))
        real = [(case, day) for case, day in chosen if case.group == RECORDED]
        yield from _group(GENERATED, size, horizon, made)
        for symbol in dict.fromkeys(case.symbol for case, _ in made) if horizon == HORIZON and size == SIZE else ():
            yield from _group(
                f"{GENERATED} {symbol}", size, horizon, [each for each in made if each[0].symbol == symbol]
            )
        yield from _group(IEX, size, horizon, alone)
        for symbol in dict.fromkeys(case.symbol for case, _ in alone):
            yield from _group(f"{IEX} {symbol}", size, horizon, [each for each in alone if each[0].symbol == symbol])
        yield from _group(RECORDED, size, horizon, real)
        for case, day in real:
            yield from _group(f"{RECORDED} {case.symbol} {case.day}", size, horizon, [(case, day)])


def _group(name: str, size: int, horizon: int, results: Iterable[tuple[Case, DayResult]]) -> Iterator[Table]:
    days = [day for _, day in results]
    if days:
        yield from tables(name, size, horizon, days)
