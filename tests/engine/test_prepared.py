"""Reads of a simulated session that are prepared once."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from repeg_workbench.engine.prepared import MOST, keep_prepared

URL = "https://broker.example/v2/orders"


def kept() -> requests.Session:
    session = requests.Session()
    keep_prepared(session)
    return session


def request(method: str = "GET", url: str = URL, **fields: Any) -> requests.Request:
    return requests.Request(method, url, **fields)


def content(prepared: requests.PreparedRequest) -> tuple[Any, ...]:
    return prepared.method, prepared.url, dict(prepared.headers), prepared.body


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"params": {"symbols": "A,B", "limit": 5}},
        {"params": {"symbols": "A,C", "limit": 5}},
        {"headers": {"APCA-API-KEY-ID": "a"}},
        {"headers": {"APCA-API-KEY-ID": "b"}},
        {"cookies": {"a": "b"}},
        {"method": "DELETE"},
        {"method": "POST", "json": {"qty": "1"}},
        {"method": "POST", "json": {"qty": "2"}},
        {"data": {"qty": "2"}},
        {"url": f"{URL}/1"},
    ],
)
def test_a_kept_session_prepares_what_any_session_does(fields: dict[str, Any]) -> None:
    session = kept()
    session.prepare_request(request())
    for _ in range(2):
        assert content(session.prepare_request(request(**fields))) == content(
            requests.Session().prepare_request(request(**fields))
        )


def test_a_header_of_the_session_is_part_of_every_later_read() -> None:
    session = kept()
    session.prepare_request(request())
    session.headers["X-Later"] = "yes"
    assert session.prepare_request(request()).headers["X-Later"] == "yes"


def test_a_cookie_of_the_session_is_part_of_every_later_read() -> None:
    session = kept()
    session.prepare_request(request())
    session.cookies.set("a", "b", domain="broker.example")
    assert session.prepare_request(request()).headers["Cookie"] == "a=b"


def test_a_changed_header_of_a_prepared_read_is_not_in_the_next() -> None:
    session = kept()
    session.prepare_request(request()).headers["X-Mine"] = "yes"
    assert "X-Mine" not in session.prepare_request(request()).headers


def test_a_repeated_read_is_prepared_once() -> None:
    session, made = requests.Session(), list[str]()
    prepare = session.prepare_request

    def counting(asked: requests.Request) -> requests.PreparedRequest:
        made.append(asked.url)
        return prepare(asked)

    session.prepare_request = counting  # type: ignore[method-assign,assignment]
    keep_prepared(session)
    for n in (*range(MOST), *range(MOST)):
        session.prepare_request(request(url=f"{URL}/{n}"))
    assert len(made) == MOST
