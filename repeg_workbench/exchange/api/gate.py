"""Authentication and rate limits."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.messages import Request
from repeg_workbench.exchange.refusal import MissingCredentials, Refusal
from repeg_workbench.exchange.time.stamps import MINUTE, SECOND

KEY_HEADER: Final = "APCA-API-KEY-ID"
SECRET_HEADER: Final = "APCA-API-SECRET-KEY"  # noqa: S105 - the name of a header


Keys = tuple[str, str]
"""A key id and its secret."""


class Allowance:
    """A rate limit of a number of calls in any sixty seconds; None for no limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._calls: deque[int] = deque()

    def take(self, at: int) -> bool:
        """Count one call. Returns False if the limit is reached; a refused call does not count."""
        if self.limit is None:
            return True
        calls = self._calls
        while calls and calls[0] <= at - MINUTE:
            calls.popleft()
        if len(calls) >= self.limit:
            return False
        calls.append(at)
        return True

    def headers(self) -> dict[str, str]:
        """The market data API's rate limit headers; the reset is in seconds since the epoch."""
        if self.limit is None:
            return {}
        oldest = self._calls[0] if self._calls else 0
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - len(self._calls)),
            "X-RateLimit-Reset": str((oldest + MINUTE) // SECOND),
        }


@dataclass
class Gate:
    """The account's keys and rate limits; keys can be revoked while clients use them."""

    keys: dict[str, str]
    quirks: BrokerQuirks

    def __post_init__(self) -> None:
        self._revoked: set[str] = set()
        self.trading = Allowance(self.quirks.requests_per_minute)
        self.data = Allowance(self.quirks.data_requests_per_minute)

    def revoke(self, key_id: str) -> None:
        """Reject the key until it is restored."""
        self._revoked.add(key_id)

    def restore(self, key_id: str) -> None:
        """Accept a revoked key again."""
        self._revoked.discard(key_id)

    def is_known(self, key_id: object, secret: object) -> bool:
        """Whether the key and secret are valid and not revoked; they may be any JSON value."""
        return isinstance(key_id, str) and self.keys.get(key_id) == secret and key_id not in self._revoked

    def admit(self, request: Request, at: int, *, is_data: bool) -> None:
        """Authenticate and count a call. Raises Refusal in the form of the API called."""
        key_id, secret = request.header(KEY_HEADER), request.header(SECRET_HEADER)
        if key_id is None or secret is None:
            raise MissingCredentials(self.quirks.missing_headers)
        if not self.is_known(key_id, secret):
            raise Refusal.unauthorized()
        if is_data:
            if not self.data.take(at):
                raise Refusal(429, None, "too many requests.")
        elif not self.trading.take(at):
            raise Refusal(429, 42910000, "rate limit exceeded")
