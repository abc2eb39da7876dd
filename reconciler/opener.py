"""Open clients, one per connection and access, and the two worlds that verbs see.

Shared by observation, execution and settling. `ReadWorld` hands out clients whose transport refuses writes; only the
executor holds a `WriteWorld`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, cast

from reconciler.clock import Clock
from reconciler.connection import Access, App, Client
from reconciler.facts import ReadFailed
from reconciler.stack import Stack

HERE = "here"  # the connection that every stack has: this machine's own file system


class Opener:
    """Opens each connection at most once per access. Thread-safe. A connection that can't be opened is a ReadFailed."""

    def __init__(self, stack: Stack, apps: Mapping[str, App], clock: Clock) -> None:
        self.stack = stack
        self.clock = clock
        self._apps = apps
        self._open: dict[tuple[str, Access], Client] = {}
        self._lock = threading.Lock()

    def app(self, connection: str) -> App:
        """The app behind a connection; ReadFailed when nothing of that name is declared."""
        if connection == HERE and HERE in self._apps:
            return self._apps[HERE]
        spec = self.stack.connections.get(connection)
        if spec is None:
            raise ReadFailed(
                "refused", f"no connection is called {connection}", f"declare it: connections.{connection}"
            )
        return self._apps[spec.app]

    def client(self, connection: str, access: Access) -> Client:
        with self._lock:
            found = self._open.get((connection, access))
            if found is None:
                spec = self.stack.connections.get(connection)
                found = self.app(connection).open(connection, spec, access=access, clock=self.clock)
                self._open[connection, access] = found
            return found

    def close(self) -> None:
        with self._lock:
            for client in self._open.values():
                client.close()
            self._open.clear()

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class ReadWorld:
    """The world as a verb's `read` and `verify` see it: every client refuses writes."""

    access: Access = "read"

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def client(self, connection: str) -> Any:
        return cast("Any", self._opener.client(connection, self.access))

    def now(self) -> datetime:
        return self._opener.clock.now()

    def sleep(self, seconds: float) -> None:
        self._opener.clock.sleep(seconds)


class WriteWorld(ReadWorld):
    """The world as `perform` and `conclude` see it. A connection declared `access: read` still refuses."""

    access: Access = "write"
