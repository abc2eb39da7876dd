"""The disks of a world, as the servers see them: virtual paths (`/data/tv1/…`) kept under a real folder.

Used by every server process and by the stack that prepares the world; all state is in the file system (and one small
JSON file beside it), so several processes share it. A disk is either a memory disk of its own, where the kernel says
*full*, *read-only* and *another filesystem*, or simulated: capacity is then the sum of the files' logical sizes (a
hardlinked file once, in whole pages) against the disk's size. Folders are listed newest entry first on both, which a
log of creations tells, because where a full disk stops a move depends on that order.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import from_os
from sandbox.values import Json

STATE = ".servers"
STALLED = "stalled"
PAGE = 4096
SYSTEM = ("bin", "boot", "dev", "etc", "lib", "opt", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "var")
_MACHINE_FREE, _MACHINE_TOTAL = 80_000_000_000, 270_000_000_000


@dataclass(frozen=True)
class Disk:
    """One mount: its virtual path and size; `reserved` bytes are used by what is not kept as files here.

    `fixed`: a disk that the servers list among the machine's (`/diskspace`), which memory and network disks are not.
    """

    path: str
    size: int
    backing: str = "simulated"
    reserved: int = 0
    readonly: bool = False
    alias_of: str = ""
    fixed: bool = False


class Order:
    """When each entry was made: an append-only log of paths, shared by all processes of a world."""

    def __init__(self, file: Path) -> None:
        self._file, self._read_to, self._count = file, 0, 0
        self._rank: dict[str, int] = {}
        self._reading = threading.Lock()  # a move lists folders while requests do

    def made(self, *paths: str) -> None:
        """Notes that these virtual paths have just been created or renamed into place."""
        with self._file.open("ab", buffering=0) as log:
            log.write("".join(f"{json.dumps(p)}\n" for p in paths).encode())

    def rank(self, path: str) -> int:
        """The later made, the higher; 0 for what nobody noted."""
        return self._rank.get(path, 0)

    def refresh(self) -> None:
        """Reads what was noted since the last time."""
        with self._reading:
            self._read()

    def _read(self) -> None:
        try:
            if self._file.stat().st_size == self._read_to:
                return
            with self._file.open("rb") as log:
                log.seek(self._read_to)
                data = log.read()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for line in whole.splitlines():
            self._count += 1
            self._rank[json.loads(line)] = self._count


@contextlib.contextmanager
def speaking_net(path: str) -> Iterator[None]:
    """Turns a failed system call into the .NET exception of the server it happens in."""
    try:
        yield
    except OSError as error:
        raise from_os(error, path) from error


class Disks:
    """The file system under a home. Methods take and give virtual paths and raise NetError."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._file = home / STATE / "disks.json"
        self._state: tuple[int, list[Disk]] = (0, [])
        self._used: dict[str, tuple[int, float, float, int]] = {}  # changes, when counted, how long it took, bytes
        self.order = Order(home / STATE / "order.log")

    # -- which disk is where

    def all(self) -> list[Disk]:
        """Every disk, as last written."""
        try:
            version = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if version != self._state[0]:
            self._state = (version, [Disk(**d) for d in json.loads(self._file.read_text())])
        return self._state[1]

    def declare(self, disks: list[Disk]) -> None:
        """Writes the list of disks, for all processes."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps([vars(d) for d in disks]))
        fresh.chmod(0o644)
        fresh.replace(self._file)
        for disk in disks:
            changes = self._changes_file(disk.path)
            changes.touch()
            changes.chmod(0o666)  # servers are other users

    def disk_of(self, path: str) -> Disk | None:
        """The disk a path is on: the longest mount that contains it."""
        found = [d for d in self.all() if path == d.path or path.startswith(d.path.rstrip("/") + "/")]
        return max(found, key=lambda d: len(d.path), default=None)

    def real(self, path: str) -> str:
        """Where a virtual path is kept."""
        return f"{self.home}{path}"

    def resolve(self, path: str) -> str:
        """The path with symbolic links in its parents followed, as the servers compare paths. Mounts stay apart."""
        disk = self.disk_of(path)
        root = os.path.realpath(self.real(disk.path if disk else ""))
        parent, name = os.path.split(path)
        true = os.path.realpath(self.real(parent))
        if disk and (true == root or true.startswith(root + "/")):
            return disk.path + true[len(root) :] + "/" + name
        home = os.path.realpath(self.home)
        return (true[len(home) :] if true.startswith(home + "/") else parent) + "/" + name

    def same_mount(self, a: str, b: str) -> bool:
        """Whether a rename from one to the other is possible."""
        return self._mount(self.resolve(a)) == self._mount(self.resolve(b))

    def _mount(self, path: str) -> str:
        disk = self.disk_of(path)
        return disk.path if disk else "/"

    # -- reading

    def is_folder(self, path: str) -> bool:
        return path.strip("/") in ("", *SYSTEM) or os.path.isdir(self.real(path))  # noqa: PTH112

    def is_file(self, path: str) -> bool:
        return os.path.isfile(self.real(path))  # noqa: PTH113

    def size(self, path: str) -> int:
        with speaking_net(path):
            return os.stat(self.real(path)).st_size  # noqa: PTH116

    def modified(self, path: str) -> float:
        with speaking_net(path):
            return os.stat(self.real(path)).st_mtime  # noqa: PTH116

    def listing(self, path: str) -> tuple[list[str], list[str]]:
        """Names of the folders and of the files in a folder, newest first. Links count as what they point at."""
        inside = path.strip("/")
        if inside in SYSTEM:
            return [], []
        with speaking_net(path), os.scandir(self.real(path)) as entries:
            found = sorted((e.name, e.is_dir()) for e in entries if inside or e.name != STATE)
        self.order.refresh()
        prefix = path.rstrip("/") + "/"
        found.sort(key=lambda e: -self.order.rank(prefix + e[0]))
        return [n for n, folder in found if folder], [n for n, folder in found if not folder]

    def walk(self, path: str) -> Iterator[str]:
        """Every file below a folder, folder by folder, newest first."""
        folders, files = self.listing(path)
        for name in files:
            yield f"{path.rstrip('/')}/{name}"
        for name in folders:
            yield from self.walk(f"{path.rstrip('/')}/{name}")

    def writable(self, path: str) -> bool:
        """Whether the server could create a file in this folder."""
        disk = self.disk_of(path)
        if path.strip("/") in ("", *SYSTEM):
            return False
        return not (disk and disk.readonly) and os.access(self.real(path), os.W_OK | os.X_OK)

    # -- space

    def free(self, path: str) -> int:
        """Bytes that can still be written where this path is. NetError when the folder is gone."""
        disk = self.disk_of(path)
        if disk is None:
            return _MACHINE_FREE
        if disk.backing == "tmpfs":
            with speaking_net(path):
                figures = os.statvfs(self.real(disk.path))
            return max(0, figures.f_bavail * figures.f_frsize - disk.reserved)
        return max(0, disk.size - disk.reserved - self._usage(disk))

    def total(self, path: str) -> int:
        disk = self.disk_of(path)
        return disk.size if disk else _MACHINE_TOTAL

    def machine(self) -> tuple[int, int]:
        """Free and total bytes of the machine's own disk (`/`)."""
        return _MACHINE_FREE, _MACHINE_TOTAL

    def changed(self, path: str) -> None:
        """Makes every process forget the remembered usage of the disk this path is on."""
        disk = self.disk_of(path)
        if disk:
            with self._changes_file(disk.alias_of or disk.path).open("ab", buffering=0) as log:
                log.write(b".")

    def _changes(self, disk: str) -> int:
        """How often something changed on a disk, told by any process."""
        try:
            return self._changes_file(disk).stat().st_size
        except FileNotFoundError:
            return 0

    def _changes_file(self, disk: str) -> Path:
        return self.home / STATE / f"changes{disk.replace('/', '-')}"

    def _usage(self, disk: Disk) -> int:
        key = disk.alias_of or disk.path
        counted, at, cost, known = self._used.get(key, (-1, 0.0, 0.0, 0))
        changes, began = self._changes(key), time.monotonic()
        if counted == changes and began - at < min(2.0, 20 * cost):
            return known
        seen: set[int] = set()
        known = _sum_files(self.real(key), [d.path for d in self.all() if d.path != key], self.real(""), seen)
        self._used[key] = (changes, began, time.monotonic() - began, known)
        return known

    # -- changing

    def make_folder(self, path: str) -> None:
        """Creates a folder and its missing parents; it may exist. A file of that name is an IOException."""
        if self.is_folder(path):
            return
        if os.path.lexists(self.real(path)):
            raise from_os(FileExistsError(errno.EEXIST, "File exists"), path)
        parent = path.rsplit("/", 1)[0]
        if parent and not self.is_folder(parent):
            self.make_folder(parent)
        self.require_writable(path)
        with speaking_net(path):
            os.mkdir(self.real(path))  # noqa: PTH102
        self.order.made(path)

    def remove_file(self, path: str) -> None:
        self.require_writable(path)
        with speaking_net(path):
            os.unlink(self.real(path))  # noqa: PTH108
        self.changed(path)

    def remove_folder(self, path: str) -> None:
        """Deletes a folder with all it holds, files before folders, up to the first refusal; links are not followed.

        Nothing goes when a file in it is somebody else's: the servers first make every file writable.
        """
        if os.path.islink(self.real(path)):  # noqa: PTH114
            self.remove_file(path)
            return
        for file in self.walk(path):
            if os.access(self.real(file), os.R_OK) and not os.access(self.real(file), os.W_OK):
                raise from_os(PermissionError(errno.EPERM, "Operation not permitted"), file)
        self._remove_tree(path)

    def _remove_tree(self, path: str) -> None:
        folders, files = self.listing(path)
        for name in files:
            self.remove_file(f"{path}/{name}")
        for name in folders:
            inside = f"{path}/{name}"
            if os.path.islink(self.real(inside)):  # noqa: PTH114
                self.remove_file(inside)
            else:
                self._remove_tree(inside)
        self.require_writable(path)
        with speaking_net(path):
            os.rmdir(self.real(path))  # noqa: PTH106

    def rename(self, source: str, target: str) -> None:
        """Renames within one mount; between two mounts it fails as the kernel would (EXDEV)."""
        self.require_writable(source)
        self.require_writable(target)
        if not self.same_mount(source, target):
            raise from_os(OSError(errno.EXDEV, "Invalid cross-device link"), target)
        with speaking_net(source):
            os.rename(self.real(source), self.real(target))  # noqa: PTH104
        self.order.made(target)
        self.changed(target)

    def link(self, source: str, target: str) -> None:
        """Gives a file a second name on its mount, as a hardlink; what stands there already stays."""
        self.require_writable(target)
        with speaking_net(target):
            os.link(self.real(source), self.real(target))
        self.order.made(target)
        self.changed(target)

    def require_writable(self, path: str) -> None:
        disk = self.disk_of(path)
        if disk and disk.readonly and disk.backing == "simulated":
            raise from_os(OSError(errno.EROFS, "Read-only file system"), path)


def _pages(size: int) -> int:
    return -(-size // PAGE) * PAGE


def _sum_files(folder: str, others: list[str], home: str, seen: set[int]) -> int:
    """Logical bytes below a real folder, in pages, without other disks mounted inside and without counting links twice."""
    total = 0
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return 0
    for entry in entries:
        try:
            info = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(info.st_mode):
            if entry.path[len(home) :] not in others:
                total += _sum_files(entry.path, others, home, seen)
        elif info.st_nlink == 1:
            total += _pages(info.st_size)
        elif info.st_ino not in seen:
            seen.add(info.st_ino)
            total += _pages(info.st_size)
    return total


def state_folder(home: Path, server: str) -> Path:
    """Where a server keeps its own things: database, config.xml."""
    return home / STATE / server


def read_settings(home: Path) -> Json:
    """The world's settings (`speed`, `slow_moves`, …), or none."""
    try:
        loaded: Json = json.loads((home / STATE / "settings.json").read_text())
    except FileNotFoundError:
        return {}
    return loaded
