"""A whole tree in few round trips: folders are listed at the same time, and each folder's next pages are asked for ahead.

Links are told, never followed, so that there are no loops; a folder that cannot be listed makes the whole tree unknown.
"""

from __future__ import annotations

import threading
from collections import deque

from reconciler.facts import ReadFailed
from resources.clients.sftp import wire
from resources.clients.sftp.line import LOST, Line, Refused, refused
from resources.clients.sftp.names import DEEPEST, decode, shown
from resources.clients.sftp.queries import RemoteFile

AHEAD = 8  # pages of one folder asked for at a time
FOLDERS = 16  # folders at a time
MOST = 1_000_000  # entries of one tree


class Tree:
    """One listing. `run` returns the entries, or raises what a client raises."""

    def __init__(self, line: Line, root: bytes) -> None:
        self._line = line
        self._root = root.rstrip(b"/") or b"/"
        self._found: list[RemoteFile] = []
        self._times: dict[int, int] = {}  # one number for all files of one second: there may be very many
        self._waiting: deque[bytes] = deque([b""])  # folders, relative to the root
        self._open = 0
        self._failure: Exception | None = None
        self._ended = threading.Event()
        self._lock = threading.RLock()

    def run(self) -> tuple[RemoteFile, ...]:
        with self._lock:
            self._more()
        self._line.flush()
        self._ended.wait()
        if self._failure is not None:
            raise self._failure
        self._found.sort(key=lambda f: f.path)
        return tuple(self._found)

    def _more(self) -> None:
        while self._waiting and self._open < FOLDERS and self._failure is None:
            folder = self._waiting.popleft()
            self._open += 1
            self._line.ask(wire.OPENDIR, wire.text(self._path(folder)), lambda k, d, f=folder: self._opened(f, k, d))  # type: ignore[misc]
        if self._open == 0:
            self._ended.set()

    def _path(self, relative: bytes) -> bytes:
        return self._root.rstrip(b"/") + b"/" + relative if relative else self._root

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._ended.set()

    def _opened(self, folder: bytes, kind: int, data: memoryview | bytes) -> None:
        with self._lock:
            if kind == wire.HANDLE:
                _Pages(self, folder, wire.Reader(data).text()).ask()
            else:
                self._fail(self._why(kind, data, folder))

    def _why(self, kind: int, data: memoryview | bytes, folder: bytes) -> Exception:
        if kind == LOST:
            return self._line.failure()
        if kind == wire.STATUS:
            return refused(Refused(wire.status(data)), self._path(folder))
        return ReadFailed("malformed", "the server answered a listing with something else")

    def _page(self, folder: bytes, entries: list[tuple[bytes, wire.Attrs]]) -> None:
        for name, attrs in entries:
            if name in (b".", b".."):
                continue
            path = folder + b"/" + name if folder else name
            kind = attrs.kind
            if not name or b"/" in name or (kind == "file" and attrs.size is None):
                kind = "other"  # a name with a slash speaks of another folder: told as it came, never walked into
            if kind == "folder" and path.count(b"/") < DEEPEST:
                self._waiting.append(path)
            time = (attrs.mtime or 0) * 10**9
            size = (attrs.size or 0) if kind == "file" else 0
            self._found.append(RemoteFile(decode(path), size, self._times.setdefault(time, time), kind))
        if len(self._found) > MOST:
            self._fail(ReadFailed("incomplete", f"{shown(decode(self._root))} holds more than {MOST} entries"))

    def _closed(self) -> None:
        self._open -= 1
        self._more()


class _Pages:
    """The pages of one folder, several asked for at a time; the server answers in order, with EOF after the last."""

    def __init__(self, tree: Tree, folder: bytes, handle: bytes) -> None:
        self._tree, self._folder, self._handle = tree, folder, handle
        self._asked = 0
        self._last = False

    def ask(self) -> None:
        tree = self._tree
        ahead = 2 if self._asked == 0 else AHEAD  # most folders have one page
        while not self._last and self._asked < ahead and tree._failure is None:
            self._asked += 1
            tree._line.ask(wire.READDIR, wire.text(self._handle), self._came)

    def _came(self, kind: int, data: memoryview | bytes) -> None:
        tree = self._tree
        with tree._lock:
            self._asked -= 1
            if tree._failure is not None:
                return
            if kind == wire.NAME and (page := wire.names(data)):
                tree._page(self._folder, page)
            elif kind == wire.STATUS and wire.status(data) == wire.EOF:
                self._last = True
            else:
                tree._fail(tree._why(kind, data, self._folder))
                return
            if not self._last:
                self.ask()
            elif self._asked == 0:
                tree._line.ask(wire.CLOSE, wire.text(self._handle), lambda _kind, _data: None)
                tree._closed()


def tree(line: Line, root: bytes) -> tuple[RemoteFile, ...]:
    """Everything under `root`, sorted. NotThere when it is not there, ReadFailed when not all of it can be told."""
    return Tree(line, root).run()
