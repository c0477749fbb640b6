"""Planted bugs of the Alpaca adapter: what an answer means, and which answers are read at all."""

from __future__ import annotations

from repeg.adapters import rate_limited_broker
from repeg.adapters.alpaca import broker, errors, http, parsing
from repeg.domain.child_order import ChildState
from repeg_workbench.faults.planting import Edit, PlantedBug, edited, set_to

_STATES = dict(parsing.STATE_OF_STATUS)
_ROWS = errors.MEANINGS
_Row, _Meaning = errors.Row, errors.Meaning

ADAPTER_BUGS: dict[str, PlantedBug] = {
    "server_error_is_refusal": set_to(
        "a server's error in answer to an order counts as a refusal",
        errors,
        "MEANINGS",
        (
            *_ROWS,
            *(_Row(("POST", "PATCH"), status, errors.ANY, _Meaning.REFUSED) for status in (500, 502, 503, 504, 429)),
        ),
        seen_by="tests/adapters/test_alpaca_parsing.py::test_an_indefinite_failure_is_unknown",
    ),
    "used_id_is_refusal": set_to(
        "an id that is already used counts as a refusal",
        errors,
        "MEANINGS",
        tuple(row for row in _ROWS if row.texts != ("client_order_id", "unique")),
        seen_by="tests/adapters/test_alpaca_parsing.py::test_an_indefinite_failure_is_unknown",
    ),
    "any_404_is_absent": set_to(
        "a proxy's 404 counts as the broker's",
        errors,
        "MEANINGS",
        (*_ROWS, _Row(("GET",), 404, errors.ANY, _Meaning.ABSENT)),
        seen_by="tests/adapters/test_alpaca_requests.py::test_a_404_without_the_brokers_error_code_is_unavailable",
    ),
    "unreadable_answer_is_refusal": edited(
        "an answer to an order that cannot be read counts as a refusal",
        Edit(
            broker,
            "_accepted",
            "return Unknown(reason=str(error))",
            "return errors.submission(Failure(422, 42210000, str(error)))",
        ),
        seen_by="tests/adapters/test_alpaca_requests.py"
        "::test_an_order_is_sent_once_if_its_answer_is_lost_or_unreadable",
    ),
    "another_orders_answer": edited(
        "an answer about another order is believed",
        Edit(broker, "_accepted", "if report.client_order_id != client_order_id:", "if False:"),
        seen_by="tests/adapters/test_alpaca_requests.py::test_an_answer_for_another_order_counts_as_unknown",
    ),
    "order_sent_twice": edited(
        "an order is sent again after a dropped connection",
        Edit(
            http.Connection,
            "post",
            'return self._send("post", path, fields, refusal)',
            'answer = self._send("post", path, fields, refusal)\n'
            "        is_dropped = isinstance(answer, Failure) and answer.is_dropped\n"
            '        return self._send("post", path, fields) if is_dropped else answer',
        ),
        seen_by="tests/adapters/test_alpaca_requests.py"
        "::test_an_order_is_sent_once_if_its_answer_is_lost_or_unreadable",
    ),
    "pending_cancel_is_cancelled": set_to(
        "an order that is being cancelled counts as cancelled",
        parsing,
        "STATE_OF_STATUS",
        {**_STATES, "pending_cancel": ChildState.CANCELED},
        seen_by="tests/adapters/test_order_statuses.py::test_an_order_whose_end_is_pending_may_still_fill",
    ),
    "pending_replace_is_replaced": set_to(
        "an order that is being replaced counts as replaced",
        parsing,
        "STATE_OF_STATUS",
        {**_STATES, "pending_replace": ChildState.REPLACED},
        seen_by="tests/adapters/test_order_statuses.py::test_an_order_whose_end_is_pending_may_still_fill",
    ),
    "unknown_status_ends": edited(
        "a status that is not known ends an order",
        Edit(
            parsing,
            "state_of",
            "STATE_OF_STATUS.get(status, ChildState.LIVE)",
            "STATE_OF_STATUS.get(status, ChildState.CANCELED)",
        ),
        seen_by="tests/adapters/test_order_statuses.py::test_an_interrupted_or_unknown_status_leaves_an_order_open",
    ),
    "rare_statuses_end": set_to(
        "an order that is stopped or suspended counts as ended",
        parsing,
        "STATE_OF_STATUS",
        {**_STATES, "stopped": ChildState.CANCELED, "suspended": ChildState.CANCELED},
        seen_by="tests/adapters/test_order_statuses.py::test_an_interrupted_or_unknown_status_leaves_an_order_open",
    ),
    "first_page_of_fills": edited(
        "only the first page of a day's fills is read",
        Edit(broker.AlpacaBroker, "executions", "if len(page) < ACTIVITIES_PER_PAGE:", "if True:"),
        seen_by="tests/contracts/test_broker.py::test_fills_beyond_one_page_are_listed_once_in_time_order",
    ),
    "deadline_while_waiting": edited(
        "an order is sent although its deadline has passed while it waited for a request",
        Edit(
            rate_limited_broker.RateLimitedBroker,
            "_write",
            "intent.expired_at(self._limiter.now)",
            '""',
        ),
        seen_by="tests/guards/test_request_budget.py::test_an_order_whose_deadline_passes_while_it_waits_is_not_sent",
    ),
    "switch_not_read_again": edited(
        "an order whose intent was answered late is sent although the kill switch was set meanwhile",
        Edit(
            rate_limited_broker.RateLimitedBroker,
            "_write",
            "intent.is_older_than(SWITCH_AGE, self._limiter.now)",
            "False",
        ),
        seen_by="tests/guards/test_kill_switch.py::test_no_order_leaves_after_the_kill_switch_was_set",
    ),
    "first_page_of_orders": edited(
        "only the first page of open orders is read",
        Edit(broker.AlpacaBroker, "_listed", "is_last = len(page) < ORDERS_PER_PAGE", "is_last = True"),
        seen_by="tests/contracts/test_broker.py::test_open_orders_beyond_one_page_are_each_listed_once",
    ),
    "another_account": edited(
        "an order is sent with keys that open another account",
        Edit(
            http.Connection,
            "_attempt_in_account",
            "if self._account and self._numbers[keys] != self._account:",
            "if False:",
        ),
        seen_by="tests/adapters/test_account_of_keys.py"
        "::test_keys_rotated_within_a_step_send_nothing_to_another_account",
    ),
    "cancels_wait_for_their_turn": edited(
        "a cancel takes its request from the ordinary quota",
        Edit(rate_limited_broker.RateLimitedBroker, "cancel", "Quota.RESERVED", "Quota.ORDINARY"),
        seen_by="tests/guards/test_request_budget.py::test_an_exhausted_quota_stops_orders_but_no_cancels",
    ),
}
