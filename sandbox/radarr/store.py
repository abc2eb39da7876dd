"""The rows of a Radarr: movies, their files, history, exclusions, collections, profiles; and how they hang together.

Everything that changes a movie or a file goes through here, so that a movie's `movieFileId`, its files and its history
agree. The caller holds the application's lock.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.errors import NetError, model_not_found, rows_missing
from sandbox.radarr import quality, render
from sandbox.radarr.metadata import Lookup
from sandbox.servarr.app import App
from sandbox.servarr.roots import RootFolders
from sandbox.servarr.settings import Settings
from sandbox.values import Json, stamp, unique

MODEL_NOT_FOUND = "NzbDrone.Core.Datastore.ModelNotFoundException"


class Store:
    """The tables of one Radarr; `lookup` is the metadata service it asks, `media` its media management."""

    def __init__(self, app: App, roots: RootFolders, lookup: Lookup, media: Settings) -> None:
        self.app, self.roots, self.lookup = app, roots, lookup
        database = app.database
        self.movies = database.table("movies")
        self.files = database.table("files", index="movieId")
        self.history = database.table("history", index="movieId")
        self.exclusions = database.table("exclusions")
        self.collections = database.table("collections")
        self.profiles = database.table("profiles")
        self.release_profiles = database.table("releaseprofiles")
        self.delay_profiles = database.table("delayprofiles")
        self.backups = database.table("backups")
        self.media = media
        if not len(self.profiles):
            self.profiles.insert_many(quality.default_profiles())

    # -- reading

    def require(self, movie_id: int) -> Json:
        """The movie, or the 404 of a write to one that is not there."""
        row = self.movies.get(movie_id)
        if row is None:
            raise model_not_found("Movie", movie_id)
        return row

    def require_in_command(self, movie_id: int) -> Json:
        """The movie, or the exception that fails a command."""
        row = self.movies.get(movie_id)
        if row is None:
            raise NetError(MODEL_NOT_FOUND, f"Movie with ID {movie_id} does not exist")
        return row

    def require_all(self, ids: Iterable[int]) -> list[Json]:
        """The movies of a bulk call by id; 500 when one is missing or named twice."""
        wanted = list(ids)
        found = [row for row in (self.movies.get(i) for i in sorted(unique(wanted))) if row is not None]
        if len(found) != len(wanted):
            raise rows_missing(len(wanted), len(found))
        return found

    def by_tmdb(self, tmdb_id: int) -> Json | None:
        return next((m for m in self.movies.each() if m["metadata"]["tmdbId"] == tmdb_id), None)

    def file_of(self, movie: Json) -> Json | None:
        """The file that counts as the movie's."""
        return self.files.get(movie["movieFileId"]) if movie["movieFileId"] else None

    def show(self, movie: Json, *, covers: str = "kept", translated: bool = True) -> Json:
        """A movie of the library in full."""
        file = self.file_of(movie)
        resource = render.movie(movie, file, covers=covers, translated=translated)
        root = render.best_root(movie["path"], self.roots.paths())
        return render.with_statistics(resource, self.files.where(movie["id"]) if file else [], root)

    # -- changing

    def set_path(self, movie_id: int, path: str) -> None:
        """Points a movie somewhere else; one that is gone stays gone."""
        row = self.movies.get(movie_id)
        if row is not None:
            self.movies.update({**row, "path": path})

    def add_file(self, movie_id: int, file: Json) -> Json:
        """Adds a file row and makes it the movie's file."""
        row = self.files.insert({"edition": "", "indexerFlags": 0, "dateAdded": stamp(), **file, "movieId": movie_id})
        movie = self.movies.get(movie_id)
        if movie is not None:
            self.movies.update({**movie, "movieFileId": row["id"]})
        return row

    def drop_file(self, file: Json, reason: str) -> None:
        """Removes a file row and writes the history of it; `reason` as the servers name it (`MissingFromDisk`, …)."""
        movie = self.movies.get(file["movieId"])
        self.files.delete(file["id"])
        if movie is None:
            return
        if movie["movieFileId"] == file["id"]:
            left = self.files.where(movie["id"])
            unmonitor = self.media["autoUnmonitorPreviouslyDownloadedMovies"] and reason != "Upgrade"
            fresh = {"movieFileId": left[-1]["id"] if left else 0, "monitored": movie["monitored"] and not unmonitor}
            self.movies.update({**movie, **fresh})
        data = {
            "reason": reason,
            "releaseGroup": file.get("releaseGroup"),
            "size": str(file["size"]),
            "indexerFlags": str(file["indexerFlags"]),
        }
        self.note(movie, file, "movieFileDeleted", render.join(movie["path"], file["relativePath"]), data)

    def note(self, movie: Json, file: Json, event: str, source_title: str, data: Json) -> None:
        """Writes an event of a movie's history."""
        self.history.insert(
            {
                "movieId": movie["id"],
                "sourceTitle": source_title,
                "languages": file["languages"],
                "quality": file["quality"],
                "date": stamp(),
                "eventType": event,
                "data": data,
            }
        )

    def add_movie(self, known: Json, wish: Json) -> Json:
        """Adds a movie; `wish` has path, qualityProfileId, monitored, minimumAvailability and tags."""
        row = self.movies.insert({**wish, "metadata": known, "movieFileId": 0, "added": stamp()})
        collection = known["collection"]
        if collection and not any(c["tmdbId"] == collection["tmdbId"] for c in self.collections.each()):
            self.collections.insert(
                {
                    **collection,
                    "monitored": False,
                    "rootFolderPath": render.best_root(row["path"], self.roots.paths()),
                    "qualityProfileId": row["qualityProfileId"],
                    "searchOnAdd": False,
                    "minimumAvailability": row["minimumAvailability"],
                    "tags": [],
                }
            )
        return row

    def remove_movies(self, movies: list[Json], *, exclude: bool) -> None:
        """Removes movies with their history at once; `exclude` keeps import lists from adding them again."""
        ids = [m["id"] for m in movies]
        self.movies.delete(*ids)
        for ident in ids:
            self.history.delete(*[h["id"] for h in self.history.where(ident)])
            self.files.delete(*[f["id"] for f in self.files.where(ident)])
        left = {(m["metadata"]["collection"] or {}).get("tmdbId") for m in self.movies.each()}
        self.collections.delete(*[c["id"] for c in self.collections.all() if c["tmdbId"] not in left])
        if exclude:
            known = {e["tmdbId"] for e in self.exclusions.each()}
            fresh = [m["metadata"] for m in movies if m["metadata"]["tmdbId"] not in known]
            self.exclusions.insert_many(
                {"tmdbId": k["tmdbId"], "movieTitle": k["title"], "movieYear": k["year"]} for k in fresh
            )
