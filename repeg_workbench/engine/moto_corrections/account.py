"""A simulated AWS account: moto enabled for boto3 alone, with identifiers derived from the seed.

moto can seed its identifiers, but its interpreter calls uuid4 instead. Observed with the pinned version: the UUIDs in
`utils.long_uid` ignore moto's /moto-api/seed endpoint. No upstream report was found.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID  # noqa: TID251 - of seeded bits

import boto3  # noqa: TID251 - its requests never leave this process
from moto.core.models import MockAWS, botocore_stubber
from moto.moto_api._internal import mock_random
from moto.stepfunctions.parser import utils
from moto.stepfunctions.parser.asl.component import eval_component
from moto.stepfunctions.parser.asl.eval import states
from moto.stepfunctions.parser.asl.eval.callback import callback

from repeg_workbench.engine.moto_corrections.patches import Patches

INTERPRETER_LOG = logging.getLogger("moto.stepfunctions")
CONFIG: Any = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}


class _BotocoreAlone(MockAWS):
    """moto also patches the requests library, which slows every request; nothing here calls AWS through it."""

    def _enable_patching(self, reset: bool = True) -> None:  # noqa: FBT001, FBT002 - moto's signature
        botocore_stubber.enabled = True
        if reset:
            self.reset()

    def _disable_patching(self, remove_data: bool) -> None:  # noqa: FBT001
        botocore_stubber.enabled = False
        if remove_data:
            self.reset()


@functools.cache
def client(service: str, region: str) -> Any:
    """A cached boto3 client of the simulated account: making one takes longer than a hundred calls."""
    return session().client(service, region_name=region)


@functools.cache
def session() -> Any:
    """The session that reads the service descriptions once; its keys are placeholders."""
    return boto3.Session(aws_access_key_id="simulated", aws_secret_access_key="simulated")  # noqa: S106


@contextmanager
def simulated(seed: int) -> Iterator[None]:
    """An empty account. Its identifiers follow from the seed and the order in which they are drawn."""
    if botocore_stubber.enabled:
        raise RuntimeError("another simulated account is open in this process")
    mock_random.seed(f"identifiers {seed}")
    with _BotocoreAlone(CONFIG), Patches() as patches:
        for module in (utils, eval_component, callback, states):
            patches.replace(module, "long_uid", _identifier)
        # It logs errors that the state machine handles; the history has them too.
        patches.replace(INTERPRETER_LOG, "handlers", [logging.NullHandler()])
        patches.replace(INTERPRETER_LOG, "propagate", False)  # noqa: FBT003
        yield


def _identifier() -> str:
    return str(UUID(int=mock_random.getrandbits(128), version=4))
