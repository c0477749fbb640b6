"""The deployed DynamoDB adapter on moto's table, in one seed of ten, with faults of single calls of the service.

A port's fault strikes a whole call of the store. These strike one of the service's calls inside it, so that a write of
several rows can fail in its middle, a retry can follow a write that was applied, and a page can be missing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any, cast

import boto3
from botocore.exceptions import ClientError, ReadTimeoutError

from repeg.adapters.dynamodb.store import DynamoStore
from repeg_workbench.engine.moto_corrections import dynamodb, dynamodb_calls, dynamodb_speed
from repeg_workbench.engine.moto_corrections.patches import Patches
from repeg_workbench.engine.scheduler import Scheduler
from repeg_workbench.faults.fault_plan import FaultPlan
from repeg_workbench.twins.memory_store import MemoryStore

KEYS = ("pk", "sk")
LATENCY = (0.001, 0.005)
TIMEOUT_SECONDS = 2.0


class TableFault(StrEnum):
    """A fault of one call of the service. A read cannot conflict."""

    THROTTLED = "table_throttled"
    CONFLICT = "table_conflict"
    FAILS_INSIDE = "table_fails_inside"
    """An internal error, after the write may have been applied."""
    LOST_BEFORE = "table_lost_before"
    LOST_AFTER = "table_lost_after"


WRITES = {"put_item": "PutItem", "update_item": "UpdateItem", "transact_write_items": "TransactWriteItems"}
READS = {"get_item": "GetItem", "query": "Query", "batch_get_item": "BatchGetItem"}
CODES = {
    TableFault.THROTTLED: "ProvisionedThroughputExceededException",
    TableFault.CONFLICT: "TransactionConflictException",
    TableFault.FAILS_INSIDE: "InternalServerError",
}
RATES = (0.0, 0.002, 0.02, 0.06)

# Seconds for which a table stays busy. The adapter repeats a call for less than one.
BUSY_SECONDS = {TableFault.THROTTLED: (0.0, 1.0, 5.0), TableFault.CONFLICT: (0.0, 1.0, 2.0)}


_undisturbed: ContextVar[bool] = ContextVar("calls without faults and latency", default=False)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let the calls of a block pass at once and without faults: the judges read the table."""
    token = _undisturbed.set(True)
    try:
        yield
    finally:
        _undisturbed.reset(token)


def uses_dynamodb(seed: int) -> bool:
    """Whether a seed's rows are in DynamoDB. One in ten: it is slower than the store in memory."""
    return seed % 10 == 7


@contextmanager
def table_rules(scheduler: Scheduler) -> Iterator[None]:
    """DynamoDB's own rules on moto for the length of a day."""
    with Patches() as patches:
        dynamodb.apply(patches, scheduler.now)
        dynamodb_speed.apply(patches, lambda _operation: None)
        yield


def table_of(seed: int, stack: int, scheduler: Scheduler, fault_plan: FaultPlan) -> MemoryStore | DynamoStore:
    """The table of one of a seed's stacks."""
    if not uses_dynamodb(seed):
        return MemoryStore()
    return dynamodb_store(f"stack-{stack}", seed + stack, scheduler, fault_plan)


def dynamodb_store(name: str, seed: int, scheduler: Scheduler, fault_plan: FaultPlan) -> DynamoStore:
    """The deployed adapter on a new, empty table; an older table of that name is deleted."""
    client = _client()
    with suppress(client.exceptions.ResourceNotFoundException):
        dynamodb_calls.answer(client, "DeleteTable", {"TableName": name})
    schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(KEYS, ("HASH", "RANGE"), strict=True)]
    attributes = [{"AttributeName": key, "AttributeType": "S"} for key in KEYS]
    made = {"KeySchema": schema, "AttributeDefinitions": attributes, "BillingMode": "PAY_PER_REQUEST"}
    dynamodb_calls.answer(client, "CreateTable", {"TableName": name, **made})
    calls = FaultyCalls(client, seed, scheduler, fault_plan)
    return DynamoStore(cast(Any, calls), name, scheduler.sleep)


class FaultyCalls:
    """The client's calls that the adapter makes, with latency in virtual time and faults."""

    def __init__(self, client: Any, seed: int, scheduler: Scheduler, fault_plan: FaultPlan) -> None:
        self._client, self._scheduler, self._fault_plan = client, scheduler, fault_plan
        self._chance = Random(f"table {seed}")
        self._rate = 0.0 if fault_plan.is_quiet else self._chance.choice(RATES)
        self._kinds = self._chance.sample(list(TableFault), self._chance.randint(1, len(TableFault)))
        self._busy: dict[TableFault, datetime] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = {**WRITES, **READS}[name]
        return functools.partial(self._call, name, operation)

    def _call(self, name: str, operation: str, **request: Any) -> Any:
        fault = self._draw(name, self._scheduler.now())
        if not self._is_undisturbed:
            self._scheduler.sleep(self._chance.uniform(*LATENCY))
        if fault in {TableFault.THROTTLED, TableFault.CONFLICT}:
            raise _error(fault, operation)
        if fault is TableFault.LOST_BEFORE:
            raise self._timed_out()
        answer = dynamodb_calls.answer(self._client, operation, request)
        if fault is TableFault.LOST_AFTER:
            raise self._timed_out()
        if fault is TableFault.FAILS_INSIDE:
            raise _error(fault, operation)
        return answer

    @property
    def _is_undisturbed(self) -> bool:
        return _undisturbed.get() or self._scheduler.current is None

    def _draw(self, name: str, now: datetime) -> TableFault | None:
        if self._is_undisturbed or now >= self._fault_plan.ends:
            return None
        fault = self._still_busy(name, now) or self._new_fault(name, now)
        if fault is not None:
            self._fault_plan.strike(str(fault))
        return fault

    def _still_busy(self, name: str, now: datetime) -> TableFault | None:
        lasting = [fault for fault, until in self._busy.items() if now < until and _can_strike(fault, name)]
        return next(iter(lasting), None)

    def _new_fault(self, name: str, now: datetime) -> TableFault | None:
        if self._chance.random() >= self._rate:
            return None
        fault = self._chance.choice(self._kinds)
        if not _can_strike(fault, name) or self._fault_plan.leaves_out(fault):
            return None
        if fault in BUSY_SECONDS:
            self._busy[fault] = now + timedelta(seconds=self._fault_plan.dice(fault).choice(BUSY_SECONDS[fault]))
        return fault

    def _timed_out(self) -> ReadTimeoutError:
        self._scheduler.sleep(TIMEOUT_SECONDS)
        return ReadTimeoutError(endpoint_url="https://dynamodb")


def _can_strike(fault: TableFault, name: str) -> bool:
    return fault is not TableFault.CONFLICT or name in WRITES


def _error(fault: TableFault, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": CODES[fault], "Message": "no"}}, operation)


@functools.cache
def _client() -> Any:
    """A client that sends nothing."""
    word = "simulated"
    return boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id=word, aws_secret_access_key=word)
