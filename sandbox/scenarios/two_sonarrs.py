"""`two-sonarrs`: one Sonarr for 1080p, one for 4K, and a Radarr, all over the same three disks.

One title is in both Sonarrs, in two folders: whoever identifies a show by its title or TVDB id alone mixes them up.
"""

from __future__ import annotations

import random

from sandbox.scenarios import build
from sandbox.scenarios.build import GB, Library, movie, server, show
from sandbox.scenarios.titles import invented
from sandbox.values import Json

DISKS = {"/data/d1": 2_000 * GB, "/data/d2": 2_000 * GB, "/data/d3": 4_000 * GB}
_SHARED = (71000, "Harbour of Brindle")


def world() -> Json:
    """The world: d1 is over 90 % full with things of all three servers, d3 nearly empty."""
    chance = random.Random(11)
    titles = invented(11)
    tv, uhd, films = Library(), Library(), Library()
    for number in range(8):
        disk = "/data/d1" if number < 5 else "/data/d2"
        ident, title = _SHARED if number == 0 else (71000 + number, next(titles))
        show(
            tv,
            tvdb_id=ident,
            title=title,
            year=2012,
            seasons=3,
            episodes=8,
            size=chance.randint(80, 170) * GB,
            root=f"{disk}/tv",
            chance=chance,
        )
    for number in range(4):
        disk = "/data/d1" if number < 3 else "/data/d2"
        ident, title = _SHARED if number == 0 else (71500 + number, next(titles))
        show(
            uhd,
            tvdb_id=ident,
            title=title,
            year=2012,
            seasons=2,
            episodes=8,
            size=chance.randint(240, 330) * GB,
            root=f"{disk}/tv4k",
            chance=chance,
            quality="WEBDL-2160p",
        )
    for number in range(20):
        disk = "/data/d1" if number < 15 else "/data/d2"
        movie(
            films,
            tmdb_id=9500 + number,
            title=next(titles),
            year=1990 + number,
            size=chance.randint(15, 45) * GB,
            root=f"{disk}/movies",
        )
    sonarr = server("sonarr", "sonarr", tv, [f"{disk}/tv" for disk in DISKS])
    second = server("sonarr-4k", "sonarr", uhd, [f"{disk}/tv4k" for disk in DISKS])
    radarr = server("radarr", "radarr", films, [f"{disk}/movies" for disk in DISKS])
    return build.world(DISKS, [(tv, sonarr), (uhd, second), (films, radarr)], 100 * GB)
