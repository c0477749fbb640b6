"""A loopback server that sends scripted bytes and records its requests."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Reply = bytes | Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True)
class Asked:
    """A received request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


@dataclass
class Script:
    """The server's address, recorded requests and remaining replies; after the last reply it hangs up."""

    url: str
    replies: list[Reply]
    asked: list[Asked] = field(default_factory=list)

    @property
    def methods(self) -> list[str]:
        """The methods in the order in which they came."""
        return [request.method for request in self.asked]


def answer(status: int, body: object = b"", **headers: str) -> bytes:
    """A complete HTTP answer; a body other than bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def hang_up(connection: socket.socket, stop: threading.Event) -> None:
    """Close the connection without sending anything."""


def say_nothing(connection: socket.socket, stop: threading.Event) -> None:
    """Keep the connection open and silent until the test ends."""
    stop.wait()


def drip(connection: socket.socket, stop: threading.Event) -> None:
    """Promise a long body and send a byte of it now and then."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not stop.wait(0.05):
        connection.sendall(b" ")


def break_off(connection: socket.socket, stop: threading.Event) -> None:
    """Promise a body and close in the middle of it."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"id": "')


@contextmanager
def scripted(*replies: Reply) -> Iterator[Script]:
    """Serve the replies, one connection each, in the order of the connections."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        script = Script(f"http://127.0.0.1:{listener.getsockname()[1]}", list(replies))
        thread = threading.Thread(target=_serve, args=(listener, script, stop), daemon=True)
        thread.start()
        try:
            yield script
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, script: Script, stop: threading.Event) -> None:
    conversations = []
    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        reply = script.replies.pop(0) if script.replies else hang_up
        conversation = threading.Thread(target=_converse, args=(connection, reply, script, stop), daemon=True)
        conversation.start()
        conversations.append(conversation)
    for conversation in conversations:
        conversation.join()


def _converse(connection: socket.socket, reply: Reply, script: Script, stop: threading.Event) -> None:
    with connection:
        asked = _read(connection)
        if asked is None:
            return
        script.asked.append(asked)
        try:
            connection.sendall(reply) if isinstance(reply, bytes) else reply(connection, stop)
        except OSError:
            return  # the client disconnected, which some replies provoke


def _read(connection: socket.socket) -> Asked | None:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65_536)
        if not chunk:
            return None
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65_536)
    method, target, _ = first.split(" ")
    return Asked(method, target, headers, body)
