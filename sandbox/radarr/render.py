"""Movies, movie files, history and exclusions as Radarr prints them.

Pure: rows of the database in, JSON out. A path of a file is always the movie's path and the file's relative one, so it
says where a file should be, not that it is there.
"""

from __future__ import annotations

import os
from typing import Any

from sandbox.radarr import metadata
from sandbox.values import NEVER, Json, prune

_REPLACED = str.maketrans({"\\": "+", "/": "+", "<": "", ">": "", "?": "!", "*": "-", "|": "", '"': ""})
ENGLISH = {"id": 1, "name": "English"}


def folder_name(title: str, year: int) -> str:
    """The folder that the default naming template gives a movie."""
    clean = title.replace(": ", " - ").replace(":", "-").translate(_REPLACED).lstrip(" .").rstrip()
    return f"{clean} ({year})" if year else clean


def join(folder: str, name: str) -> str:
    """A path below a folder whose own path may end in a slash."""
    return f"{folder.rstrip('/')}/{name}"


def best_root(path: str, roots: list[str]) -> str:
    """The root folder a path belongs to: the longest configured one above it, else its parent."""
    clean = path.rstrip("/")
    above = [r for r in roots if clean.startswith(r.rstrip("/") + "/")]
    return max(above, key=len) if above else os.path.dirname(clean) or "/"  # noqa: PTH120


def movie_file(row: Json, movie_path: str, *, formats: bool = False) -> Json:
    """A movie file; `formats` adds the members that only the moviefile endpoints show."""
    scores = {"customFormats": [], "customFormatScore": 0} if formats else {}
    return prune(
        {
            "movieId": row["movieId"],
            "relativePath": row["relativePath"],
            "path": join(movie_path, row["relativePath"]),
            "size": row["size"],
            "dateAdded": row["dateAdded"],
            "sceneName": row.get("sceneName"),
            "releaseGroup": row.get("releaseGroup"),
            "edition": row["edition"],
            "languages": row["languages"],
            "quality": row["quality"],
            **scores,
            "indexerFlags": row["indexerFlags"],
            "mediaInfo": row.get("mediaInfo"),
            "originalFilePath": row.get("originalFilePath"),
            "qualityCutoffNotMet": False,
            "id": row["id"],
        }
    )


def _images(known: Json, movie_id: int, covers: str) -> list[Json]:
    """`covers`: `none` (remote only), `fresh` (local, not fetched yet) or `kept` (local, fetched)."""
    if not known.get("poster"):
        return []
    local = f"/MediaCover/{movie_id}/poster.jpg" + ("?lastWrite=639308365653615781" if covers == "kept" else "")
    return [prune({"coverType": "poster", "url": None if covers == "none" else local, "remoteUrl": known["poster"]})]


def _described(known: Json, minimum: str, overview: str, images: list[Json]) -> Json:
    return {
        "title": known["title"],
        "originalTitle": known["originalTitle"],
        "originalLanguage": ENGLISH,
        "alternateTitles": [],
        "secondaryYearSourceId": 0,
        "sortTitle": metadata.sort_title(known["title"]),
        "status": known.get("status") or metadata.status(known),
        "overview": overview,
        "inCinemas": known["inCinemas"],
        "physicalRelease": known["physicalRelease"],
        "digitalRelease": known["digitalRelease"],
        "releaseDate": metadata.release_date(known, minimum),
        "images": images,
        "year": known["year"],
        "studio": known["studio"],
        "minimumAvailability": minimum,
        "isAvailable": metadata.available(known, minimum),
        "runtime": known["runtime"],
        "cleanTitle": metadata.clean_title(known["title"]),
        "imdbId": known["imdbId"],
        "tmdbId": known["tmdbId"],
        "titleSlug": str(known["tmdbId"]),
        "certification": known["certification"],
        "genres": known["genres"],
        "keywords": [],
        "ratings": known["ratings"],
        "collection": known["collection"],
        "popularity": known["popularity"],
    }


def movie(row: Json, file: Json | None, *, covers: str = "kept", translated: bool = True, folder: bool = False) -> Json:
    """A movie of the library without what only some answers hold (see `with_statistics`).

    `translated`: as stored, the overview of the (empty) translation; otherwise as the lookup service told it.
    """
    known = row["metadata"]
    overview = "" if translated else known["overview"]
    named = {"folder": folder_name(known["title"], known["year"])} if folder else {}
    return prune(
        {
            **_described(known, row["minimumAvailability"], overview, _images(known, row["id"], covers)),
            "path": row["path"],
            "qualityProfileId": row["qualityProfileId"],
            "movieFileId": row["movieFileId"],
            "monitored": row["monitored"],
            "folderName": row["path"],
            **named,
            "tags": sorted(row["tags"]),
            "added": row["added"],
            "movieFile": movie_file(file, row["path"]) if file else None,
            "id": row["id"],
        }
    )


def found(known: Json, *, folder: bool) -> Json:
    """A movie that lookup found and the library lacks."""
    named = {"folder": folder_name(known["title"], known["year"])} if folder else {}
    return prune(
        {
            **_described(known, "tba", "", _images(known, 0, "none")),
            "releaseDate": known["inCinemas"],
            "isAvailable": True,
            "qualityProfileId": 0,
            "movieFileId": 0,
            "monitored": False,
            "folderName": "",
            **named,
            "tags": [],
            "added": NEVER,
        }
    )


def with_statistics(resource: Json, files: list[Json], root: str) -> Json:
    """Adds what the library's own answers hold beside the movie: its root folder, and what its files sum up to."""
    size = sum(f["size"] for f in files)
    groups = sorted({f["releaseGroup"] for f in files if f.get("releaseGroup")})
    return {
        **resource,
        "sizeOnDisk": size,
        "hasFile": bool(files),
        "rootFolderPath": root,
        "statistics": {"movieFileCount": len(files), "sizeOnDisk": size, "releaseGroups": groups},
    }


def history(row: Json) -> Json:
    """An event of a movie's history."""
    return {
        "movieId": row["movieId"],
        "sourceTitle": row["sourceTitle"],
        "languages": row["languages"],
        "quality": row["quality"],
        "customFormats": [],
        "customFormatScore": 0,
        "qualityCutoffNotMet": False,
        "date": row["date"],
        **({"downloadId": row["downloadId"]} if row.get("downloadId") else {}),
        "eventType": row["eventType"],
        "data": row["data"],
        "id": row["id"],
    }


def collection(row: Json, members: list[Json], here: set[int], excluded: set[int]) -> Json:
    """A collection with its movies; `here` and `excluded` are TMDb ids."""
    movies: list[Any] = [
        prune(
            {
                "tmdbId": known["tmdbId"],
                "imdbId": known["imdbId"],
                "title": known["title"],
                "cleanTitle": metadata.clean_title(known["title"]),
                "sortTitle": metadata.sort_title(known["title"]),
                "status": metadata.status(known),
                "overview": "",
                "runtime": known["runtime"],
                "images": _images(known, 0, "none"),
                "year": known["year"],
                "ratings": known["ratings"],
                "genres": known["genres"],
                "folder": folder_name(known["title"], known["year"]),
                "isExisting": known["tmdbId"] in here,
                "isExcluded": known["tmdbId"] in excluded,
            }
        )
        for known in members
    ]
    return {
        "title": row["title"],
        "sortTitle": metadata.sort_title(row["title"]),
        "tmdbId": row["tmdbId"],
        "images": [],
        "overview": "",
        "monitored": row["monitored"],
        "rootFolderPath": row["rootFolderPath"],
        "qualityProfileId": row["qualityProfileId"],
        "searchOnAdd": row["searchOnAdd"],
        "minimumAvailability": row["minimumAvailability"],
        "movies": movies,
        "missingMovies": sum(1 for m in movies if not m["isExisting"] and not m["isExcluded"]),
        "tags": row["tags"],
        "id": row["id"],
    }
