"""A DynamoDB emulator in its own process, with real threads and transactions, if it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

ROOT = Path(__file__).parents[2]
START_SECONDS = 30
ABSENT = "ministack is not installed: python -m venv .venv-ministack, then install ministack==1.5.33 into it"


def command() -> str | None:
    """Path of the emulator. It pins its own botocore, so it is installed in a separate environment."""
    return shutil.which("ministack", path=os.pathsep.join([str(ROOT / ".venv-ministack" / "bin"), os.defpath]))


@contextmanager
def running(program: str, folder: Path) -> Iterator[str]:
    """Start the emulator with only DynamoDB on a free loopback port; yields its address."""
    port = _free_port()
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": "dynamodb",
        "LOG_LEVEL": "ERROR",
    }
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen([program], cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _await(process, port, folder / "ministack.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(START_SECONDS * 10):
        if process.poll() is not None:
            raise RuntimeError(f"ministack ended with {process.returncode}:\n{log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        Event().wait(0.1)
    raise RuntimeError(f"ministack does not listen after {START_SECONDS} s:\n{log.read_text()}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
