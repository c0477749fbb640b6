"""Routes moto's function calls to the host: its Lambda backend without containers, and the state machine's tasks.

Not an error of moto: it runs functions in Docker or returns a fixed answer
(https://docs.getmoto.org/en/latest/docs/services/lambda.html), and the engine needs them in virtual time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda_simple.models import LambdaSimpleBackend, lambda_simple_backends
from moto.core.exceptions import JsonRESTError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

from repeg_workbench.engine.host import Host, PayloadTooLarge
from repeg_workbench.engine.invocation import Function
from repeg_workbench.engine.moto_corrections.patches import Patches


def apply(patches: Patches, host: Host, sources: Callable[[str], Path]) -> None:
    """Send invocations to the host; `sources` maps an object's key to its source folder."""

    def invoke(
        self: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        function = deployed(self, function_name, qualifier, sources)
        payload = body.decode() if isinstance(body, bytes) else body or "{}"
        if headers.get("X-Amz-Invocation-Type") == "Event":
            host.invoke_event(function, payload)
            return b""
        try:
            invocation = host.invoke(function, payload)
        except PayloadTooLarge as error:
            raise JsonRESTError("RequestTooLargeException", str(error)) from error
        if invocation.error is not None:
            response_headers["x-amz-function-error"] = "Unhandled"
        return invocation.payload.encode()

    def invoke_for_task(parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:
        """The same without HTTP within the process; errors take moto's own path."""
        try:
            name, qualifier = parameters["FunctionName"], parameters.get("Qualifier")
            function = deployed(backend(region), name, qualifier, sources)
            invocation = host.invoke(function, parameters.get("Payload", b"{}").decode())
        except (UnknownFunctionException, PayloadTooLarge):
            failing: dict[str, Any] = original(parameters, region, state_credentials)
            return failing
        answer = {"ExecutedVersion": function.version, "StatusCode": 200, "Payload": json.loads(invocation.payload)}
        return answer if invocation.error is None else {**answer, "FunctionError": "Unhandled"}

    patches.replace(LambdaSimpleBackend, "invoke", invoke)
    original = patches.replace(lambda_eval_utils, "_invoke_lambda_function", invoke_for_task)


def deployed(backend: Any, name: str, qualifier: str | None, sources: Callable[[str], Path]) -> Function:
    """The function of that name or ARN and version or alias, from moto's configuration."""
    found = backend.get_function(name, qualifier)
    return Function(
        name=found.function_name,
        arn=found.function_arn,
        version="$LATEST" if found.function_arn.count(":") == 6 else str(found.version),
        handler=found.handler,
        folder=sources(found.code["S3Key"]),
        timeout=int(found.timeout),
        memory=int(found.memory_size),
        environment={key: str(value) for key, value in found.environment_vars.items()},
        region=backend.region_name,
    )


def backend(region: str) -> Any:
    """moto's registry of functions."""
    return lambda_simple_backends[DEFAULT_ACCOUNT_ID][region]
