"""`/series`, `/series/lookup` and `/series/editor`: reading, adding, replacing, editing in bulk, deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.binding import BOOL, INT, INT_SET, INTS, MAYBE_BOOL, MAYBE_INT, STRING, WHATEVER, Choice, Many, Model
from sandbox.errors import Invalid, missing, rows_missing
from sandbox.http import Request, Response
from sandbox.servarr.paths import clean, name_of
from sandbox.sonarr import naming
from sandbox.sonarr.metadata import lookup_shape, season_numbers, series_of
from sandbox.values import Json, prune, stamp

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4

_TYPES = Choice("NzbDrone.Core.Tv.SeriesTypes", ("standard", "daily", "anime"))
_NEW_ITEMS = Choice("NzbDrone.Core.Tv.NewItemMonitorTypes", ("all", "none"))
_MONITOR = Choice(
    "NzbDrone.Core.Tv.MonitorTypes",
    ("unknown", "all", "future", "missing", "existing", "firstSeason", "lastSeason", "latestSeason", "pilot", "recent",
     "monitorSpecials", "unmonitorSpecials", "none", "skip"),
)  # fmt: skip
_ADD_OPTIONS = Model(
    "NzbDrone.Core.Tv.AddSeriesOptions",
    {
        "searchForMissingEpisodes": BOOL,
        "searchForCutoffUnmetEpisodes": BOOL,
        "ignoreEpisodesWithFiles": BOOL,
        "ignoreEpisodesWithoutFiles": BOOL,
        "monitor": _MONITOR,
    },
)
_SEASON = Model("Sonarr.Api.V3.Series.SeasonResource", {"seasonNumber": INT, "monitored": BOOL})
RESOURCE = Model(
    "Sonarr.Api.V3.Series.SeriesResource",
    {
        "id": INT,
        "title": STRING,
        "path": STRING,
        "rootFolderPath": STRING,
        "qualityProfileId": INT,
        "seasonFolder": BOOL,
        "monitored": BOOL,
        "monitorNewItems": _NEW_ITEMS,
        "seriesType": _TYPES,
        "tvdbId": INT,
        "tags": INT_SET,
        "seasons": Many(_SEASON, "System.Collections.Generic.List`1[Sonarr.Api.V3.Series.SeasonResource]"),
        "addOptions": _ADD_OPTIONS,
        "images": WHATEVER,
    },
)
EDITOR = Model(
    "Sonarr.Api.V3.Series.SeriesEditorResource",
    {
        "seriesIds": INTS,
        "monitored": MAYBE_BOOL,
        "monitorNewItems": Choice(_NEW_ITEMS.net, _NEW_ITEMS.names, null=True),
        "qualityProfileId": MAYBE_INT,
        "seriesType": Choice(_TYPES.net, _TYPES.names, null=True),
        "seasonFolder": MAYBE_BOOL,
        "rootFolderPath": STRING,
        "tags": INTS,
        "applyTags": Choice("Sonarr.Api.V3.ApplyTags", ("add", "remove", "replace")),
        "moveFiles": BOOL,
        "deleteFiles": BOOL,
        "addImportListExclusion": BOOL,
    },
)


class SeriesController:
    """The routes; what happens after the answer is in `refresh`, `moves` and `deletion`."""

    def __init__(self, app: Sonarr4) -> None:
        self._app, self._store = app, app.store
        app.api("GET", "/series", self._all)
        app.api("GET", "/series/lookup", self._lookup)
        app.api("GET", "/series/{id}", self._one)
        app.api("GET", "/series/{id}/folder", self._folder)
        app.api("POST", "/series", self._post)
        app.api("POST", "/series/import", self._import)
        app.api("PUT", "/series", self._put)
        app.api("PUT", "/series/{id}", self._put)
        app.api("PUT", "/series/editor", self._edit, plain=False)
        app.api("DELETE", "/series/editor", self._delete_many, plain=False, body=True)
        app.api("DELETE", "/series/{id}", self._delete)

    # -- reading

    def _all(self, request: Request) -> Response:
        wanted = request.query.integer("tvdbId")
        rows = [r for r in self._store.series.all() if wanted is None or r["tvdbId"] == wanted]
        if len(rows) < 50:
            return Response(200, [self._app.render.series(r) for r in rows])
        return Response(200, self._app.render.library(rows))

    def _one(self, request: Request) -> Response:
        row = self._store.series.get(request.params["id"])
        if row is None:
            raise missing()
        return Response(200, self._app.render.series(row))

    def _folder(self, request: Request) -> Response:
        row = self._store.get(request.params["id"])
        return Response(200, {"folder": naming.folder_name(row["title"])})

    def _lookup(self, request: Request) -> Response:
        found = self._app.metadata.search(request.query.text("term") or "")
        known = {s["tvdbId"]: s for s in self._store.series.each()}
        return Response(200, [self._found(known.get(m["tvdbId"]), m) for m in found])

    def _found(self, row: Json | None, show: Json) -> Json:
        if row is None:
            return lookup_shape(show)
        shape = lookup_shape(show)
        return {
            **self._app.render.series(row),
            "statistics": shape["statistics"],
            "folder": naming.folder_name(row["title"]),
        }

    # -- adding

    def _post(self, request: Request) -> Response:
        sent = request.bind(RESOURCE)
        problems = self._app.refusals.of_new(sent)
        if problems:
            raise Invalid(*problems)
        row = self.add(sent)
        where = self._app.location(request.origin, f"/series/{row['id']}")
        return Response(201, self._app.render.series(row), headers=where)

    def _import(self, request: Request) -> Response:
        wanted: list[Json] = request.bind(Many(RESOURCE, "System.Collections.Generic.List`1[SeriesResource]"))
        for sent in wanted:
            problems = self._app.refusals.of_new(sent)
            if problems:
                raise Invalid(*problems)
        return Response(200, [self._app.render.series(self.add(sent)) for sent in wanted])

    def add(self, sent: Json, *, refresh: bool = True) -> Json:
        """Adds a series from the metadata service and starts its first refresh. Invalid when the service has none."""
        show = self._app.metadata.find(sent["tvdbId"])
        if show is None:
            told = f"A series with this ID was not found. Path: {sent.get('path') or ''}"
            raise Invalid(
                {"propertyName": "TvdbId", "errorMessage": told, "attemptedValue": sent["tvdbId"], "severity": "error"}
            )
        path = sent.get("path") or ""
        if not path.strip():
            path = f"{clean(sent['rootFolderPath'])}/{naming.folder_name(show['title'])}"
        row = {**new_row(show, sent), "path": clean(path)}
        problems = self._app.refusals.of_added(row)
        if problems:
            raise Invalid(*problems)
        row = self._store.series.insert(row)
        if refresh:
            members = {"seriesIds": [row["id"]], "isNewSeries": True}
            self._app.commands.push("RefreshSeries", members, "unspecified")
        return row

    # -- replacing

    def _put(self, request: Request) -> Response:
        sent = request.bind(RESOURCE)
        sent["id"] = sent.get("id") or request.params.get("id", 0)
        problems = self._app.refusals.of_changed(sent)
        if problems:
            raise Invalid(*problems)
        before = self._store.get(sent["id"])
        after = {**before, **replaced(sent)}
        self._monitor_seasons(before, after)
        self._store.series.update(after)
        if request.query.flag("moveFiles"):
            members = {"seriesId": after["id"], "sourcePath": before["path"], "destinationPath": after["path"]}
            self._app.commands.push("MoveSeries", members)
        if before["seriesType"] != after["seriesType"]:
            self._app.commands.push("RefreshSeries", {"seriesIds": [after["id"]]}, "unspecified")
        where = self._app.location(request.origin, f"/series/{after['id']}")
        return Response(202, self._app.render.series(after), headers=where)

    def _monitor_seasons(self, before: Json, after: Json) -> None:
        """A season whose flag has changed passes it on to its episodes."""
        old = {s["seasonNumber"]: s["monitored"] for s in before["seasons"]}
        changed = {
            s["seasonNumber"]: s["monitored"]
            for s in after["seasons"]
            if old.get(s["seasonNumber"], s["monitored"]) != s["monitored"]
        }
        if changed:
            touched = [e for e in self._store.episodes_of(after["id"]) if e["seasonNumber"] in changed]
            self._store.episodes.update_many({**e, "monitored": changed[e["seasonNumber"]]} for e in touched)

    # -- in bulk

    def _edit(self, request: Request) -> Response:
        sent = request.bind(EDITOR)
        rows = self._store.get_many(sent.get("seriesIds") or [])
        problems = self._app.refusals.of_edit(sent) if rows else []
        if problems:
            raise Invalid(*problems)
        moves, out = [], []
        for before in rows:
            after = {**before, **edited(before, sent)}
            if sent.get("rootFolderPath"):
                folder = naming.folder_name(before["title"]) if sent.get("moveFiles") else name_of(before["path"])
                after["path"] = f"{clean(sent['rootFolderPath'])}/{folder}"
                moves.append({"seriesId": before["id"], "sourcePath": before["path"]})
            out.append(after)
        self._store.series.update_many(out)
        if moves and sent.get("moveFiles"):
            members = {"series": moves, "destinationRootFolder": sent["rootFolderPath"]}
            self._app.commands.push("BulkMoveSeries", members, "unspecified")
        for before, after in zip(rows, out, strict=True):
            if before["seriesType"] != after["seriesType"]:
                self._app.commands.push("RefreshSeries", {"seriesIds": [after["id"]]}, "unspecified")
        return Response(202, [self._app.render.plain(r) for r in out])

    def _delete(self, request: Request) -> Response:
        ident = request.params["id"]
        if ident not in self._store.series:
            raise rows_missing(1, 0)
        self._app.deletion.delete(
            [ident], request.query.flag("deleteFiles"), request.query.flag("addImportListExclusion")
        )
        return Response(200)

    def _delete_many(self, request: Request) -> Response:
        sent = request.bind(EDITOR)
        idents = [r["id"] for r in self._store.get_many(sent.get("seriesIds") or [])]
        self._app.deletion.delete(idents, sent.get("deleteFiles", False), sent.get("addImportListExclusion", False))
        return Response(200, {})


def new_row(show: Json, sent: Json) -> Json:
    """The row of a series that is being added, without its path."""
    given = {s["seasonNumber"]: s for s in sent.get("seasons") or []}
    seasons = [{"seasonNumber": n, "monitored": given.get(n, {}).get("monitored", n > 0)} for n in season_numbers(show)]
    options = {
        "searchForMissingEpisodes": False,
        "searchForCutoffUnmetEpisodes": False,
        "ignoreEpisodesWithFiles": False,
        "ignoreEpisodesWithoutFiles": False,
        "monitor": "unknown",
        **(sent.get("addOptions") or {}),
    }
    return prune(
        {
            **series_of(show),
            "seasons": seasons,
            "qualityProfileId": sent.get("qualityProfileId", 0),
            "seasonFolder": sent.get("seasonFolder", False),
            "monitored": sent.get("monitored", False),
            "monitorNewItems": sent.get("monitorNewItems", "all"),
            "useSceneNumbering": False,
            "seriesType": sent.get("seriesType", "standard"),
            "tags": sorted(set(sent.get("tags") or [])),
            "added": stamp(),
            "addOptions": options if "addOptions" in sent else None,
        }
    )


def replaced(sent: Json) -> Json:
    """The members a PUT writes: what the body omits is reset."""
    seasons = [
        {"seasonNumber": s.get("seasonNumber", 0), "monitored": s.get("monitored", False)}
        for s in sent.get("seasons") or []
    ]
    return {
        "tvdbId": sent.get("tvdbId", 0),
        "seasons": seasons,
        "path": clean(sent["path"]),
        "qualityProfileId": sent["qualityProfileId"],
        "seasonFolder": sent.get("seasonFolder", False),
        "monitored": sent.get("monitored", False),
        "monitorNewItems": sent.get("monitorNewItems", "all"),
        "seriesType": sent.get("seriesType", "standard"),
        "tags": sorted(set(sent.get("tags") or [])),
    }


def edited(before: Json, sent: Json) -> Json:
    """The members the editor writes: only what the body names."""
    names = ("monitored", "monitorNewItems", "qualityProfileId", "seriesType", "seasonFolder")
    out = {n: sent[n] for n in names if sent.get(n) is not None}
    if sent.get("tags") is not None:
        given, now = set(sent["tags"]), set(before["tags"])
        how = sent.get("applyTags", "add")
        out["tags"] = sorted(given if how == "replace" else now - given if how == "remove" else now | given)
    return out
