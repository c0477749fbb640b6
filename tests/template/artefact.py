"""The output of `sam build`, and AWS's runtime emulator to run a built function in."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import requests

from tests.template.stack import REGION, ROOT, functions

SAM = ROOT / ".venv-sam" / "bin" / "sam"
PYTHON = ROOT / ".venv-lambda" / "bin" / "python3.13"
EMULATORS = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}
# Bounds a hanging function; every service it calls is local.
ANSWER_SECONDS = 60


def missing() -> str:
    """Why the stack cannot be built on this machine; empty if it can."""
    if not SAM.exists():
        return "there is no sam in .venv-sam: `make test` sets it up"
    if not PYTHON.exists():
        return "there is no python3.13, which sam builds with: install it and run `make test`"
    return ""


def emulator() -> Path | None:
    """The runtime interface emulator bundled with sam, or None on a platform other than the build's."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return None
    found = sorted((ROOT / ".venv-sam").glob(f"lib/python3*/site-packages/samcli/local/rapid/{EMULATORS['x86_64']}"))
    return found[0] if found else None


def sam(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run sam on the template, with Lambda's Python version first on the path."""
    path = f"{PYTHON.parent}{os.pathsep}{SAM.parent}{os.pathsep}{os.environ['PATH']}"
    quiet = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION}
    return subprocess.run(
        [SAM, *arguments],
        cwd=ROOT,
        env={**os.environ, **quiet, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class Artefact:
    """A built stack: one folder per function and per layer."""

    folder: Path

    @property
    def path(self) -> list[Path]:
        """The layers, which Lambda puts on every function's path."""
        return [self.folder / layer["Ref"] / "python" for layer in functions()["OpenRun"]["Layers"]]

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run code with only the layers and the runtime's own packages."""
        environment = {"PYTHONPATH": os.pathsep.join(map(str, self.path)), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([PYTHON, "-c", code], env=environment, capture_output=True, text=True, check=False)


def build(folder: Path) -> Artefact:
    """Build the stack into a folder. Raises AssertionError with sam's output."""
    built = sam("build", "--build-dir", str(folder))
    assert built.returncode == 0, built.stdout + built.stderr
    return Artefact(folder)


@dataclass(frozen=True)
class Lambda:
    """A running function. It handles one event at a time and writes its output to `log`."""

    url: str
    log: Path

    def invoke(self, event: Any) -> Any:
        """The function's answer, or Lambda's error report."""
        answer = requests.post(
            f"{self.url}/2015-03-31/functions/function/invocations",
            data=json.dumps(event),
            timeout=ANSWER_SECONDS,
        )
        return answer.json()


@contextmanager
def running(artefact: Artefact, name: str, environment: Mapping[str, str], log: Path) -> Iterator[Lambda]:
    """Run a built function in the emulator, with this environment added to Lambda's own variables."""
    emulator_path = emulator()
    assert emulator_path is not None
    port, runtime_port = _free_port(), _free_port()
    task = artefact.folder / name
    own = {
        "LAMBDA_TASK_ROOT": str(task),
        "PYTHONPATH": os.pathsep.join(map(str, [task, *artefact.path])),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(functions()[name]["Timeout"]),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(functions()[name]["MemorySize"]),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "PATH": "/usr/bin:/bin",
    }
    command = [
        emulator_path,
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
        *(PYTHON, "-m", "awslambdaric", functions()[name]["Handler"]),
    ]
    with log.open("wb") as output:
        process = _start(command, {**own, **environment}, task, output)
        try:
            _wait_for(port)
            yield Lambda(f"http://127.0.0.1:{port}", log)
        finally:
            process.terminate()
            process.wait(timeout=10)


def available() -> str:
    """Why a built function cannot be run on this machine; empty if it can."""
    return missing() or ("" if emulator() else "the build is for Linux on x86_64, and this machine is another")


def _start(
    command: list[Any], environment: Mapping[str, str], folder: Path, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(map(str, command)), env=dict(environment), cwd=folder, stdout=output, stderr=subprocess.STDOUT
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    """Wait until a server listens on the port. Raises TimeoutError after ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise TimeoutError(f"nothing listens on port {port}")
