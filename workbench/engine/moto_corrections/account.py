"""A simulated account: moto switched on for boto3 alone, with identifiers that follow from the seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import moto.stepfunctions.parser.asl.component.eval_component as eval_component
import moto.stepfunctions.parser.asl.eval.callback.callback as callback
import moto.stepfunctions.parser.asl.eval.states as states
import moto.stepfunctions.parser.utils as utils
from moto.core.models import MockAWS, botocore_stubber
from moto.moto_api._internal import mock_random

from workbench.engine.moto_corrections.patches import Patches

CONFIG = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}


class _BotocoreAlone(MockAWS):
    """moto also takes over the requests library, at a cost for each request; nobody here speaks to AWS that way."""

    def _enable_patching(self, reset: bool = True) -> None:
        botocore_stubber.enabled = True
        if reset:
            self.reset()

    def _disable_patching(self, remove_data: bool) -> None:
        botocore_stubber.enabled = False
        if remove_data:
            self.reset()


@contextmanager
def simulated(seed: int) -> Iterator[None]:
    """An empty account; its identifiers are functions of the seed and of the order in which they are asked for."""
    if botocore_stubber.enabled:
        raise RuntimeError("another simulated account is open in this process")
    mock_random.seed(f"identifiers {seed}")
    with _BotocoreAlone(CONFIG), Patches() as patches:
        for module in (utils, eval_component, callback, states):
            patches.replace(module, "long_uid", _identifier)
        yield


def _identifier() -> str:
    return str(UUID(int=mock_random.getrandbits(128), version=4))
