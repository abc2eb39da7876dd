"""A server that answers with exactly the bytes a test wants, or cuts the line: for faults that no polite server has."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Send = Callable[[socket.socket], None]
Respond = Callable[[Asked], bytes | Send]


def reply(body: Any = b"", status: int = 200, kind: str = "application/json; charset=utf-8", **headers: str) -> bytes:
    """A whole answer. `body`: bytes, or anything for JSON. Header names are written with underscores."""
    raw = body if isinstance(body, bytes) else json.dumps(body, indent=2).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(raw)}"]
    lines += [f"content-type: {kind}"] if kind else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def cut(data: bytes, *, reset: bool = False) -> Send:
    """Send `data` and close the line; with `reset` as a crash does it."""

    def send(line: socket.socket) -> None:
        line.sendall(data)
        if reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        raise ConnectionAbortedError

    return send


@dataclass
class Raw:
    """Listens on loopback while it is open. `greeting` is sent to whoever connects, unasked.

    `asked`: every request, in order; `lines`: how many connections there were.
    """

    respond: Respond
    context: ssl.SSLContext | None = None
    greeting: bytes = b""
    asked: list[Asked] = field(default_factory=list)
    lines: int = 0

    def __enter__(self) -> Raw:
        self._stop = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    @property
    def stopped(self) -> threading.Event:
        """Set when the server is closed: handlers that dawdle end then."""
        return self._stop

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in list(self._open):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.lines += 1
            self._open.append(line)
            thread = threading.Thread(target=self._serve, args=(line,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError, ssl.SSLError):
                if self.greeting:
                    line.sendall(self.greeting)
                if self.context:
                    line = self.context.wrap_socket(line, server_side=True)
                self._talk(line)
        finally:
            line.close()

    def _talk(self, line: socket.socket) -> None:
        while (asked := _read(line)) is not None:
            self.asked.append(asked)
            answer = self.respond(asked)
            if callable(answer):
                answer(line)
            else:
                line.sendall(answer)


def _read(line: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = line.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {k.lower(): v for k, _, v in (h.partition(": ") for h in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        body += line.recv(65536)
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, body)
