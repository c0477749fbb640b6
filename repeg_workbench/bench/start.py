"""How long a function of the build takes to start: the CPU time of its imports, as in a new container of Lambda.

It needs `make build`. The fastest of several starts counts, because whatever else the machine does only adds.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILT = ROOT / ".aws-sam" / "build"
PYTHON = ROOT / ".venv-lambda" / "bin" / "python3.13"
LAYERS = ("RepegLayer", "DependenciesLayer")
FUNCTIONS = ("OpenRun", "RepegOrders", "CloseRun", "ServeOperator")
STARTS = 5
TARGET_MS = 350

# What the functions are built on, by itself: no change of our own code can start faster.
LIBRARIES = (
    "import boto3, requests; from pydantic import BaseModel, TypeAdapter;"
    " from aws_lambda_powertools import Logger, Metrics, Tracer; Tracer()"
)


def main() -> None:
    """Print the CPU milliseconds of each function's start, and those of Python's own."""
    if not (BUILT / "template.yaml").exists() or not PYTHON.exists():
        sys.stdout.write("skipped: there is no build; run make build\n")
        return
    empty = min(_start("pass", []) for _ in range(STARTS))
    libraries = min(_start(LIBRARIES, []) for _ in range(STARTS)) - empty
    sys.stdout.write(f"imports of {'the libraries':<17} {libraries * 1_000:.0f} ms of CPU time\n")
    for name in FUNCTIONS:
        took = min(_start("import app", [BUILT / name]) for _ in range(STARTS)) - empty
        sys.stdout.write(f"imports of {name:<17} {took * 1_000:.0f} ms of CPU time; the target is {TARGET_MS}\n")


def _start(code: str, folders: list[Path]) -> float:
    """The CPU seconds of a new process that has only the function, the layers, and what Lambda provides."""
    paths = [*folders, *(BUILT / layer / "python" for layer in LAYERS)]
    # The X-Ray SDK looks for Lambda's own folder: outside of Lambda it makes clients that it does not make there.
    lambda_sets = {"LAMBDA_TASK_ROOT": "/var/task", "AWS_REGION": "us-east-1"}
    environment = {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1", **lambda_sets}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([PYTHON, "-c", code], env=environment, check=True)  # noqa: S603 - our own modules
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
