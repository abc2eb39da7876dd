"""`/moviefile`: the files Radarr believes in, edits to them, and their deletion, singly and in bulk."""

from __future__ import annotations

from typing import Any

from sandbox.binding import BOOL, INT, INTS, STRING, Many, Model
from sandbox.errors import bad_request, missing, model_not_found, rows_missing
from sandbox.http import Request, Response
from sandbox.radarr import quality, render
from sandbox.radarr.deletion import Deleter
from sandbox.radarr.store import Store
from sandbox.values import Json, unique

_QUALITY = Model("NzbDrone.Core.Qualities.Quality", {"id": INT, "name": STRING, "source": STRING, "resolution": INT})
_REVISION = Model("NzbDrone.Core.Qualities.Revision", {"version": INT, "real": INT, "isRepack": BOOL})
_LANGUAGE = Model("NzbDrone.Core.Languages.Language", {"id": INT, "name": STRING})
_EDITABLE: dict[str, Any] = {
    "languages": Many(_LANGUAGE, "System.Collections.Generic.List`1[NzbDrone.Core.Languages.Language]"),
    "quality": Model("NzbDrone.Core.Qualities.QualityModel", {"quality": _QUALITY, "revision": _REVISION}),
    "edition": STRING,
    "releaseGroup": STRING,
    "sceneName": STRING,
    "indexerFlags": INT,
}
RESOURCE = Model("Radarr.Api.V3.MovieFiles.MovieFileResource", {"id": INT, **_EDITABLE})
_MANY = Many(RESOURCE, "System.Collections.Generic.List`1[Radarr.Api.V3.MovieFiles.MovieFileResource]")
_LIST = Model("Radarr.Api.V3.MovieFiles.MovieFileListResource", {"movieFileIds": INTS, **_EDITABLE})


class Files:
    """The controller."""

    def __init__(self, store: Store, deleter: Deleter) -> None:
        self._store, self._app, self._deleter = store, store.app, deleter
        api = store.app.api
        api("GET", "/moviefile", self._list)
        api("GET", "/moviefile/{id}", self._get)
        api("PUT", "/moviefile/{id}", self._put)
        api("PUT", "/moviefile/editor", self._edit)
        api("PUT", "/moviefile/bulk", self._put_many)
        api("DELETE", "/moviefile/{id}", self._delete)
        api("DELETE", "/moviefile/bulk", self._delete_many, body=True)

    def _show(self, file: Json) -> Json:
        movie = self._store.movies.get(file["movieId"])
        return render.movie_file(file, movie["path"] if movie else "", formats=True)

    def _by_id(self, ids: list[int]) -> list[Json]:
        found = [f for f in (self._store.files.get(i) for i in sorted(unique(ids))) if f is not None]
        if len(found) != len(ids):
            raise rows_missing(len(ids), len(found))
        return found

    def _list(self, request: Request) -> Response:
        movies, files = request.query.integers("movieId"), request.query.integers("movieFileIds")
        if movies:
            return Response(200, [self._show(f) for m in movies for f in self._store.files.where(m)])
        if files:
            return Response(200, [self._show(f) for f in self._by_id(files)])
        raise bad_request("movieId or movieFileIds must be provided")

    def _get(self, request: Request) -> Response:
        row = self._store.files.get(request.params["id"])
        if row is None:
            raise missing()
        return Response(200, self._show(row))

    def _put(self, request: Request) -> Response:
        sent = request.bind(RESOURCE)
        ident = sent.get("id") or request.params["id"]
        row = self._store.files.get(ident)
        if row is None:
            raise model_not_found("MovieFile", ident)
        changed = self._changed(row, sent)
        return Response(202, self._show(changed), headers=self._app.location(request.origin, f"/moviefile/{row['id']}"))

    def _changed(self, row: Json, sent: Json) -> Json:
        changes = {k: v for k, v in sent.items() if k in _EDITABLE and v is not None}
        changed = {**row, **changes}
        if "quality" in changes:
            changed["quality"] = _quality(sent["quality"], named=True)
        self._store.files.update(changed)
        return changed

    def _edit(self, request: Request) -> Response:
        """The answer echoes a quality as it was sent: only its id is looked up, and only when read back."""
        sent = request.bind(_LIST)
        shown = []
        for row in self._by_id(sent.get("movieFileIds") or []):
            resource = self._show(self._changed(row, sent))
            if sent.get("quality"):
                resource["quality"] = _quality(sent["quality"], named=False)
            shown.append(resource)
        return Response(202, shown, headers={"Deprecation": "true"})

    def _put_many(self, request: Request) -> Response:
        sent = request.bind(_MANY)
        rows = self._by_id([one.get("id", 0) for one in sent])
        wishes = {one["id"]: one for one in sent}
        return Response(202, [self._show(self._changed(row, wishes[row["id"]])) for row in rows])

    def _delete(self, request: Request) -> Response:
        row = self._store.files.get(request.params["id"])
        if row is None:
            raise model_not_found("MovieFile", request.params["id"])
        self._deleter.file(self._store.require(row["movieId"]), row)
        return Response(200)

    def _delete_many(self, request: Request) -> Response:
        """Every path is built from the first file's movie, so files of another movie lose their row and stay."""
        ids = request.bind(_LIST).get("movieFileIds") or []
        if not ids:
            raise bad_request("movieFileIds must be provided")
        rows = self._by_id(ids)
        movie = self._store.require(rows[0]["movieId"])
        for row in rows:
            self._deleter.file(movie, row)
        return Response(200, {})


def _quality(sent: Json, *, named: bool) -> Json:
    """A quality model as stored (`named`: looked up by its id) or as sent."""
    told = sent.get("quality") or {}
    known = quality.BY_ID.get(told.get("id", 0), quality.UNKNOWN)
    shown = known.json() if named else {"source": "unknown", "resolution": 0, "modifier": "none", "id": 0, **told}
    revision = {"version": 1, "real": 0, "isRepack": False, **(sent.get("revision") or {})}
    return {"quality": shown, "revision": revision}
