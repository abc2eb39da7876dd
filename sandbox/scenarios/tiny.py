"""`tiny`: three small shows and two movies on three disks of 100 to 900 MB.

Small enough for memory disks, so that the same world runs with real *no space* and real *other filesystem*.
"""

from __future__ import annotations

import random

from sandbox.scenarios import build
from sandbox.scenarios.build import MB, Library, movie, server, show
from sandbox.values import Json

MIB = 1024 * 1024
DISKS = {"/data/d1": 300 * MIB, "/data/d2": 900 * MIB, "/data/d3": 100 * MIB}


def world() -> Json:
    """The world: d1 is nine tenths full, d2 nearly empty, d3 too small for most."""
    chance = random.Random(3)
    tv, films = Library(), Library()
    shows = (
        (70001, "Alpha Station", 2, 3, 132 * MB, "/data/d1"),
        (70002, "Borrowed Time", 1, 4, 66 * MB, "/data/d1"),
        (70003, "Cedar Lane", 1, 2, 30 * MB, "/data/d2"),
    )
    for tvdb_id, title, seasons, episodes, size, disk in shows:
        show(
            tv,
            tvdb_id=tvdb_id,
            title=title,
            year=2015,
            seasons=seasons,
            episodes=episodes,
            size=size,
            root=f"{disk}/tv",
            chance=chance,
        )
    movie(films, tmdb_id=501, title="Northern Harbour", year=2019, size=92 * MB, root="/data/d1/movies")
    movie(films, tmdb_id=502, title="Quiet Signal", year=2015, size=25 * MB, root="/data/d3/movies")
    sonarr = server("sonarr", "sonarr", tv, [f"{disk}/tv" for disk in DISKS])
    radarr = server("radarr", "radarr", films, [f"{disk}/movies" for disk in DISKS])
    return build.world(DISKS, [(tv, sonarr), (films, radarr)])
