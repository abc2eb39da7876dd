"""What unfinished fetches have left in the hidden folder beside their target, and clearing it.

Only folders that `staging` made are told: one of its keys for a name, no link. What a living process holds is told as busy,
and is never cleared.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.facts import Query, ReadFailed
from reconciler.kind import WriteRefused
from resources.clients.localfs.client import LocalFs, answers
from resources.clients.localfs.staging import PARTIAL, named

_KEY = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True, slots=True)
class Leftover:
    """One tree on its way. `key`: the name of its folder; `name`: what it was to be called, "" where that is not known;
    `bytes` on disk; `changed_ns`: when something last came; `busy`: a process is at work on it."""

    key: str
    name: str
    bytes: int
    changed_ns: int
    busy: bool


@dataclass(frozen=True)
class Leftovers(Query[tuple[Leftover, ...]]):
    """What is on its way into the folder `target`, sorted by key."""

    target: str


@answers(Leftovers)
def _leftovers(query: Leftovers) -> tuple[Leftover, ...]:
    home = Path(query.target) / PARTIAL
    try:
        found = sorted(entry.name for entry in home.iterdir())
        return tuple(one for key in found if _KEY.fullmatch(key) and (one := _one(home / key)) is not None)
    except FileNotFoundError:
        return ()
    except OSError as e:
        reason = f"{e.filename or home} cannot be looked at on this machine ({e.strerror})"
        raise ReadFailed("refused", reason, "is it mounted here, and may we read it?") from None


def _one(folder: Path) -> Leftover | None:
    told = folder.lstat()
    if not stat.S_ISDIR(told.st_mode):
        return None
    seen = [path.lstat() for path in _under(folder)]
    segments = folder / "segments"
    last = segments.lstat().st_mtime_ns if segments.exists() else 0
    size = sum(one.st_blocks * 512 for one in seen)
    return Leftover(folder.name, named(folder), size, max(told.st_mtime_ns, last), _busy(segments))


def _under(folder: Path) -> Iterator[Path]:
    for where, _, files in os.walk(folder):
        yield from (Path(where, name) for name in files)


def _busy(segments: Path) -> bool:
    try:
        with segments.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def clear(fs: LocalFs, target: str, key: str) -> None:
    """Remove it. WriteRefused while a process is at work on it, for what is no such folder, and as the disk has it."""
    fs.writable()
    folder = Path(target) / PARTIAL / key
    if not _KEY.fullmatch(key) or folder.is_symlink() or folder.parent.is_symlink() or not folder.is_dir():
        raise WriteRefused(f"{folder} is no unfinished fetch: nothing was removed")
    if _busy(folder / "segments"):
        raise WriteRefused(f"{folder} is being fetched by another process", "wait for it: arr status")
    try:
        shutil.rmtree(folder)
    except OSError as e:
        raise WriteRefused(f"{e.filename or folder} could not be removed ({e.strerror})") from None
