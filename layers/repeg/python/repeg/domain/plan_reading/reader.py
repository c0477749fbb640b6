"""The one reader of plans: a file's bytes or a decoded document become a plan, whatever form they have.

What the plan's own checks accept as it stands is left as it is. All else is imported when it is needed: most runs start
with a plan in JSON, and a start of a function should not get longer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan import Plan, parse
from repeg.domain.plan_reading.decoding import decoded
from repeg.domain.plan_reading.draft import Draft, Line

if TYPE_CHECKING:
    from repeg.domain.plan_reading.understanding import Understood

MOST_REFUSALS = 20
_YAML = (".yaml", ".yml")
_CONVERT = "JSON or a table: convert it on the command line, with `repeg plan FILE --json`"

DecodeYaml = Callable[[str, str], Any]


def no_yaml(_text: str, source: str) -> Any:
    """Where no library reads YAML. Raises InvalidPlan with what to do."""
    raise InvalidPlan("plan", source, _CONVERT)


def read_file(body: bytes, source: str, decode_yaml: DecodeYaml = no_yaml) -> Plan:
    """A plan from a file. Raises InvalidPlan naming field or row, value and remedy."""
    text, notes = decoded(body, source)
    if text.lstrip().startswith("{") and not notes:
        with suppress(InvalidPlan):
            return parse(_json(text, source))
    return plan_of(drafted(body, source, decode_yaml), source)


def read_document(raw: object) -> Plan:
    """A plan from a decoded document, such as an execution's input. Raises InvalidPlan."""
    with suppress(InvalidPlan):
        return parse(raw)
    return plan_of(_shaped(raw), None)


def plan_of(draft: object, source: str | None) -> Plan:
    """The plan of a draft. An error of the plan's own checks names the line that the field came from."""
    if not isinstance(draft, Draft):
        return parse(draft)
    document, origins = _understood(draft, source)
    try:
        return parse(document)
    except InvalidPlan as error:
        for path, line in origins.items():
            if error.field == path or error.field.startswith(f"{path}."):
                raise _at(error, path, line) from None
        raise


def document_of(draft: object, source: str | None) -> Any:
    """The document of a plan as it is understood, with its notes and its numbers as text: what JSON can hold, and what
    an execution's input is. Raises InvalidPlan."""
    return _texts(_understood(draft, source).document if isinstance(draft, Draft) else draft)


def refusals(draft: object, source: str | None) -> Iterator[InvalidPlan]:
    """What is wrong with a plan, one line after the other, up to a limit."""
    for _ in range(MOST_REFUSALS):
        try:
            plan_of(draft, source)
        except InvalidPlan as error:
            yield error
            line = _line_of(error, draft)
            if line is None or not isinstance(draft, Draft) or len(draft.lines) == 1:
                return
            draft = draft.without(line)
        else:
            return


def drafted(body: bytes, source: str, decode_yaml: DecodeYaml = no_yaml) -> object:
    """The draft of a file, or its decoded document where that has no known shape. Raises InvalidPlan."""
    text, notes = decoded(body, source)
    raw = _decoded(text, source, decode_yaml)
    draft = raw if isinstance(raw, Draft) else _shaped(raw)
    return draft._replace(notes=(*notes, *draft.notes)) if isinstance(draft, Draft) else draft


def _decoded(text: str, source: str, decode_yaml: DecodeYaml) -> object:
    begin = text.lstrip()
    if source.lower().endswith(_YAML):
        return decode_yaml(text, source)
    if begin.startswith(("OrderedDict(", "{'", "dict(")):
        from repeg.domain.plan_reading.printed import decoded_dict  # noqa: PLC0415 - a start of Lambda reads JSON

        return decoded_dict(text, source)
    if begin.startswith(("{", "[")):
        return _json(text, source)
    from repeg.domain.plan_reading.tables import draft_of_table  # noqa: PLC0415 - likewise

    return draft_of_table(text, source)


def _shaped(raw: object) -> object:
    """The draft of a decoded document; the document where it has no shape that is known."""
    from repeg.domain.plan_reading.shapes import draft_of  # noqa: PLC0415 - likewise

    return draft_of(raw) or raw


def _understood(draft: Draft, source: str | None) -> Understood:
    from repeg.domain.plan_reading.doubts import require_types  # noqa: PLC0415 - likewise
    from repeg.domain.plan_reading.understanding import understood  # noqa: PLC0415 - likewise

    require_types(draft.fields)
    return understood(draft, source)


def _json(text: str, source: str) -> Any:
    try:
        return json.loads(
            text, parse_float=Decimal, parse_int=Decimal, parse_constant=str, object_pairs_hook=_each_name_once
        )
    except (ValueError, RecursionError) as error:
        raise InvalidPlan("plan", source, f"JSON ({error})") from None


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a repeated name: JSON would silently keep the last of two weights for a symbol."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise InvalidPlan("plan", name, "each name once in an object")
        fields[name] = value
    return fields


def _texts(value: Any) -> Any:
    """A document with its decimals as text."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {name: _texts(each) for name, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list) else value


def _at(error: InvalidPlan, path: str, line: Line) -> InvalidPlan:
    """The error with the place of the line as the file has it."""
    name = error.field.removeprefix(path).removeprefix(".")
    of_weights = "symbol" if error.value == line.values.get("symbol") else "weight"
    field = line.field(name or of_weights)
    if field == error.field:
        return error
    moved = InvalidPlan(field, error.value, error.expected)
    moved.args = (str(error).replace(error.field, field, 1),)
    return moved


def _line_of(error: InvalidPlan, draft: object) -> Line | None:
    if not isinstance(draft, Draft):
        return None
    return next((line for line in draft.lines if _names(error.field, line.place)), None)


def _names(field: str, place: str) -> bool:
    return field == place or field.startswith((f"{place},", f"{place}."))
