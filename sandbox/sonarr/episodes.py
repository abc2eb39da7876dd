"""`/episode` and `/episodefile`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.binding import BOOL, INTS, Model
from sandbox.errors import Failed, NetError, bad_request, missing, rows_missing
from sandbox.http import Request, Response
from sandbox.servarr.paths import root_of
from sandbox.servarr.recycle import bin_folder
from sandbox.values import Json

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4

_MONITOR = Model("Sonarr.Api.V3.Episodes.EpisodesMonitoredResource", {"episodeIds": INTS, "monitored": BOOL})
_FILES = Model("Sonarr.Api.V3.EpisodeFiles.EpisodeFileListResource", {"episodeFileIds": INTS})
_CLIENT = "NzbDrone.Core.Exceptions.NzbDroneClientException"


class EpisodeController:
    """The routes of episodes and of their files."""

    def __init__(self, app: Sonarr4) -> None:
        self._app, self._store = app, app.store
        app.api("GET", "/episode", self._episodes)
        app.api("GET", "/episode/{id}", self._episode)
        app.api("PUT", "/episode/{id}", self._put)
        app.api("PUT", "/episode/monitor", self._monitor)
        app.api("GET", "/episodefile", self._files)
        app.api("GET", "/episodefile/{id}", self._file)
        app.api("DELETE", "/episodefile/{id}", self._delete)
        app.api("DELETE", "/episodefile/bulk", self._delete_many, body=True)

    def _episodes(self, request: Request) -> Response:
        query = request.query
        series, file, wanted = query.integer("seriesId"), query.integer("episodeFileId"), query.integers("episodeIds")
        if series is not None:
            season = query.integer("seasonNumber")
            rows = [e for e in self._store.episodes_of(series) if season is None or e["seasonNumber"] == season]
        elif wanted:
            rows = [e for i in wanted if (e := self._store.episodes.get(i))]
        elif file is not None:
            rows = [e for e in self._store.episodes.each() if e["episodeFileId"] == file]
        else:
            raise bad_request("seriesId or episodeIds must be provided")
        files, whole = query.flag("includeEpisodeFile"), query.flag("includeSeries")
        return Response(200, [self._app.render.episode(r, with_file=files, with_series=whole) for r in rows])

    def _episode(self, request: Request) -> Response:
        row = self._store.episodes.get(request.params["id"])
        if row is None:
            raise missing()
        return Response(200, self._app.render.episode(row, with_file=True, with_series=True))

    def _put(self, request: Request) -> Response:
        sent = request.bind(_MONITOR)
        row = {**self._store.episode(request.params["id"]), "monitored": sent.get("monitored", False)}
        self._store.episodes.update(row)
        return Response(202, self._app.render.episode(row))

    def _monitor(self, request: Request) -> Response:
        sent = request.bind(_MONITOR)
        rows = [
            {**self._store.episode(i), "monitored": sent.get("monitored", False)} for i in sent.get("episodeIds") or []
        ]
        self._store.episodes.update_many(rows)
        return Response(202, [self._app.render.episode(r) for r in rows])

    def _files(self, request: Request) -> Response:
        series, wanted = request.query.integer("seriesId"), request.query.integers("episodeFileIds")
        if series is not None:
            owner = self._store.get(series)
            return Response(200, [self._app.render.file(owner, f) for f in self._store.files_of(series)])
        if not wanted:
            raise bad_request("seriesId or episodeFileIds must be provided")
        found = self._several(wanted)
        return Response(200, [self._app.render.file(self._store.get(f["seriesId"]), f) for f in found])

    def _file(self, request: Request) -> Response:
        row = self._store.files.get(request.params["id"])
        if row is None:
            raise missing()
        return Response(200, self._app.render.file(self._store.get(row["seriesId"]), row))

    def _several(self, idents: list[int]) -> list[Json]:
        found = [f for i in dict.fromkeys(idents) if (f := self._store.files.get(i))]
        if len(found) != len(idents):
            raise rows_missing(len(idents), len(found))
        return found

    def _delete(self, request: Request) -> Response:
        file = self._store.file(request.params["id"])
        self._remove(self._store.get(file["seriesId"]), file)
        return Response(200)

    def _delete_many(self, request: Request) -> Response:
        found = self._several(request.bind(_FILES).get("episodeFileIds") or [])
        if found:
            # Every path is made from the first file's series, whatever series the others belong to.
            first = self._store.get(found[0]["seriesId"])
            for file in found:
                self._remove(first, file)
        return Response(200, {})

    def _remove(self, series: Json, file: Json) -> None:
        disks, path = self._app.disks, f"{series['path']}/{file['relativePath']}"
        root = root_of(series["path"], self._app.roots.paths())
        if not disks.is_folder(root):
            raise self._conflict(f"Series' root folder ({root}) doesn't exist.")
        if not disks.listing(root)[0]:
            raise self._conflict(f"Series' root folder ({root}) is empty.")
        if disks.is_folder(series["path"]) and disks.is_file(path):
            self._app.log.add("info", "MediaFileDeletionService", f"Deleting episode file: {path}")
            try:
                self._app.bin.remove_file(path, bin_folder(series["path"], path))
            except NetError as error:
                told = "Unable to delete episode file"
                self._app.log.add("error", "MediaFileDeletionService", f"{told}: {error.message}", error)
                raise Failed(500, told, _CLIENT) from error
        unmonitor = self._app.media["autoUnmonitorPreviouslyDownloadedEpisodes"]
        self._app.scanner.forget(series, file, "Manual", unmonitor=unmonitor)

    def _conflict(self, told: str) -> Failed:
        self._app.log.add("warn", "MediaFileDeletionService", told)
        return Failed(409, told, _CLIENT)
