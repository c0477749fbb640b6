"""`repeg report RUN --page FILE`: the page of a deployed stack's run."""

from __future__ import annotations

from pathlib import Path

from tests.operate.control_orders import ORDERS, RUNS, keep_control_orders
from tests.operate.operator import RUN_ID, Deploy, Operator, denied


def test_the_page_of_a_run_has_its_journal_and_its_executions_states(deploy: Deploy, folder: Path) -> None:
    operator = deploy(keeps_journal=True, sold_at="09:38:10")
    operator.day.start("calls")
    operator.day.run()
    said = operator.repeg("report", RUN_ID, "--page", folder / "page.html", "--json")
    assert said.code == 0
    assert (said.data["page"], said.data["problems"], said.data["outcome"]) == (
        str(folder / "page.html"), [], "settled"
    )  # fmt: skip
    page = (folder / "page.html").read_text(encoding="utf-8")
    (execution,) = operator.day.engine.executions()
    assert f"<b>{execution.states.count('RepegOrders')}</b>" in page
    assert f"<dd>{execution.transitions}</dd>" in page
    for expected in ('class="badge paper"', "AAPL", "KO", "every order has an outcome"):
        assert expected in page


def test_the_page_counts_with_the_accounts_own_cost_of_taking(deploy: Deploy, folder: Path) -> None:
    """The one that an estimate counts with: of the control orders of the account's other runs."""
    operator = deploy(keeps_journal=True, sold_at="09:38:10")
    keep_control_orders(operator, "100.045")
    operator.day.start("calls")
    operator.day.run()
    operator.repeg("report", RUN_ID, "--page", folder / "page.html")
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "if taking costs 0.80 half-spreads (measured)" in page
    assert f"measured with {RUNS * ORDERS} control orders: the first row" in page


def test_a_history_that_may_not_be_read_is_said_on_the_page(operator: Operator, folder: Path) -> None:
    operator.day.start("calls")
    operator.until("09:36:10")
    said = operator.repeg("report", "--page", folder / "page.html", session=denied("GetExecutionHistory"))
    assert said.code == 1
    assert "the bucket has no journal of this run: it may have expired" in said.out
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "How often each state was entered could not be read" in page
    assert "it is still going on, or its last part is missing" in page


def test_the_page_has_the_requests_that_the_report_counts(deploy: Deploy, folder: Path) -> None:
    operator = deploy(keeps_journal=True, sold_at="09:38:10")
    operator.day.start("calls")
    operator.day.run()
    operator.repeg("report", RUN_ID, "--page", folder / "page.html")
    run = operator.day.ports.store.run(RUN_ID)
    assert run is not None
    assert run.report is not None
    assert run.report.usage is not None
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert f"<dt>requests to the broker</dt><dd>{run.report.usage.trading_requests:,}</dd>" in page
