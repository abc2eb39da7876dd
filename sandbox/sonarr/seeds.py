"""What a fresh Sonarr of a world holds: `seed` (a library over files that are there) and `rows` (a library of mere rows).

    "seed": {"tags": ["keep"], "rootFolders": ["/data/d1/tv"],
             "series": [{"tvdbId": 1, "path": "/data/d1/tv/Alpha", "monitored": true, "tags": ["keep"]}]}
    "downloads": [{"downloadId": "ABC…", "tvdbId": 1, "imported": true}]   (in `seed`: a grab of each of its files, imported)
    "rows": {"series": 10000, "files": 10, "size": 700000000, "rootFolders": ["/data/d1/tv", "/data/d2/tv"]}

Seeded series come from the world's `metadata` and are scanned; rows have figures without files, for benchmarks.
`rows.series` may also be a list of `{title, path?, files, size, tags?}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.servarr.paths import clean
from sandbox.sonarr import naming
from sandbox.sonarr.store import BULK
from sandbox.values import Json, iso, now, stamp

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4


# As long as real ones are: a library's size on the wire is part of what benchmarks measure.
_OVERVIEW = "In a town where nothing happens, something does, and nobody who sees it is ever quite the same again. " * 6


def sow(app: Sonarr4) -> None:
    """Fills an empty database."""
    seed, rows = app.world.get("seed", {}), app.world.get("rows", {})
    for label in seed.get("tags", []):
        app.tags.ensure(label)
    for path in dict.fromkeys([*seed.get("rootFolders", []), *rows.get("rootFolders", [])]):
        app.roots.add(path)
    for wanted in seed.get("series", []):
        _add(app, wanted)
    for download in seed.get("downloads", []):
        _download(app, download)
    if rows:
        app.store.series.insert_many(_row(app, n, given, rows) for n, given in enumerate(_listed(rows), 1))


def _add(app: Sonarr4, wanted: Json) -> None:
    tags = [app.tags.ensure(label) for label in wanted.get("tags", [])]
    defaults = {"qualityProfileId": 1, "monitored": True, "seasonFolder": True, "addOptions": {"monitor": "all"}}
    row = app.controller.add({**defaults, **wanted, "tags": tags}, refresh=False)
    fresh = app.refresher.refresh(row, patiently=False)
    if fresh is not None:
        app.scanner.scan(fresh, lambda _message: None)


def _download(app: Sonarr4, told: Json) -> None:
    """The history of a download of every file of a series, as the server writes it: a row for each episode.

    `grabbed` false: it was added by hand. `dropped`: the files that were imported, for the first episodes; else all were.
    """
    series = next(row for row in app.store.series.all() if row["tvdbId"] == told["tvdbId"])
    files = {f["id"]: f for f in app.store.files.where(series["id"])}
    dropped = told.get("dropped")
    for number, episode in enumerate(app.store.episodes.where(series["id"])):
        file = files.get(episode["episodeFileId"])
        if file is None:
            continue
        row = {
            "episodeId": episode["id"],
            "seriesId": series["id"],
            "sourceTitle": file["relativePath"],
            "quality": file["quality"],
            "date": iso(now()),
            "downloadId": told["downloadId"],
        }
        if told.get("grabbed", True):
            app.store.history.insert({**row, "eventType": "grabbed", "data": {"torrentInfoHash": told["downloadId"]}})
        if told.get("imported", True) and (dropped is None or number < len(dropped)):
            path = f"{series['path']}/{file['relativePath']}"
            source = path if dropped is None else dropped[number]
            data = {"fileId": str(file["id"]), "importedPath": path, "droppedPath": source, "size": str(file["size"])}
            app.store.history.insert({**row, "eventType": "downloadFolderImported", "data": data})


def _listed(rows: Json) -> list[Json]:
    series = rows["series"]
    if isinstance(series, list):
        return series
    return [{"title": f"Series {n:05d}"} for n in range(1, series + 1)]


def _row(app: Sonarr4, number: int, given: Json, rows: Json) -> Json:
    roots = rows.get("rootFolders") or app.roots.paths()
    title = given["title"]
    path = given.get("path") or f"{clean(roots[number % len(roots)])}/{naming.folder_name(title)}"
    return {
        "title": title,
        "sortTitle": naming.sort_title(title),
        "cleanTitle": naming.clean_title(title),
        "titleSlug": title.lower().replace(" ", "-"),
        "status": "ended",
        "overview": _OVERVIEW,
        "network": "Net",
        "airTime": "20:00",
        "images": [_image(kind, number) for kind in ("banner", "poster", "fanart")],
        "originalLanguage": {"id": 1, "name": "English"},
        "year": 2019,
        "firstAired": "2019-01-05T00:00:00Z",
        "lastAired": "2020-01-05T00:00:00Z",
        "runtime": 45,
        "tvdbId": given.get("tvdbId", 1_000_000 + number),
        "tvRageId": 0,
        "tvMazeId": 0,
        "tmdbId": 0,
        "genres": ["Drama"],
        "ratings": {"votes": 10, "value": 7.5},
        "seasons": [{"seasonNumber": 1, "monitored": True}],
        "path": path,
        "qualityProfileId": 1,
        "seasonFolder": True,
        "monitored": True,
        "monitorNewItems": "all",
        "useSceneNumbering": False,
        "seriesType": "standard",
        "tags": [app.tags.ensure(label) for label in given.get("tags", [])],
        "added": stamp(),
        BULK: {
            "files": given.get("files", rows.get("files", 10)),
            "size": given.get("size", rows.get("size", 700_000_000)),
        },
    }


def _image(kind: str, number: int) -> Json:
    where = f"/MediaCover/{number}/{kind}.jpg?lastWrite=638000000000000000"
    return {
        "coverType": kind,
        "url": where,
        "remoteUrl": f"https://artworks.example/banners/v4/series/{number}/{kind}.jpg",
    }
