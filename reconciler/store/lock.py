"""The lock of a state folder: one process at a time applies. Held by `Store.lock`, and while a schema is made.

It is the kernel's (flock), so it dies with its process and nobody ever has to unlock. Beside it lies a record of who
holds it, for the message only: it is believed while the lock is held and its process is there, and ignored otherwise.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from reconciler.errors import LockedError, StoreError
from reconciler.store.faults import faults
from reconciler.store.rows import time_text

LOCK = "arr.lock"
HOLDER = "arr.lock.json"
DRAFT = "arr.db.new"  # a state that is being made
LOOKED_AT = 10.0  # seconds at most that others hold a file to see whether its process lives: they let go at once


class Holder(BaseModel):
    """Who holds the lock. `host` is the machine's or container's name: a pid means nothing elsewhere."""

    model_config = ConfigDict(frozen=True)

    pid: int
    host: str
    purpose: str
    since: datetime


@contextmanager
def hold(folder: Path, purpose: str, now: datetime, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the folder's lock for the block. `wait`: seconds to wait for another holder before LockedError.

    Not re-entrant, and threads count as strangers to each other. StoreError where the folder takes no lock.
    """
    # No soft lock in its place: a mere file would outlive its process.
    lock = FileLock(folder / LOCK, timeout=wait, mode=0o600, thread_local=False, fallback_to_soft=False)
    with faults(folder / LOCK):
        try:
            lock.acquire()
        except Timeout:
            raise _held(folder) from None
    try:
        _tidy(folder)
        with faults(folder / HOLDER):
            _record(folder, Holder(pid=os.getpid(), host=socket.gethostname(), purpose=purpose, since=now))
        try:
            yield
        finally:
            _forget(folder / HOLDER)
    finally:
        lock.release()


@contextmanager
def living(folder: Path, run: str) -> Iterator[None]:
    """Show that the process of `run` is at work, for the block. The kernel's lock again: it ends with the process."""
    path = folder / f"{run}.live"
    lock = FileLock(path, timeout=LOOKED_AT, mode=0o600, thread_local=False, fallback_to_soft=False)
    with faults(path):
        lock.acquire(poll_interval=0.01)
    try:
        yield
    finally:
        _forget(path)
        lock.release()


def alive(folder: Path, run: str) -> bool:
    """Whether the process of `run` is at work. What a dead one left is cleared away."""
    path = folder / f"{run}.live"
    with faults(path):
        try:
            handle = os.open(path, os.O_RDONLY)  # looking works on a read-only mount as well
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(handle, path):
                _forget(path)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
    return False


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file is the one at `path`: another one may have come there since, which somebody else holds."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _tidy(folder: Path) -> None:
    """Clear away what killed processes left and nobody asks about any more. For the holder of the lock: only it makes drafts."""
    for left in folder.glob("r*.live"):
        with suppress(StoreError):
            alive(folder, left.stem)
    for left in folder.glob(f"{DRAFT}*"):
        _forget(left)


def _forget(path: Path) -> None:
    """Take a file away that only a held lock gives a meaning. Where it cannot be it may stay: nobody believes it, and to
    fail here would hide how the work under the lock ended, or make a failure of what is done."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _record(folder: Path, holder: Holder) -> None:
    draft = folder / f"{HOLDER}.new"
    draft.write_text(json.dumps(holder.model_dump(mode="json")), encoding="utf-8")
    draft.replace(folder / HOLDER)


def _held(folder: Path) -> LockedError:
    holder = _holder(folder)
    if holder is None:
        return LockedError(
            f"another process is at work on the state {folder}", "wait until it has ended; then run again"
        )
    return LockedError(
        f"another process is at work on the state {folder}: {holder.purpose}, process {holder.pid} on {holder.host}, "
        f"since {time_text(holder.since)}",
        f"wait until it has ended; if it hangs, end process {holder.pid}: its lock is free as soon as it is gone",
    )


def _holder(folder: Path) -> Holder | None:
    """Who holds it; None when the record is not there yet, not readable, or of a process that is gone."""
    try:
        holder = Holder.model_validate_json((folder / HOLDER).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None
    if holder.host == socket.gethostname() and not _alive(holder.pid):
        return None
    return holder


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
