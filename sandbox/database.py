"""A server's database: tables of JSON rows, in memory for reading and in a file for surviving.

Every write is committed before the call returns, so what a request changed is there after a SIGKILL: the servers commit
the row before they answer. Ids are never used twice. The caller holds the application's lock.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.values import Json


class Table:
    """Rows by id, in id order; `index` keeps the ids by one member's value for quick selection."""

    def __init__(self, database: Database, name: str, index: str | None, stored: dict[int, Json]) -> None:
        self._database, self.name, self._index_on = database, name, index
        self._rows: dict[int, Json] = {}
        self._index: dict[object, dict[int, None]] = {}
        self.watchers: list[Callable[[Json], None]] = []
        for row in stored.values():
            self._remember(row)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, ident: object) -> bool:
        return ident in self._rows

    def get(self, ident: int) -> Json | None:
        """The row (a copy of its top level), or None."""
        row = self._rows.get(ident)
        return dict(row) if row is not None else None

    def all(self) -> list[Json]:
        """Every row, by id."""
        return [dict(self._rows[i]) for i in sorted(self._rows)]

    def each(self) -> Iterator[Json]:
        """Every row without copying: for reading only."""
        return iter(list(self._rows.values()))

    def where(self, value: object) -> list[Json]:
        """The rows whose indexed member equals the value, by id, for reading only."""
        return [self._rows[i] for i in sorted(self._index.get(value, {}))]

    def insert(self, row: Json) -> Json:
        """Adds a row and gives it the next id."""
        return self.insert_many([row])[0]

    def insert_many(self, rows: Iterable[Json]) -> list[Json]:
        """Adds rows in one commit."""
        made = []
        for row in rows:
            stored = {**copy.deepcopy(row), "id": self._database.next_id(self.name)}
            self._remember(stored)
            made.append(dict(stored))
        self._database.write(self.name, {r["id"]: r for r in made})
        return made

    def update(self, row: Json) -> None:
        """Replaces the row with this id, when it is still there."""
        self.update_many([row])

    def update_many(self, rows: Iterable[Json]) -> None:
        """Replaces rows in one commit; rows that are gone are left gone."""
        kept = [copy.deepcopy(r) for r in rows if r["id"] in self._rows]
        for row in kept:
            self._forget(row["id"])
            self._remember(row)
        self._database.write(self.name, {r["id"]: r for r in kept})

    def delete(self, *idents: int) -> None:
        """Removes rows; ids that nothing has are ignored."""
        gone = [i for i in idents if i in self._rows]
        for ident in gone:
            self._forget(ident)
        self._database.write(self.name, dict.fromkeys(gone))

    def _remember(self, row: Json) -> None:
        self._rows[row["id"]] = row
        if self._index_on:
            self._index.setdefault(row.get(self._index_on), {})[row["id"]] = None
        for watcher in self.watchers:
            watcher(row)

    def _forget(self, ident: int) -> None:
        row = self._rows.pop(ident)
        if self._index_on:
            self._index.get(row.get(self._index_on), {}).pop(ident, None)
        for watcher in self.watchers:
            watcher(row)


class Database:
    """One append-only file: a line per commit, `[[table, id, row or null], …]`.

    A killed process loses nothing that was committed, and a torn last line is no commit; a power cut is not simulated.
    """

    def __init__(self, path: Path) -> None:
        self._stored: dict[str, dict[int, Json]] = {}
        self._last: dict[str, int] = {}
        self._pending: list[tuple[str, int, Json | None]] = []
        self._depth = 0
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        for line in whole.splitlines():
            for name, ident, row in json.loads(line):
                self._last[name] = max(ident, self._last.get(name, 0))
                rows = self._stored.setdefault(name, {})
                if row is None:
                    rows.pop(ident, None)
                else:
                    rows[ident] = row
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.ftruncate(self._file, len(whole))

    def table(self, name: str, index: str | None = None) -> Table:
        """The table of this name, with what it held when the server last ran."""
        return Table(self, name, index, self._stored.pop(name, {}))

    @contextmanager
    def together(self) -> Iterator[None]:
        """One commit for everything written inside."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            self._commit()

    def next_id(self, name: str) -> int:
        """The next id of a table."""
        self._last[name] = self._last.get(name, 0) + 1
        return self._last[name]

    def write(self, name: str, rows: dict[int, Json | None]) -> None:
        """Stores rows (None: removes them) in one commit."""
        self._pending += [(name, ident, row) for ident, row in rows.items()]
        self._commit()

    def _commit(self) -> None:
        if self._depth or not self._pending:
            return
        line = json.dumps(self._pending, separators=(",", ":")).encode() + b"\n"
        self._pending.clear()
        while line:
            line = line[os.write(self._file, line) :]
