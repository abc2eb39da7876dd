"""A server's log, as `GET /log` pages through it. It survives restarts, as the servers' own log database does."""

from __future__ import annotations

import threading

from sandbox.database import Table
from sandbox.errors import NetError
from sandbox.values import Json, iso, now, prune

_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")


class Log:
    """Rows in the order in which they were written."""

    def __init__(self, table: Table, lock: threading.RLock) -> None:
        self._table, self._lock = table, lock

    def add(self, level: str, logger: str, message: str, error: NetError | None = None) -> None:
        """Writes a row; an exception stands with its type and its (cut) stack."""
        with self._lock:
            row = {
                "time": iso(now()),
                "exception": error.full() if error else None,
                "exceptionType": error.kind if error else None,
                "level": level,
                "logger": logger,
                "message": message,
            }
            self._table.insert(prune(row))

    def rows(self, level: str | None = None) -> list[Json]:
        """Rows of this level and above, newest first."""
        with self._lock:
            least = _LEVELS.index(level.lower()) if level and level.lower() in _LEVELS else 0
            return [r for r in reversed(self._table.all()) if _LEVELS.index(r["level"]) >= least]
