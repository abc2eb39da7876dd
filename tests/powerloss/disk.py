"""What a power cut may leave of a folder: the changes a process made to it, of which only what was synced is sure.

`Disk` plays the trace that `tests/store_faults/shim.c` wrote. A sync of a file makes its data sure, a sync of a folder the names
in it; everything since is *loose*: the disk may have any of it and not the rest, in any order, and a write by half. `remains`
gives such leftovers, as path → content. That is as careless as POSIX lets a disk be; real filesystems keep more.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_HEAD = struct.Struct("<cIQQQ")
_DATABASE = re.compile(r"\.db(\.new)?(-wal|-journal)?$")
Files = dict[str, bytes]


@dataclass(frozen=True)
class Change:
    """One change as the trace has it. `at`: an offset, or the new size of a cut; `data`: what was written, or the new name."""

    kind: str
    path: str
    inode: int
    at: int
    data: bytes


def read(trace: Path) -> list[Change]:
    """Every change of a trace, in order."""
    raw, found, at = trace.read_bytes(), [], 0
    while at < len(raw):
        kind, length, inode, offset, size = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        path = raw[at : at + length].decode()
        at += length
        has_data = kind in (b"w", b"r")
        found.append(Change(kind.decode(), path, inode, offset, raw[at : at + size] if has_data else b""))
        at += size if has_data else 0
    return found


@dataclass(eq=False)
class Node:
    """A file, whatever its name. `sure`: the content that is on the disk for certain."""

    sure: bytes = b""


@dataclass(eq=False)
class Loose:
    """A change that a power cut may undo: of a node's data (`node` and `change`), or of a name (`change` alone)."""

    change: Change
    node: Node

    @property
    def of_data(self) -> bool:
        return self.change.kind in "wt"


@dataclass
class Disk:
    """The sure state of a folder, and what is loose. Begins with the files that are there, all of them sure."""

    folder: Path
    names: dict[str, Node] = field(default_factory=dict)
    loose: list[Loose] = field(default_factory=list)
    _inodes: dict[int, Node] = field(default_factory=dict)
    _live: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for file in sorted(self.folder.rglob("*")):
            node = Node(file.read_bytes() if file.is_file() else b"")
            self.names[str(file)] = self._live[str(file)] = self._inodes[file.stat().st_ino] = node

    def play(self, changes: list[Change]) -> Disk:
        for change in changes:
            self._play(change)
        return self

    def _play(self, change: Change) -> None:
        if change.kind in "cd":
            node = self._live[change.path] = Node()
            if change.kind == "c":
                self._inodes[change.inode] = node
            self.loose.append(Loose(change, node))
        elif change.kind in "wt":
            self.loose.append(Loose(change, self._inodes[change.inode]))
        elif change.kind == "u":
            self.loose.append(Loose(change, self._live.pop(change.path)))
        elif change.kind == "r":
            node = self._live[change.data.decode()] = self._live.pop(change.path)
            self.loose.append(Loose(change, node))
        elif Path(change.path).is_dir():
            self._settle(lambda one: not one.of_data and str(Path(one.change.path).parent) == change.path)
        else:
            node = self._inodes[change.inode]
            self._settle(lambda one: one.of_data and one.node is node)

    def _settle(self, synced: Callable[[Loose], bool]) -> None:
        sure = [one for one in self.loose if synced(one)]
        self.loose = [one for one in self.loose if not synced(one)]
        for one in sure:
            if one.of_data:
                one.node.sure = done(one.node.sure, one.change)
            else:
                rename(self.names, one)

    # -- what may be left

    def after(self, kept: list[Loose], torn: Loose | None = None) -> Files:
        """The files when of what is loose only `kept` reached the disk, and of `torn` its first half."""
        names = dict(self.names)
        contents = {node: node.sure for node in [*names.values(), *(one.node for one in kept)]}
        for one in kept:
            if not one.of_data:
                rename(names, one)
            elif one is torn:
                half = Change(
                    "w", one.change.path, one.change.inode, one.change.at, one.change.data[: len(one.change.data) // 2]
                )
                contents[one.node] = done(contents[one.node], half)
            else:
                contents[one.node] = done(contents[one.node], one.change)
        return {path: contents[node] for path, node in names.items()}

    def remains(self) -> Iterator[tuple[str, Files]]:
        """Leftovers with what they are: nothing loose is kept, all is, each alone, each alone missing, each beginning; and
        the last write by half. What has no sense beyond its process (a lock's file) comes with none of them, or with all."""
        yield "nothing loose", self.after([])
        yield "everything", self.after(self.loose)
        loose = [one for one in self.loose if _DATABASE.search(one.change.path)]
        for n, one in enumerate(loose):
            yield f"{n} alone", self.after([one])
            yield f"all but {n}", self.after([o for o in loose if o is not one])
            yield f"up to {n}", self.after(loose[: n + 1])
        writes = [one for one in loose if one.change.kind == "w"]
        if writes:
            yield "the last torn", self.after(loose, torn=writes[-1])
            yield "the last torn, alone", self.after(writes[-1:], torn=writes[-1])


def rename(names: dict[str, Node], one: Loose) -> None:
    """Carry out a change of names."""
    kind, path = one.change.kind, one.change.path
    if kind in "cd":
        names[path] = one.node
    else:
        names.pop(path, None)
    if kind == "r":
        names[one.change.data.decode()] = one.node


def done(content: bytes, change: Change) -> bytes:
    """`content` after a write or a cut."""
    if change.kind == "t":
        return content[: change.at].ljust(change.at, b"\x00")
    end = change.at + len(change.data)
    return content[: change.at].ljust(change.at, b"\x00") + change.data + content[end:]
