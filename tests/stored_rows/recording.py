"""Records every row that a store on an emulated DynamoDB writes, and what each row holds that no earlier one held."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from itertools import count
from typing import Any, get_args

from pydantic import BaseModel

from repeg.adapters.dynamodb import rows
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain.broker import Execution
from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentOrder
from repeg.domain.report import Report
from repeg.domain.run import KillSwitch, Run, RunState
from tests.contracts.tables import create_table

Item = dict[str, Any]

# The kind of a row, by how its partition and sort key begin.
KINDS = (
    ("RUN#", "RUN", "run_guard"),
    ("RUN#", "OPENING", "opening"),
    ("RUN#", "REPORT", "report"),
    ("RUN#", "TURN", "turn"),
    ("RUN#", "BUDGET", "run_budget"),
    ("RUN#", "ORDER#", "order"),
    ("RUN#", "INTENT#", "intent"),
    ("RUN#", "FILL#", "fill"),
    ("OWNER#", "RUN", "owner"),
    ("DAY#", "RUN#", "day"),
    ("DAY#", "PLANNING", "planning"),
    ("ACCOUNT", "KILL", "kill_switch"),
    ("ACCOUNT", "FUNDING", "funding_lease"),
    ("ACCOUNT", "ARMED", "arming"),
    ("ACCOUNT", "REQUESTS#", "request_lease"),
    ("ACCOUNT", "DAY#", "day_budget"),
)
MODELS: dict[str, type[BaseModel]] = {
    "opening": Run,
    "report": Report,
    "order": ParentOrder,
    "intent": Intent,
    "fill": Execution,
}
"""The model in the body of each kind of row that has one."""


def kind_of(item: Item) -> str:
    """The kind of a row, in DynamoDB's JSON."""
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    return next(kind for first, second, kind in KINDS if pk.startswith(first) and sk.startswith(second))


def held_by(item: Item) -> set[str]:
    """What a row holds: its attributes, each field of its body, and the value of each field that is a word of ours."""
    kind = kind_of(item)
    found = {f"{kind}: {name}" for name in item}
    if kind in MODELS:
        found |= set(_held(json.loads(item["body"]["S"]), MODELS[kind]))
    if kind in {"run_guard", "kill_switch"}:
        found.add(f"{kind}: state is {item['state']['S']}")
    return found


def can_be_held() -> set[str]:
    """What the stored models can hold."""
    words = {"run_guard": RunState, "kill_switch": KillSwitch}
    states = {f"{kind}: state is {state.value}" for kind, states in words.items() for state in states}
    return states | {name for model in MODELS.values() for name in _possible(model)}


def _held(value: Any, model: type[BaseModel]) -> Iterator[str]:
    for name, text in value.items():
        yield f"{model.__name__}.{name}"
        field = model.model_fields.get(name)
        for part in _parts(field.annotation) if field is not None else ():
            if _is(part, BaseModel):
                yield from (each for inner in _inner(text) for each in _held_if(inner, part))
            elif _is(part, Enum) and text is not None:
                yield f"{model.__name__}.{name} is {text}"


def _held_if(value: Any, model: type[BaseModel]) -> Iterator[str]:
    """Of several models that a field may have, the one whose required fields are there."""
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    if isinstance(value, Mapping) and required <= set(value):
        yield from _held(value, model)


def _inner(value: Any) -> list[Any]:
    """The values in a list, or in a mapping from symbols; or the value itself."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and value and all(isinstance(inner, dict) for inner in value.values()):
        return [value, *value.values()]
    return [value]


def _possible(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if model is Run and name in rows._CHANGING_FIELDS:
            continue  # in the guard row
        yield f"{model.__name__}.{name}"
        for part in _parts(field.annotation):
            if _is(part, BaseModel):
                yield from _possible(part)
            elif _is(part, Enum):
                yield from (f"{model.__name__}.{name} is {member.value}" for member in part)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _is(part: Any, base: type) -> bool:
    return isinstance(part, type) and issubclass(part, base)


class Recorder:
    """Keeps the first row that holds anything new. `scenario` names what is being played."""

    def __init__(self) -> None:
        self.scenario = ""
        self.rows: list[dict[str, Any]] = []
        self.held: set[str] = set()

    def see(self, item: Item) -> None:
        """Keep a row, in DynamoDB's JSON, if it holds something that no row before it held."""
        new = held_by(item) - self.held
        if new:
            self.held |= new
            self.rows.append(
                {"kind": kind_of(item), "shows": ", ".join(sorted(new)), "scenario": self.scenario, "item": item}
            )

    def watch(self, client: Any) -> None:
        """See every row that the client writes, as it is after each write."""
        client.meta.events.register("provide-client-params.dynamodb", self._begin)
        client.meta.events.register("after-call.dynamodb", lambda **call: self._written(client, **call))

    def _begin(self, params: Item, context: Item, **_: Any) -> None:
        context["written"] = list(_written(params))

    def _written(self, client: Any, http_response: Any, context: Item, **_: Any) -> None:
        if http_response.status_code != 200:
            return
        for table, key in context.get("written", ()):
            self.see(client.get_item(TableName=table, Key=key)["Item"])


def _written(params: Item) -> Iterator[tuple[str, Item]]:
    """Table and key of each row that a request writes."""
    if "Item" in params:
        yield params["TableName"], {name: params["Item"][name] for name in ("pk", "sk")}
    elif "UpdateExpression" in params:
        yield params["TableName"], params["Key"]
    for item in params.get("TransactItems", ()):
        for verb, inner in item.items():
            if verb != "ConditionCheck":
                yield from _written(inner)


def stores_on(client: Any, recorder: Recorder) -> Callable[[], DynamoStore]:
    """Makes stores, each on a table of its own, whose rows are recorded."""
    recorder.watch(client)
    numbers = count(1)

    def make() -> DynamoStore:
        table = f"rows-{next(numbers)}"
        create_table(client, table)
        return DynamoStore(client, table, lambda _: None)

    return make
