"""Rotated keys: a pair is used for an account only if it opens that account, which is read once for each pair."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import PLACEHOLDER, Keys, TradingMode
from repeg.adapters.rate_limited_broker import rate_limited
from repeg.adapters.request_limiter import RequestLimiter
from repeg.domain.broker import Accepted, CancelAnswer, Refused, Unknown
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, KeysMissing
from repeg.ports import Broker
from tests.adapters.brokers import BROKER_ID, OURS, an_account_row, an_order_row, mount
from tests.adapters.scripted_server import Asked, Reply, Script, answer, scripted
from tests.contracts.words import a_change, an_intent, an_order

INTENT = an_intent(an_order())
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
FIRST, SECOND = "PA1FIRST0000", "PA2SECOND000"
UNAUTHORIZED = answer(401, {"message": "unauthorized."})


class Ring:
    """Keys that are rotated by `turn`, or with the next rejection."""

    def __init__(self, *names: str) -> None:
        self.pairs = [Keys(key_id=SecretStr(name), secret_key=SecretStr(name)) for name in names]

    def current(self) -> Keys:
        """The pair in use."""
        return self.pairs[0]

    def turn(self) -> None:
        """Go on to the next pair."""
        self.pairs.pop(0)

    def renewed(self, rejected: Keys) -> Keys:
        """The next pair, if there is one and the present one is rejected."""
        if len(self.pairs) > 1 and rejected == self.pairs[0]:
            self.turn()
        return self.pairs[0]


class Accounts:
    """A server whose answers follow from the key in the request; `of` maps a key to its account."""

    def __init__(self, of: dict[str, str]) -> None:
        self.of = of
        self.revoked: set[str] = set()
        self.instead: dict[str, Reply] = {}
        self.script: Script

    def reply(self, connection: socket.socket, stop: threading.Event) -> None:
        """Answer the request that was read last."""
        asked = self.script.asked[-1]
        instead = self.instead.get(asked.target)
        if callable(instead):
            return instead(connection, stop)
        return connection.sendall(instead or self._answer(asked))

    def sent(self) -> list[tuple[str, str, str]]:
        """Key, method and resource of each request."""
        return [(key_of(a), a.method, a.target.removeprefix("/v2").partition("?")[0]) for a in self.script.asked]

    def _answer(self, asked: Asked) -> bytes:
        if key_of(asked) in self.revoked:
            return UNAUTHORIZED
        if asked.target == "/v2/account":
            return answer(200, an_account_row(account_number=self.of[key_of(asked)]))
        client_id = asked.fields["client_order_id"] if asked.method == "POST" else OURS
        return answer(200, an_order_row(client_order_id=client_id))


def key_of(asked: Asked) -> str:
    """The key id of a request."""
    return asked.headers["apca-api-key-id"]


@contextmanager
def serving(**of: str) -> Iterator[Accounts]:
    """A server for these keys' accounts."""
    accounts = Accounts(of)
    with scripted(*[accounts.reply] * 20) as script:
        accounts.script = script
        yield accounts


def a_broker(accounts: Accounts, ring: Ring) -> AlpacaBroker:
    """A broker with these keys."""
    return AlpacaBroker(trading_api(ring, TradingMode.PAPER, mount, accounts.script.url))


def test_the_account_number_is_requested_once_for_each_pair() -> None:
    with serving(PKA=FIRST, PKB=SECOND) as accounts:
        ring = Ring("PKA", "PKB")
        broker = a_broker(accounts, ring)
        assert [broker.account_number() for _ in range(3)] == [FIRST] * 3
        ring.turn()
        assert [broker.account_number() for _ in range(3)] == [SECOND] * 3
        assert accounts.sent() == [("PKA", "GET", "/account"), ("PKB", "GET", "/account")]


def test_the_balances_make_the_account_number_known() -> None:
    with serving(PKA=FIRST) as accounts:
        broker = a_broker(accounts, Ring("PKA"))
        broker.account()
        assert broker.account_number() == FIRST
        assert len(accounts.sent()) == 1


def test_keys_rotated_within_a_step_are_used_for_the_same_account() -> None:
    with serving(PKA=FIRST, PKB=FIRST) as accounts:
        broker = a_broker(accounts, Ring("PKA", "PKB"))
        confined = broker.for_account(broker.account_number())
        accounts.revoked.add("PKA")
        assert isinstance(confined.submit(INTENT), Accepted)
        assert confined.order(OURS) is not None
        assert accounts.sent()[1:] == [
            ("PKA", "POST", "/orders"),
            ("PKB", "GET", "/account"),
            ("PKB", "POST", "/orders"),
            ("PKB", "GET", "/orders:by_client_order_id"),
        ]


@pytest.mark.parametrize("is_revoked", [True, False])
def test_keys_rotated_within_a_step_send_nothing_to_another_account(*, is_revoked: bool) -> None:
    """Not even if the first pair was never rejected: another client of the same keys may have fetched the new pair."""
    with serving(PKA=FIRST, PKB=SECOND) as accounts:
        ring = Ring("PKA", "PKB")
        broker = a_broker(accounts, ring)
        confined = broker.for_account(broker.account_number())
        accounts.revoked |= {"PKA"} if is_revoked else set()
        if not is_revoked:
            ring.turn()
        assert_nothing_is_sent(confined)
        assert {request for request in accounts.sent() if request[0] == "PKB"} == {("PKB", "GET", "/account")}


def assert_nothing_is_sent(confined: Broker) -> None:
    """Every call names both accounts or is not known to have had an effect."""
    for submission in (confined.submit(INTENT), confined.replace(BROKER_ID, a_change("189.42", "rp-next"))):
        assert isinstance(submission, Unknown)
        assert FIRST in submission.reason
        assert SECOND in submission.reason
    assert confined.cancel(BROKER_ID) is CancelAnswer.UNKNOWN
    for read in (confined.open_orders, confined.clock, lambda: confined.order(OURS)):
        with pytest.raises(BrokerDenied, match=f"{SECOND} instead of {FIRST}"):
            read()


@pytest.mark.parametrize("unreadable", [answer(500), answer(200, b"<html>"), answer(200, {}), answer(429)])
def test_keys_whose_account_cannot_be_read_send_nothing(unreadable: bytes) -> None:
    with serving(PKA=FIRST, PKB=FIRST) as accounts:
        ring = Ring("PKA", "PKB")
        broker = a_broker(accounts, ring)
        confined = broker.for_account(broker.account_number())
        accounts.instead["/v2/account"] = unreadable
        ring.turn()
        assert isinstance(confined.submit(INTENT), Unknown)
        with pytest.raises(BrokerUnavailable, match="account is unknown"):
            confined.clock()
        assert {path for key, _, path in accounts.sent() if key == "PKB"} == {"/account"}


def test_revoked_keys_of_a_new_container_are_renewed() -> None:
    """The container has read no account yet, and its first pair is already revoked."""
    with serving(PKA=FIRST, PKB=FIRST) as accounts:
        accounts.revoked.add("PKA")
        assert a_broker(accounts, Ring("PKA", "PKB")).for_account(FIRST).order(OURS) is not None


def test_two_runs_of_two_accounts_share_a_container() -> None:
    with serving(PKA=FIRST, PKB=SECOND) as accounts:
        ring = Ring("PKA", "PKB")
        broker = a_broker(accounts, ring)
        first = broker.for_account(broker.account_number())
        ring.turn()
        second = broker.for_account(broker.account_number())
        assert isinstance(second.submit(INTENT), Accepted)
        assert isinstance(first.submit(INTENT), Unknown)


def test_a_rate_limited_broker_is_confined_for_closing_too() -> None:
    with serving(PKA=FIRST, PKB=SECOND) as accounts:
        ring = Ring("PKA", "PKB")
        api = trading_api(ring, TradingMode.PAPER, mount, accounts.script.url)
        limiter: Any = Unlimited()
        broker = rate_limited(lambda take: AlpacaBroker(api, take), limiter)
        confined = broker.for_account(broker.account_number())
        ring.turn()
        assert_nothing_is_sent(confined)
        assert_nothing_is_sent(confined.for_closing())
        assert_nothing_is_sent(broker.for_closing().for_account(FIRST))
        assert limiter.taken >= 1


@pytest.mark.parametrize("is_replacement", [False, True])
def test_no_order_is_sent_after_its_deadline_once_the_keys_are_renewed(*, is_replacement: bool) -> None:
    """The first pair is refused; until the second is there, and its account known, the deadline has passed."""
    with serving(PKA=FIRST, PKB=FIRST) as accounts:
        accounts.revoked.add("PKA")
        clock = iter([NOON, NOON + timedelta(seconds=11)])
        api = trading_api(Ring("PKA", "PKB"), TradingMode.PAPER, mount, accounts.script.url)
        broker = AlpacaBroker(api, now=lambda: next(clock))
        intent = INTENT.model_copy(update={"not_after": NOON + timedelta(seconds=10)})
        answer = broker.replace(BROKER_ID, intent) if is_replacement else broker.submit(intent)
        assert isinstance(answer, Unknown)
        assert (answer.was_sent, "deadline" in answer.reason) == (False, True)
        verb = "PATCH" if is_replacement else "POST"
        assert [(key, method) for key, method, _ in accounts.sent()] == [("PKA", verb)]


class Unlimited(RequestLimiter):
    """Grants and counts every request."""

    def __init__(self) -> None:
        self.taken = 0

    @property
    def now(self) -> datetime:
        """Any time: no request waits."""
        return datetime(2026, 11, 23, 15, 0, tzinfo=UTC)

    @property
    def is_halted(self) -> bool:
        """Nothing keeps orders from being sent."""
        return False

    def acquire(self, quota: Any, following: int = 0, until: datetime | None = None) -> bool:
        """Grant it."""
        self.taken += 1
        return True


def test_the_placeholder_of_the_deploy_is_not_sent_to_the_broker() -> None:
    with serving(PKA=FIRST) as accounts:
        ring = Ring(PLACEHOLDER)
        broker = a_broker(accounts, ring)
        with pytest.raises(KeysMissing, match="put the broker's keys with `repeg keys`"):
            broker.account()
        assert isinstance(broker.submit(INTENT), Refused)
        assert broker.cancel(BROKER_ID) is not CancelAnswer.REQUESTED
        assert accounts.sent() == []
        # The container is warm when the keys are put: they are read again as after any rejection.
        ring.pairs += Ring("PKA").pairs
        assert broker.account_number() == FIRST
        assert accounts.sent() == [("PKA", "GET", "/account")]
