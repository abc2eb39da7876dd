"""What kinds see of an SFTP server: typed queries, a few small writes, and lines for those who fetch.

One line is kept open for questions; a cut one is opened anew by the next question. Reads go through `read` alone; the
writes refuse when the connection was opened for reading (law 3).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients.localfs import Batches, Beneath, FsSize, Inodes, RealPaths
from resources.clients.sftp import quarantine, sight, wire
from resources.clients.sftp.digests import digests
from resources.clients.sftp.line import Line, Refused, refused
from resources.clients.sftp.listing import tree
from resources.clients.sftp.login import Gate
from resources.clients.sftp.names import encode
from resources.clients.sftp.queries import Digests, RemoteBytes, RemoteFile, RemoteStat, RemoteTree

T = TypeVar("T")


class SftpClient:
    """See the module. Thread-safe. `together`: writes that are in flight at a time, where there are many."""

    together = 64

    def __init__(self, gate: Gate, *, writable: bool) -> None:
        self.gate = gate
        self._writable = writable
        self._line: Line | None = None
        self._lock = threading.Lock()

    def line(self) -> Line:
        """The line for questions, opened when it is needed."""
        with self._lock:
            if self._line is None or self._line.lost is not None or not self._line.transport.is_active():
                if self._line is not None:
                    self._line.close()
                self._line = Line(self.gate)
            return self._line

    def new_line(self) -> Line:
        """A further line, over a connection of its own. The caller closes it."""
        return Line(self.gate)

    def read(self, query: Query[T]) -> T:
        """The answer. A line that is cut meanwhile is opened anew and asked again, once."""
        try:
            return self._ask(query)
        except ReadFailed as e:
            if e.code != "truncated":
                raise
        return self._ask(query)

    def _ask(self, query: Query[T]) -> T:
        asked: Any = query
        try:
            if isinstance(asked, Inodes | RealPaths | FsSize | RemoteBytes):
                return cast("T", sight.answer(self.line(), asked))
            if isinstance(asked, Beneath):
                return cast("T", sight.beneath(self.line(), asked))
            if isinstance(asked, Batches):
                return cast("T", quarantine.batches(self, asked.root))
            if isinstance(asked, RemoteTree):
                return cast("T", tree(self.line(), encode(asked.path)))
            if isinstance(asked, RemoteStat):
                return cast("T", self._stat(asked.path))
            if isinstance(asked, Digests):
                return cast("T", digests(self.line().transport, asked.paths))
        except wire.Malformed as e:
            raise ReadFailed("malformed", f"{self.gate.trust.where} sent what is no SFTP: {e}") from None
        raise ReadFailed("refused", f"an SFTP server cannot be asked {type(query).__name__}")

    def _stat(self, path: str) -> RemoteFile:
        attrs = self.line().stat(encode(path))
        return RemoteFile("", attrs.size or 0, (attrs.mtime or 0) * 10**9, attrs.kind)

    # ---------------------------------------------------------------------------------------------------- writes

    def unlink(self, path: str) -> None:
        """Remove a file. NotThere when there is none; never a folder."""
        self._write(wire.REMOVE, path, wire.text(encode(path)))

    def rmdir(self, path: str) -> None:
        """Remove an empty folder."""
        self._write(wire.RMDIR, path, wire.text(encode(path)))

    def mkdir(self, path: str, mode: int | None = None) -> None:
        """A new folder. WriteRefused when there is something of that name."""
        self._write(wire.MKDIR, path, wire.new_folder(encode(path), mode))

    def rename(self, old: str, new: str) -> None:
        """Rename; an existing `new` is never replaced (version 3 of the protocol says so)."""
        self._write(wire.RENAME, old, wire.text(encode(old)) + wire.text(encode(new)))

    def move_all(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Rename each (old, new), in one step where the server can: it might replace `new`, so the caller has made sure that
        there is none. The first that fails ends it: NotThere, WriteRefused, ReplyLost; those before it, and some after it,
        have moved."""
        whole = wire.POSIX_RENAME in self._to_write().offers
        kind, head = (wire.EXTENDED, wire.text(wire.POSIX_RENAME)) if whole else (wire.RENAME, b"")
        _all(self._each(kind, [(old, head + wire.text(encode(old)) + wire.text(encode(new))) for old, new in pairs]))

    def rename_all(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Rename each (old, new) that can be: an existing `new` is never replaced. Whoever asks looks what is left."""
        for _ in self._each(wire.RENAME, [(o, wire.text(encode(o)) + wire.text(encode(n))) for o, n in pairs]):
            pass

    def unlink_all(self, paths: Sequence[str]) -> None:
        """Remove files; what is not there any more is as good. WriteRefused, ReplyLost."""
        removed = self._each(wire.REMOVE, [(path, wire.text(encode(path))) for path in paths])
        _all(error for error in removed if not isinstance(error, NotThere))

    def _each(self, kind: int, requests: Sequence[tuple[str, bytes]]) -> Iterator[Exception | None]:
        """Why each was refused, None for what was done; some are in flight at a time."""
        for begin in range(0, len(requests), self.together):
            yield from self._some(kind, requests[begin : begin + self.together])

    def _some(self, kind: int, requests: Sequence[tuple[str, bytes]]) -> list[Exception | None]:
        line = self._to_write()
        try:
            told = line.call_all((kind, body) for _, body in requests)
        except ReadFailed as e:
            raise ReplyLost(e.reason) from None
        return [_refusal(path, *answer) for (path, _), answer in zip(requests, told, strict=True)]

    def create(self, path: str, data: bytes) -> None:
        """A new file, on the server's disk where that can be asked for. WriteRefused when there is something of that name."""
        self._flushed(path, wire.open_new(encode(path)), data)

    def flush(self, folder: str) -> None:
        """The names in a folder survive a power cut from here on, where that can be asked for."""
        with suppress(WriteRefused):  # a server that opens no folders has nothing better to offer
            self._flushed(folder, wire.open_for_reading(encode(folder)), b"")

    def _flushed(self, path: str, opening: bytes, data: bytes) -> None:
        line = self._to_write()  # one line for all of it: a handle means nothing on another
        told, opened = self._on(line, wire.OPEN, path, opening)
        if told != wire.HANDLE:
            raise WriteRefused(f"{self.gate.where} answered with something else than a file")
        handle = wire.Reader(opened).text()
        try:
            for at in range(0, len(data), sight.PIECE):
                self._on(line, wire.WRITE, path, wire.write(handle, at, data[at : at + sight.PIECE]))
            if wire.FSYNC in line.offers:
                self._on(line, wire.EXTENDED, path, wire.text(wire.FSYNC) + wire.text(handle))
        finally:
            line.ask(wire.CLOSE, wire.text(handle), lambda _kind, _data: None)
            line.flush()

    def writable(self) -> None:
        """WriteRefused unless it was opened for writing."""
        if not self._writable:
            raise WriteRefused(f"connections.{self.gate.name} was opened for reading only")

    def _to_write(self) -> Line:
        """The line, for a write. What keeps it from being opened means that nothing was sent."""
        self.writable()
        try:
            return self.line()
        except ReadFailed as e:
            raise WriteRefused(e.reason, e.remedy) from None

    def _write(self, kind: int, path: str, body: bytes) -> None:
        self._on(self._to_write(), kind, path, body)

    def _on(self, line: Line, kind: int, path: str, body: bytes) -> tuple[int, bytes]:
        try:
            return line.call(kind, body)
        except Refused as e:
            error = refused(e, encode(path))
            if isinstance(error, NotThere):
                raise error from None
            raise WriteRefused(str(error)) from None
        except ReadFailed as e:
            raise ReplyLost(e.reason) from None
        except wire.Malformed as e:
            raise ReplyLost(f"{self.gate.trust.where} sent what is no SFTP: {e}") from None

    def close(self) -> None:
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None


def _refusal(path: str, kind: int, data: bytes) -> Exception | None:
    """Why a write was not done; None when it was."""
    status = wire.status(data) if kind == wire.STATUS else wire.BAD_MESSAGE
    if status == wire.OK:
        return None
    error = refused(Refused(status), encode(path))
    return error if isinstance(error, NotThere) else WriteRefused(str(error))


def _all(errors: Iterable[Exception | None]) -> None:
    """Raise the first of them, and ask for no more."""
    for error in errors:
        if error is not None:
            raise error
