"""Where a command runs: its AWS session, its clock, and the person at the keyboard."""

from __future__ import annotations

import getpass
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3  # noqa: TID251 - the commands are the edge to the account
import typer
from botocore.config import Config  # noqa: TID251

from repeg.adapters.dynamodb.store import DynamoStore
from repeg.adapters.runtime import NetworkRuntime, SystemRuntime
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.samconfig import default_region

# Few attempts: a person is waiting, and may try again.
_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})

# A function may take five minutes to cancel everything. It is called once: a second call would begin from the start.
# Nothing is sent while it works, and a network may forget a connection that is silent.
_INVOKE = Config(connect_timeout=5, read_timeout=330, tcp_keepalive=True, retries={"total_max_attempts": 1})


def _session() -> Any:
    found = boto3.Session()
    return found if found.region_name else boto3.Session(region_name=default_region(Path.cwd()))


def _confirm(question: str) -> bool:
    """Ask on standard error, so that standard output has the answer alone."""
    return typer.confirm(question, err=True)


def _note(text: str) -> None:
    """Tell a waiting person how far it is, on standard error."""
    typer.echo(text, err=True)


def _ask_secret(question: str) -> str:
    """Read a line from the terminal without echo. Raises CannotOperate where there is no such terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(question)
        except (getpass.GetPassWarning, EOFError):
            raise CannotOperate("there is no terminal to read the keys from without echo; run this in one") from None


@dataclass(frozen=True)
class Workstation:
    """What a command may touch beside its arguments. Region and credentials are those that boto3 finds.

    Where it finds no region, it is that of samconfig.toml.
    """

    session: Any = field(default_factory=_session)
    runtime: NetworkRuntime = field(default_factory=SystemRuntime)
    confirm: Callable[[str], bool] = _confirm
    ask_secret: Callable[[str], str] = _ask_secret
    say: Callable[[str], None] = typer.echo
    note: Callable[[str], None] = _note

    @property
    def region(self) -> str:
        """The region's name; empty if none is configured."""
        return self.session.region_name or ""

    def client(self, service: str) -> Any:
        """A client of an AWS service. Raises botocore's errors for a missing region or profile."""
        return _client(self.session, service, _INVOKE if service == "lambda" else _CONFIG)

    def store(self, table_name: str) -> DynamoStore:
        """The stack's table."""
        return DynamoStore(self.client("dynamodb"), table_name, self.runtime.pause)


@lru_cache(maxsize=32)
def _client(session: Any, service: str, config: Config) -> Any:
    return session.client(service, config=config)
