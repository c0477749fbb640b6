"""WritePage: a run has ended, or has been measured or corrected; write its page."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.steps import PageWritten, RunNews
from repeg.lambda_step import count, lambda_step, logger
from repeg.page_ports import PagePorts
from repeg.page_wiring import page_ports


@lambda_step
def lambda_handler(payload: RunNews, _context: LambdaContext) -> PageWritten:
    """Which page was written. A dropped event is counted, and not retried: no retry would change it."""
    answer = write_page(payload, page_ports())
    if answer.dropped:
        logger.warning("page dropped", extra={"run_id": answer.run_id, "reason": answer.dropped})
    count("PagesDropped", bool(answer.dropped))
    return answer


def write_page(news: RunNews, ports: PagePorts) -> PageWritten:
    """Write the page of the event's run in place of an earlier one, as far as its journal can be read."""
    if not news.run_id:
        return PageWritten(run_id="", dropped="the event names no run")
    page = ports.runs.page_of(news.run_id, str(news.kind))
    if page is None:
        return PageWritten(run_id=news.run_id, dropped="there is no such run")
    key = ports.pages.put(page)
    return PageWritten(run_id=news.run_id, key=key, problems=len(page.circumstances.problems))
