"""The container engine of this machine, and the address under which its containers reach the machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from ipaddress import IPv4Network

DESKTOP = "Docker Desktop"
INSIDE = "host.docker.internal"
"""What a container calls this machine. The functions accept a simulated broker there."""


class NotHere(Exception):
    """What this machine lacks, in one line."""


@dataclass(frozen=True)
class Engine:
    """A running engine. `listens_on` is the machine's address that its containers reach."""

    listens_on: str
    knows_the_machine: bool

    @property
    def options(self) -> list[str]:
        """The options with which sam tells a container where INSIDE is."""
        return [] if self.knows_the_machine else ["--add-host", f"{INSIDE}:{self.listens_on}"]


def find_engine(path: str | None = None) -> Engine:
    """The engine behind the command `docker` on a path (default: PATH). Raises NotHere."""
    docker = shutil.which("docker", path=path)
    if docker is None:
        raise NotHere("there is no container engine: install Docker, so that `docker version` shows a server")
    _ask(docker, "version", "--format", "{{.Server.Version}}")
    if DESKTOP in _ask(docker, "info", "--format", "{{.OperatingSystem}}"):
        # It forwards the name to the machine's own loopback.
        return Engine("127.0.0.1", knows_the_machine=True)
    (network, *_) = json.loads(_ask(docker, "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"))
    first = str(IPv4Network(network["Subnet"]).network_address + 1)
    return Engine(network.get("Gateway") or first, knows_the_machine=False)


def _ask(docker: str, *arguments: str) -> str:
    asked = subprocess.run([docker, *arguments], capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        said = " ".join((asked.stderr or asked.stdout).split())
        raise NotHere(f"the container engine does not answer: `docker {arguments[0]}` says: {said}")
    return asked.stdout.strip()
