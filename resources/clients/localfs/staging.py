"""Files that are not whole yet: a hidden folder beside their target, a map of what of them is here, and one rename.

    TARGET/.arr-partial/<key>/files/…      the tree as it will be
    TARGET/.arr-partial/<key>/name         what it is to be called
    TARGET/.arr-partial/<key>/segments     one JSON line per segment that is here: path, size, time, offset, length

Whoever holds the lock of the map is at work on it; a lock dies with its process. After a kill everything that was marked is
there: the kernel has it. After a crash of the machine only what was flushed before a `mark` line is believed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from reconciler.kind import WriteRefused

PARTIAL = ".arr-partial"
FLUSH_EVERY = 2 << 30  # bytes between two marks
SMALL = 4 << 20  # bytes; such a file is written with the file opened and closed each time
Ranges = list[tuple[int, int]]


def place(target: str, name: str) -> Path:
    """The hidden folder of what will be called `name` in `target`."""
    return Path(target) / PARTIAL / hashlib.sha256(os.fsencode(name)).hexdigest()[:20]


def named(folder: Path) -> str:
    """What the tree in a hidden folder is to be called; "" where that is not told."""
    try:
        return os.fsdecode((folder / "name").read_bytes())
    except OSError:
        return ""


def boot() -> str:
    """Changes when the machine is started anew."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""  # no such thing here: nothing unmarked is believed


def rows(path: Path) -> Iterator[Any]:
    """The whole lines of a map; a last one that was cut is none, and neither is one that a disk has damaged."""
    try:
        with path.open("rb") as file:
            for line in file:
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError):
                    continue
    except FileNotFoundError:
        return


def believed(path: Path) -> dict[str, tuple[int, int, Ranges]]:
    """Name → (size, mtime_ns, segments that are here), as far as the map can be believed after a crash."""
    sure: dict[str, tuple[int, int, Ranges]] = {}
    unsure: list[list[Any]] = []

    def keep() -> None:
        for name, size, mtime, offset, length in unsure:
            known = sure.get(name)
            if known is None or known[:2] != (size, mtime):
                known = sure[name] = (size, mtime, [])
            known[2].append((offset, length))
        unsure.clear()

    here, same = boot(), False
    for row in rows(path):
        if isinstance(row, dict):  # a mark: all before it was flushed
            keep()
            same = here != "" and row.get("boot") == here
        elif _is_segment(row):
            unsure.append(row)
    if same:
        keep()
    return sure


def _is_segment(row: Any) -> bool:
    """Whether a row says that a part of a file is here, of that file and within it."""
    if not isinstance(row, list) or len(row) != 5 or not isinstance(row[0], str):
        return False
    if any(isinstance(n, bool) or not isinstance(n, int) for n in row[1:]):
        return False
    _, size, _, offset, length = row
    return bool(0 <= offset <= offset + length <= size)


def missing(size: int, have: Ranges) -> Ranges:
    """What of a file of `size` bytes is not covered by `have`."""
    found: Ranges = []
    at = 0
    for offset, length in sorted(have):
        if offset > at:
            found.append((at, offset - at))
        at = max(at, offset + length)
    if at < size:
        found.append((at, size - at))
    return found


def at_work(target: str, name: str) -> bool:
    """Whether a living process holds the map."""
    try:
        with (place(target, name) / "segments").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


class Staging:
    """One tree on its way, held by this process. Made by `staging`."""

    def __init__(self, target: str, name: str) -> None:
        self.folder = place(target, name)
        self.final = Path(target) / name
        self.files = self.folder / "files"
        self._fds: dict[str, int] = {}
        self._lock = Lock()
        self._unflushed = 0
        self._late: list[bytes] | None = None  # lines that wait for a mark
        for folder in (self.folder.parent, self.folder, self.files):  # never the target: its disk may not be mounted
            folder.mkdir(exist_ok=True)
        if not named(self.folder):
            (self.folder / "name").write_bytes(os.fsencode(name))
        self._at = self.folder.stat()
        self._map = (self.folder / "segments").open("ab", buffering=0)
        try:
            _hold(self._map.fileno(), self.folder / "segments")
        except (BlockingIOError, FileNotFoundError):
            self._map.close()
            raise WriteRefused(f"{name} is being fetched by another process", "wait for it: arr status") from None
        self.here = believed(self.folder / "segments")
        self._rewrite()

    def _rewrite(self) -> None:
        """Begin the map anew with what is believed: it neither grows from run to run nor mixes two boots."""
        if self.here:
            os.sync()
        fresh = self.folder / "segments.new"
        with fresh.open("wb") as file:
            for name, (size, mtime, ranges) in self.here.items():
                file.writelines(_line([name, size, mtime, *one]) for one in ranges)
            file.write(_line({"mark": True, "boot": boot()}))
            file.flush()
            os.fsync(file.fileno())
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fresh.rename(self.folder / "segments")
            self._map.close()
            self._map = os.fdopen(os.dup(file.fileno()), "ab", buffering=0)

    @property
    def begun(self) -> bool:
        """Whether something lies there already."""
        return any(self.files.iterdir())

    def have(self, name: str, size: int, mtime_ns: int) -> Ranges:
        """What of a file is here: nothing when its size or time was another, or its bytes are not there."""
        known = self.here.get(name)
        if known is None or known[:2] != (size, mtime_ns):
            return []
        try:
            length = (self.files / name).lstat().st_size
        except OSError:
            return []
        return [one for one in known[2] if one[0] + one[1] <= length]

    def marked(self, name: str, size: int, mtime_ns: int) -> Ranges:
        """What of a file is marked in the map as it is now."""
        known = self._now().get(name)
        return known[2] if known is not None and known[:2] == (size, mtime_ns) else []

    def _now(self) -> dict[str, tuple[int, int, Ranges]]:
        return believed(self.folder / "segments")

    def write(self, name: str, size: int, offset: int, data: memoryview) -> None:
        """Put bytes where they belong. OSError as the disk has it."""
        if size <= SMALL:
            fd = self._open(name)
            try:
                _all(fd, data, offset)
            finally:
                os.close(fd)
            return
        with self._lock:
            held = self._fds.get(name)
            if held is None:
                held = self._fds[name] = self._open(name)
        _all(held, data, offset)

    def _open(self, name: str) -> int:
        path = self.files / name
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o644)
        except FileNotFoundError:
            self._same_place()
            path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o644)

    def _same_place(self) -> None:
        """OSError when the folder is not the one that it was at first: its disk was unmounted beneath us."""
        if not os.path.samestat(self.folder.stat(), self._at):
            raise OSError(errno.ESTALE, "its disk is not mounted any more", str(self.folder))

    def done(self, name: str, size: int, mtime_ns: int, offset: int, length: int) -> None:
        """Mark a segment as here."""
        line = _line([name, size, mtime_ns, offset, length])
        with self._lock:
            self._unflushed += length
            if self._late is not None:  # a mark is on its way, and must not speak of what came after its flush
                self._late.append(line)
                return
            self._map.write(line)
            if self._unflushed < FLUSH_EVERY:
                return
            self._unflushed = 0
            self._late = []
            for fd in self._fds.values():
                os.fdatasync(fd)
        os.sync()
        with self._lock:
            late, self._late = self._late or [], None
            self._map.write(_line({"mark": True, "boot": boot()}))
            os.fsync(self._map.fileno())
            self._map.write(b"".join(late))

    def finished(self, name: str, size: int, mtime_ns: int) -> None:
        """All of a file is here: its length and time are made right."""
        path = self.files / name
        with self._lock:
            fd = self._fds.pop(name, None)
        if fd is None:
            fd = self._open(name)
        try:
            os.ftruncate(fd, size)
            os.utime(fd, ns=(mtime_ns, mtime_ns))
        finally:
            os.close(fd)
        if path.is_symlink():
            raise OSError(errno.ELOOP, "a link is in the way", str(path))

    def forget(self, name: str) -> None:
        """What is here of a file is not right: fetch it anew."""
        (self.files / name).unlink(missing_ok=True)
        self.here = {k: v for k, v in believed(self.folder / "segments").items() if k != name}
        self._rewrite()

    def keep_only(self, names: set[str]) -> None:
        """Remove files and folders that are no part of the tree any more (an earlier state of the release), and what we have
        not made: links, and files with a second name. Writing to those would change what lies elsewhere."""
        for folder, folders, files in os.walk(self.files, topdown=False):
            for name in (*files, *folders):
                path = Path(folder, name)
                told = path.lstat()
                foreign = not (stat.S_ISDIR(told.st_mode) or (stat.S_ISREG(told.st_mode) and told.st_nlink == 1))
                if foreign or str(path.relative_to(self.files)) not in names:
                    shutil.rmtree(path) if stat.S_ISDIR(told.st_mode) else path.unlink()

    def publish(self, *, single: bool) -> None:
        """Flush everything, then one rename into place. FileExistsError when something is there already.

        `single`: the release is one file, which lies in the tree under the release's own name.
        """
        os.sync()
        self._same_place()
        source = self.files / self.final.name if single else self.files
        if single:
            _rename_file(source, self.final)
        else:
            if self.final.exists():
                raise FileExistsError(errno.EEXIST, "it is there already", str(self.final))
            source.rename(self.final)
        _flush(self.final.parent)
        self.discard()

    def discard(self) -> None:
        """Remove what is left of the hidden folder; the folder of all of them goes with the last."""
        shutil.rmtree(self.folder)
        try:
            self.folder.parent.rmdir()
        except OSError as e:
            if e.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise

    def close(self) -> None:
        with self._lock:
            for fd in self._fds.values():
                os.close(fd)
            self._fds.clear()
            self._map.close()


def _hold(fd: int, path: Path) -> None:
    """Lock a map that was opened. BlockingIOError when it is held, or when its holder put a new one in its place since."""
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not os.path.samestat(os.fstat(fd), path.stat()):
        raise BlockingIOError


def _flush(folder: Path) -> None:
    """The names in a folder survive a power cut from here on."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(row: Any) -> bytes:
    return json.dumps(row).encode("ascii") + b"\n"


def _all(fd: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data, offset = data[written:], offset + written


def _rename_file(source: Path, final: Path) -> None:
    """A rename that never replaces: by a second name where the file system has such, else after a look."""
    try:
        final.hardlink_to(source)
    except OSError as e:
        if e.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
            raise
        if os.path.lexists(final):
            raise FileExistsError(errno.EEXIST, "it is there already", str(final)) from None
        source.rename(final)
        return
    source.unlink()


@contextmanager
def staging(target: str, name: str) -> Iterator[Staging]:
    """The tree `name` on its way into `target`, held by this process alone. WriteRefused while another one holds it."""
    found = Staging(target, name)
    try:
        yield found
    finally:
        found.close()
