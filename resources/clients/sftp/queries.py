"""What an SFTP connection can be asked. Times are nanoseconds since the epoch, in whole seconds: the protocol has no finer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.facts import Query

FileKind = Literal["file", "folder", "link", "other"]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One entry of a tree. `path` is relative to what was asked for ("" for itself), with lone surrogates where it is not
    UTF-8. A link is told as a link, and is never followed."""

    path: str
    size: int
    mtime_ns: int
    kind: FileKind


@dataclass(frozen=True)
class RemoteTree(Query[tuple[RemoteFile, ...]]):
    """Everything under the folder `path`, sorted by path. Absent when it is not there; whole, or not known."""

    path: str


@dataclass(frozen=True)
class RemoteStat(Query[RemoteFile]):
    """One entry, links not followed. Absent when it is not there."""

    path: str


@dataclass(frozen=True)
class RemoteBytes(Query[bytes]):
    """A small file as it is. Absent when it is not there; ReadFailed when it is longer than `most` bytes."""

    path: str
    most: int = 64 << 20


@dataclass(frozen=True)
class Digests(Query[dict[str, str]]):
    """Path → hexadecimal SHA-256 of files, made by the server's own command.

    ReadFailed with the code `refused` where the server lets us run none.
    """

    paths: tuple[str, ...]
