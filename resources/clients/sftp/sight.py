"""What this machine's file system can be asked, asked of an SFTP server: files, ways through links, how full a disk is.

Called by `client` for kinds that look at files through either. The protocol tells neither inodes nor hard links: a file is
known by its path without links, its disk by the number that statvfs@openssh.com gives, and how many names it has is left
open (0). What was not answered is unknown; only "there is no such file" is missing.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.facts import NotThere, Query, ReadFailed
from resources.clients.localfs import NO_DISK, Beneath, FsSize, Inode, Inodes, RealPaths, Space
from resources.clients.sftp import wire
from resources.clients.sftp.listing import tree
from resources.clients.sftp.names import decode, encode, shown
from resources.clients.sftp.queries import RemoteBytes

if TYPE_CHECKING:
    from resources.clients.sftp.line import Line

PIECE = 32 << 10  # bytes that every server takes and gives at a time
UNTOLD = "the server does not tell where links lead"


def answer(line: Line, query: Query[Any]) -> Any:
    """One of the questions of this module."""
    if isinstance(query, Inodes):
        return look(line, query.paths)
    if isinstance(query, RealPaths):
        return real_paths(line, query.paths)
    if isinstance(query, RemoteBytes):
        return contents(line, query)
    assert isinstance(query, FsSize)  # noqa: S101  # the caller looked
    return space(line, query.path)


def look(line: Line, paths: Sequence[str]) -> tuple[Inode, ...]:
    """Each of `paths`, in their order; links are not followed. Two round trips. ReadFailed when the line is cut."""
    above = sorted({posixpath.dirname(path) for path in paths})
    told = line.call_all([*_asked(wire.LSTAT, paths), *_asked(wire.REALPATH, above)])
    attrs = [wire.Reader(data).attrs() if kind == wire.ATTRS else None for kind, data in told[: len(paths)]]
    folders = {path for path, one in zip(paths, attrs, strict=True) if one and one.kind == "folder"}
    real = {folder: _way(folder, *one) for folder, one in zip(above, told[len(paths) :], strict=True)}
    disks = _checked(line, real, {*folders, *above})
    return tuple(
        _inode(path, one, raw, real[posixpath.dirname(path)], disks)
        for path, one, raw in zip(paths, attrs, told, strict=False)
    )


def _asked(kind: int, paths: Iterable[str]) -> list[tuple[int, bytes]]:
    head = wire.text(wire.STATVFS) if kind == wire.EXTENDED else b""
    return [(kind, head + wire.text(encode(path))) for path in paths]


def beneath(line: Line, query: Beneath) -> tuple[Inode, ...]:
    """Everything under a folder that is no folder. NotThere, ReadFailed when one of its folders cannot be listed."""
    (real,) = real_paths(line, (query.path,))
    found = []
    for entry in tree(line, encode(query.path)):
        if entry.kind == "folder" or entry.path.partition("/")[0] in query.skip:
            continue
        whole = f"{real.rstrip('/')}/{entry.path}"
        state = "file" if entry.kind == "file" else "other"
        path, why = f"{query.path.rstrip('/')}/{entry.path}", "" if state == "file" else "a link, or no file"
        found.append(
            Inode(path, state, NO_DISK, _number(whole), 0, entry.size, entry.size, entry.mtime_ns, why)
        )  # fmt: skip
    return tuple(found)


def _number(whole: str) -> int:
    """What stands for an inode: the path without links."""
    return int.from_bytes(hashlib.sha256(encode(whole)).digest()[:8], "big")


def _inode(path: str, attrs: wire.Attrs | None, raw: tuple[int, bytes], way: str, disks: Mapping[str, int]) -> Inode:
    """`way`: its folder without links, "" when that is not told."""
    if attrs is None:
        status = wire.status(raw[1]) if raw[0] == wire.STATUS else wire.BAD_MESSAGE
        if status == wire.NO_SUCH_FILE:
            return Inode(path, "missing")
        return Inode(path, "unreadable", why=wire.WORDS.get(status, "the server answers something else"))
    if not way or (attrs.kind == "file" and attrs.size is None):
        return Inode(path, "unreadable", why=UNTOLD if not way else "the server tells no size")
    whole = f"{way.rstrip('/')}/{posixpath.basename(path)}"
    number = _number(whole)
    size, mtime = attrs.size or 0, (attrs.mtime or 0) * 10**9
    state = attrs.kind if attrs.kind in ("file", "folder") else "other"
    device = disks.get(path if state == "folder" else posixpath.dirname(path), NO_DISK)
    return Inode(path, state, device, number, 0, size, size if state == "file" else 0, mtime)


def _way(folder: str, kind: int, data: bytes) -> str:
    """A folder without links, as the server tells it; "" where it does not. What is not there keeps its name."""
    if kind == wire.NAME:
        names = wire.names(data)
        way = decode(names[0][0]) if len(names) == 1 else ""
        return way if way.startswith("/") else ""
    gone = kind == wire.STATUS and wire.status(data) == wire.NO_SUCH_FILE
    return posixpath.normpath(folder) if gone else ""


def _checked(line: Line, real: dict[str, str], folders: Iterable[str]) -> dict[str, int]:
    """Blank the ways with links in them: a server that leaves them is found out by looking at every part. Folder → the number
    of its file system, as far as it is told."""
    parts = sorted({part for way in real.values() for part in _parts(way)})
    asked = sorted(folders) if wire.STATVFS in line.offers else []
    told = line.call_all([*_asked(wire.LSTAT, parts), *_asked(wire.EXTENDED, asked)])
    seen = zip(parts, told, strict=False)
    links = {p for p, (kind, data) in seen if kind == wire.ATTRS and wire.Reader(data).attrs().kind == "link"}
    real.update({folder: "" for folder, way in real.items() if links & set(_parts(way))})
    disks = zip(asked, told[len(parts) :], strict=True)
    return {
        folder: wire.file_system(data).ident or NO_DISK for folder, (kind, data) in disks if kind == wire.EXTENDED_REPLY
    }


def _parts(way: str) -> list[str]:
    """The path and every folder above it, without the root."""
    names = way.strip("/").split("/")
    return ["/" + "/".join(names[:end]) for end in range(1, len(names) + 1)] if names != [""] else []


def real_paths(line: Line, paths: Sequence[str]) -> tuple[str, ...]:
    """Each of `paths` without links. ReadFailed for one of which that cannot be told."""
    asked = sorted(set(paths))
    told = line.call_all(_asked(wire.REALPATH, asked))
    real = {path: _way(path, *one) for path, one in zip(asked, told, strict=True)}
    _checked(line, real, ())
    lost = next((path for path in paths if not real[path]), None)
    if lost is not None:
        raise ReadFailed("refused", f"{lost}: {UNTOLD}", "may this user read it?")
    return tuple(real[path] for path in paths)


def space(line: Line, path: str) -> Space:
    """How big the file system is that holds `path`. ReadFailed where the server does not tell."""
    if wire.STATVFS not in line.offers:
        raise ReadFailed("refused", "the server does not tell how full its disks are", "OpenSSH's SFTP server does")
    ((kind, data),) = line.call_all(_asked(wire.EXTENDED, [path]))
    if kind != wire.EXTENDED_REPLY:
        raise ReadFailed("refused", f"the server does not tell how full the disk of {path} is", "is the folder there?")
    told = wire.file_system(data)
    return Space(told.total, told.free)


def contents(line: Line, query: RemoteBytes) -> bytes:
    """A small file. NotThere, ReadFailed."""
    path = encode(query.path)
    ((kind, data),) = line.call_all([(wire.OPEN, wire.open_for_reading(path))])
    if kind != wire.HANDLE:
        if kind == wire.STATUS and wire.status(data) == wire.NO_SUCH_FILE:
            raise NotThere(f"{shown(query.path)} is not there")
        raise ReadFailed("refused", f"the server does not open {shown(query.path)}", "may this user read it?")
    handle, parts, size = wire.Reader(data).text(), [], 0
    while size <= query.most:
        ((kind, data),) = line.call_all([(wire.READ, wire.read(handle, size, PIECE))])
        if kind != wire.DATA:
            break
        parts.append(wire.Reader(data).text())
        size += len(parts[-1])
    line.call_all([(wire.CLOSE, wire.text(handle))])
    if kind != wire.STATUS or wire.status(data) != wire.EOF:
        raise ReadFailed("incomplete", f"{shown(query.path)} cannot be read to its end")
    return b"".join(parts)
