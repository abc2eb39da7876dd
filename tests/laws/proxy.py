"""A proxy before one server that can lie: it keeps a write to itself and gives the answer of another run, it repeats the
caller's key in an error, or it answers with fields that nobody knows. Tests of law 8 (verified), law 9 (what is not declared
survives) and law 10 (no secret leaves) stand on it.

    with proxy(bench.server.port) as between:
        bench.url = between.url
        between.swallow[0] = answer        # the first write is not passed on
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    kind: str
    body: bytes


class Proxy(ThreadingHTTPServer):
    """`writes`: the answers to writes so far, in their order. `swallow`: number of a write (from 0) → what is answered
    instead of doing it. `tell_tale`: methods whose requests are answered with an error that repeats the key. `plant`: put into
    every object of every answer. `sent`: every PUT so far, as (path, what was last read there, what was sent)."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = port
        self.writes: list[Answer] = []
        self.swallow: dict[int, Answer] = {}
        self.tell_tale: dict[str, int] = {}
        self.plant: dict[str, Any] = {}
        self.read: dict[str, Any] = {}
        self.sent: list[tuple[str, Any, Any]] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command in self.server.tell_tale:
            self._send(_tale(self.headers.get("X-Api-Key", ""), self.server.tell_tale[self.command]))
        elif self.command == "GET":
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
            headers = {k: v for k, v in self.headers.items() if k.lower() in ("x-api-key", "content-type", "accept")}
            line.request(self.command, self.path, body or None, headers)
            answer = line.getresponse()
            return Answer(answer.status, answer.headers.get("Content-Type", ""), answer.read())
        finally:
            line.close()

    def _planted(self, answer: Answer) -> Answer:
        if not self.server.plant or answer.status != 200:
            return answer
        value = planted(json.loads(answer.body), self.server.plant)
        self.server.read[self.path.partition("?")[0]] = value
        return Answer(answer.status, answer.kind, json.dumps(value).encode())

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.kind:
            self.send_header("Content-Type", answer.kind)
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


def _tale(key: str, status: int) -> Answer:
    """An error as a careless server would write it."""
    told = {"message": f"Access denied for key {key} at /api?apikey={key}", "description": f"apikey={key}"}
    return Answer(status, "application/json", json.dumps(told).encode())


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    found = Proxy(port)
    thread = threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.shutdown()
        found.server_close()
        thread.join()
