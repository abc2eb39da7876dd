"""From what SQLite and the filesystem say to a refusal that a person can act on.

Every access to the database runs inside `faults(path)`. A refused write has changed nothing: the transaction was rolled
back. Anything that is not a condition of the disk or the file is a mistake of ours and is raised as it came.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import ArrError, LockedError, StoreError
from reconciler.store.rows import Unreadable

_NO_TEXT = "a text in it is no UTF-8"
RECOVERY = "see 'Recovery' in state/README.md"


def corrupt(path: Path, how: str) -> StoreError:
    """The file cannot be believed."""
    return StoreError(
        f"the state {path} is damaged: {how}; it was left as it is", f"put a backup in its place: {RECOVERY}"
    )


def full(path: Path) -> StoreError:
    """No room for another record."""
    return StoreError(
        f"the disk of the state folder {path.parent} is full; nothing was recorded, and nothing was done without a record",
        "free some space there, then run the command again",
    )


def not_writable(path: Path) -> StoreError:
    """The file, its folder or its mount does not take writes."""
    return StoreError(
        f"the state {path} cannot be used ({_owner(path)})",
        "run as the user it belongs to, or give this user the folder and all files in it; "
        "a read-only mount has to be mounted for writing",
    )


def _owner(path: Path) -> str:
    try:
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return "its filesystem is mounted read-only"
        found = path.stat()
    except OSError as e:
        return e.strerror or "it cannot be looked at"
    return f"it belongs to user {found.st_uid}, mode {found.st_mode & 0o777:04o}; this is user {os.geteuid()}"


def of_os(error: OSError, path: Path) -> StoreError:
    """A file operation beside the database failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(path)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return not_writable(path)
    return StoreError(
        f"the state {path} cannot be used: {error.strerror or error}", "check the disk and the folder's path"
    )


def of_sqlite(error: sqlite3.Error, path: Path) -> ArrError | None:
    """The refusal for what SQLite reports; None when it is no condition of file or disk."""
    name: str = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LockedError(
            f"another process has been writing to the state {path} for too long", "wait for it, then run again"
        )
    if name.startswith("SQLITE_FULL"):
        return full(path)
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN")):
        return not_writable(path)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return corrupt(path, str(error))
    if str(error).startswith("Could not decode to UTF-8"):  # told by Python, without a name
        return corrupt(path, _NO_TEXT)
    if name.startswith("SQLITE_IOERR"):
        if _no_room(path.parent):
            return full(path)
        return StoreError(f"the disk failed under the state {path} ({name})", f"check the disk; then {RECOVERY}")
    return None


def _no_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < 1 << 16
    except OSError:
        return False


@contextmanager
def faults(path: Path) -> Iterator[None]:
    """Turn conditions of file and disk into StoreError (LockedError when another process holds on to the file)."""
    try:
        yield
    except sqlite3.Error as e:
        known = of_sqlite(e, path)
        if known is None:
            raise
        raise known from e
    except OSError as e:
        raise of_os(e, path) from e
    except UnicodeDecodeError as e:  # a name of the schema, or SQLite's own words with one in them
        raise corrupt(path, _NO_TEXT) from e
    except Unreadable as e:
        raise corrupt(path, str(e)) from None
