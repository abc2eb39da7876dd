"""The worlds of the laws: data files, read and built into worlds of the sandbox. See `worlds/README.md`.

A case is a kind, a world of it and an app; cases are found by discovery, so a kind joins the suite by existing and by
having a file in `worlds/<kind>/`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reconciler import registry
from sandbox.scenarios import build
from sandbox.scenarios.build import MB, Library
from sandbox.values import Json

HERE = Path(__file__).parent / "worlds"
APPS = ("sonarr", "sonarr-v5", "radarr")
SERVER = "server"
CANARY = "canary5e7d1f0b3a49c8624d0e91b7"  # the server's key: it must be found nowhere else
COUNTED = "the twelve laws of a kind, over every registered kind, in each of its worlds, under each app"
KEYS = {
    "about",
    "apps",
    "disks",
    "roots",
    "items",
    "earlier",
    "wish",
    "reached",
    "moved",
    "drift",
    "reached_again",
    "touches",
    "spare",
}
WORDS = {
    "sonarr": {"items": "series", "file": "episodefile", "item_id": "seriesId", "outside": "tvdb"},
    "radarr": {"items": "movie", "file": "moviefile", "item_id": "movieId", "outside": "tmdb"},
}


@dataclass(frozen=True)
class Case:
    """A world of a kind under one app."""

    kind: str
    name: str
    app: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}-{self.app}"

    @property
    def told(self) -> Json:
        """The file."""
        return _read(self.kind, self.name)

    @property
    def words(self) -> dict[str, str]:
        return WORDS[self.app.partition("-")[0]]

    def world(self) -> Json:
        """The world of the sandbox: one server, called `server`."""
        library = Library()
        for number, item in enumerate(self.told["items"], 1):
            _add(library, self.app, number, item)
        radarr = self.app == "radarr"
        found = {
            "name": SERVER,
            "app": self.app,
            "api_key": CANARY,
            "metadata": library.metadata,
            "seed": {
                "tags": [],
                "rootFolders": self.told["roots"],
                "movies" if radarr else "series": library.items,
            },
        }
        disks = {path: mb * MB for path, mb in self.told["disks"].items()}
        return build.world(disks, [(library, found)])


def _add(library: Library, app: str, number: int, item: Json) -> None:
    """A series of one season, or a movie whose further files are small companions."""
    tags = tuple(item.get("tags", ()))
    if app != "radarr":
        build.show(
            library, tvdb_id=7000 + number, title=item["title"], year=2015, seasons=1, episodes=item["files"],
            size=item["mb"] * MB, root=item["root"], chance=random.Random(number), tags=tags,
        )  # fmt: skip
        return
    folder, small = f"{item['root']}/{item['title']}", 1000 * (item["files"] - 1)
    library.files.append({"path": f"{folder}/{item['title']} Bluray-1080p.mkv", "size": item["mb"] * MB - small})
    library.files += [{"path": f"{folder}/extra-{n}.nfo", "size": 1000} for n in range(1, item["files"])]
    known = {"tmdbId": 500 + number, "imdbId": f"tt{500 + number:07d}", "title": item["title"], "year": 2019}
    library.metadata.append({**known, "runtime": 104})
    library.items.append({"tmdbId": 500 + number, "path": folder, "tags": list(tags), "monitored": True})


@cache
def _read(kind: str, name: str) -> Json:
    told: Json = yaml.safe_load((HERE / kind / f"{name}.yaml").read_text())
    wrong = told.keys() - KEYS
    assert not wrong, f"{kind}/{name}.yaml: {', '.join(sorted(wrong))} means nothing; see worlds/README.md"
    missing = {"about", "items", "disks", "roots", "wish", "reached", "moved", "drift"} - told.keys()
    assert not missing, f"{kind}/{name}.yaml: {', '.join(sorted(missing))} is missing; see worlds/README.md"
    return told


def cases() -> list[Case]:
    """Every registered kind, in each of its worlds, under each app of that world."""
    return [
        Case(kind, file.stem, app)
        for kind in sorted(registry.kinds())
        for file in sorted((HERE / kind).glob("*.yaml"))
        for app in _read(kind, file.stem).get("apps", APPS)
    ]


def steps(case: Case, name: str) -> list[Any]:
    """The steps of a section of the file."""
    return list(case.told[name])
