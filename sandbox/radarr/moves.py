"""MoveMovie and BulkMoveMovie: how Radarr moves a movie's folder after its path has already been changed.

The database shows the destination before the first byte moves. An I/O error is logged, the path put back, and the
command still succeeds; a refusal by permissions fails the command and leaves every path as it is, those of the movies
behind it included.
"""

from __future__ import annotations

from sandbox.commands import Context
from sandbox.errors import NetError
from sandbox.radarr import render
from sandbox.radarr.store import Store
from sandbox.servarr.paths import clean, parent_of
from sandbox.values import Json

START_S = 0.03  # the reader of the answer to a PUT sees the destination, even when the move fails at once


class Mover:
    """The moves of one Radarr. The lock is not held while files move."""

    def __init__(self, store: Store) -> None:
        self._store, self._app = store, store.app

    def one(self, context: Context) -> None:
        """MoveMovie."""
        body = context.body
        with self._app.lock:
            movie = self._store.require_in_command(body["movieId"])
        if not body.get("sourcePath") or not body.get("destinationPath"):
            raise NetError("System.ArgumentNullException", "Value can not be null. (Parameter 'path')")
        self._app.pause(START_S)
        self._move(movie, body["sourcePath"], body["destinationPath"], context, "")

    def many(self, context: Context) -> None:
        """BulkMoveMovie."""
        movies, root = context.body.get("movies"), context.body.get("destinationRootFolder")
        if movies is None or root is None:
            raise NetError("System.NullReferenceException", "Object reference not set to an instance of an object.")
        self._app.pause(START_S)
        for number, entry in enumerate(movies, 1):
            with self._app.lock:
                movie = self._store.require_in_command(entry["movieId"])
            known = movie["metadata"]
            target = render.join(root, render.folder_name(known["title"], known["year"]))
            count = f" ({number}/{len(movies)})" if len(movies) > 1 else ""
            self._move(movie, entry["sourcePath"], target, context, count)
        self._say(context, f"Finished moving {len(movies)} movies to '{root}'")

    def _move(self, movie: Json, source: str, target: str, context: Context, count: str) -> None:
        if not self._app.disks.is_folder(source.rstrip("/") or "/"):
            return
        title = movie["metadata"]["title"]
        self._say(context, f"Moving {title} from '{source}' to '{target}'{count}")
        if clean(source) == clean(target):
            known = movie["metadata"]
            named = f"[{title} ({known['year']})][{known['imdbId']}, {known['tmdbId']}]"
            self._say(context, f"{named} is already in the specified location '{target}'.")
            return
        try:
            self._app.disks.make_folder(parent_of(target))
            self._app.transfer.move_folder(clean(source), clean(target))
        except NetError as error:
            if not error.io:
                raise
            text = f"Unable to move movie from '{source}' to '{target}'. Try moving files manually: {error.message}"
            self._app.log.add("error", "MoveMovieService", text, error)
            with self._app.lock:
                self._store.set_path(movie["id"], source)
            return
        self._say(context, f"{title} moved successfully to {target}")

    def _say(self, context: Context, text: str) -> None:
        context.say(text)
        self._app.log.add("info", "MoveMovieService", text)
