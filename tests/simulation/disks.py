"""Disks and files in memory, as servers see them: paths, sizes, room. The lowest floor of the simulated world.

A file is its size (see `stage.py`): `whole` is the set of all sizes that must exist, and `harm` collects what arr has
done to one of them. A folder may be reachable under two paths (`alias`), and a disk may be away (`unmounted`: its mount
point is an empty folder of the machine's own disk).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

PAGE = 4096
MACHINE = (80_000_000_000, 270_000_000_000)  # free and total bytes of the machine's own disk
VIDEO = (".mkv", ".mp4", ".avi")


@dataclass
class Files:
    """`sizes`: virtual path → bytes, in the order of making; `disks`: mount → bytes; `folders`: those that were made."""

    disks: dict[str, int]
    sizes: dict[str, int] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    partial: set[str] = field(default_factory=set)
    whole: set[int] = field(default_factory=set)
    harm: list[str] = field(default_factory=list)
    alias: dict[str, str] = field(default_factory=dict)
    unmounted: set[str] = field(default_factory=set)

    def real(self, path: str) -> str:
        """The one path of a file that may have two."""
        for shown, true in self.alias.items():
            if path == shown or path.startswith(shown + "/"):
                return true + path[len(shown) :]
        return path

    def disk_of(self, path: str) -> str:
        """The mount that a path is on; "" for the machine's own disk."""
        path = self.real(path)
        return next((d for d in self.disks if path == d or path.startswith(d + "/")), "")

    def away(self, path: str) -> bool:
        return self.disk_of(path) in self.unmounted

    # -- reading

    def is_folder(self, path: str) -> bool:
        path = self.real(path)
        if self.away(path):
            return path.count("/") <= 3  # the mount point and its bare roots
        return path in self.folders

    def size(self, path: str) -> int | None:
        path = self.real(path)
        return None if self.away(path) else self.sizes.get(path)

    def below(self, path: str) -> Iterator[tuple[str, int]]:
        """(name relative to the folder, bytes) of every file below it, oldest first."""
        path = self.real(path)
        if self.away(path):
            return
        prefix = path + "/"
        for name, size in self.sizes.items():
            if name.startswith(prefix):
                yield name[len(prefix) :], size

    def listing(self, path: str) -> tuple[list[str], dict[str, int]]:
        """Names of the folders (sorted), and the files with their sizes (oldest first), directly in a folder."""
        path = self.real(path)
        if self.away(path) or path not in self.folders:
            return [], {}
        prefix, deep = path + "/", len(path) + 1
        inside = {name[deep:] for name in self.folders if name.startswith(prefix) and "/" not in name[deep:]}
        files = {n[deep:]: s for n, s in self.sizes.items() if n.startswith(prefix) and "/" not in n[deep:]}
        return sorted(inside), files

    def free(self, path: str) -> int:
        disk = self.disk_of(path)
        if not disk or disk in self.unmounted:
            return MACHINE[0]
        used = sum(-(-size // PAGE) * PAGE for name, size in self.sizes.items() if name.startswith(disk + "/"))
        return max(0, self.disks[disk] - used)

    # -- changing

    def make_folder(self, path: str) -> None:
        path = self.real(path)
        while path and path not in self.folders:
            self.folders.add(path)
            path = path.rpartition("/")[0]

    def make(self, path: str, size: int, *, partial: bool = False) -> None:
        """A new file; `partial`: half a copy, which nobody has to keep."""
        path = self.real(path)
        self.make_folder(path.rpartition("/")[0])
        self.sizes[path] = size
        (self.partial.add if partial else self.partial.discard)(path)
        if not partial:
            self.whole.add(size)

    def remove(self, path: str, by: str) -> None:
        """Delete a file. When arr had it done and it was whole, that is harm."""
        path = self.real(path)
        size = self.sizes.pop(path)
        if path in self.partial:
            self.partial.discard(path)
        elif by == "arr":
            self.harm.append(f"{path} ({size} bytes) was deleted or overwritten")
        else:
            self.whole.discard(size)

    def rename(self, source: str, target: str) -> None:
        """One file, within a disk or, for a person's `mv`, between two; to a place where none is."""
        source, target = self.real(source), self.real(target)
        size, partial = self.sizes.pop(source), source in self.partial
        self.partial.discard(source)
        self.make(target, size, partial=partial)

    def remove_folder(self, path: str, by: str) -> None:
        path = self.real(path)
        for name in [n for n in self.sizes if n.startswith(path + "/")]:
            self.remove(name, by)
        self.folders -= {f for f in self.folders if f == path or f.startswith(path + "/")}

    def wrong(self) -> list[str]:
        """What is lost or doubled, and what arr has harmed."""
        found: dict[int, list[str]] = {}
        for path, size in self.sizes.items():
            if path not in self.partial:
                found.setdefault(size, []).append(path)
        lost = [f"the file of {size} bytes is lost" for size in sorted(self.whole - found.keys())]
        twice = [f"{' and '.join(paths)} are one file twice" for paths in found.values() if len(paths) > 1]
        return [*self.harm, *lost, *twice]


def videos(names: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {name: size for name, size in names if name.endswith(VIDEO)}
