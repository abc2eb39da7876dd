"""Folders of this machine as planning sees them: their names, a tree with sizes, and what of a tree on its way is here.

A folder that cannot be read is unknown. Links are told as such and never followed. Names that are no text of UTF-8 come
with lone surrogates, as Python has them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.facts import NotThere, Query, ReadFailed
from resources.clients.localfs.client import answers
from resources.clients.localfs.staging import believed, place


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file, link or other thing under a folder. `path` is relative, "" for the thing itself; `kind`: file, link, other."""

    path: str
    size: int
    kind: str


@dataclass(frozen=True)
class LocalNames(Query[tuple[str, ...]]):
    """The names in a folder, sorted. Never absent: a folder that is declared and not there may be a missing mount."""

    path: str


@dataclass(frozen=True)
class LocalTree(Query[tuple[LocalFile, ...]]):
    """Everything but folders under `path`, sorted; a file is a tree of one. Absent when there is no such thing."""

    path: str


@dataclass(frozen=True)
class Staged(Query[int]):
    """Bytes of the tree `name`, on its way into `target`, that need not be fetched again."""

    target: str
    name: str


def _failed(path: str | Path, error: OSError) -> ReadFailed:
    reason = f"{path} cannot be looked at on this machine ({error.strerror})"
    return ReadFailed("refused", reason, "is it mounted here, and may we read it?")


@answers(LocalNames)
def _names(query: LocalNames) -> tuple[str, ...]:
    try:
        return tuple(sorted(os.listdir(query.path)))  # noqa: PTH208  # names, not paths
    except OSError as e:
        raise _failed(query.path, e) from None


@answers(LocalTree)
def _tree(query: LocalTree) -> tuple[LocalFile, ...]:
    try:
        told = Path(query.path).lstat()
    except FileNotFoundError:
        raise NotThere(f"{query.path} is not there") from None
    except OSError as e:
        raise _failed(query.path, e) from None
    if not stat.S_ISDIR(told.st_mode):
        return (_entry("", told),)
    try:
        return tuple(sorted(_under(query.path, ""), key=lambda f: f.path))
    except OSError as e:
        raise _failed(e.filename or query.path, e) from None


def _entry(path: str, told: os.stat_result) -> LocalFile:
    kind = "file" if stat.S_ISREG(told.st_mode) else "link" if stat.S_ISLNK(told.st_mode) else "other"
    return LocalFile(path, told.st_size if kind == "file" else 0, kind)


def _under(root: str, folder: str) -> Iterator[LocalFile]:
    waiting = [folder]
    while waiting:
        at = waiting.pop()
        with os.scandir(f"{root}/{at}" if at else root) as entries:
            for entry in entries:
                path = f"{at}/{entry.name}" if at else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                else:
                    yield _entry(path, entry.stat(follow_symlinks=False))


@answers(Staged)
def _staged(query: Staged) -> int:
    try:
        known = believed(place(query.target, query.name) / "segments")
    except OSError as e:
        raise _failed(query.target, e) from None
    return sum(min(size, sum(length for _, length in ranges)) for size, _, ranges in known.values())
