"""Which bytes a path names: device, inode and how many names it has. For whoever decides whether a deletion frees anything.

Each path is answered by itself: a file that is not there is told apart from one that could not be looked at, because
"unreadable" taken for "no other names" has cost people their data. Links are not followed.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from reconciler.facts import Query, ReadFailed
from resources.clients.localfs.client import answers

MOST = 500_000  # things under one folder
BLOCK = 512  # bytes of what st_blocks counts
NO_DISK = -1  # the device of what lies on nobody tells which disk


@dataclass(frozen=True, slots=True)
class Inode:
    """One path as this machine sees it.

    `state`  file, folder, other (a link, a socket), missing (its folder is there, it is not) or unreadable (`why`).
    `names`  how many names these bytes have in all, 0 where that cannot be asked; `on_disk` the bytes that they take there.
    `ctime_ns`  when it was last written, renamed, linked or got other rights: no program can set it back, as it can `mtime_ns`.

    `device` is `NO_DISK` where that is not told, always or this once: it is like none but another such.

    Where no numbers of inodes are told (SFTP), `inode` stands for the path without links: equal for two ways to one file, and
    not for two hard links.
    """

    path: str
    state: str
    device: int = 0
    inode: int = 0
    names: int = 0
    size: int = 0
    on_disk: int = 0
    mtime_ns: int = 0
    why: str = ""
    ctime_ns: int = 0

    @property
    def ident(self) -> tuple[int, int]:
        """Equal for two names of the same bytes. What stands for an inode says on which disk it is, told or not."""
        return (self.device if self.names else 0, self.inode)


@dataclass(frozen=True)
class Inodes(Query[tuple[Inode, ...]]):
    """Each of `paths` (absolute, on this machine), in their order. Never fails as a whole."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Beneath(Query[tuple[Inode, ...]]):
    """Every file, link and other thing under a folder, and each folder that could not be read; sorted. No folders else.

    Unknown when the folder itself cannot be listed, or holds more than 500,000 things. `skip`: names of folders, directly
    in it, that are not looked into.
    """

    path: str
    skip: tuple[str, ...] = ()


def look(path: str) -> Inode:
    """One path."""
    try:
        told = os.lstat(path)
    except FileNotFoundError:
        return Inode(path, "missing")
    except (OSError, ValueError) as e:
        return Inode(path, "unreadable", why=(e.strerror if isinstance(e, OSError) else None) or "no path")
    mode = told.st_mode
    state = "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"
    return Inode(
        path, state, told.st_dev, told.st_ino, told.st_nlink, told.st_size, told.st_blocks * BLOCK, told.st_mtime_ns,
        ctime_ns=told.st_ctime_ns,
    )  # fmt: skip


@dataclass(frozen=True)
class RealPaths(Query[tuple[str, ...]]):
    """Each of `paths` without links, in their order. Never fails: what is not there keeps its name."""

    paths: tuple[str, ...]


@answers(RealPaths)
def _real(query: RealPaths) -> tuple[str, ...]:
    return tuple(os.path.realpath(path) for path in query.paths)


@answers(Inodes)
def _inodes(query: Inodes) -> tuple[Inode, ...]:
    return tuple(look(path) for path in query.paths)


@answers(Beneath)
def _beneath(query: Beneath) -> tuple[Inode, ...]:
    found: list[Inode] = []

    def failed(error: OSError) -> None:
        if error.filename == query.path:
            reason = f"{query.path} cannot be looked at on this machine ({error.strerror})"
            raise ReadFailed("refused", reason, "is it mounted here, and may we read it?")
        found.append(Inode(str(error.filename), "unreadable", why=error.strerror or "unreadable"))

    if not Path(query.path).is_dir():
        raise ReadFailed("refused", f"{query.path} is no folder on this machine", "is it mounted here?")
    for folder, folders, names in os.walk(query.path, onerror=failed):
        if folder == query.path:
            folders[:] = [name for name in folders if name not in query.skip]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        found += [look(f"{folder}/{name}") for name in (*names, *links)]
        if len(found) > MOST:
            raise ReadFailed("incomplete", f"{query.path} holds more than {MOST} things", "look at a smaller folder")
    return tuple(sorted(found, key=lambda i: i.path))
