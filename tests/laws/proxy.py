"""A proxy before one server that can lie: it keeps a write to itself and gives the answer of another run, it repeats the
caller's key in an error, or it answers with fields that nobody knows. Tests of law 8 (verified), law 9 (what is not declared
survives) and law 10 (no secret leaves) stand on it.

    with bench.proxied() as between:
        bench.declare()
        between.swallow[0] = answer        # the first write is not passed on
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

IsWrite = Callable[[str, str, bytes], bool]  # of a method, a path and a body
KEPT = ("host", "content-length", "connection", "accept-encoding")  # headers that are between each two
SECRETS = ("x-api-key", "authorization", "cookie")
PASSED = ("set-cookie", "www-authenticate", "x-transmission-session-id", "retry-after", "location")


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    kind: str
    body: bytes
    more: dict[str, str] = field(default_factory=dict)


class Proxy(ThreadingHTTPServer):
    """`writes`: the answers to writes so far, in their order. `swallow`: number of a write (from 0) → what is answered
    instead of doing it. `tell_tale`: reads or writes are answered with an error of this status that repeats the key. `plant`:
    put into every object of every answer of JSON. `sent`: every PUT so far, as (path, what was last read there, what was
    sent)."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, is_write: IsWrite) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port, self.is_write = port, is_write
        self.writes: list[Answer] = []
        self.swallow: dict[int, Answer] = {}
        self.tell_tale: dict[Literal["read", "write"], int] = {}
        self.plant: dict[str, Any] = {}
        self.read: dict[str, Any] = {}
        self.sent: list[tuple[str, Any, Any]] = []
        self.lock = threading.Lock()

    def at(self, url: str) -> str:
        """The URL of the server, with this in its place."""
        return urlsplit(url)._replace(netloc=f"127.0.0.1:{self.server_address[1]}").geturl()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        write = self.server.is_write(self.command, self.path, body)
        if status := self.server.tell_tale.get("write" if write else "read"):
            self._send(_tale(" ".join(self.headers.get(name, "") for name in SECRETS), body, status))
        elif not write:
            self._send(self._planted(self._passed_on(body)))
        else:
            if self.command == "PUT":
                path = self.path.partition("?")[0]
                self.server.sent.append((path, self.server.read.get(path), json.loads(body)))
            with self.server.lock:
                lie = self.server.swallow.get(len(self.server.writes))
                answer = lie or self._passed_on(body)
                self.server.writes.append(answer)
            self._send(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _passed_on(self, body: bytes) -> Answer:
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in KEPT}
            line.request(self.command, self.path, body or None, headers)
            answer = line.getresponse()
            more = {k: v for k, v in answer.headers.items() if k.lower() in PASSED}
            return Answer(answer.status, answer.headers.get("Content-Type", ""), answer.read(), more)
        finally:
            line.close()

    def _planted(self, answer: Answer) -> Answer:
        if not self.server.plant or answer.status != 200 or "json" not in answer.kind:
            return answer
        value = planted(json.loads(answer.body), self.server.plant)
        self.server.read[self.path.partition("?")[0]] = value
        return Answer(answer.status, answer.kind, json.dumps(value).encode(), answer.more)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.more.items():
            self.send_header(name, value)
        if answer.kind:
            self.send_header("Content-Type", answer.kind)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


def planted(value: Any, plant: dict[str, Any]) -> Any:
    """The JSON value with `plant` in each of its objects."""
    if isinstance(value, dict):
        return {**{key: planted(inner, plant) for key, inner in value.items()}, **plant}
    return [planted(inner, plant) for inner in value] if isinstance(value, list) else value


def _tale(key: str, body: bytes, status: int) -> Answer:
    """An error as a careless server would write it."""
    sent = body.decode(errors="replace")
    told = {"message": f"Access denied for key {key.strip()} at /api?apikey={key.strip()}: {sent}"}
    told["description"] = f"apikey={key.strip()}"
    return Answer(status, "application/json", json.dumps(told).encode())


@contextmanager
def proxy(port: int, is_write: IsWrite) -> Iterator[Proxy]:
    found = Proxy(port, is_write)
    thread = threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.shutdown()
        found.server_close()
        thread.join()
