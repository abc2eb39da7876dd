"""What a disk scan does to a series: forgets rows whose file is gone, takes in files it can place, notes new sizes.

A missing series folder in a root folder that is missing or empty is left alone; in one that is neither, every file of
the series is forgotten. That is how a scan at the wrong moment erases what a move has left elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.errors import NetError
from sandbox.servarr.paths import name_of, root_of
from sandbox.servarr.recycle import bin_folder
from sandbox.sonarr.monitoring import apply_add_options
from sandbox.sonarr.naming import parse_name, quality_of, release_group
from sandbox.transfer import is_video
from sandbox.values import Json

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4

_SKIPPED = re.compile(
    r"(?:^|/)(?:extras|extrafanart|behind the scenes|deleted scenes|featurettes|interviews|other|scenes|samples|shorts"
    r"|trailers|theme[-_. ]music|backdrops|@eadir|plex versions|\.[^/]+)/"
    r"|-(?:trailer|other|behindthescenes|deleted|featurette|interview|scene|short)\.[^.]+$"
    r"|(?:^|/)\.(?:_|unmanic)[^/]*$",
    re.IGNORECASE,
)


class Scanner:
    """Scans one series at a time, under the lock except where it lists folders."""

    def __init__(self, app: Sonarr4) -> None:
        self._app, self._store = app, app.store

    def scan(self, series: Json, say: Callable[[str], None]) -> None:
        """Scans the folder the series has at this moment."""
        app, disks = self._app, self._app.disks
        root = root_of(series["path"], app.roots.paths())
        there = disks.is_folder(series["path"])
        if not there and not self._root_has_something(root):
            with app.lock:
                apply_add_options(self._store, series["id"])
            return
        say(f"Scanning {series['title']}")
        app.log.add("info", "DiskScanService", f"Scanning {series['title']}")
        app.pause(app.timing.rescan_s)
        with app.lock:
            found = self._videos(series["path"]) if there else {}
            if not there and app.media["createEmptySeriesFolders"] and not app.media["deleteEmptyFolders"]:
                disks.make_folder(series["path"])
            self._forget_missing(series, found)
            self._take_in(series, found)
            self._note_sizes(series, found)
            self._note_extras(series)
            if there and app.media["deleteEmptyFolders"]:
                self._drop_empty(series["path"])
            apply_add_options(self._store, series["id"])
        app.log.add("info", "DiskScanService", f"Completed scanning disk for {series['title']}")

    def _root_has_something(self, root: str) -> bool:
        disks, told = self._app.disks, ""
        if not disks.is_folder(root):
            told = f"Series' root folder ({root}) doesn't exist."
        elif not any(disks.listing(root)):
            told = f"Series' root folder ({root}) is empty."
        if told:
            self._app.log.add("warn", "DiskScanService", told)
        return not told

    def _videos(self, path: str) -> dict[str, int]:
        """Sizes of the videos below a series folder, by relative path."""
        found = {}
        for file in self._app.disks.walk(path):
            relative = file[len(path) + 1 :]
            if is_video(relative) and not _SKIPPED.search(relative):
                found[relative] = self._app.disks.size(file)
        return found

    def _forget_missing(self, series: Json, found: dict[str, int]) -> None:
        linked = {e["episodeFileId"] for e in self._store.episodes_of(series["id"])}
        unmonitor = self._app.media["autoUnmonitorPreviouslyDownloadedEpisodes"]
        for file in self._store.files_of(series["id"]):
            if file["relativePath"] not in found:
                self.forget(series, file, "MissingFromDisk", unmonitor=unmonitor)
            elif file["id"] not in linked:
                self.forget(series, file, "NoLinkedEpisodes")

    def forget(self, series: Json, file: Json, reason: str, *, unmonitor: bool = False) -> None:
        """Forgets a file; what stands beside it for the same episode (subtitles, notes) is deleted from the disk."""
        for extra in self._store.drop_file(series, file, reason, unmonitor=unmonitor):
            path = f"{series['path']}/{extra}"
            if reason != "NoLinkedEpisodes" and self._app.disks.is_file(path):
                try:
                    self._app.bin.remove_file(path, bin_folder(series["path"], path))
                except NetError as error:
                    self._app.log.add("error", "ExtraFileService", f"Unable to delete extra file: {path}", error)

    def _take_in(self, series: Json, found: dict[str, int]) -> None:
        """Adds the files that have no row yet and whose name tells episodes of this series; the largest first."""
        known = {f["relativePath"] for f in self._store.files_of(series["id"])}
        fresh = [p for p in found if p not in known]
        for relative in sorted(fresh, key=lambda p: -found[p]):
            name = relative.rsplit("/", 1)[-1]
            parsed = parse_name(name)
            if parsed is None:
                continue
            episodes = [
                e
                for e in self._store.episodes_of(series["id"])
                if e["seasonNumber"] == parsed.season and e["episodeNumber"] in parsed.episodes
            ]
            if not episodes or self._is_worse(episodes, name):
                continue
            kind = "multi" if len(episodes) > 1 else "single"
            row = self._store.add_file(
                series["id"], parsed.season, relative, found[relative], quality_of(name), release_group(name), kind
            )
            self._store.episodes.update_many({**e, "episodeFileId": row["id"]} for e in episodes)

    def _is_worse(self, episodes: list[Json], name: str) -> bool:
        """Whether an episode has a file of a better quality already."""
        mine = quality_of(name)["quality"]["resolution"]
        have = [self._store.files.get(e["episodeFileId"]) for e in episodes if e["episodeFileId"]]
        return any(f["quality"]["quality"]["resolution"] > mine for f in have if f)

    def _note_sizes(self, series: Json, found: dict[str, int]) -> None:
        files = self._store.files_of(series["id"])
        grown = [
            {**f, "size": found[f["relativePath"]]}
            for f in files
            if found.get(f["relativePath"], f["size"]) != f["size"]
        ]
        self._store.files.update_many(grown)

    def _note_extras(self, series: Json) -> None:
        """Notes which files that are no videos belong to an episode file, by the episodes in their names."""
        if not self._app.disks.is_folder(series["path"]):
            return
        owners = {
            (e["seasonNumber"], e["episodeNumber"]): e["episodeFileId"] for e in self._store.episodes_of(series["id"])
        }
        known = {x["relativePath"] for x in self._store.extras.where(series["id"])}
        fresh = []
        for path in self._app.disks.walk(series["path"]):
            relative = path[len(series["path"]) + 1 :]
            parsed = None if is_video(path) or relative in known else parse_name(name_of(path))
            owner = owners.get((parsed.season, parsed.episodes[0])) if parsed else None
            if owner:
                fresh.append({"seriesId": series["id"], "fileId": owner, "relativePath": relative})
        self._store.extras.insert_many(fresh)

    def _drop_empty(self, path: str) -> None:
        folders, _ = self._app.disks.listing(path)
        for name in folders:
            self._drop_empty(f"{path}/{name}")
        if not any(self._app.disks.listing(path)):
            try:
                self._app.disks.remove_folder(path)
            except NetError as error:
                self._app.log.add("error", "DiskScanService", f"Failed to delete empty folder {path}", error)
