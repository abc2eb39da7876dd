"""Builds the parts of a world: shows with their episodes, movies, and the files of both.

Sizes are chosen so that a whole show or movie has exactly the size asked for, spread over its files with some jitter.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sandbox.values import Json

GB = 1_000_000_000
MB = 1_000_000


@dataclass
class Library:
    """What one server holds, as it grows."""

    metadata: list[Json] = field(default_factory=list)
    items: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)


def spread(total: int, parts: int, chance: random.Random) -> list[int]:
    """Sizes of `parts` files that add up to `total`, each within a fifth of the mean."""
    weights = [chance.uniform(0.85, 1.15) for _ in range(parts)]
    sizes = [int(total * w / sum(weights)) for w in weights]
    sizes[-1] += total - sum(sizes)
    return sizes


def show(
    library: Library,
    *,
    tvdb_id: int,
    title: str,
    year: int,
    seasons: int,
    episodes: int,
    size: int,
    root: str,
    chance: random.Random,
    quality: str = "WEBDL-1080p",
    tags: tuple[str, ...] = (),
    ended: bool = True,
) -> None:
    """Adds a show of `seasons` × `episodes` files to a library; `year` is that of its first season."""
    folder = f"{root}/{title}"
    listed = []
    sizes = spread(size, seasons * episodes, chance)
    for season in range(1, seasons + 1):
        for number in range(1, episodes + 1):
            aired = f"{year + season - 1}-{1 + number % 12:02d}-{1 + number % 28:02d}"
            listed.append(
                {
                    "tvdbId": tvdb_id * 1000 + season * 60 + number,
                    "seasonNumber": season,
                    "episodeNumber": number,
                    "absoluteEpisodeNumber": None,
                    "title": f"Part {season}.{number}",
                    "airDate": aired,
                    "airDateUtc": f"{aired}T20:00:00Z",
                    "runtime": 45,
                    "overview": "",
                }
            )
            name = f"{title} - S{season:02d}E{number:02d} - Part {season}.{number} {quality}.mkv"
            library.files.append({"path": f"{folder}/Season {season:02d}/{name}", "size": sizes.pop()})
    library.metadata.append(_series(tvdb_id, title, year, seasons, listed, ended))
    library.items.append({"tvdbId": tvdb_id, "path": folder, "tags": list(tags), "monitored": True})


def _series(tvdb_id: int, title: str, year: int, seasons: int, listed: list[Json], ended: bool) -> Json:
    slug = "".join(c if c.isalnum() else "-" for c in title.lower()).strip("-")
    return {
        "tvdbId": tvdb_id,
        "title": title,
        "overview": f"The story of {title}.",
        "slug": slug,
        "firstAired": f"{year}-02-02",
        "lastAired": listed[-1]["airDate"],
        "tvMazeId": tvdb_id + 1,
        "tmdbId": tvdb_id + 2,
        "status": "ended" if ended else "continuing",
        "runtime": 45,
        "timeOfDay": {"hours": 20, "minutes": 0},
        "network": "Channel Nine",
        "imdbId": f"tt{tvdb_id:07d}",
        "originalLanguage": "eng",
        "originalCountry": "usa",
        "actors": [],
        "malIds": [],
        "aniListIds": [],
        "genres": ["Drama"],
        "contentRating": "TV-14",
        "rating": {"count": 100, "value": 7.5},
        "images": [],
        "seasons": [{"seasonNumber": n, "images": []} for n in range(1, seasons + 1)],
        "episodes": listed,
    }


def movie(
    library: Library,
    *,
    tmdb_id: int,
    title: str,
    year: int,
    size: int,
    root: str,
    quality: str = "Bluray-1080p",
    tags: tuple[str, ...] = (),
) -> None:
    """Adds a movie of one file (and its small companion) to a library."""
    name = f"{title} ({year})"
    folder = f"{root}/{name}"
    library.files.append({"path": f"{folder}/{name} {quality}.mkv", "size": size - 2048})
    library.files.append({"path": f"{folder}/movie.nfo", "size": 2048})
    library.metadata.append(
        {"tmdbId": tmdb_id, "imdbId": f"tt{tmdb_id:07d}", "title": title, "year": year, "runtime": 104}
    )
    library.items.append({"tmdbId": tmdb_id, "path": folder, "tags": list(tags), "monitored": True})


def server(name: str, app: str, library: Library, roots: list[str], tags: tuple[str, ...] = ("pinned",)) -> Json:
    """One server of a world, with what it holds."""
    versions = {"sonarr": "4.0.19.2979", "radarr": "6.0.3.10276"}
    kind = "series" if app == "sonarr" else "movies"
    return {
        "name": name,
        "app": app,
        "version": versions[app],
        "metadata": library.metadata,
        "seed": {"tags": list(tags), "rootFolders": roots, kind: library.items},
        "queue": [],
    }


def world(disks: dict[str, int], servers: list[tuple[Library, Json]], speed: int | None = None) -> Json:
    """A world of these disks (path → bytes) and servers; `speed` is that of moves, in bytes a second."""
    return {
        "disks": [{"path": path, "size": size, "fixed": True} for path, size in disks.items()],
        "folders": [root for _, told in servers for root in told["seed"]["rootFolders"]],
        "files": [file for library, _ in servers for file in library.files],
        "settings": {"speed": speed} if speed else {},
        "servers": [told for _, told in servers],
    }


def download(series: Json, series_id: int, size: int, left: int) -> Json:
    """A record of the queue: the first episode of a show on its way from a torrent client."""
    release = f"{series['title'].replace(' ', '.')}.S01E01.1080p.WEB-DL-EXAMPLE"
    return {
        "seriesId": series_id,
        "episodeId": 1,
        "seasonNumber": 1,
        "languages": [{"id": 1, "name": "English"}],
        "quality": {
            "quality": {"id": 3, "name": "WEBDL-1080p", "source": "web", "resolution": 1080},
            "revision": {"version": 1, "real": 0, "isRepack": False},
        },
        "customFormats": [],
        "customFormatScore": 0,
        "size": size,
        "title": release,
        "sizeleft": left,
        "timeleft": "00:12:00",
        "added": "2025-01-01T12:00:00Z",
        "status": "downloading",
        "trackedDownloadStatus": "ok",
        "trackedDownloadState": "downloading",
        "statusMessages": [],
        "downloadId": "2F9A6A3B6C0F4E57B1D2A7C8E9F0011223344556",
        "protocol": "torrent",
        "downloadClient": "torrents",
        "downloadClientHasPostImportCategory": False,
        "indexer": "example",
        "outputPath": f"/downloads/{release}",
        "episodeHasFile": False,
        "id": 1,
    }
