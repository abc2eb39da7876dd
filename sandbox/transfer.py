"""Moves a folder the way the servers do: one rename on the same mount, else file by file, overwriting what is there.

Used by the move commands of every app, and by deletions into a recycle bin. What a killed, full or refused move leaves
behind follows from the order of the steps here: a file leaves the source only when its copy is whole, a failed copy is
taken back when the source is still there, the source folder goes last, with whatever small things remain in it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sandbox.disks import STALLED, STATE, Disks, read_settings, speaking_net
from sandbox.errors import NetError, io_error

VIDEO = frozenset(
    (
        ".mkv", ".mp4", ".avi", ".m4v", ".wmv", ".mov", ".mpg", ".mpeg", ".ts", ".m2ts", ".webm", ".flv",
        ".ogm", ".ogv", ".divx", ".iso", ".img", ".vob", ".strm", ".asf", ".3gp",
    )
)  # fmt: skip
LARGE_LEFTOVER_BYTES = 100 * 1024 * 1024
_STEP = 8 * 1024 * 1024
_TICK_S = 0.05


def is_video(name: str) -> bool:
    """Whether the servers take a file of this name for a video."""
    return os.path.splitext(name)[1].lower() in VIDEO  # noqa: PTH122


@dataclass
class Pace:
    """How fast files are copied. `bytes_per_s` None is as fast as it goes.

    When moves are slow (`stall_after` is a number of videos), that many videos move whole and the next stops half
    copied, until the setting is lifted or the process killed.
    """

    bytes_per_s: float | None = None
    stall_after: int | None = None


class Watch(Protocol):
    """Sees moves as they go, and may fail them by raising OSError."""

    def begin(self, source: str, target: str) -> None:
        """A folder is about to be moved."""

    def halfway(self, target: str) -> None:
        """A video is half copied; a copy that is tried again comes by again."""


class Transfer:
    """Moves files on one world's disks. `log` takes (level, logger, message); `watch` is asked when there is one."""

    watch: Watch | None = None

    def __init__(self, disks: Disks, log: Callable[[str, str, str], None], retry_s: float) -> None:
        self._disks, self._log, self._retry_s = disks, log, retry_s
        self._slow: object = None
        self._videos = 0

    def move_folder(self, source: str, target: str) -> None:
        """Moves all of a folder, whatever it holds. NetError when it breaks; what was moved by then stays moved."""
        if self.watch:
            with speaking_net(target):
                self.watch.begin(source, target)
        self._move_tree(source, target)

    def _move_tree(self, source: str, target: str) -> None:
        disks = self._disks
        source, target = disks.resolve(source), disks.resolve(target)
        if source == target:
            raise io_error(f"Source and destination can't be the same {source}")
        if not disks.is_folder(target) and disks.same_mount(source, target):
            if os.path.lexists(disks.real(target)):
                raise io_error(f"The file '{target}' already exists.")
            disks.rename(source, target)
            return
        disks.make_folder(target)
        folders, _ = disks.listing(source)
        for name in folders:
            self._move_tree(f"{source}/{name}", f"{target}/{name}")
        _, files = disks.listing(source)
        for name in files:
            self.move_file(f"{source}/{name}", f"{target}/{name}")
        left = sum(disks.size(f"{source}/{name}") for name in disks.listing(source)[1])
        if left > LARGE_LEFTOVER_BYTES:
            raise io_error(f"Large files still exist in {source} after folder move, not deleting source folder")
        disks.remove_folder(source)

    def move_file(self, source: str, target: str) -> None:
        """Moves one file over whatever is at the target."""
        disks = self._disks
        if not disks.is_file(source):
            raise NetError("System.IO.FileNotFoundException", f"Could not find file '{source}'.")
        size = disks.size(source)
        if os.path.lexists(disks.real(target)):
            disks.remove_file(target)
        if not disks.is_file(source):
            # The target was the source under another name, and is gone now.
            self._roll_back(source, target)
            raise NetError("System.InvalidOperationException", "Path doesn't exist!")
        if disks.same_mount(source, target):
            disks.rename(source, target)
            return
        try:
            self._copy(source, target, size)
            disks.remove_file(source)
        except NetError:
            self._roll_back(source, target)
            raise
        self._videos += is_video(target)

    def copy_file(self, source: str, target: str) -> None:
        """Copies one file; a copy that breaks is taken back."""
        try:
            self._copy(source, target, self._disks.size(source))
        except NetError:
            self._roll_back(source, target)
            raise

    def _roll_back(self, source: str, target: str) -> None:
        """After a moment for the disk to recover, takes the copy back when the source is still there."""
        time.sleep(self._retry_s)
        if self._disks.is_file(source):
            with contextlib.suppress(NetError):
                if os.path.lexists(self._disks.real(target)):
                    self._disks.remove_file(target)
            return
        text = (
            f"Failed to properly rollback the file move [{source}] to [{target}], "
            "incomplete file may be left in target path."
        )
        self._log("error", "DiskTransferService", text)

    def _pace(self, name: str) -> Pace:
        settings = read_settings(self._disks.home)
        slow = settings.get("slow_moves")
        if slow != self._slow:
            self._slow, self._videos = slow, 0
        stall = int(slow["finished_videos"]) if slow and is_video(name) else None
        return Pace(settings.get("speed"), stall)

    def _copy(self, source: str, target: str, size: int) -> None:
        disks = self._disks
        disks.require_writable(target)
        pace = self._pace(target)
        with speaking_net(source):
            reader = os.open(disks.real(source), os.O_RDONLY)
        try:
            with speaking_net(target):
                writer = os.open(disks.real(target), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            disks.order.made(target)
            try:
                self._stream(reader, writer, target, size, pace)
                info = os.fstat(reader)
                with speaking_net(target):
                    os.utime(writer, ns=(info.st_atime_ns, info.st_mtime_ns))
                    os.fchmod(writer, info.st_mode & 0o777)
            finally:
                os.close(writer)
                disks.changed(target)
        finally:
            os.close(reader)

    def _stream(self, reader: int, writer: int, target: str, size: int, pace: Pace) -> None:
        """Copies `size` bytes at the given pace. Holes stay holes where the disk is simulated."""
        disk = self._disks.disk_of(target)
        sparse = disk is None or disk.backing == "simulated"
        step = size if sparse and pace.bytes_per_s is None else _STEP
        if pace.bytes_per_s is not None:
            step = max(4096, int(pace.bytes_per_s * _TICK_S))
        done, room, began = 0, 0, time.monotonic()
        watch = self.watch if is_video(target) else None
        while done < size:
            if watch and done >= size // 2:
                with speaking_net(target):
                    watch.halfway(target)
                watch = None
            stalls = pace.stall_after is not None and self._videos >= pace.stall_after
            if stalls and done >= size // 2:
                self._stall(target)
                pace.stall_after, stalls = None, False
            part = min(step, (size // 2 if stalls or watch else size) - done)
            with speaking_net(target):
                if sparse:
                    if done + part > room:
                        room = self._grow(writer, target, done, part)
                    _copy_data(reader, writer, done, part)
                else:
                    _send_all(reader, writer, done, part)
            done += part
            if pace.bytes_per_s:
                time.sleep(max(0.0, began + done / pace.bytes_per_s - time.monotonic()))

    def _grow(self, writer: int, target: str, done: int, part: int) -> int:
        """How long the file may become on its simulated disk: at most a second's worth is taken for granted."""
        self._disks.changed(target)
        room = done + self._disks.free(target)
        if done + part > room:
            os.ftruncate(writer, room)
            raise OSError(errno.ENOSPC, "No space left on device")
        return min(room, done + 20 * part)

    def _stall(self, target: str) -> None:
        """Waits while moves are slow, and says so: whoever wants to kill in mid-move can wait for it."""
        mark = self._disks.home / STATE / STALLED
        mark.touch()
        while self._pace(target).stall_after is not None:
            time.sleep(_TICK_S)
        mark.unlink(missing_ok=True)


def _send_all(reader: int, writer: int, at: int, count: int) -> None:
    """Copies real bytes, which takes real space."""
    end = at + count
    while at < end:
        at += os.sendfile(writer, reader, at, end - at) or end


def _copy_data(reader: int, writer: int, at: int, count: int) -> None:
    """Copies what is not a hole in this part, and gives the copy its length: huge sparse files cost nothing."""
    os.ftruncate(writer, at + count)
    position = at
    while position < at + count:
        try:
            start = os.lseek(reader, position, os.SEEK_DATA)
        except OSError:
            return
        if start >= at + count:
            return
        stop = min(os.lseek(reader, start, os.SEEK_HOLE), at + count)
        os.lseek(writer, start, os.SEEK_SET)
        _send_all(reader, writer, start, stop - start)
        position = stop
