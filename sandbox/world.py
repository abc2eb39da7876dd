"""A world outside the servers: disks, files, what is forbidden, and what happens to it as time goes on.

Speaks the vocabulary of the recordings (`disks`, `files`, `unwritable`, and events such as `make_file` or `chmod`), for
the fidelity replay, for tests and for scenarios alike. Runs in the process that owns the stack, with its rights: as root
it can mount memory disks and make things the servers (who are nobody) may not touch.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox import mounts
from sandbox.disks import STALLED, STATE, Disk, Disks, read_settings
from sandbox.values import Json

NOBODY = 65534
REAL_UP_TO_BYTES = 1 << 30


class World:
    """The file system of one home. `backing`: "simulated" capacities, or "tmpfs" (root only) for disks up to 1 GiB."""

    def __init__(self, home: Path, backing: str = "simulated") -> None:
        self.home, self._backing = home, backing
        self.disks = Disks(home)
        self._mounted: list[str] = []
        self._data_bytes: int | None = None
        self._events: dict[str, Callable[[Any], None]] = {
            "make_file": self._make_file,
            "make_folder": lambda e: self._folder(e["path"]),
            "remove": self._remove,
            "rename": self._rename,
            "chmod": self._chmod,
            "remount": self._remount,
            "symlink": self._symlink,
            "bind_mount": self._bind_mount,
            "slow_moves": lambda e: self.set(slow_moves=e or None),
            "metadata_stub": lambda e: self.set(metadata_stub=e),
            "metadata_stub_delay_seconds": lambda e: self.set(metadata_delay_s=e),
            "metadata_stub_forgot": lambda e: self._forget(e, True),
            "metadata_stub_knows_again": lambda e: self._forget(e, False),
        }

    def build(self, world: Json) -> None:
        """Makes the disks and the files of a world, in the order listed."""
        (self.home / STATE).mkdir(parents=True)
        self._own(self.home / STATE)
        log = self.home / STATE / "order.log"
        log.touch()
        self._own(log)
        for disk in world.get("disks", []):
            self._add_disk(disk)
        self._data_bytes = world.get("data_bytes")
        for path in world.get("folders", []):
            self._folder(path)
        self._fill(world.get("files", []))
        for path in world.get("unwritable", []):
            self._chmod({"path": path, "writable": False})
        self.set(**world.get("settings", {}))
        for entry in self.home.iterdir():
            if entry.name != STATE and self.disks.disk_of(f"/{entry.name}") is None:
                entry.chmod(0o555)

    def event(self, name: str, value: Any) -> bool:
        """Does one event of the vocabulary (a value or a list of them). False when it is not one of the world's."""
        act = self._events.get(name)
        if act is None:
            return False
        for one in value if isinstance(value, list) else [value]:
            act(one)
        return True

    def tree(self, roots: list[str]) -> list[Json]:
        """Files under these folders as [{path, size}]; an empty folder has a path that ends in `/` and size 0."""
        out: list[Json] = []
        for root in roots:
            base = self.disks.real(root)
            for folder, folders, files in os.walk(base):
                virtual = root + folder[len(base) :]
                for name in files:
                    with contextlib.suppress(FileNotFoundError):  # a server may be moving it right now
                        out.append({"path": f"{virtual}/{name}", "size": os.lstat(f"{folder}/{name}").st_size})
                if not folders and not files and folder != base:
                    out.append({"path": f"{virtual}/", "size": 0})
        return out

    def set(self, **values: Any) -> None:
        """Changes the world's settings, which the servers read as they go: `speed` (bytes/s), `slow_moves`, …"""
        settings = {**read_settings(self.home), **values}
        fresh = self.home / STATE / "settings.new"
        fresh.write_text(json.dumps({k: v for k, v in settings.items() if v is not None}))
        fresh.chmod(0o644)
        fresh.replace(self.home / STATE / "settings.json")

    def await_stall(self) -> None:
        """While moves are slow: waits until one has come to the point at which it stands still, for 10 s at most."""
        mark = self.home / STATE / STALLED
        end = time.monotonic() + 10
        while read_settings(self.home).get("slow_moves") and not mark.exists() and time.monotonic() < end:
            time.sleep(0.02)
        mark.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmounts what was mounted."""
        for path in reversed(self._mounted):
            mounts.unmount(self.disks.real(path))
        self._mounted.clear()

    def dispose(self) -> None:
        """Unmounts, and deletes the home with all in it, whatever was made unwritable."""
        self.close()
        for folder, folders, _ in os.walk(self.home):
            for name in folders:
                path = Path(folder) / name
                if not path.is_symlink():
                    path.chmod(0o755)
        self.home.chmod(0o755)
        shutil.rmtree(self.home)

    # -- disks

    def _add_disk(self, given: Json) -> None:
        path, size = given["path"], int(given["size"])
        self._folder(path)
        backing = "tmpfs" if self._backing == "tmpfs" and size <= REAL_UP_TO_BYTES else "simulated"
        if backing == "tmpfs":
            mounts.memory_disk(self.disks.real(path), size, NOBODY)
            self._mounted.append(path)
        fixed = bool(given.get("fixed")) and backing == "simulated"
        self._declare(Disk(path, size, backing, int(given.get("reserved", 0)), fixed=fixed))

    def _declare(self, disk: Disk) -> None:
        self.disks.declare([d for d in self.disks.all() if d.path != disk.path] + [disk])

    def _remount(self, event: Json) -> None:
        disk = next(d for d in self.disks.all() if d.path == event["path"])
        if disk.backing == "tmpfs":
            mounts.remount(self.disks.real(disk.path), writable=event["writable"])
        self._declare(Disk(**{**vars(disk), "readonly": not event["writable"]}))

    def _bind_mount(self, event: Json) -> None:
        """One folder under two paths; a symbolic link does for simulated disks, told apart as a mount of its own."""
        source, alias = event["from"], event["to"]
        origin = self.disks.disk_of(source)
        if origin is None:
            raise ValueError(f"{source} is on no disk")
        if origin.backing == "tmpfs":
            self._folder(alias)
            mounts.bind(self.disks.real(source), self.disks.real(alias))
            self._mounted.append(alias)
        else:
            self._folder(alias.rsplit("/", 1)[0])
            self._with_parent(alias, lambda: Path(self.disks.real(alias)).symlink_to(Path(source).name))
        self._declare(Disk(**{**vars(origin), "path": alias, "alias_of": origin.path}))

    # -- files

    def _fill(self, files: list[Json]) -> None:
        """Makes the files of a new world, many at a time: a library of thousands takes a second."""
        made: list[str] = []
        folders: set[str] = set()
        for file in files:
            path, size = file["path"], int(file["size"])
            parent = path.rpartition("/")[0]
            if parent not in folders:
                self.disks.order.made(*made)
                made.clear()
                self._folder(parent)
                folders.add(parent)
            if not path.endswith("/"):
                self._write(path, size)
                made.append(path)
        self.disks.order.made(*made)

    def _write(self, path: str, size: int) -> None:
        """Makes or remakes a file of this size: sparse, but for what a memory disk has to hold for real."""
        disk = self.disks.disk_of(path)
        handle = os.open(self.disks.real(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            os.ftruncate(handle, size)
            if disk is not None and disk.backing == "tmpfs" and size:
                os.posix_fallocate(handle, 0, min(size, self._data_bytes or size))
            if os.geteuid() == 0:
                os.fchown(handle, NOBODY, NOBODY)
        finally:
            os.close(handle)

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    def _folder(self, path: str) -> None:
        real = Path(self.disks.real(path))
        if real.is_dir():
            return
        parent = path.rsplit("/", 1)[0]
        if parent:
            self._folder(parent)
        self._with_parent(path, lambda: real.mkdir(mode=0o755))
        real.chmod(0o755)
        self._own(real)
        self.disks.order.made(path)

    def _with_parent(self, path: str, act: Callable[[], object]) -> None:
        """Does something in a folder that even its owner may not write to."""
        parent = Path(self.disks.real(path)).parent
        mode = stat.S_IMODE(parent.stat().st_mode)
        if os.access(parent, os.W_OK | os.X_OK):
            act()
            return
        parent.chmod(mode | 0o700)
        try:
            act()
        finally:
            parent.chmod(mode)

    def _make_file(self, event: Json) -> None:
        path, size = event["path"], int(event["size"])
        if path.endswith("/"):
            self._folder(path.rstrip("/"))
            return
        self._folder(path.rsplit("/", 1)[0])
        real = Path(self.disks.real(path))
        fresh = not real.exists()
        self._with_parent(path, lambda: self._write(path, size))
        if fresh:
            real.chmod(0o644)
            self._own(real)
            self.disks.order.made(path)
        self._touch_usage(path)

    def _remove(self, event: Json) -> None:
        real = Path(self.disks.real(event["path"]))
        if real.is_dir() and not real.is_symlink():
            mounted = event["path"] in self._mounted
            if mounted:
                mounts.unmount(str(real))
                self._mounted.remove(event["path"])
            self._with_parent(event["path"], lambda: shutil.rmtree(real))
        else:
            self._with_parent(event["path"], real.unlink)
        self._touch_usage(event["path"])

    def _rename(self, event: Json) -> None:
        source, target = event["from"], event["to"]
        self._folder(target.rsplit("/", 1)[0])
        kept = {p: self.disks.order.rank(p) for p in self._below(source)}
        shutil.move(self.disks.real(source), self.disks.real(target))
        if os.geteuid() == 0:
            self._own_all(Path(self.disks.real(target)))
        paths = sorted(kept, key=lambda p: kept[p])
        self.disks.order.made(*[target + p[len(source) :] for p in paths])
        self._touch_usage(source)
        self._touch_usage(target)

    def _own_all(self, path: Path) -> None:
        self._own(path)
        for folder, folders, files in os.walk(path):
            for name in [*folders, *files]:
                self._own(Path(folder) / name)

    def _below(self, path: str) -> list[str]:
        self.disks.order.refresh()
        base = self.disks.real(path)
        found = [path]
        for folder, folders, files in os.walk(base):
            found += [path + f"{folder}/{n}"[len(base) :] for n in [*folders, *files]]
        return found

    def _chmod(self, event: Json) -> None:
        top = Path(self.disks.real(event["path"]))
        paths = [top]
        if event.get("recursive"):
            paths += [Path(f) / n for f, ds, fs in os.walk(top) for n in [*ds, *fs]]
        for path in paths:
            if "writable" in event or "readable" in event:
                mode = (0o755 if path.is_dir() else 0o644) if event.get("readable", True) else 0
                mode = mode if event.get("writable", True) else mode & 0o555
            else:
                mode = int(event["mode"], 8)
            path.chmod(mode)

    def _symlink(self, event: Json) -> None:
        real, target = Path(self.disks.real(event["path"])), Path(self.disks.real(event["to"]))
        self._folder(event["path"].rsplit("/", 1)[0])
        self._with_parent(event["path"], lambda: real.symlink_to(os.path.relpath(target, real.parent)))
        self._own(real)
        self.disks.order.made(event["path"])

    def _forget(self, ident: int, gone: bool) -> None:
        known = [i for i in read_settings(self.home).get("metadata_forgot", []) if i != ident]
        self.set(metadata_forgot=[*known, ident] if gone else known)

    def _touch_usage(self, path: str) -> None:
        """Lets the servers see at once that a disk's usage has changed."""
        self.disks.changed(path)
        self.set(changed_at=time.time())
