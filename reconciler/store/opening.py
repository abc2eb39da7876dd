"""From a folder to an open database: create, recognise, migrate, refuse. Called by `Store.open`.

A new state is built beside its place and put there by one rename, so a database that is there is whole: an empty or
foreign file is never taken for a fresh start, which would mint a new lineage over a lost one. SQLite itself is never
allowed to create the file.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from reconciler.errors import StoreError
from reconciler.store import migrations
from reconciler.store.connection import BUSY_SECONDS, Connection, connect
from reconciler.store.faults import corrupt, faults, not_writable
from reconciler.store.lock import DRAFT, hold
from reconciler.store.migrations import APPLICATION_ID, Step
from reconciler.store.rows import time_in

NAME = "arr.db"
_MAGIC = b"SQLite format 3\x00"
_NO_PLACE = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR_SHM")


def open_writing(folder: Path, now: datetime, steps: Sequence[Step]) -> Connection:
    """The state of `folder` for reading and writing; made when there is none. StoreError, or LockedError while another
    process creates or migrates it."""
    path = folder / NAME
    with faults(path):
        _folder(folder)
        _make(folder)
        if not _there(path):
            with hold(folder, "create the state", now, wait=BUSY_SECONDS):
                if not _there(path):
                    _create(folder, now, steps)
        doubtful = _recognise(path)
        for file in (folder, path, _log(path)):
            if file.exists() and not _writable(file):
                raise not_writable(file)
        db = connect(f"{path.absolute().as_uri()}?mode=rw")
        try:
            found = _schema(db, path, steps, doubtful=doubtful)
            if found < len(steps):
                with hold(folder, "bring the state to the new schema", now, wait=BUSY_SECONDS):
                    migrations.migrate(db, steps)
            db.enable_wal()  # a backup that was put back may not be in that mode; otherwise nothing happens
        except BaseException:
            db.close()
            raise
    return Connection(db, path, read_only=False)


def open_reading(folder: Path, steps: Sequence[Step]) -> Connection:
    """The state of `folder` for reading only. Where there is none, an empty one in memory: nothing is created."""
    path = folder / NAME
    with faults(path):
        _folder(folder)
        if not _there(path):
            db = connect(":memory:")
            migrations.migrate(db, steps)
            return Connection(db, path, read_only=True)
        doubtful = _recognise(path)
        db = _reader(path)
        try:
            found = _schema(db, path, steps, doubtful=doubtful)
            if found < len(steps):
                db = _migrated_copy(db, steps)
        except BaseException:
            db.close()
            raise
    return Connection(db, path, read_only=True)


def problems(db: Database) -> list[str]:
    """What SQLite's own check finds wrong, a line each; empty when all is well. Reads the whole file."""
    try:
        found = [str(row[0]) for row in db.execute("PRAGMA quick_check").fetchall()]
    except sqlite3.DatabaseError as e:  # so damaged that not even the check gets through
        return [str(e)]
    return [] if found == ["ok"] else found


def _folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"the state folder {folder} is a file", "name another folder, or move that file away")


def _make(folder: Path) -> None:
    """The folder and every one above it that is missing; durable, as what will lie in it is to be."""
    missing = [f for f in (folder, *folder.absolute().parents) if not f.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in missing:
        _sync(made.parent)


def _writable(path: Path) -> bool:
    """Whether this user, on this mount, may write there (a read-only mount says no to root too)."""
    return os.access(path, os.W_OK)


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _logged(path: Path) -> bool:
    """Whether commits lie in the log beside the database."""
    return _log(path).exists() and _log(path).stat().st_size > 0


def _there(path: Path) -> bool:
    """Whether there is a state. A log without its database is half of one, and no fresh start."""
    if path.exists():
        return True
    if _logged(path):
        raise StoreError(
            f"the state {path} is gone, but its log {_log(path).name} is there",
            "put the database back beside its log; or, to start anew, move the log away as well",
        )
    return False


def _create(folder: Path, now: datetime, steps: Sequence[Step]) -> None:
    draft = folder / DRAFT
    for leftover in folder.glob(
        f"{DRAFT}*"
    ):  # strictly: a journal of an older draft would be played back into this one
        leftover.unlink()
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        db = connect(f"{draft.absolute().as_uri()}?mode=rw")
        try:
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            migrations.migrate(db, steps)
            with db.atomic():
                db.execute("INSERT INTO meta VALUES ('lineage', ?)", [str(uuid.uuid4())])
                db.execute("INSERT INTO meta VALUES ('created_at', ?)", [time_in(now)])
            db.enable_wal()
        finally:
            db.close()
        draft.replace(folder / NAME)
        _sync(folder)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _recognise(path: Path) -> bool:
    """Refuse what is not our database, by its header alone, before SQLite may touch it.

    True: the file is shorter than its header says while a log is there. A process killed as it folded the log into
    the file leaves that, and so does a truncated file: only reading all of it tells them apart.
    """
    if not path.is_file():
        raise StoreError(f"{path} is not a file", "name another state folder, or move it away")
    with path.open("rb") as file:
        head = file.read(100)
    if not head:
        raise corrupt(path, "it is empty")
    if not head.startswith(_MAGIC):
        raise corrupt(path, "it does not begin as a database does")
    if len(head) < 100:
        raise corrupt(path, f"it ends after {len(head)} bytes")
    if int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program; it was left alone", "name another state folder")
    page = int.from_bytes(head[16:18], "big")
    expected = (65536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
    size = path.stat().st_size
    if size < expected and not _logged(path):
        raise corrupt(path, f"it ends after {size} of {expected} bytes")
    return size < expected


def _reader(path: Path) -> Database:
    """A connection that cannot write. Where files may be made it makes SQLite's own two and takes them away again."""
    uri = path.absolute().as_uri()
    may_write = _writable(path) and _writable(path.parent)
    try:
        db = connect(f"{uri}?mode={'rw' if may_write else 'ro'}")
    except sqlite3.OperationalError as e:
        if not e.sqlite_errorname.startswith(_NO_PLACE) or _logged(path):
            raise
        # A reader needs a place for its locks. Where it finds none, and no log is there, nobody is writing either.
        db = connect(f"{uri}?mode=ro&immutable=1")
    db.execute("PRAGMA query_only = ON")
    return db


def _schema(db: Database, path: Path, steps: Sequence[Step], *, doubtful: bool) -> int:
    """How many steps the state has taken; StoreError when this program knows fewer, or the file is not whole."""
    found = migrations.version(db)
    if found > len(steps):
        raise StoreError(
            f"the state {path} is of a newer version of arr (schema {found}; this one knows {len(steps)}); "
            "it was left as it is",
            "use that newer version, or put back a backup from before",
        )
    if found == 0:
        raise corrupt(path, "it holds no schema")
    if not migrations.lineage_of(db):
        raise corrupt(path, "it has no lineage")
    if doubtful and (wrong := problems(db)):
        raise corrupt(path, wrong[0])
    return found


def _migrated_copy(db: Database, steps: Sequence[Step]) -> Database:
    """An older state, read without touching it: the missing steps are taken in a copy in memory."""
    copy = connect(":memory:")
    try:
        db.conn.backup(copy.conn)
        migrations.migrate(copy, steps)
    except BaseException:
        copy.close()
        raise
    db.close()
    return copy
