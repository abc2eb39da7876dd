"""What kinds see of an SFTP server: typed queries, a few small writes, and lines for those who fetch.

One line is kept open for questions; a cut one is opened anew by the next question. Reads go through `read` alone; the
writes refuse when the connection was opened for reading (law 3).
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar, cast

from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients.sftp import wire
from resources.clients.sftp.digests import digests
from resources.clients.sftp.line import Line, Refused, refused
from resources.clients.sftp.listing import tree
from resources.clients.sftp.login import Gate
from resources.clients.sftp.names import encode
from resources.clients.sftp.queries import Digests, RemoteFile, RemoteStat, RemoteTree

T = TypeVar("T")


class SftpClient:
    """See the module. Thread-safe."""

    def __init__(self, gate: Gate, *, writable: bool) -> None:
        self.gate = gate
        self._writable = writable
        self._line: Line | None = None
        self._lock = threading.Lock()

    def line(self) -> Line:
        """The line for questions, opened when it is needed."""
        with self._lock:
            if self._line is None or self._line.lost is not None:
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

    def mkdir(self, path: str) -> None:
        self._write(wire.MKDIR, path, wire.text(encode(path)) + b"\0\0\0\0")

    def rename(self, old: str, new: str) -> None:
        """Rename; an existing `new` is never replaced (version 3 of the protocol says so)."""
        self._write(wire.RENAME, old, wire.text(encode(old)) + wire.text(encode(new)))

    def _write(self, kind: int, path: str, body: bytes) -> None:
        if not self._writable:
            raise WriteRefused(f"connections.{self.gate.name} was opened for reading only")
        line = self.line()
        try:
            line.call(kind, body)
        except Refused as e:
            error = refused(e, encode(path))
            if isinstance(error, NotThere):
                raise error from None
            raise WriteRefused(str(error)) from None
        except ReadFailed as e:
            raise ReplyLost(e.reason) from None

    def close(self) -> None:
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None
