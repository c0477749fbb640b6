"""Builds the ports of the step that writes pages. Apart from `wiring`: no step that trades imports the pages."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

import boto3

from repeg import wiring
from repeg.adapters.aws import AWS, AWS_WHOLE
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.adapters.pages.bucket import PageBucket, StoredEnds
from repeg.adapters.pages.stored_run import StoredRuns
from repeg.adapters.runtime import SystemRuntime
from repeg.domain.errors import InvalidSettings
from repeg.page_ports import PagePorts
from repeg.ports import Runtime

# So much of a run's journal is read for its page, compressed: what the function's memory and time are enough for
# (template.yaml). A day of two hundred orders that are looked at every two seconds has a hundred million bytes.
MOST_BYTES = 40_000_000


class _Wiring:
    """The ports of this container, and the runtime that they were built on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.runtime: Runtime | None = None
        self.ports: PagePorts | None = None


_wiring = _Wiring()


def page_ports() -> PagePorts:
    """The ports of this container, built on first use. Raises InvalidSettings naming the invalid variable."""
    with _wiring.lock:
        given = wiring.runtime()
        if _wiring.ports is None or _wiring.runtime is not given:
            _wiring.ports = build(os.environ, given or SystemRuntime())
            _wiring.runtime = given
        return _wiring.ports


def build(environment: Mapping[str, str], runtime: Runtime) -> PagePorts:
    """The deployed ports. Raises InvalidSettings naming the invalid variable."""
    for name in ("TABLE_NAME", "JOURNAL_BUCKET"):
        if not environment.get(name):
            raise InvalidSettings(name, environment.get(name, ""), "a value")
    s3, bucket = boto3.client("s3", config=AWS_WHOLE, verify=True), environment["JOURNAL_BUCKET"]
    table = DynamoStore(
        boto3.client("dynamodb", config=AWS, verify=True), environment["TABLE_NAME"], runtime.pause
    )  # fmt: skip
    runs = StoredRuns(
        s3=s3,
        bucket=bucket,
        executions=boto3.client("stepfunctions", config=AWS_WHOLE, verify=True),
        mode=environment.get("TRADING_MODE", ""),
        most_bytes=MOST_BYTES,
    )
    return PagePorts(StoredEnds(table, runs, runtime.pause), PageBucket(s3, bucket))
