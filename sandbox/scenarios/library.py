"""`library`: a believable home library for the demo.

120 series and 300 movies over four disks of 8, 8, 12 and 12 TB that Sonarr and Radarr share. The first disk is over
90 % full, the last nearly empty; some shows are tagged `pinned`; one show is being downloaded.
"""

from __future__ import annotations

import random

from sandbox.scenarios import build
from sandbox.scenarios.build import GB, Library, download, movie, server, show
from sandbox.scenarios.titles import invented
from sandbox.values import Json

TB = 1_000 * GB
DISKS = {"/data/disk1": 8 * TB, "/data/disk2": 8 * TB, "/data/disk3": 12 * TB, "/data/disk4": 12 * TB}
_FILL = {"/data/disk1": 0.93, "/data/disk2": 0.71, "/data/disk3": 0.46, "/data/disk4": 0.02}
_SEED = 20240229
_SERIES, _MOVIES = 120, 300
_BYTES_PER_S = 150 * GB
_DOWNLOADING = 7  # which of the series, by its place


def world() -> Json:
    """The world; about 7,000 files of 18.9 TB in all."""
    chance = random.Random(_SEED)
    titles = invented(_SEED)
    budget = {disk: int(size * _FILL[disk]) for disk, size in DISKS.items()}
    tv, films = Library(), Library()
    wanted = _show_sizes(chance)
    movies = [int(min(60.0, max(2.0, chance.lognormvariate(2.5, 0.6))) * GB) for _ in range(_MOVIES)]
    scale = (sum(budget.values()) - sum(movies)) / sum(wanted)
    shows = [int(min(500 * GB, max(5 * GB, size * scale))) for size in wanted]
    placed = _place(shows + movies, budget, chance)
    for number, size in enumerate(shows):
        _add_show(tv, number, next(titles), size, placed[number], chance)
    for number, size in enumerate(movies):
        root = f"{placed[_SERIES + number]}/movies"
        movie(films, tmdb_id=9000 + number, title=next(titles), year=chance.randint(1948, 2024), size=size, root=root)
    sonarr = server("sonarr", "sonarr", tv, [f"{disk}/tv" for disk in DISKS])
    sonarr["queue"] = [download(tv.metadata[_DOWNLOADING], _DOWNLOADING + 1, 3 * GB, GB)]
    radarr = server("radarr", "radarr", films, [f"{disk}/movies" for disk in DISKS])
    return build.world(DISKS, [(tv, sonarr), (films, radarr)], _BYTES_PER_S)


def _show_sizes(chance: random.Random) -> list[float]:
    """Lognormal: most shows are small, a few are huge."""
    return [min(500.0, max(5.0, chance.lognormvariate(4.2, 0.9))) * GB for _ in range(_SERIES)]


def _place(sizes: list[int], budget: dict[str, int], chance: random.Random) -> list[str]:
    """A disk for each item: the one with the largest share of its budget left, big items first, so that fills come out."""
    left = dict(budget)
    where = [""] * len(sizes)
    for index in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        roomy = [d for d in left if left[d] >= sizes[index]] or [max(left, key=lambda d: left[d])]
        where[index] = chance.choices(roomy, [max(1, left[d]) for d in roomy])[0]
        left[where[index]] -= sizes[index]
    return where


def _add_show(tv: Library, number: int, title: str, size: int, disk: str, chance: random.Random) -> None:
    seasons = max(1, min(9, round(size / (35 * GB)) + chance.randint(0, 2)))
    show(
        tv,
        tvdb_id=70000 + number,
        title=title,
        year=chance.randint(1996, 2021),
        seasons=seasons,
        episodes=chance.choice((6, 8, 10, 12, 13, 22)),
        size=size,
        root=f"{disk}/tv",
        chance=chance,
        tags=("pinned",) if number % 17 == 3 else (),
        ended=number % 5 != 0,
    )
