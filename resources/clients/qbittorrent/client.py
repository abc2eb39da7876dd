"""The client of qBittorrent. Opened by `app.py`.

Its list tells everything but files and trackers, which newer versions add on request; older ones tell them per torrent, so
those are asked for only where something is decided by them. `hashes` absent or `all` means every torrent: each write names
one info-hash, which is looked up before, and nothing else can be sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.kind import WriteRefused
from resources.clients.qbittorrent import parse
from resources.clients.qbittorrent.api import Api
from resources.clients.torrents import OneTorrent, Torrent, Torrents, exactly_one

T = TypeVar("T")


@dataclass(frozen=True)
class Version(Query[str]):
    """The version of its web API. One request."""


class QbittorrentClient:
    """One open connection. Thread-safe."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._answers: dict[type[Query[Any]], Callable[[Any], Any]] = {
            Version: lambda _: self.api.version(),
            Torrents: lambda _: self._torrents(),
            OneTorrent: lambda query: self._one(query.hash),
        }

    def close(self) -> None:
        self.api.close()

    def read(self, query: Query[T]) -> T:
        """The complete answer, or ReadFailed, or NotThere."""
        return cast("T", self._answers[type(query)](query))

    def _torrents(self) -> tuple[Torrent, ...]:
        found = self._list({"includeTrackers": "true", "includeFiles": "true"})
        if len({t.hash for t in found}) != len(found):
            raise parse.malformed("two torrents have the same hash")
        return tuple(sorted(found, key=lambda t: t.hash))

    def _list(self, params: dict[str, str]) -> list[Torrent]:
        raw = self.api.get("torrents/info", params)
        if not isinstance(raw, list):
            raise parse.malformed("the list of torrents is none")
        return [parse.torrent(r) for r in raw]

    def _one(self, info_hash: str) -> Torrent:
        found = self._list({"hashes": exactly_one(info_hash)})
        if not found:
            raise NotThere(info_hash)
        if len(found) != 1 or found[0].hash != info_hash:
            raise parse.malformed("it answered about another torrent")
        files = parse.files(self.api.get("torrents/files", {"hash": info_hash}))
        trackers = parse.trackers(self.api.get("torrents/trackers", {"hash": info_hash}))
        return replace(found[0], files=files, trackers=trackers)

    # writes ----------------------------------------------------------------------------------------------------------

    def remove(self, info_hash: str, *, data: bool) -> None:
        """Take the torrent out, with its files when `data`. They go a moment later, and failures show in its log only."""
        self._known(info_hash)
        self.api.post("torrents/delete", {"hashes": info_hash, "deleteFiles": "true" if data else "false"})

    def pause(self, info_hash: str) -> None:
        """Stop it."""
        self._known(info_hash)
        for path in ("torrents/stop", "torrents/pause"):  # 5.0 gave the second another name
            if self.api.post(path, {"hashes": info_hash}) != 404:
                return
        raise WriteRefused("it knows no way to stop a torrent")

    def _known(self, info_hash: str) -> None:
        """Exactly one torrent, which is there, or nothing is sent."""
        try:
            self._one(exactly_one(info_hash))
        except NotThere:
            raise WriteRefused("not sent: there is no such torrent") from None
        except ReadFailed as e:
            raise WriteRefused(f"not sent: {e.reason}", e.remedy) from None
