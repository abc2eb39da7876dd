"""What follows the deletion of series: files, episodes and exclusions go after the answer, and failures are only logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.servarr.paths import clean, is_parent
from sandbox.values import Json

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4

_AFTER_S = 0.05


class Deletion:
    """Deletes series; the rows and their history go at once."""

    def __init__(self, app: Sonarr4) -> None:
        self._app, self._store = app, app.store

    def delete(self, idents: list[int], files: bool, exclude: bool) -> None:
        """Deletes rows now, and what belongs to them a moment later."""
        rows = [r for i in idents if (r := self._store.series.get(i))]
        self._store.delete_series(rows)
        with self._app.database.together():
            for row in rows:
                self._store.delete_episodes(row["id"])
        if exclude:
            self._app.background(lambda: self._exclude(rows))
        if files:
            self._app.background(lambda: self._remove_files(rows))

    def _exclude(self, rows: list[Json]) -> None:
        self._app.pause(_AFTER_S)
        with self._app.lock:
            known = {e["tvdbId"] for e in self._store.exclusions.each()}
            fresh = [r for r in rows if r["tvdbId"] not in known]
            self._store.exclusions.insert_many({"tvdbId": r["tvdbId"], "title": r["title"]} for r in fresh)

    def _remove_files(self, rows: list[Json]) -> None:
        with self._app.lock:
            others = [s["path"] for s in self._store.series.each()]
        for row in rows:
            path = clean(row["path"])
            if path in map(clean, others):
                told = f"Series path: '{path}' is the same as another series, not deleting files."
            elif any(is_parent(path, other) for other in others):
                told = f"Series path: '{path}' is a parent of another series, not deleting files."
            else:
                if self._app.disks.is_folder(path):
                    self._app.bin.remove_folder(path)
                continue
            # The real server leaves the rest of the batch alone as well.
            self._app.log.add("error", "MediaFileDeletionService", told)
            return
