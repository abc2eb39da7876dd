"""A mark in a folder that says which one it is: the empty mount point of a disk that is not mounted does not bear it.

    FOLDER/.arr-partial/folder     one line, any text; empty: a person says that this is the right folder

Device numbers change from boot to boot, and a bind mount, a pool or a container hides what lies below it; a file on the disk
itself is there when the disk is. Written by whoever first puts something into the folder; what it should be, the ledger knows.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.facts import Query, ReadFailed
from reconciler.kind import WriteRefused
from resources.clients.localfs.client import answers
from resources.clients.localfs.staging import PARTIAL

NAME = "folder"
LONGEST = 200  # bytes; a mark of ours is much shorter


@dataclass(frozen=True)
class FolderMark(Query[str | None]):
    """The mark of the folder `path`: None when it bears none, "" for one that a person made or emptied."""

    path: str


def where(folder: str) -> Path:
    """The file that is the mark of `folder`."""
    return Path(folder) / PARTIAL / NAME


def look(folder: str) -> str | None:
    """See `FolderMark`. ReadFailed when it cannot be told."""
    try:
        with where(folder).open("rb") as file:
            return file.read(LONGEST).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return None
    except OSError as e:
        reason = f"{where(folder)} cannot be looked at on this machine ({e.strerror})"
        raise ReadFailed("refused", reason, "is it mounted here, and may we read it?") from None


@answers(FolderMark)
def _mark(query: FolderMark) -> str | None:
    return look(query.path)


def claim(folder: str, seen: str | None, mark: str) -> None:
    """Make `folder` bear `mark`, which it bears already or else bears `seen`. WriteRefused when it bears another, or none
    where one was seen; OSError as the disk has it. The folder itself is never made."""
    now = look(folder)
    if now == mark:
        return
    if now != seen or now:
        raise WriteRefused(f"{folder} is not the folder that was planned", "is its disk mounted?")
    path = where(folder)
    path.parent.mkdir(exist_ok=True)
    fresh = os.O_CREAT | os.O_EXCL if now is None else os.O_TRUNC
    fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | fresh, 0o644)
    try:
        os.write(fd, f"{mark}\n".encode())
        os.fsync(fd)
    finally:
        os.close(fd)
