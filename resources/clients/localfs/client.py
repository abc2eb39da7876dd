"""This machine's own file system as a connection: the size of a disk, and which files have other names.

Opened by the engine under the name `here`, which every stack has without declaring it. A folder that cannot be looked at
is unknown, never empty and never "no hard links". What writes asks `writable` first, and lies in modules beside this one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from reconciler.clock import Clock
from reconciler.connection import Access, App, ConnectionSpec, Finding, Place
from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.kind import WriteRefused

T = TypeVar("T")

HERE = "here"
MOST_FILES = 100_000  # of one item; a folder with more is not walked to its end


@dataclass(frozen=True, slots=True)
class Space:
    """A file system, in bytes. `free` is what a user without privileges may still write."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Linked:
    """The files under a folder. `shared`: those that also have a name outside of it, with their bytes (each inode once).

    `symlinks`: symbolic links to files or folders, the folder itself counted in; what they point at is no part of `files`.
    """

    files: int
    bytes: int
    shared_files: int
    shared_bytes: int
    symlinks: int = 0


@dataclass(frozen=True)
class FsSize(Query[Space]):
    """How big the file system is that holds `path`."""

    path: str


@dataclass(frozen=True)
class HardLinks(Query[Linked]):
    """Which files under `path` are hard-linked from outside of it. Absent when there is no such folder."""

    path: str


_ANSWERS: dict[type[Query[Any]], Callable[[Any], Any]] = {}


def answers(query: type[Query[T]]) -> Callable[[Callable[[Any], T]], Callable[[Any], T]]:
    """Make the decorated function the answer to `query`; for the modules beside this one."""

    def keep(answer: Callable[[Any], T]) -> Callable[[Any], T]:
        _ANSWERS[query] = answer
        return answer

    return keep


class LocalFs:
    """The client. Thread-safe: it holds nothing but whether it may write."""

    def __init__(self, *, writable: bool = False) -> None:
        self._writable = writable

    def read(self, query: Query[T]) -> T:
        answer = _ANSWERS.get(type(query))
        if answer is None:
            raise ReadFailed("refused", f"this machine's file system cannot be asked {type(query).__name__}")
        return cast("T", answer(query))

    def writable(self) -> None:
        """WriteRefused unless it was opened for writing."""
        if not self._writable:
            raise WriteRefused("this machine's file system was opened for reading only")

    def close(self) -> None:
        """Nothing is open."""


def _failed(path: str, error: OSError) -> ReadFailed:
    return ReadFailed(
        "refused", f"{path} cannot be looked at on this machine ({error.strerror})", "is it mounted here?"
    )


@answers(FsSize)
def _space(query: FsSize) -> Space:
    path = query.path
    try:
        if not stat.S_ISDIR(Path(path).stat().st_mode):
            raise ReadFailed("refused", f"{path} is no folder on this machine", "name a folder on that disk")
        found = os.statvfs(path)
    except OSError as e:
        raise _failed(path, e) from None
    return Space(total=found.f_blocks * found.f_frsize, free=found.f_bavail * found.f_frsize)


@answers(HardLinks)
def _linked(query: HardLinks) -> Linked:
    path = query.path

    def stop(error: OSError) -> None:
        raise _failed(error.filename or path, error) from None

    if not Path(path).is_dir():
        if Path(path).parent.is_dir():
            raise NotThere(f"{path} is not there")
        raise ReadFailed("refused", f"{Path(path).parent} is no folder on this machine", "is it mounted here?")
    names: dict[tuple[int, int], list[int]] = {}  # inode → names found here, names it has, bytes
    files, links = 0, int(Path(path).is_symlink())
    for folder, folders, found in os.walk(path, onerror=stop):
        links += sum(Path(folder, name).is_symlink() for name in folders)
        for name in found:
            try:
                told = Path(folder, name).lstat()
            except OSError as e:
                raise _failed(f"{folder}/{name}", e) from None
            links += stat.S_ISLNK(told.st_mode)
            if not stat.S_ISREG(told.st_mode):
                continue
            files += 1
            if files > MOST_FILES:
                raise ReadFailed("incomplete", f"{path} holds more than {MOST_FILES} files")
            names.setdefault((told.st_dev, told.st_ino), [0, told.st_nlink, told.st_size])[0] += 1
    shared = [entry for entry in names.values() if entry[1] > entry[0]]
    return Linked(
        files=files,
        bytes=sum(entry[2] for entry in names.values()),
        shared_files=sum(entry[0] for entry in shared),
        shared_bytes=sum(entry[2] for entry in shared),
        symlinks=links,
    )


class LocalSpec(ConnectionSpec):
    """Nothing to say: this machine is always there."""


class LocalApp(App):
    """How the engine opens `here`."""

    name = HERE
    Spec = LocalSpec

    def open(self, name: str, spec: Any, *, access: Access, clock: Clock) -> LocalFs:
        return LocalFs(writable=access == "write")

    def examine(self, client: Any, spec: Any, clock: Clock) -> list[Finding]:
        return []

    def places(self, client: Any, paths: Sequence[str]) -> dict[str, Place]:
        return {path: _place(client, path) for path in paths}


def _place(client: LocalFs, path: str) -> Place:
    try:
        space = client.read(FsSize(HERE, path))
    except (ReadFailed, NotThere):
        return Place(known=True)
    return Place(known=True, accessible=True, free=space.free, size=space.total)


APP = LocalApp()
