"""A plain client of one simulated server, for tests: JSON in, (status, JSON) out, and waiting for commands."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

from sandbox.process import Stack

LIMIT_S = 15.0


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of the condition; fails when there is none in time."""
    end = time.monotonic() + LIMIT_S
    while not (value := condition()):
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)
    return value


class Ask:
    """Speaks to one server of a stack, with its key."""

    def __init__(self, stack: Stack, server: str, key: str | None = None) -> None:
        self._stack, self._server, self._key = stack, server, key

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body as they come."""
        handle = self._stack[self._server]
        connection = http.client.HTTPConnection("127.0.0.1", handle.port, timeout=LIMIT_S)
        try:
            headers = {"X-Api-Key": self._key or handle.api_key, "Content-Type": "application/json"}
            connection.request(method, f"/api/v3{path}", json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        status, _, data = self.raw(method, path, body)
        return status, json.loads(data) if data else None

    def get(self, path: str) -> Any:
        """The body of a GET that must be fine."""
        status, body = self("GET", path)
        assert status == 200, body
        return body

    def run(self, name: str, **members: Any) -> dict[str, Any]:
        """A command, once it has ended."""
        status, made = self("POST", "/command", {"name": name, **members})
        assert status == 201, made
        return self.ended(made["id"])

    def ended(self, ident: int) -> dict[str, Any]:
        """The command with this id, once it has ended."""
        return until(lambda: self._ended(ident), f"command {ident} ends")

    def _ended(self, ident: int) -> Any:
        found = self.get(f"/command/{ident}")
        return found if found["status"] not in ("queued", "started") else None

    def last(self, name: str) -> dict[str, Any]:
        """The latest command of this name, once it has ended."""
        ids = [c["id"] for c in self.get("/command") if c["name"] == name]
        return self.ended(max(ids))
