"""The worlds that a simulation begins in: small, of any shape, in the sandbox's own format.

One description serves the world in memory (`world.py`) and the sandbox alike. Every file has a size that no other file
ever has, so that a size is a file's name for life: what is lost, doubled or cut shows by it.
"""

from __future__ import annotations

import random

from sandbox.scenarios import build
from sandbox.scenarios.build import GB, Library
from sandbox.values import Json

TITLES = (
    "Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gingko", "Hazel", "Ironwood", "Juniper", "Kapok", "Larch",
)  # fmt: skip
SIZES = (300 * GB, 403 * GB, 507 * GB, 611 * GB)  # of the disks; no two alike, or they would count as one
CASTS: dict[str, dict[str, str]] = {
    "sonarr": {"shows": "sonarr"},
    "radarr": {"films": "radarr"},
    "both": {"films": "radarr", "shows": "sonarr"},
    "two": {"kids": "sonarr", "shows": "sonarr"},
}
KEY = "c0ffee5e7d1f0b3a49c8624d0e91b7aa"


def disk(number: int) -> str:
    return f"/data/d{number + 1}"


def root(number: int, server: str) -> str:
    return f"{disk(number)}/{server}"


def stage(told: Json) -> Json:
    """`told`: {cast, disks: count, items: [[server, disk, gigabytes, files, tagged], …]}; servers and disks are taken
    modulo what there is, and an item for which its disk has no room lies on the next one."""
    cast, count = CASTS[told["cast"]], told["disks"]
    names = list(cast)
    libraries = {name: Library() for name in names}
    room = list(SIZES[:count])
    for number, (server, on, gigabytes, files, tagged) in enumerate(told["items"][: len(TITLES)]):
        name = names[server % len(names)]
        tags = ("pinned",) if tagged % 4 == 1 else ("theirs",) if tagged % 4 == 2 else ()
        home = next((n % count for n in range(on, on + count) if room[n % count] > (gigabytes + 5) * GB), None)
        if home is not None:
            room[home] -= (gigabytes + 1) * GB
            _add(libraries[name], cast[name], number, root(home, name), gigabytes, files, tags)
    servers: list[tuple[Library, Json]] = []
    for name, app in cast.items():
        found = build.server(
            name, app, libraries[name], [root(n, name) for n in range(count)], tags=("pinned", "theirs")
        )
        servers.append((libraries[name], {**found, "api_key": KEY}))
    made = build.world({disk(n): SIZES[n] for n in range(count)}, servers)
    for number, file in enumerate(made["files"], 1):
        file["size"] = file["size"] // 1000 * 1000 + number
    return made


def _add(library: Library, app: str, number: int, root: str, gigabytes: int, files: int, tags: tuple[str, ...]) -> None:
    title = TITLES[number]
    if app == "sonarr":
        build.show(
            library, tvdb_id=7001 + number, title=title, year=2015, seasons=1, episodes=files, size=gigabytes * GB,
            root=root, chance=random.Random(number), tags=tags,
        )  # fmt: skip
        return
    folder = f"{root}/{title}"
    library.files.append({"path": f"{folder}/{title} Bluray-1080p.mkv", "size": gigabytes * GB})
    library.files += [{"path": f"{folder}/extra-{n}.nfo", "size": 4000 + n} for n in range(1, files)]
    known = {"tmdbId": 501 + number, "imdbId": f"tt{501 + number:07d}", "title": title, "year": 2019}
    library.metadata.append({**known, "runtime": 104})
    library.items.append({"tmdbId": 501 + number, "path": folder, "tags": list(tags), "monitored": True})
