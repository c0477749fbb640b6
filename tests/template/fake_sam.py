"""Stands for `sam`: reaches what a container would reach, notes what it was given, and prints a scripted answer.

Like sam, it passes only variables that the template declares, and exits with 0 whatever the function has answered.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=simulated/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
)
KEYS = {
    "APCA-API-KEY-ID": "PKSIMULATED000000000",
    "APCA-API-SECRET-KEY": "simulated-secret-key-of-forty-characters",
}


def main(folder: Path, arguments: list[str]) -> None:
    """`sam local invoke NAME`, with the options that are used; the folder has the script and gets the notes."""
    given = options(arguments)
    declared = json.loads(Path(given.template).read_text())["Globals"]["Function"]["Environment"]["Variables"]
    variables = json.loads(Path(given.env_vars).read_text())["Parameters"]
    seen = {name: value for name, value in variables.items() if name in declared}
    script = json.loads((folder / "script.json").read_text())
    broker, aws = (found(seen[name], given.add_host) for name in ("BROKER_URL", "AWS_ENDPOINT_URL"))
    clock = asked(Request(f"{broker}/v2/clock", headers=KEYS))  # noqa: S310 - this machine
    for method, path, body in script["requests"].get(given.name, []):
        asked(Request(f"{broker}{path}", json.dumps(body).encode(), KEYS, method=method))  # noqa: S310
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": SIGNED,
    }
    table = asked(Request(aws, json.dumps({"TableName": seen["TABLE_NAME"]}).encode(), headers))  # noqa: S310
    note = {"name": given.name, "event": json.loads(Path(given.event).read_text()), "variables": seen}
    notes = folder / "notes.jsonl"
    with notes.open("a") as written:
        written.write(json.dumps({**note, "at": clock["timestamp"], "table": table["Table"]["KeySchema"]}) + "\n")
    calls = sum(json.loads(line)["name"] == given.name for line in notes.read_text().splitlines())
    answers = script["answers"][given.name]
    sys.stdout.write(answers[min(calls, len(answers)) - 1])


def options(arguments: list[str]) -> argparse.Namespace:
    """The options, each of which is needed."""
    reader = argparse.ArgumentParser()
    for positional in ("local", "invoke", "name"):
        reader.add_argument(positional)
    for option in ("--event", "--template", "--env-vars", "--region", "--add-host"):
        reader.add_argument(option, required=True)
    return reader.parse_args(arguments)


def found(url: str, added: str) -> str:
    """The URL as a container resolves it, whose only name is the one added."""
    name, _, address = added.partition(":")
    parts = urlsplit(url)
    if parts.hostname != name:
        raise SystemExit(f"a container knows no {parts.hostname}")
    return f"http://{address}:{parts.port}"


def asked(request: Request) -> Any:
    """The answer as JSON."""
    with urlopen(request, timeout=20) as answer:  # noqa: S310 - this machine
        return json.loads(answer.read() or b"null")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
