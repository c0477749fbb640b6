"""Records what this release stores: `python -m tests.stored_rows.record NAME` writes NAME.json beside this file.

Plays two days to a whole table each, then openings with every setting, then the tests of the steps, all with the real
store on an emulated DynamoDB, until every field of the stored models has been written and every state has occurred.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

import tests.functions.desk
from functions.open_run.app import open_run
from functions.plan_orders.app import plan_orders
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain.run import KillSwitch
from repeg.domain.setting_types import Escalation, Fallback, Feed, Policy
from repeg.domain.settings import Settings
from repeg_workbench.deployment_variables import variables
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.contracts.tables import a_client
from tests.functions.books import book
from tests.functions.desk import EXECUTION, Desk, a_desk, a_plan
from tests.stored_rows.recording import Item, Recorder, can_be_held, kind_of, stores_on
from tests.stored_rows.replay import market_of

CALM = book("09:20 300 @ 189.40 × 200 @ 189.44", until="10:00")
HERE = Path(__file__).parent
STEPS = HERE.parent / "functions"
FIRST = HERE / "ff73b05.json"
OF_ORDERS = {
    "broker_id", "client_order_id", "symbol", "side", "status", "qty", "filled_qty", "average_price", "limit",
    "submitted_at", "replaced_by", "replaces",
}  # fmt: skip
EVERY_SETTING_OF_A_SYMBOL = {
    "use_smart_limit_execution": True,
    "max_spread_pct": "0.4", "min_volume_shares": 50, "repeg_threshold_pct": "0.2", "max_quote_age_seconds": 20,
    "tick_size": "0.05", "max_repegs": 5, "patience_seconds": 600, "max_slippage_bps": "40", "escalation": "market",
    "fallback": "market", "fallback_minutes": 10, "max_order_notional": "50000", "crossing_cost": "0.5",
    "control_share": "0", "control_max_notional": "100",
}  # fmt: skip


class _Steps:
    """Names each test as the scenario, and stops when nothing is missing."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before each test."""
        self._recorder.scenario = item.name.partition("[")[0]

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """After each test."""
        if not can_be_held() - self._recorder.held:
            item.session.shouldstop = "every state has occurred"


def every_kind(recorder: Recorder, client: Any) -> None:
    """Play a day on which every kind of row is written."""
    store = stores_on(client, recorder)()
    _whole_table("closed_with_a_partial_fill", recorder, client, store)
    store.record_heartbeat("core-2026-11-23", datetime(2026, 11, 23, 15, tzinfo=UTC))  # a turn in an outage
    store.set_kill_switch(KillSwitch.HALT_NEW)
    store.set_armed_until(datetime(2026, 11, 24, 5, tzinfo=UTC))


def record(name: str) -> set[str]:
    """Write the file; returns what has not occurred."""
    recorder = Recorder()
    with mock_aws():
        client = a_client()
        store = stores_on(client, recorder)
        whole = {
            day: _whole_table(day, recorder, client, store()) for day in json.loads(FIRST.read_text())["scenarios"]
        }
        _every_setting(recorder, store)
        tests.functions.desk.new_store = store
        pytest.main(
            ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *map(str, _richest_first())], plugins=[_Steps(recorder)]
        )
    tables = [row for _, found in whole.values() for row in found]
    content = {
        "release": name,
        "after": sorted(path.stem for path in HERE.glob("*.json") if path.stem != name),
        "schema": json.loads(FIRST.read_text())["schema"],
        "scenarios": {day: about for day, (about, _) in whole.items()},
        "rows": [*tables, *recorder.rows],
    }
    (HERE / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return can_be_held() - recorder.held


def _richest_first() -> list[Path]:
    """The tests of the steps; those whose orders get into many states come first, so that the rest need not be run."""
    rich = [
        "repeg_orders_unknown",
        "fallback",
        "place_orders_held",
        "repeg_orders_replace",
        "other_hands",
        "rare_answers",
    ]
    names = [STEPS / f"test_{name}.py" for name in rich]
    found = [*sorted(STEPS.glob("test_*.py")), *sorted((STEPS.parent / "guards").glob("test_*.py"))]
    return names + [path for path in found if path not in names]


def _whole_table(name: str, recorder: Recorder, client: Any, store: DynamoStore) -> tuple[dict[str, Any], list[Item]]:
    """Play a scenario of the first release again; returns what it says about the scenario now, and all rows."""
    recorder.scenario = f"{name}, earlier"
    first = json.loads(FIRST.read_text())
    about = first["scenarios"][name]
    (opening,) = (json.loads(row["item"]["body"]["S"]) for row in first["rows"]
                  if row["scenario"] == name and row["kind"] == "opening")  # fmt: skip
    with market_of(about) as desk:
        desk.use_store(store)
        desk.run_id = about["run_id"]
        _play(desk, about, _changed(opening["settings"]))
        broker = _broker(desk)
        recorded = {**about, "execution": EXECUTION, "broker": broker}
    found = client.scan(TableName=store._table._name)["Items"]
    rows = [{"kind": kind_of(item), "shows": "", "scenario": name, "item": item} for item in found]
    return recorded, sorted(rows, key=lambda row: (row["kind"], row["item"]["sk"]["S"]))


def _changed(settings: dict[str, Any]) -> dict[str, Any]:
    plain = Settings().model_dump(mode="json")
    return {name: value for name, value in settings.items() if plain.get(name) != value}


def _play(desk: Desk, about: dict[str, Any], settings: dict[str, Any]) -> None:
    """Turn by turn, until the moment at which the first release's table was read."""
    end = datetime.fromisoformat(about["broker"]["now"]).replace(microsecond=0)
    desk.wait_until("09:35")
    desk.open(about["plan"], **settings)
    plan_orders(desk.run_id, desk.epoch, desk.ports)
    desk.store.lease_requests(desk.scheduler.now().replace(second=0, microsecond=0).isoformat(), 1, 100)
    desk.place()
    step = timedelta(seconds=settings["order_monitoring_seconds"])
    due = desk.scheduler.now().replace(second=0, microsecond=0) + step
    while due < end:
        desk.advance_to(due)
        desk.repeg()
        desk.place()
        due += step
    desk.advance_to(end)
    if "swept_by_this_release" not in about:
        desk.close()


def _broker(desk: Desk) -> dict[str, Any]:
    """The broker's side at this moment: open and closed orders, and executions."""
    sent = [desk.broker.order(order.client_order_id) for order in desk.at_broker()]
    reports = [report for report in sent if report is not None]
    day = desk.run.trading_day.day
    return {
        "now": desk.scheduler.now().isoformat(),
        "open_orders": [one.model_dump(mode="json", include=OF_ORDERS) for one in reports if not one.is_closed],
        "closed_orders": [one.model_dump(mode="json", include=OF_ORDERS) for one in reports if one.is_closed],
        "executions": [execution.model_dump(mode="json") for execution in desk.broker.executions(day)],
    }


def _every_setting(recorder: Recorder, store: Callable[[], DynamoStore]) -> None:
    """Openings whose settings have every word, and the kill switch in every state."""
    for escalation in Escalation:
        for fallback in Fallback:
            recorder.scenario = f"{escalation} and {fallback}"
            words = {"escalation": escalation.value, "fallback": fallback.value}
            if fallback is Fallback.MARKET and escalation is not Escalation.MARKET:
                continue
            with a_desk({"AAPL": CALM}, store=store()) as desk:
                of_symbol = json.dumps({"AAPL": {**EVERY_SETTING_OF_A_SYMBOL, **words}})
                desk.begin("buy 40 AAPL", **words, symbols=of_symbol)
    for policy in Policy:
        recorder.scenario = f"policy {policy}"
        words = {"policy": policy.value, "escalation": "market"}
        with a_desk({"AAPL": CALM}, store=store()) as desk:
            desk.begin("buy 40 AAPL", **words, symbols=json.dumps({"AAPL": words}))
    for feed in Feed:
        recorder.scenario = f"feed {feed}"
        with a_desk({"AAPL": CALM}, store=store()) as desk:
            given = {"DATA_FEED": feed.value, **variables({"policy": "normal", "crossing_cost": "0.5"})}
            open_run({"plan": a_plan("buy 40 AAPL")}, EXECUTION, given, desk.ports)
            desk.close()
    _both_arms(recorder, store)
    recorder.scenario = "preview"
    with a_desk({"AAPL": CALM}, store=store()) as desk:
        desk.preview("buy 40 AAPL")
        desk.place()
        desk.close()
    recorder.scenario = "an opposite order of the owner"
    with a_desk({"AAPL": CALM}, store=store()) as desk:
        desk.begin("buy 40 AAPL")
        refusal = {"code": 40310000, "message": "potential wash trade detected. use complex orders"}
        desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="POST", status=403, body=refusal))
        desk.place()
    recorder.scenario = "kill switch"
    for state in KillSwitch:
        store().set_kill_switch(state)
    for until in (datetime(2026, 11, 24, 5, tzinfo=UTC), None):
        store().set_armed_until(until)


def _both_arms(recorder: Recorder, store: Callable[[], DynamoStore]) -> None:
    """An order in each arm of the experiment."""
    for share in ("1", "0.000001"):
        recorder.scenario = f"control share {share}"
        with a_desk({"AAPL": CALM}, store=store()) as desk:
            desk.begin("buy 20 AAPL", control_share=share)
            desk.place()
            desk.close()


if __name__ == "__main__":
    missing = record(sys.argv[1])
    sys.stdout.write("".join(f"never occurred: {name}\n" for name in sorted(missing)))
