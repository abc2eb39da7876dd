"""The smaller controllers of Radarr: history, exclusions, collections, profiles, media management, backups."""

from __future__ import annotations

from sandbox.binding import BOOL, INT, INT_SET, INTS, STRING, WHATEVER, Choice, Many, Model
from sandbox.commands import Context
from sandbox.database import Table
from sandbox.errors import Invalid, Problem, failure, missing, model_not_found
from sandbox.http import Request, Response
from sandbox.radarr import render, validate
from sandbox.radarr.store import Store
from sandbox.servarr.paging import paged, read_page
from sandbox.values import Json, iso, now, parse

EVENTS = ("unknown", "grabbed", "", "downloadFolderImported", "downloadFailed", "", "movieFileDeleted", "movieFolderImported",
          "movieFileRenamed", "downloadIgnored")  # fmt: skip


def add_history(store: Store) -> None:
    """`/history`, `/history/since`, `/history/movie`."""

    def by_number(request: Request) -> list[str] | None:
        raw = request.query.text("eventType")
        if raw and not raw.isdigit():
            raise Problem(400, {"eventType": [f"The value '{raw}' is not valid."]})
        numbers = request.query.integers("eventType")
        return [EVENTS[i] if i < len(EVENTS) else "" for i in numbers] if raw else None

    def by_name(request: Request) -> list[str] | None:
        return [request.query.choice("eventType", EVENTS, "")] if request.query.text("eventType") else None

    def chosen(rows: list[Json], wanted: list[str] | None) -> list[Json]:
        kept = [r for r in rows if wanted is None or r["eventType"] in wanted]
        return sorted(kept, key=lambda r: (str(r["date"]), int(r["id"])), reverse=True)

    def fits(row: Json, request: Request) -> bool:
        query = request.query
        movies, qualities, tongues = query.integers("movieIds"), query.integers("quality"), query.integers("languages")
        return (
            (not movies or row["movieId"] in movies)
            and (not qualities or row["quality"]["quality"]["id"] in qualities)
            and (not tongues or any(t["id"] in tongues for t in row["languages"]))
            and ("downloadId" not in query or row.get("downloadId") == query.text("downloadId"))
        )

    def shown(row: Json, with_movie: bool) -> Json:
        movie = store.movies.get(row["movieId"]) if with_movie else None
        extra = {"movie": render.movie(movie, store.file_of(movie))} if movie else {}
        return {**render.history(row), **extra}

    def get(request: Request) -> Response:
        page = read_page(request, ("date", "languages", "movieMetadata.sortTitle", "quality"))
        with_movie = request.query.flag("includeMovie")
        found = chosen([r for r in store.history.all() if fits(r, request)], by_number(request))
        if page.direction == "ascending":
            found.reverse()
        return Response(200, paged(page, found, lambda row: shown(row, with_movie)))

    def since(request: Request) -> Response:
        date = request.query.date("date")
        rows = [r for r in store.history.all() if not date or parse(r["date"]) >= parse(date)]
        return Response(200, [render.history(r) for r in chosen(rows, by_name(request))])

    def of_movie(request: Request) -> Response:
        rows = store.history.where(request.query.integer("movieId", 0))
        return Response(200, [render.history(r) for r in chosen(rows, by_name(request))])

    store.app.api("GET", "/history", get, plain=True)
    store.app.api("GET", "/history/since", since, plain=True)
    store.app.api("GET", "/history/movie", of_movie, plain=True)


class Exclusions:
    """`/exclusions`: what import lists may not add."""

    MODEL = Model(
        "Radarr.Api.V3.ImportLists.ImportListExclusionResource",
        {"id": INT, "tmdbId": INT, "movieTitle": STRING, "movieYear": INT},
    )

    def __init__(self, store: Store) -> None:
        self._app, self._table = store.app, store.exclusions
        api = store.app.api
        api("GET", "/exclusions", lambda _r: Response(200, [_excluded(r) for r in self._table.all()]))
        api("GET", "/exclusions/paged", self._paged)
        api("GET", "/exclusions/{id}", self._get)
        api("POST", "/exclusions", self._post)
        api("PUT", "/exclusions/{id}", self._put)
        api("DELETE", "/exclusions/{id}", self._delete)
        api("POST", "/exclusions/bulk", self._post_many)
        api("DELETE", "/exclusions/bulk", self._delete_many, body=True)

    def _paged(self, request: Request) -> Response:
        page = read_page(request, ("id", "tmdbId", "movieTitle", "movieYear"))
        rows = sorted(self._table.all(), key=lambda r: r[page.sort_key], reverse=page.direction == "descending")
        return Response(200, paged(page, rows, _excluded))

    def _get(self, request: Request) -> Response:
        row = self._table.get(request.params["id"])
        if row is None:
            raise missing()
        return Response(200, _excluded(row))

    def _read(self, request: Request) -> Json:
        sent: Json = request.bind(self.MODEL)
        tmdb_id, title, ident = sent.get("tmdbId", 0), sent.get("movieTitle"), sent.get("id", 0)
        found = []
        if tmdb_id == 0:
            found.append(validate.empty("TmdbId", 0, "Tmdb Id"))
        elif any(r["tmdbId"] == tmdb_id and r["id"] != ident for r in self._table.each()):
            told = "This exclusion has already been added."
            found.append(failure("TmdbId", told, "ImportListExclusionExistsValidator", tmdb_id, "Tmdb Id"))
        if validate.blank(title):
            found.append(validate.empty("MovieTitle", title, "Movie Title"))
        if found:
            raise Invalid(*found)
        return sent

    def _post(self, request: Request) -> Response:
        row = self._table.insert(_exclusion(self._read(request)))
        return Response(201, _excluded(row), headers=self._app.location(request.origin, f"/exclusions/{row['id']}"))

    def _put(self, request: Request) -> Response:
        sent = self._read(request)
        ident = sent.get("id") or request.params["id"]
        if ident not in self._table:
            raise model_not_found("ImportListExclusion", ident)
        row = {**_exclusion(sent), "id": ident}
        self._table.update(row)
        return Response(202, _excluded(row), headers=self._app.location(request.origin, f"/exclusions/{ident}"))

    def _delete(self, request: Request) -> Response:
        self._table.delete(request.params["id"])
        return Response(200)

    def _post_many(self, request: Request) -> Response:
        known = {r["tmdbId"] for r in self._table.each()}
        sent = request.bind(Many(self.MODEL, "System.Collections.Generic.List`1"))
        rows = self._table.insert_many(_exclusion(one) for one in sent if one.get("tmdbId") not in known)
        return Response(200, [_excluded(r) for r in rows])

    def _delete_many(self, request: Request) -> Response:
        sent = request.bind(Model("Radarr.Api.V3.ImportLists.ImportListExclusionBulkResource", {"ids": INTS}))
        self._table.delete(*(sent.get("ids") or []))
        return Response(200, {})


def _exclusion(sent: Json) -> Json:
    return {
        "tmdbId": sent.get("tmdbId", 0),
        "movieTitle": sent.get("movieTitle"),
        "movieYear": sent.get("movieYear", 0),
    }


def _excluded(row: Json) -> Json:
    return {**{k: row[k] for k in ("tmdbId", "movieTitle", "movieYear") if row[k] is not None}, "id": row["id"]}


def add_collections(store: Store) -> None:
    """`/collection`."""

    def get(_request: Request) -> Response:
        here = {m["metadata"]["tmdbId"] for m in store.movies.each()}
        excluded = {e["tmdbId"] for e in store.exclusions.each()}
        rows = store.collections.all()
        members = {r["id"]: store.lookup.same_collection(r["tmdbId"]) for r in rows}
        return Response(200, [render.collection(r, members[r["id"]], here, excluded) for r in rows])

    store.app.api("GET", "/collection", get)


def add_profiles(store: Store) -> None:
    """`/qualityprofile` (reading), `/releaseprofile` and `/delayprofile` (as far as they use tags)."""
    app = store.app

    def profile(request: Request) -> Response:
        row = store.profiles.get(request.params["id"])
        if row is None:
            raise missing()
        return Response(200, row)

    app.api("GET", "/qualityprofile", lambda _r: Response(200, store.profiles.all()))
    app.api("GET", "/qualityprofile/{id}", profile)
    if not len(store.delay_profiles):
        always = {"enableUsenet": True, "enableTorrent": True, "preferredProtocol": "usenet"}
        last = {"bypassIfHighestQuality": True, "order": 2147483647, "tags": []}
        store.delay_profiles.insert({**_DELAY_DEFAULTS, **always, **last})
    _add_rows(store, "releaseprofile", store.release_profiles, _RELEASE, _RELEASE_DEFAULTS)
    _add_rows(store, "delayprofile", store.delay_profiles, _DELAY, _DELAY_DEFAULTS)


_RELEASE = Model(
    "Radarr.Api.V3.Profiles.Release.ReleaseProfileResource",
    {"name": STRING, "enabled": BOOL, "required": WHATEVER, "ignored": WHATEVER, "indexerId": INT, "tags": INT_SET},
)
_RELEASE_DEFAULTS: Json = {"enabled": True, "required": [], "ignored": [], "indexerId": 0, "tags": []}
_PROTOCOL = Choice("NzbDrone.Core.Indexers.DownloadProtocol", ("unknown", "usenet", "torrent"))
_DELAY = Model(
    "Radarr.Api.V3.Profiles.Delay.DelayProfileResource",
    {
        "enableUsenet": BOOL,
        "enableTorrent": BOOL,
        "preferredProtocol": _PROTOCOL,
        "usenetDelay": INT,
        "torrentDelay": INT,
        "bypassIfHighestQuality": BOOL,
        "bypassIfAboveCustomFormatScore": BOOL,
        "minimumCustomFormatScore": INT,
        "tags": INT_SET,
    },
)
_DELAY_DEFAULTS: Json = {
    "enableUsenet": False,
    "enableTorrent": False,
    "preferredProtocol": "unknown",
    "usenetDelay": 0,
    "torrentDelay": 0,
    "bypassIfHighestQuality": False,
    "bypassIfAboveCustomFormatScore": False,
    "minimumCustomFormatScore": 0,
}


def _add_rows(store: Store, name: str, table: Table, model: Model, defaults: Json) -> None:
    def post(request: Request) -> Response:
        sent = {k: v for k, v in request.bind(model).items() if v is not None}
        order = {"order": len(table)} if name == "delayprofile" else {}
        row = table.insert({**defaults, **sent, **order, "tags": sent.get("tags") or []})
        return Response(201, row, headers=store.app.location(request.origin, f"/{name}/{row['id']}"))

    store.app.api("GET", f"/{name}", lambda _r: Response(200, table.all()))
    store.app.api("POST", f"/{name}", post)


def add_backups(store: Store) -> None:
    """`/system/backup`, and the command that makes one."""
    table = store.backups

    def make(context: Context) -> None:
        store.app.log.add("info", "BackupService", "Starting Backup")
        moment = now()
        name = f"radarr_backup_v{store.app.version}_{moment:%Y.%m.%d_%H.%M.%S}.zip"
        with store.app.lock:
            path = f"/backup/manual/{name}"
            table.insert({"name": name, "path": path, "type": "manual", "size": 20000, "time": iso(moment)})
        context.say("Backup zip created")

    store.app.command("Backup", make, body={"type": "manual"}, updates_task=False)
    store.app.api("GET", "/system/backup", lambda _r: Response(200, table.all()))
    store.app.api("GET", "/update", lambda _r: Response(200, []))
