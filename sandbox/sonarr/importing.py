"""DownloadedEpisodesScan: what lies in a folder of downloads goes into the library, and the history tells of it.

`copy` leaves the download as it is: a hardlink on the same mount (unless the settings say otherwise), else a copy; `move`
and `auto` take the file away, and the folder with it when no video is left. An import that replaces a file deletes that
first. The history names the download only when one of the server's own clients lists it (the world's setting `tracked`).
Files here hold no pictures: a world that knows the resolution of its clips says it (`clip_resolution`), else names tell.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.binding import STRING, Choice, Model
from sandbox.commands import Context
from sandbox.errors import NetError
from sandbox.servarr.paths import name_of
from sandbox.servarr.recycle import bin_folder
from sandbox.sonarr.naming import Parsed, clean_title, parse_name, quality_of, release_group, release_title
from sandbox.transfer import is_video
from sandbox.values import Json, iso, now

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4

_MODES = Choice("ImportMode", ("auto", "move", "copy"))
_LOGGER = "DownloadedEpisodesImportService"


class Importer:
    """The command."""

    def __init__(self, app: Sonarr4) -> None:
        self._app, self._store = app, app.store
        app.command(
            "DownloadedEpisodesScan",
            self._scan,
            model=Model(
                "DownloadedEpisodesScanCommand", {"path": STRING, "downloadClientId": STRING, "importMode": _MODES}
            ),
            read=_members,
            disk=True,
            long=True,
            sends_updates=False,
        )

    def _scan(self, context: Context) -> None:
        path = str(context.body.get("path") or "").rstrip("/")
        if not path:
            raise NetError("System.ArgumentException", "A path must be provided")
        if not self._import(path, context.body.get("downloadClientId"), context.body["importMode"]):
            context.say("Failed to import")
            context.conclude("unsuccessful")

    def _import(self, path: str, download: str | None, mode: str) -> bool:
        """Whether anything was imported."""
        app, disks = self._app, self._app.disks
        folder = disks.is_folder(path)
        files = list(disks.walk(path)) if folder else [path] if disks.is_file(path) else []
        if not files:
            app.log.add("warn", _LOGGER, f"Import failed, path does not exist or is not accessible by Sonarr: {path}")
        done = [self._take(file, download, mode) for file in files if is_video(file)]
        if any(done) and folder and mode != "copy" and not any(is_video(file) for file in disks.walk(path)):
            disks.remove_folder(path)
        return any(done)

    def _take(self, file: str, download: str | None, mode: str) -> bool:
        parsed = parse_name(name_of(file))
        with self._app.lock:
            series = self._series(file) if parsed else None
            if series is None or parsed is None:
                self._app.log.add("debug", _LOGGER, f"Unknown Series {name_of(file)}")
                return False
            wanted = [
                e
                for e in self._store.episodes_of(series["id"])
                if e["seasonNumber"] == parsed.season and e["episodeNumber"] in parsed.episodes
            ]
            if not wanted:
                return False
            for old in {e["episodeFileId"] for e in wanted if e["episodeFileId"]}:
                self._replace(series, old)
            self._place(series, file, parsed, wanted, download, mode)
        return True

    def _series(self, file: str) -> Json | None:
        title = release_title(name_of(file))
        return next((s for s in self._store.series.each() if clean_title(s["title"]) == clean_title(title)), None)

    def _replace(self, series: Json, ident: int) -> None:
        old = self._store.files.get(ident)
        if old is None:
            return
        path = f"{series['path']}/{old['relativePath']}"
        if self._app.disks.is_file(path):
            self._app.bin.remove_file(path, bin_folder(series["path"], path))
        self._app.scanner.forget(series, old, "Upgrade")

    def _place(
        self, series: Json, file: str, parsed: Parsed, episodes: list[Json], download: str | None, mode: str
    ) -> None:
        app, name = self._app, name_of(file)
        folder = f"Season {parsed.season}" if series["seasonFolder"] else ""
        relative = f"{folder}/{name}".lstrip("/")
        target = f"{series['path']}/{relative}"
        app.disks.make_folder(target.rsplit("/", 1)[0])
        size = app.disks.size(file)
        if mode != "copy":
            app.transfer.move_file(file, target)
        elif app.media["copyUsingHardlinks"] and app.disks.same_mount(file, target):
            app.disks.link(file, target)
        else:
            app.transfer.copy_file(file, target)
        kind = "multi" if len(episodes) > 1 else "single"
        qualities = quality_of(name, app.world.get("clip_resolution"))
        row = self._store.add_file(series["id"], parsed.season, relative, size, qualities, release_group(name), kind)
        stem = os.path.splitext(name)[0]  # noqa: PTH122
        self._store.files.update({**row, "sceneName": stem})
        self._store.episodes.update_many({**e, "episodeFileId": row["id"]} for e in episodes)
        self._store.history.insert_many(self._event(series, e, row, file, download) for e in episodes)

    def _event(self, series: Json, episode: Json, row: Json, file: str, download: str | None) -> Json:
        tracked = download is not None and download.upper() in {
            t.upper() for t in self._app.settings().get("tracked", ())
        }
        kind = row["releaseType"]
        return {
            "episodeId": episode["id"],
            "seriesId": series["id"],
            "sourceTitle": os.path.splitext(name_of(file))[0],  # noqa: PTH122
            "quality": row["quality"],
            "date": iso(now()),
            **({"downloadId": str(download).upper()} if tracked else {}),
            "eventType": "downloadFolderImported",
            "data": {
                "fileId": str(row["id"]),
                "droppedPath": file,
                "importedPath": f"{series['path']}/{row['relativePath']}",
                "downloadClient": None,
                "downloadClientName": None,
                "releaseGroup": row["releaseGroup"],
                "customFormatScore": "0",
                "size": str(row["size"]),
                "indexerFlags": "0",
                "releaseType": kind[:1].upper() + kind[1:],
            },
        }


def _members(sent: Json) -> Json:
    """The command's members: what was not sent stays away, and the mode is told by its name."""
    mode = sent.get("importMode", "auto")
    named = {k: sent[k] for k in ("path", "downloadClientId") if sent.get(k) is not None}
    return {**named, "importMode": mode}
