"""Translates a SAM template to CloudFormation. Apart from the module that packages it: SAM takes long to import."""

from __future__ import annotations

import json
import logging
from typing import Any

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

from repeg_workbench.engine.moto_corrections.resources import DeploymentError

# It warns that its usage metrics are not collected.
logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)


class _NoManagedPolicies(ManagedPolicyLoader):  # type: ignore[misc]  # untyped
    """No list of managed policies, because permissions are not enforced here."""

    def __init__(self) -> None:
        super().__init__(None)

    def load(self) -> dict[str, str]:
        return {}


def translated(template: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """The template as CloudFormation's JSON, for these values of its parameters. Raises DeploymentError."""
    try:
        made = transform(template, values, _NoManagedPolicies())
    except InvalidDocumentException as error:
        raise DeploymentError("; ".join(cause.message for cause in error.causes)) from error
    return dict(json.loads(json.dumps(made, default=str)))
