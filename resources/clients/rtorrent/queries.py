"""The reads that rtorrent answers besides those that every torrent client does. Kinds name them without loading a client."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.facts import Query


@dataclass(frozen=True)
class Version(Query[str]):
    """The version of the rtorrent that answers, as "0.9.8". One request."""


@dataclass(frozen=True)
class FilesThere(Query[tuple[tuple[str, bool], ...]]):
    """Each file of a torrent with whether rtorrent itself finds it now, by a look at its disk. One request.

    Absent when there is no such torrent. Paths as in `TorrentFile`.
    """

    hash: str
