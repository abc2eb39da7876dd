"""The packets of SFTP version 3, as far as they are used here; sizes and offsets are bytes.

Pure: `line` sends and receives them. What a server sends is not to be trusted: everything is read within its bounds, and
what does not fit is `Malformed`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from stat import S_IFMT, S_ISDIR, S_ISLNK, S_ISREG

from resources.clients.sftp.queries import FileKind

INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT = 1, 2, 3, 4, 5, 6, 7, 8
OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME = 11, 12, 13, 14, 15, 16, 17, 18
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
EXTENDED, EXTENDED_REPLY = 200, 201
POSIX_RENAME, FSYNC, STATVFS = b"posix-rename@openssh.com", b"fsync@openssh.com", b"statvfs@openssh.com"

OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, BAD_MESSAGE, NO_CONNECTION, CONNECTION_LOST, UNSUPPORTED = range(9)
WORDS = {
    NO_SUCH_FILE: "there is no such file",
    PERMISSION_DENIED: "permission denied",
    FAILURE: "it failed",
    UNSUPPORTED: "the server can't do that",
}

FOR_READING = 1
FOR_A_NEW_FILE = 2 | 8 | 32  # write, create, and fail when it is there
LONGEST_FRAME = 1 << 20  # bytes; a server that announces more is not speaking SFTP

_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_READ = struct.Struct(">QI")


class Malformed(Exception):
    """The server sent what is no packet of the protocol."""


@dataclass(frozen=True, slots=True)
class Attrs:
    """What a server tells of a file. `size` and `mtime` (seconds) are None when it does not say."""

    size: int | None
    mtime: int | None
    kind: FileKind


def text(raw: bytes) -> bytes:
    """A string of the protocol."""
    return _U32.pack(len(raw)) + raw


def packet(kind: int, number: int, body: bytes) -> bytes:
    return struct.pack(">IBI", len(body) + 5, kind, number) + body


def first_packet() -> bytes:
    return struct.pack(">IBI", 5, INIT, 3)


def open_for_reading(path: bytes) -> bytes:
    return text(path) + struct.pack(">II", FOR_READING, 0)


def open_new(path: bytes) -> bytes:
    """For a file that only its owner may read, and that is not there yet."""
    return text(path) + struct.pack(">III", FOR_A_NEW_FILE, 4, 0o600)


def write(handle: bytes, offset: int, data: bytes) -> bytes:
    return text(handle) + _U64.pack(offset) + text(data)


def new_folder(path: bytes, mode: int | None) -> bytes:
    """`mode` None: as the server likes."""
    return text(path) + (_U32.pack(0) if mode is None else struct.pack(">II", 4, mode))


def read(handle: bytes, offset: int, length: int) -> bytes:
    return text(handle) + _READ.pack(offset, length)


class Reader:
    """Takes a packet apart."""

    def __init__(self, body: bytes | memoryview) -> None:
        self._body = memoryview(body)
        self._at = 0

    def _take(self, length: int) -> memoryview:
        part = self._body[self._at : self._at + length]
        if len(part) != length:
            raise Malformed("a packet ends too early")
        self._at += length
        return part

    @property
    def ended(self) -> bool:
        return self._at >= len(self._body)

    def number(self) -> int:
        return int(_U32.unpack(self._take(4))[0])

    def large(self) -> int:
        return int(_U64.unpack(self._take(8))[0])

    def view(self) -> memoryview:
        return self._take(self.number())

    def text(self) -> bytes:
        return bytes(self.view())

    def attrs(self) -> Attrs:
        flags = self.number()
        size = self.large() if flags & 1 else None
        if flags & 2:
            self._take(8)
        mode = self.number() if flags & 4 else None
        mtime = None
        if flags & 8:
            self._take(4)
            mtime = self.number()
        if flags & 0x80000000:
            for _ in range(self.number()):
                self.view()
                self.view()
        return Attrs(size, mtime, _kind(mode))


def _kind(mode: int | None) -> FileKind:
    """The sort of a file. One whose server tells no mode is nothing that may be fetched."""
    if mode is None or not S_IFMT(mode):
        return "other"
    if S_ISREG(mode):
        return "file"
    if S_ISDIR(mode):
        return "folder"
    return "link" if S_ISLNK(mode) else "other"


def extensions(body: bytes | memoryview) -> frozenset[bytes]:
    """What a server offers besides, from its greeting (after the version)."""
    reader, found = Reader(body), set()
    while not reader.ended:
        found.add(reader.text())
        reader.view()
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class FileSystem:
    """The file system behind a path, in bytes; `ident` is its number, 0 where the server has none."""

    total: int
    free: int
    ident: int


def file_system(body: bytes | memoryview) -> FileSystem:
    """The answer to statvfs@openssh.com."""
    reader = Reader(body)
    _, unit, total, _, free, _, _, _, ident = (reader.large() for _ in range(9))
    return FileSystem(total * unit, free * unit, ident)


def status(body: bytes | memoryview) -> int:
    return Reader(body).number()


def names(body: bytes | memoryview) -> list[tuple[bytes, Attrs]]:
    """The entries of a NAME packet. The long form, which is for people, is passed over."""
    reader = Reader(body)
    found = []
    for _ in range(reader.number()):
        name = reader.text()
        reader.view()
        found.append((name, reader.attrs()))
    return found
