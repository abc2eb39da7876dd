"""`/movie`: reading, adding, changing, deleting, and the bulk forms of these.

PUT replaces: what a body leaves out takes Radarr's default, not the old value. The id in the body wins over the one in
the route. With `moveFiles=true` the answer shows the destination while the command that moves the files is only queued.
"""

from __future__ import annotations

from typing import Any

from sandbox.binding import BOOL, DATE, INT, INT_SET, INTS, MAYBE_BOOL, MAYBE_INT, STRING, WHATEVER, Choice, Many, Model
from sandbox.errors import Failed, Invalid, bad_request, missing
from sandbox.http import Request, Response
from sandbox.radarr import render, validate
from sandbox.radarr.deletion import Deleter
from sandbox.radarr.metadata import Gone, Outage
from sandbox.radarr.store import Store
from sandbox.values import Json, prune, unique

STATUSES = ("tba", "announced", "inCinemas", "released")
_STATUS = "NzbDrone.Core.Movies.MovieStatusType"
_ADD_OPTIONS = Model(
    "NzbDrone.Core.Movies.AddMovieOptions",
    {
        "searchForMovie": BOOL,
        "addMethod": Choice("NzbDrone.Core.Movies.AddMovieMethod", ("manual", "list", "collection")),
        "ignoreEpisodesWithFiles": BOOL,
        "ignoreEpisodesWithoutFiles": BOOL,
        "monitor": Choice("NzbDrone.Core.Movies.MonitorTypes", ("movieOnly", "movieAndCollection", "none")),
    },
)
RESOURCE = Model(
    "Radarr.Api.V3.Movies.MovieResource",
    {
        "id": INT,
        "title": STRING,
        "path": STRING,
        "rootFolderPath": STRING,
        "tmdbId": INT,
        "qualityProfileId": INT,
        "monitored": BOOL,
        "minimumAvailability": Choice(_STATUS, STATUSES),
        "tags": INT_SET,
        "added": DATE,
        "addOptions": _ADD_OPTIONS,
        "movieFile": WHATEVER,
    },
)
_MANY = Many(RESOURCE, "System.Collections.Generic.List`1[Radarr.Api.V3.Movies.MovieResource]")
_APPLY = ("add", "remove", "replace")
EDITOR = Model(
    "Radarr.Api.V3.Movies.MovieEditorResource",
    {
        "movieIds": INTS,
        "monitored": MAYBE_BOOL,
        "qualityProfileId": MAYBE_INT,
        "minimumAvailability": Choice(f"System.Nullable`1[{_STATUS}]", STATUSES, null=True),
        "rootFolderPath": STRING,
        "tags": INTS,
        "applyTags": Choice("Radarr.Api.V3.ApplyTags", _APPLY),
        "moveFiles": BOOL,
        "deleteFiles": BOOL,
        "addImportExclusion": BOOL,
    },
)


def _wish(sent: Json) -> Json:
    """The members of a movie that a client decides, with Radarr's defaults for those left out."""
    return {
        "qualityProfileId": sent.get("qualityProfileId", 0),
        "monitored": sent.get("monitored", True),
        "minimumAvailability": sent.get("minimumAvailability", "released"),
        "tags": unique(sent.get("tags") or []),
    }


class Movies:
    """The controller."""

    def __init__(self, store: Store, deleter: Deleter) -> None:
        self._store, self._app, self._deleter = store, store.app, deleter
        api = store.app.api
        api("GET", "/movie", self._list)
        api("GET", "/movie/{id}", self._get)
        api("GET", "/movie/{id}/folder", self._folder)
        api("POST", "/movie", self._post, plain=True)
        api("PUT", "/movie", self._put, plain=True)
        api("PUT", "/movie/{id}", self._put, plain=True)
        api("DELETE", "/movie/{id}", self._delete)
        api("POST", "/movie/import", self._import)
        api("PUT", "/movie/editor", self._edit)
        api("DELETE", "/movie/editor", self._delete_many, body=True)

    # -- reading

    def _list(self, request: Request) -> Response:
        tmdb_id = request.query.integer("tmdbId")
        covers = "none" if request.query.flag("excludeLocalCovers") else "kept"
        rows = self._store.movies.all()
        if tmdb_id is not None:
            rows = [m for m in rows if m["metadata"]["tmdbId"] == tmdb_id]
        return Response(200, [self._store.show(m, covers=covers) for m in rows])

    def _get(self, request: Request) -> Response:
        row = self._store.movies.get(request.params["id"])
        if row is None:
            raise missing()
        return Response(200, self._store.show(row))

    def _folder(self, request: Request) -> Response:
        known = self._store.require(request.params["id"])["metadata"]
        return Response(200, {"folder": render.folder_name(known["title"], known["year"])})

    # -- one movie

    def _post(self, request: Request) -> Response:
        sent = request.bind(RESOURCE)
        self._refuse(validate.create(self._store, sent))
        known = self._look_up(sent)
        wish = {**_wish(sent), "path": validate.folder_for(known, sent)}
        self._refuse([f for f in [validate.movie_path(self._store, wish["path"], 0)] if f])
        row = self._store.add_movie(known, wish)
        shown = self._store.show(row, covers="fresh", translated=False)
        if sent.get("addOptions") is not None:
            options = {
                "searchForMovie": False,
                "addMethod": "manual",
                "ignoreEpisodesWithFiles": False,
                "ignoreEpisodesWithoutFiles": False,
                "monitor": "movieOnly",
            }
            shown["addOptions"] = {**options, **sent["addOptions"]}
        self._welcome([row])
        return Response(201, shown, headers=self._app.location(request.origin, f"/movie/{row['id']}"))

    def _look_up(self, sent: Json) -> Json:
        try:
            return self._store.lookup.movie(sent["tmdbId"])
        except Outage as outage:
            raise outage.failed() from outage
        except Gone:
            told = f"A movie with this ID was not found. Path: {sent.get('path') or ''}"
            problem = {
                "propertyName": "TmdbId",
                "errorMessage": told,
                "attemptedValue": sent["tmdbId"],
                "severity": "error",
            }
            raise Invalid(problem) from None

    def _welcome(self, rows: list[Json]) -> None:
        """What follows an addition: a refresh, and one of its collection."""
        self._app.commands.push(
            "RefreshMovie", {"movieIds": [r["id"] for r in rows], "isNewMovie": True}, "unspecified"
        )
        known = {c["tmdbId"]: c["id"] for c in self._store.collections.each()}
        for row in rows:
            collection = row["metadata"]["collection"]
            if collection:
                self._app.commands.push(
                    "RefreshCollections", {"collectionIds": [known[collection["tmdbId"]]]}, "unspecified"
                )

    def _put(self, request: Request) -> Response:
        sent = request.bind(RESOURCE)
        if not sent.get("id"):
            sent["id"] = request.params.get("id", 0)
        move = request.query.flag("moveFiles")
        self._refuse(validate.change(self._store, sent))
        row = self._store.require(sent["id"])
        if move:
            paths = {"sourcePath": row["path"], "destinationPath": sent["path"]}
            self._app.commands.push("MoveMovie", {"movieId": row["id"], **paths}, "manual", asked=True)
        changed = {**row, **_wish(sent), "path": sent["path"]}
        self._store.movies.update(changed)
        return Response(
            202, self._store.show(changed), headers=self._app.location(request.origin, f"/movie/{row['id']}")
        )

    def _delete(self, request: Request) -> Response:
        files = request.query.flag("deleteFiles")
        exclude = request.query.flag("addImportExclusion")
        if request.params["id"] <= 0:
            raise bad_request(f"{request.params['id']} is not a valid ID")
        movie = self._store.require(request.params["id"])
        self._deleter.movies([movie], files=files, exclude=exclude)
        return Response(200)

    # -- many

    def _import(self, request: Request) -> Response:
        wishes = []
        for sent in request.bind(_MANY):
            try:
                known = self._store.lookup.movie(sent.get("tmdbId", 0))
            except (Gone, Outage):
                continue
            wish = {**_wish(sent), "path": validate.folder_for(known, sent)}
            self._refuse([f for f in [validate.imported(self._store, wish)] if f])
            wishes.append((known, wish))
        rows = [
            self._store.add_movie(known, wish) for known, wish in wishes if not self._store.by_tmdb(known["tmdbId"])
        ]
        if rows:
            self._welcome(rows)
        return Response(200, [self._imported(row) for row in rows])

    def _imported(self, row: Json) -> Json:
        root = render.best_root(row["path"], self._store.roots.paths())
        return {**render.movie(row, None, covers="fresh", translated=False), "rootFolderPath": root}

    def _edit(self, request: Request) -> Response:
        sent = request.bind(EDITOR)
        rows = self._store.require_all(_ids(sent))
        root, move = sent.get("rootFolderPath"), sent.get("moveFiles", False)
        changed = []
        for row in rows:
            fresh = {**row, **_changes(row, sent)}
            self._refuse(validate.edited(self._store, fresh, root))
            if root is not None and not validate.blank(root):
                fresh["path"] = self._relocated(row, root, keep_name=not move)
            changed.append(fresh)
        if root is not None and not validate.blank(root) and move and rows:
            body = {
                "movies": [{"movieId": r["id"], "sourcePath": r["path"]} for r in rows],
                "destinationRootFolder": root,
            }
            self._app.commands.push("BulkMoveMovie", body, "unspecified")
        self._store.movies.update_many(changed)
        given = None if validate.blank(root) else root
        shown = [render.movie(r, self._store.file_of(r)) for r in changed]
        return Response(202, [prune({**s, "rootFolderPath": given}) for s in shown])

    def _relocated(self, row: Json, root: str, *, keep_name: bool) -> str:
        known = row["metadata"]
        if not keep_name:
            return render.join(root, render.folder_name(known["title"], known["year"]))
        old = render.best_root(row["path"], self._store.roots.paths()).rstrip("/")
        return render.join(root, row["path"].rstrip("/")[len(old) + 1 :])

    def _delete_many(self, request: Request) -> Response:
        sent = request.bind(EDITOR)
        movies = self._store.require_all(_ids(sent))
        if movies:
            files, exclude = sent.get("deleteFiles", False), sent.get("addImportExclusion", False)
            self._deleter.movies(movies, files=files, exclude=exclude)
        return Response(200, {})

    def _refuse(self, failures: list[Json]) -> None:
        if failures:
            raise Invalid(*failures)


def _ids(sent: Json) -> list[int]:
    ids: list[int] | None = sent.get("movieIds")
    if ids is None:
        raise Failed(500, "Value cannot be null. (Parameter 'source')", "System.ArgumentNullException")
    return ids


def _changes(row: Json, sent: Json) -> Json:
    """What an editor body changes of a movie: the members that are there and not null."""
    names = ("monitored", "qualityProfileId", "minimumAvailability")
    changes: dict[str, Any] = {n: sent[n] for n in names if sent.get(n) is not None}
    tags = sent.get("tags")
    if tags is not None:
        how = sent.get("applyTags", "add")
        if how == "replace":
            changes["tags"] = unique(tags)
        elif how == "remove":
            changes["tags"] = [t for t in row["tags"] if t not in tags]
        else:
            changes["tags"] = unique([*row["tags"], *tags])
    return changes
