"""One open database, shared by the threads of a process: every statement of the store goes through here.

`writing` is one transaction and one durable commit: in write-ahead mode with `synchronous=FULL` the log is synced
before it returns, so an intent that was written survives a power cut (law 6). Reads see one moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from sqlite_utils import Database

from reconciler.errors import StoreError
from reconciler.store.faults import faults

BUSY_SECONDS = 10.0

_PRAGMAS = (
    "synchronous = FULL",
    "fullfsync = ON",  # macOS: an fsync that reaches the platter
    "checkpoint_fullfsync = ON",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",  # a damaged page is noticed where it is read
    "journal_size_limit = 16777216",  # the log shrinks again after a large plan
)


def connect(uri: str) -> Database:
    """A sqlite-utils database over a connection that threads may share. No plugins: the state is ours alone."""
    raw = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        db = Database(raw, execute_plugins=False)
        for pragma in _PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
        # SQLite looks at a file only when it has to; one that cannot be used fails here, where openers expect it.
        db.execute("SELECT 1 FROM sqlite_master").fetchall()
    except BaseException:
        raw.close()
        raise
    return db


class Connection:
    """A database with the lock that serialises its threads. `path` is for messages."""

    def __init__(self, db: Database, path: Path, *, read_only: bool) -> None:
        self.db = db
        self.path = path
        self.read_only = read_only
        self._turn = RLock()

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Statements that all see the same moment. StoreError when the file cannot be read."""
        with self._turn, faults(self.path):
            try:
                self.db.execute("BEGIN")
                yield self.db
            finally:
                self.db.rollback()

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One transaction: all of it durable when the block ends, or, with any exception, nothing of it.

        StoreError when the store was opened read-only, or the disk does not take it.
        """
        if self.read_only:
            raise StoreError(f"the state {self.path} was opened for reading only", "nothing was changed")
        with self._turn, faults(self.path):
            try:
                # IMMEDIATE: a transaction that starts by reading could not wait for another process's write.
                self.db.execute("BEGIN IMMEDIATE")
                yield self.db
                self.db.execute("COMMIT")
            except BaseException:
                self.db.rollback()
                raise

    def close(self) -> None:
        """Let go of the file; the last one to do so folds the log into the database."""
        with self._turn:
            self.db.close()
