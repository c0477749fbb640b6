"""Plain HTTP to the broker, for checks that look at answers as they are: status, headers, JSON and duration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from pydantic import SecretStr, ValidationError

from repeg.adapters.alpaca.keys import SIMULATED, Keys, TradingMode
from repeg.adapters.runtime import NetworkRuntime
from repeg.wiring import is_local
from repeg_workbench.operate.failures import CannotOperate

PAPER_URL = "https://paper-api.alpaca.markets"
LIVE_URL = "https://api.alpaca.markets"
DATA_URL = "https://data.alpaca.markets"
KEY_ID, SECRET_KEY = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"
_PAPER_PREFIX = "PK"


@dataclass(frozen=True)
class Place:
    """A broker's addresses, and whose money it is: the real API of a mode, or a simulated one on this machine."""

    mode: TradingMode
    trading_url: str
    data_url: str

    @property
    def is_simulated(self) -> bool:
        """Whether it is an exchange on this machine."""
        return is_local(self.trading_url)


def real(mode: TradingMode) -> Place:
    """Alpaca's own API."""
    return Place(mode, PAPER_URL if mode is TradingMode.PAPER else LIVE_URL, DATA_URL)


def simulated(url: str) -> Place:
    """A simulated exchange. Raises CannotOperate for an address of another machine, which must not get any keys."""
    url = url.rstrip("/")
    if not is_local(url):
        raise CannotOperate(f"exchange: {url} is not valid; expected the address of `repeg exchange` on this machine")
    return Place(TradingMode.PAPER, url, url)


def local_keys() -> Keys:
    """The pair in the environment. Raises CannotOperate naming the variables."""
    environment = os.environ  # noqa: TID251 - where Alpaca's own tools look for a pair
    pair = {"key_id": environment.get(KEY_ID, ""), "secret_key": environment.get(SECRET_KEY, "")}
    try:
        return Keys(**{name: SecretStr(value) for name, value in pair.items()})
    except ValidationError:
        raise CannotOperate(f"no keys here: set {KEY_ID} and {SECRET_KEY} to a pair of Alpaca's") from None


def mode_of(keys: Keys) -> TradingMode:
    """The mode that a key id belongs to: those of paper accounts begin with PK."""
    is_paper = keys.key_id.get_secret_value().startswith(_PAPER_PREFIX)
    return TradingMode.PAPER if is_paper else TradingMode.LIVE


@dataclass(frozen=True)
class Reply:
    """An answer. `status` is None if none arrived, and `error` names why; `body` is None if it is no JSON."""

    status: int | None
    seconds: float
    headers: Mapping[str, str]
    body: Any
    error: str = ""

    @property
    def code(self) -> int | None:
        """The API's own code of an error."""
        return self.body.get("code") if isinstance(self.body, Mapping) else None

    @property
    def message(self) -> str:
        """The API's own words for an error, or what went wrong on the way."""
        said = self.body.get("message", "") if isinstance(self.body, Mapping) else ""
        return str(said or self.error or f"status {self.status}")


class Line:
    """One HTTP session with the broker, without retries. The keys go to the place's own addresses only."""

    def __init__(self, place: Place, keys: Keys, runtime: NetworkRuntime) -> None:
        self.place = place
        self._keys = keys
        self._runtime = runtime
        self._session = requests.Session()
        self._session.trust_env = False
        runtime.mount(self._session)

    def trading(self, method: str, path: str, *, with_keys: bool = True, **options: Any) -> Reply:
        """A call of the trading API; `path` begins behind /v2."""
        return self._call(method, f"{self.place.trading_url}/v2{path}", self._headers() if with_keys else {}, options)

    def data(self, path: str, **options: Any) -> Reply:
        """A read of the market data API; `path` begins behind /v2."""
        return self._call("GET", f"{self.place.data_url}/v2{path}", self._headers(), options)

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def _headers(self) -> dict[str, str]:
        return {
            "APCA-API-KEY-ID": self._keys.key_id.get_secret_value(),
            "APCA-API-SECRET-KEY": self._keys.secret_key.get_secret_value(),
        }

    def _call(self, method: str, url: str, headers: Mapping[str, str], options: Mapping[str, Any]) -> Reply:
        began = self._runtime.now()
        try:
            answer = self._session.request(method, url, headers=dict(headers), allow_redirects=False, **options)
        except requests.RequestException as error:
            took = (self._runtime.now() - began).total_seconds()
            # The exception holds the request with its headers: only its name is kept.
            return Reply(None, took, {}, None, type(error).__name__)
        took = (self._runtime.now() - began).total_seconds()
        return Reply(answer.status_code, took, answer.headers, _json(answer))


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def simulated_keys() -> Keys:
    """The pair that `repeg exchange` accepts."""
    return SIMULATED
