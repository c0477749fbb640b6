"""OpenRun: invalid input is refused before the claim, and a run is opened once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from functions.check_session.app import check_session
from functions.open_run.app import open_run
from functions.plan_orders.app import plan_orders
from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.keys import TradingMode
from repeg.adapters.eventbridge import EventsUnavailable
from repeg.domain.errors import (
    BrokerDenied,
    BrokerUnavailable,
    Conflict,
    DuplicateRun,
    InvalidInput,
    InvalidPlan,
    InvalidSettings,
    MarketClosed,
    RefusedRun,
)
from repeg.domain.request_quota import BUCKETS_TOUCHED, RESERVED_FOR_CLOSING
from repeg.domain.run import KillSwitch, RunState
from repeg.domain.steps import RunOpened
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import ScriptedMarket
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.faults.records import QuietNotifier
from tests.builders import MONDAY
from tests.contracts.words import bring
from tests.functions.books import AAPL, KO, book
from tests.functions.desk import EXECUTION, RUN_ID, Desk, OpenDesk, a_plan, holding

BUY = a_plan("buy 40 AAPL")
SECOND = EXECUTION.replace("first", "second")
LISTINGS = [Listing("WHL", "Whole Shares Inc.", fractionable=False), Listing("DEAD", "Dead Inc.", tradable=False)]


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """AAPL to buy, 7.227358 KO to sell."""
    market = ScriptedMarket({MONDAY: {"AAPL": AAPL, "KO": KO}}, LISTINGS)
    return open_desk({}, market=market, opening=holding(KO="7.227358"), at="09:25")


def start(desk: Desk, **given: Any) -> RunOpened:
    return open_run({"plan": BUY, **given}, EXECUTION, {}, desk.ports)


def is_untouched(desk: Desk) -> bool:
    """Whether no run is claimed and no order is sent."""
    return desk.store.guards_on(MONDAY) == [] and desk.posts() == 0


def test_a_start_before_the_open_claims_the_run_and_returns_its_id(desk: Desk) -> None:
    assert start(desk).model_dump() == {
        "run_id": RUN_ID,
        "epoch": 1,
        "first_turn": 0,
        "step_seconds": 55,
        "turn": {"turns": 0},
    }
    assert (desk.run.owner, desk.run.state, desk.run.trading_day.day) == (EXECUTION, RunState.RUNNING, MONDAY)
    assert desk.posts() == 0


def test_the_run_stores_its_settings_and_the_opening_account(desk: Desk) -> None:
    environment = {"EXECUTION__MAX_REPEGS": "3", "EXECUTION__PATIENCE_SECONDS": "120"}
    open_run({"plan": BUY, "settings": {"patience_seconds": 60}}, EXECUTION, environment, desk.ports)
    assert (desk.run.settings.max_repegs, desk.run.settings.patience_seconds) == (3, 60)
    assert desk.run.opening_equity > 100_000
    assert desk.run.fractionable == ("AAPL",)


WRONG: list[tuple[dict[str, Any], type[InvalidInput], str]] = [
    ({"plan": {"name": "core", "orders": []}}, InvalidPlan, "plan.orders"),
    ({"plan": a_plan("buy 0 AAPL")}, InvalidPlan, "plan.orders[0].qty"),
    ({"plan": a_plan("buy all AAPL")}, InvalidPlan, "plan.orders[0].qty"),
    ({"plan": a_plan("buy 40 ZZZZ")}, InvalidPlan, "plan.orders[0].symbol"),
    ({"plan": a_plan("buy 40 AAPL", "buy 1 DEAD")}, InvalidPlan, "plan.orders[1].symbol"),
    ({"plan": a_plan("buy 0.5 WHL")}, InvalidPlan, "plan.orders[0].qty"),
    ({"plan": a_plan("sell 7.3 KO")}, InvalidPlan, "plan.orders[0].qty"),
    ({"plan": a_plan("sell all AAPL")}, InvalidPlan, "plan.orders[0].qty"),
    ({"plan": {"name": "core", "targets": {"AAPL": "0.9", "KO": "0.2"}}}, InvalidPlan, "plan.targets"),
    ({"plan_uri": "s3://plans/core.json"}, InvalidInput, "input"),
    ({"settings": {"max_repeg": 3}}, InvalidSettings, "settings.max_repeg"),
    ({"settings": {"max_spread_pct": "0"}}, InvalidSettings, "settings.max_spread_pct"),
    ({"preview": "yes"}, InvalidInput, "input.preview"),
    ({"run_number": 0}, InvalidInput, "input.run_number"),
    ({"scheduled_time": "2026-11-23T14:25:00"}, InvalidInput, "input.scheduled_time"),
    ({"scheduled_time": "2026-11-20T14:25:00Z"}, MarketClosed, "input.scheduled_time"),
    ({"urgent": True}, InvalidInput, "input.urgent"),
]


@pytest.mark.parametrize(("given", "kind", "field"), WRONG, ids=[field for _, _, field in WRONG])
def test_invalid_input_is_refused_by_field_before_the_claim(
    desk: Desk, given: dict[str, Any], kind: type[InvalidInput], field: str
) -> None:
    with pytest.raises(kind) as caught:
        start(desk, **given)
    assert caught.value.field == field
    assert is_untouched(desk)


def test_tolerated_noise_is_journalled_at_the_open_and_reported(desk: Desk) -> None:
    start(desk, plan={"name": "core", "targets": {"AAPL": "0.9", "KO": "-1e-17"}, "cash_reserve": "0.10001"})
    notes = ["taken as zero: KO -1e-17", "weights and cash_reserve add up to 1 and 0.00001, which is taken as rounding"]
    assert desk.journalled("run", "note") == [("", note) for note in notes]
    desk.close()
    assert desk.report["notes"] == notes


@pytest.mark.parametrize("raw", [None, [], "core", {}])
def test_an_input_without_a_plan_is_refused(desk: Desk, raw: object) -> None:
    with pytest.raises(InvalidInput):
        open_run(raw, EXECUTION, {}, desk.ports)
    assert is_untouched(desk)


def test_a_plan_can_be_read_from_a_uri(open_desk: OpenDesk) -> None:
    text = '{"name": "core", "orders": [{"symbol": "AAPL", "side": "buy", "qty": 0.1}]}'
    desk = open_desk({"AAPL": AAPL}, plans={"s3://plans/core.json": text})
    open_run({"plan_uri": "s3://plans/core.json"}, EXECUTION, {}, desk.ports)
    (order,) = desk.run.plan.orders  # type: ignore[union-attr]
    assert order.qty == Decimal("0.1")


def test_a_table_in_s3_opens_a_run_with_its_notes(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, plans={"s3://plans/Core.csv": "Ticker;Action;Shares\naapl;Buy;12,5\n"})
    open_run({"plan_uri": "s3://plans/Core.csv"}, EXECUTION, {}, desk.ports)
    assert desk.run.plan.name == "core"
    assert [reason for _, reason in desk.journalled("run", "note")] == [
        "symbols as the broker writes them: aapl as AAPL",
        "numbers read: 12,5 as 12.5",
        "named after its file: core",
    ]


def test_a_missing_plan_file_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidPlan, match=r"s3://plans/gone\.json"):
        open_run({"plan_uri": "s3://plans/gone.json"}, EXECUTION, {}, desk.ports)


@pytest.mark.parametrize("time", ["15:55", "16:30"])
def test_a_start_after_the_window_is_refused(open_desk: OpenDesk, time: str) -> None:
    desk = open_desk({"AAPL": AAPL}, at=time)
    with pytest.raises(MarketClosed, match="start time"):
        start(desk)
    assert is_untouched(desk)


def test_a_start_on_a_day_without_a_session_is_refused(desk: Desk) -> None:
    desk.scheduler.run(until=datetime(2026, 11, 26, 14, 25, tzinfo=UTC))  # Thanksgiving
    with pytest.raises(MarketClosed, match="2026-11-26"):
        start(desk)


@pytest.mark.parametrize("state", [KillSwitch.HALT_NEW, KillSwitch.CANCEL_ALL])
def test_no_run_is_opened_while_the_kill_switch_is_set(desk: Desk, state: KillSwitch) -> None:
    desk.store.set_kill_switch(state)
    with pytest.raises(RefusedRun, match=f"kill switch is {state}"):
        start(desk)
    assert is_untouched(desk)


def test_no_run_is_opened_on_a_blocked_account(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=OpeningAccount(trading_blocked=True))
    with pytest.raises(BrokerDenied, match="this account may not trade: trading_blocked"):
        start(desk)
    assert is_untouched(desk)


def test_no_run_is_opened_on_an_account_of_the_other_mode(desk: Desk) -> None:
    """The deployed broker knows its mode; the desk's account is a paper one."""
    live = AlpacaBroker(desk.broker.line, mode=TradingMode.LIVE)
    with pytest.raises(
        InvalidSettings, match="TRADING_MODE: 'live' is not valid; expected another mode: the keys open a paper account"
    ):
        open_run({"plan": BUY}, EXECUTION, {}, replace(desk.ports, broker=live))
    assert is_untouched(desk)
    paper = AlpacaBroker(desk.broker.line, mode=TradingMode.PAPER)
    assert open_run({"plan": BUY}, EXECUTION, {}, replace(desk.ports, broker=paper)).epoch == 1


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/calendar", "/v2/account", "/v2/positions", "/v2/assets/AAPL"])
def test_a_start_can_be_retried_after_a_broker_error(desk: Desk, path: str) -> None:
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, path=path, status=503))
    with pytest.raises(BrokerUnavailable):
        start(desk)
    assert is_untouched(desk)
    assert start(desk).epoch == 1


CROWD = [f"{a}{b}X" for a in "ABCDEFGHIJ" for b in "KLMNOPQRST"]


@pytest.fixture
def crowded(open_desk: OpenDesk) -> Desk:
    """A desk inside its window with a hundred symbols and an untradable one."""
    books = {symbol: book("09:35 900 @ 20.00 × 900 @ 20.03", until="09:40") for symbol in CROWD}
    market = ScriptedMarket({MONDAY: books}, LISTINGS)
    return open_desk({}, market=market, opening=holding("1000000"), at="09:36")


def orders_of(symbols: list[str]) -> dict[str, Any]:
    return a_plan(*(f"buy 10 {symbol}" for symbol in symbols))


def test_a_hundred_orders_need_few_requests_before_the_first_one(crowded: Desk) -> None:
    """They fit into one bucket of the request quota, without the share reserved for closing."""
    crowded.open(orders_of(CROWD), max_run_orders=1)
    check_session(RUN_ID, crowded.ports)
    plan_orders(RUN_ID, 1, crowded.ports)
    crowded.place()
    before = crowded.broker.line.sent[: crowded.broker.line.sent.index(("POST", "/orders"))]
    data = [path for _, path in before if path.startswith("/stocks")]
    assert before.count(("GET", "/assets")) == 1
    assert len(before) - len(data) == 14 < 200 // BUCKETS_TOUCHED * (1 - RESERVED_FOR_CLOSING)
    assert len(data) == 6


@pytest.mark.parametrize(("symbol", "says"), [("ZZZZ", "that the broker lists"), ("DEAD", "that is tradable at")])
def test_an_invalid_symbol_among_a_hundred_is_reported_by_name(crowded: Desk, symbol: str, says: str) -> None:
    messages = []
    for crowd in (CROWD[:1], CROWD):
        with pytest.raises(InvalidPlan, match=says) as caught:
            crowded.open(orders_of([*crowd, symbol]))
        messages.append(str(caught.value).replace(f"orders[{len(crowd)}]", "orders[n]"))
    assert messages[0] == messages[1]
    assert is_untouched(crowded)


def test_a_second_start_of_a_run_is_a_duplicate_naming_the_first(desk: Desk) -> None:
    start(desk)
    before = desk.run
    with pytest.raises(DuplicateRun, match=EXECUTION):
        open_run({"plan": BUY}, SECOND, {}, desk.ports)
    assert desk.run == before


def test_a_closed_run_is_not_opened_again(desk: Desk) -> None:
    start(desk)
    desk.close()
    with pytest.raises(DuplicateRun):
        open_run({"plan": BUY}, SECOND, {}, desk.ports)


def test_a_repeated_start_by_the_same_execution_has_the_same_answer(desk: Desk) -> None:
    assert start(desk) == start(desk)
    assert len(desk.store.guards_on(MONDAY)) == 1


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.CLOSING])
def test_a_further_run_is_refused_until_the_earlier_one_is_closed(desk: Desk, state: RunState) -> None:
    """Both would buy the full weight, since the first run's open orders are not yet positions."""
    weights = {"name": "core", "targets": {"AAPL": "0.30"}}
    desk.open(weights)
    bring(desk.store, state, RUN_ID)
    with pytest.raises(RefusedRun, match=f"{RUN_ID} is {state}; run_number 3 may start when it is over"):
        open_run({"plan": weights, "run_number": 3}, SECOND, {}, desk.ports)
    assert len(desk.store.guards_on(MONDAY)) == 1


def test_a_further_run_of_the_day_needs_a_run_number(desk: Desk) -> None:
    start(desk)
    bring(desk.store, RunState.CLOSED, RUN_ID)
    again = open_run({"plan": BUY, "run_number": 2}, SECOND, {}, desk.ports)
    assert again.run_id == f"{RUN_ID}-r2"


def test_a_renewal_raises_the_epoch_and_keeps_the_turn_count(desk: Desk) -> None:
    start(desk)
    renewal = {"renewal": {"run_id": RUN_ID, "epoch": 1, "turns": 1052}}
    answer = open_run(renewal, SECOND, {}, desk.ports)
    assert answer.model_dump() == {
        "run_id": RUN_ID,
        "epoch": 2,
        "first_turn": 1052,
        "step_seconds": 55,
        "turn": {"turns": 1052},
    }
    assert open_run(renewal, SECOND, {}, desk.ports) == answer
    assert desk.run.owner == SECOND


def test_a_renewed_run_fences_its_former_execution(desk: Desk) -> None:
    desk.begin("buy 40 AAPL")
    desk.wait_until("09:36")
    open_run({"renewal": {"run_id": RUN_ID, "epoch": 1, "turns": 5}}, SECOND, {}, desk.ports)
    with pytest.raises(RefusedRun, match="epoch 2; this execution holds 1"):
        desk.place()
    assert desk.posts() == 0


@pytest.mark.parametrize(
    ("opened_by", "version", "said"),
    [
        ("7", "7", []),
        ("7", "8", ["opened by version 7 of OpenRun, continues with version 8"]),
        ("", "8", []),
    ],
    ids=["the same release", "another release", "a run that names no release"],
)
def test_a_renewal_journals_a_change_of_release(desk: Desk, opened_by: str, version: str, said: list[str]) -> None:
    environment = {"AWS_LAMBDA_FUNCTION_VERSION": opened_by} if opened_by else {}
    run = open_run({"plan": BUY}, EXECUTION, environment, desk.ports)
    assert desk.run.release == opened_by
    renewal = {"renewal": {"run_id": run.run_id, "epoch": 1, "turns": 5}}
    open_run(renewal, SECOND, {"AWS_LAMBDA_FUNCTION_VERSION": version}, desk.ports)
    upgrades = [entry for entry in desk.journal.entries if entry.verb == "upgrade"]
    assert [entry.reason for entry in upgrades] == said
    assert all(entry.is_abnormal for entry in upgrades)


def test_a_renewal_from_an_older_epoch_is_a_conflict(desk: Desk) -> None:
    start(desk)
    open_run({"renewal": {"run_id": RUN_ID, "epoch": 1, "turns": 5}}, SECOND, {}, desk.ports)
    with pytest.raises(Conflict, match="epoch 2"):
        open_run({"renewal": {"run_id": RUN_ID, "epoch": 1, "turns": 5}}, "arn:third", {}, desk.ports)


# Its event


class DeadBus(QuietNotifier):
    """An event bus that does not answer."""

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Refuse every event."""
        raise EventsUnavailable(kind)


def test_a_run_that_begins_is_published_under_the_same_id_each_time(desk: Desk) -> None:
    for _ in range(2):
        start(desk)
    assert [(one["event_id"], one["orders"], one["preview"]) for one in desk.notifier.openings] == [
        (f"{RUN_ID}.opened", 1, False)
    ] * 2


def test_a_run_begins_although_the_event_bus_does_not_answer(desk: Desk) -> None:
    desk.ports = replace(desk.ports, notifier=DeadBus())
    assert start(desk).run_id == RUN_ID
    assert [entry.verb for entry in desk.journal.entries] == ["open", "unpublished"]
