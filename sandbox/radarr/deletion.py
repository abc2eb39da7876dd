"""Deleting: movies with or without their folders, single files, and the recycle bin between them and the void.

A movie's row is gone when the request is answered; its folder goes afterwards, and what goes wrong then only the log
tells.
"""

from __future__ import annotations

import time

from sandbox.commands import Context
from sandbox.errors import Failed, NetError
from sandbox.radarr import render
from sandbox.radarr.scan import Scanner
from sandbox.radarr.store import Store
from sandbox.servarr.paths import clean, is_parent
from sandbox.servarr.recycle import RecycleBin, bin_folder
from sandbox.values import Json

_DAY_S = 86400.0
LOGGER = "MediaFileDeletionService"


class Deleter:
    """The deletions of one Radarr."""

    def __init__(self, store: Store, scanner: Scanner) -> None:
        self._store, self._app, self._scanner = store, store.app, scanner
        self._bin = RecycleBin(store.app.disks, store.app.transfer, lambda: str(store.media["recycleBin"]))

    def movies(self, movies: list[Json], *, files: bool, exclude: bool) -> None:
        """Removes movies; with `files` their folders follow after the answer."""
        self._store.remove_movies(movies, exclude=exclude)
        if files:
            self._app.background(lambda: self._folders(movies))

    def _folders(self, movies: list[Json]) -> None:
        for movie in movies:
            path = clean(movie["path"])
            with self._app.lock:
                others = [clean(m["path"]) for m in self._store.movies.each()]
            if path in others:
                text = f"Movie path: '{path}' is in use by another movie, not deleting files."
                self._app.log.add("error", LOGGER, text)
                return
            if any(is_parent(path, other) for other in others):
                text = f"Movie path: '{path}' is a parent of another movie, not deleting files."
                self._app.log.add("error", LOGGER, text)
                return
            if self._app.disks.is_folder(path):
                self._bin.remove_folder(path)

    def file(self, movie: Json, file: Json) -> None:
        """Deletes one file and its row. Failed: 409 while the root folder is gone or empty, 500 when it can't be."""
        path = render.join(movie["path"], file["relativePath"])
        root = render.best_root(movie["path"], self._store.roots.paths())
        problem = self._scanner.root_problem(root, folders_only=True)
        if problem:
            self._app.log.add("warn", LOGGER, problem)
            raise Failed(409, problem, "NzbDrone.Core.Exceptions.NzbDroneClientException")
        if self._app.disks.is_file(path):
            try:
                self._bin.remove_file(path, bin_folder(movie["path"], path))
            except NetError as error:
                self._app.log.add("error", LOGGER, f"Unable to delete movie file: {error.message}", error)
                kind = "NzbDrone.Core.Exceptions.NzbDroneClientException"
                raise Failed(500, "Unable to delete movie file", kind) from error
        self._store.drop_file(file, "Manual")

    def clean_bin(self, _context: Context) -> None:
        """CleanUpRecycleBin: what has lain there longer than the configured days; 0 days is for ever."""
        media, disks = self._store.media, self._app.disks
        bin_path, days = clean(media["recycleBin"]), media["recycleBinCleanupDays"]
        if not bin_path or days == 0 or not disks.is_folder(bin_path):
            return
        limit = time.time() - days * _DAY_S
        folders, files = disks.listing(bin_path)
        for name in folders:
            below = list(disks.walk(f"{bin_path}/{name}"))
            if all(disks.modified(p) < limit for p in [*below, f"{bin_path}/{name}"]):
                disks.remove_folder(f"{bin_path}/{name}")
        for name in files:
            if disks.modified(f"{bin_path}/{name}") < limit:
                disks.remove_file(f"{bin_path}/{name}")
