"""RescanMovie and RefreshMovie: what Radarr makes of a movie's folder, and of the lookup service.

A scan that finds no folder forgets the movie's files when its root folder holds anything at all, and does nothing when
the root is empty or gone. One that finds the folder forgets the files that are gone, takes in at most one video that is
no worse than what there is, and writes the sizes as they are at that moment, half-copied files included.
"""

from __future__ import annotations

import os
import re

from sandbox.commands import Context
from sandbox.errors import NetError
from sandbox.radarr import quality, render
from sandbox.radarr.metadata import Gone, Outage
from sandbox.radarr.store import Store
from sandbox.transfer import is_video
from sandbox.values import Json

_IGNORED_FOLDER = re.compile(
    r"(?:^|/)(?:extras|extrafanart|behind the scenes|deleted scenes|featurettes|interviews|other|scenes|shorts|"
    r"sample[s]?|trailers|plex versions|@eadir|\.@__thumb|[.][^/]+)/",
    re.IGNORECASE,
)
_IGNORED_FILE = re.compile(r"(?:^|/)\._|\bsample\b|-trailer\.", re.IGNORECASE)
_MEDIA_INFO = {
    "audioBitrate": 0,
    "audioChannels": 1,
    "audioCodec": "AAC",
    "audioLanguages": "eng",
    "audioStreamCount": 1,
    "videoBitDepth": 8,
    "videoBitrate": 0,
    "videoCodec": "h264",
    "videoFps": 24,
    "videoDynamicRange": "",
    "videoDynamicRangeType": "",
    "runTime": "0:20",
    "scanType": "Progressive",
    "subtitles": "",
}


def measured(name: str) -> int:
    """The height of the video in a file: 720 when its name says 720p, else 1080."""
    return 720 if quality.resolution_of(name) == 720 else 1080


def file_row(relative: str, size: int, release: str | None = None) -> Json:
    """The row of a video file, from its name (or the release it came in)."""
    stem = os.path.splitext(os.path.basename(relative))[0]  # noqa: PTH119, PTH122
    told = release or stem
    height = measured(told)
    return {
        "relativePath": relative,
        "size": size,
        "quality": quality.parse(told, height),
        "languages": [render.ENGLISH],
        "releaseGroup": quality.release_group(told),
        "sceneName": release or (stem if quality.is_release(stem) else None),
        "mediaInfo": {**_MEDIA_INFO, "resolution": f"{height * 16 // 9}x{height}"},
    }


def weight(row: Json) -> int:
    """How good a file's quality is."""
    return quality.BY_ID[row["quality"]["quality"]["id"]].weight


class Scanner:
    """The scans of one Radarr. Takes the application's lock for each movie, not for a whole run."""

    def __init__(self, store: Store) -> None:
        self._store, self._app = store, store.app

    def rescan(self, context: Context) -> None:
        """RescanMovie: one movie, or all."""
        movie_id = context.body.get("movieId")
        if movie_id is not None:
            with self._app.lock:
                movies = [self._store.require_in_command(movie_id)]
        else:
            with self._app.lock:
                movies = self._store.movies.all()
        for movie in movies:
            self._app.pause(self._app.timing.rescan_s)
            self.scan(movie["id"], context)

    def refresh(self, context: Context) -> None:
        """RefreshMovie: the named movies, or all when none are named."""
        named = context.body["movieIds"]
        with self._app.lock:
            ids = named or [
                m["id"] for m in sorted(self._store.movies.all(), key=lambda m: str(m["metadata"]["title"]))
            ]
        for movie_id in ids:
            try:
                self._refresh_one(movie_id, context)
            except Outage as outage:
                if named:
                    raise NetError(outage.kind, outage.message) from outage
                text = f"Couldn't refresh info for movie {movie_id}"
                self._app.log.add("error", "RefreshMovieService", text, NetError(outage.kind, outage.message))
            with self._app.lock:
                when = self._store.media["rescanAfterRefresh"]
            if (
                context.body["isNewMovie"]
                or when == "always"
                or (when == "afterManual" and context.trigger == "manual")
            ):
                self.scan(movie_id, context)

    def _refresh_one(self, movie_id: int, context: Context) -> None:
        with self._app.lock:
            movie = self._store.require_in_command(movie_id)
        known = movie["metadata"]
        context.say(f"Updating info for {known['title']}")
        self._app.pause(self._app.timing.metadata_s)
        try:
            fresh = self._store.lookup.movie(known["tmdbId"])
        except Gone:
            fresh = {**known, "status": "deleted"}
        with self._app.lock:
            row = self._store.movies.get(movie_id)
            if row is not None:
                self._store.movies.update({**row, "metadata": fresh})

    def scan(self, movie_id: int, context: Context) -> None:
        """Brings the database in line with a movie's folder; a movie that is gone is skipped."""
        with self._app.lock:
            movie = self._store.movies.get(movie_id)
            if movie is None:
                return
            root = render.best_root(movie["path"], self._store.roots.paths())
            exists = self._app.disks.is_folder(movie["path"])
            problem = None if exists else self.root_problem(root)
            if problem:
                self._app.log.add("warn", "DiskScanService", problem)
                return
            context.say(f"Scanning disk for {movie['metadata']['title']}")
            found = self._videos(movie["path"]) if exists else {}
            for file in list(self._store.files.where(movie_id)):
                if file["relativePath"] not in found:
                    self._store.drop_file(file, "MissingFromDisk")
            if exists:
                self._take_in(movie_id, found)
            self._tidy(movie["path"].rstrip("/"), exists)

    def _tidy(self, folder: str, exists: bool) -> None:
        """Makes or removes empty folders, when the settings say so."""
        disks, media = self._app.disks, self._store.media
        try:
            if not exists:
                if media["createEmptyMovieFolders"]:
                    disks.make_folder(folder)
            elif media["deleteEmptyFolders"] and not any(disks.walk(folder)):
                disks.remove_folder(folder)
        except NetError as error:
            self._app.log.add("warn", "DiskScanService", f"Unable to tidy {folder}: {error.message}", error)

    def root_problem(self, root: str, *, folders_only: bool = False) -> str | None:
        """Why a missing movie folder says nothing: its root folder is gone, or empty (of folders)."""
        disks = self._app.disks
        if not disks.is_folder(root):
            return f"Movie's root folder ({root}) doesn't exist."
        try:
            folders, files = disks.listing(root)
            if not folders and (folders_only or not files):
                return f"Movie's root folder ({root}) is empty. Rescan will not update movies as a failsafe."
        except NetError:
            return f"Movie's root folder ({root}) doesn't exist."
        return None

    def _videos(self, folder: str) -> dict[str, int]:
        """The video files below a folder that count, by relative path, with their sizes."""
        top = folder.rstrip("/")
        found: dict[str, int] = {}
        try:
            paths = list(self._app.disks.walk(top))
        except NetError:
            return found
        for path in paths:
            relative = path[len(top) + 1 :]
            if is_video(path) and not _IGNORED_FOLDER.search(relative) and not _IGNORED_FILE.search(relative):
                found[relative] = self._app.disks.size(path)
        return found

    def _take_in(self, movie_id: int, found: dict[str, int]) -> None:
        files = self._store.files.where(movie_id)
        tracked = {f["relativePath"] for f in files}
        for file in list(files):
            if file["size"] != found[file["relativePath"]]:
                self._store.files.update({**file, "size": found[file["relativePath"]]})
        fresh = [file_row(name, size) for name, size in found.items() if name not in tracked]
        best = max(fresh, key=lambda row: (weight(row), row["size"]), default=None)
        movie = self._store.movies.get(movie_id)
        held = self._store.file_of(movie) if movie else None
        if best is not None and (held is None or weight(best) >= weight(held)):
            self._store.add_file(movie_id, best)
