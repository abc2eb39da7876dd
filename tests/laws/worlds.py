"""The worlds of the laws: data files, found and read. See `worlds/README.md`.

A case is a kind, a world of it and an app; cases are found by discovery, so a kind joins the suite by existing and by
having a file in `worlds/<kind>/`. What a world is about says in which setting it is built: one server with a library
(`servarr.py`), or one torrent client over real files (`torrents.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reconciler import registry
from sandbox.values import Json

HERE = Path(__file__).parent / "worlds"
SERVER = "server"
CANARY = "canary5e7d1f0b3a49c8624d0e91b7"  # the server's key or password: it must be found nowhere else
COUNTED = "the twelve laws of a kind, over every registered kind, in each of its worlds, under each app"
OF_EACH = {"about", "wish", "reached", "moved", "drift"}
OF_SOME = {"apps", "earlier", "settles", "on_disk", "ripens", "reached_again", "touches", "spare"}


@dataclass(frozen=True)
class Setting:
    """What a world can be about: `apps` it is tried under, the keys its file needs and those that it may have."""

    apps: tuple[str, ...]
    needs: frozenset[str]
    may: frozenset[str] = frozenset()


SETTINGS: Mapping[str, Setting] = {
    "items": Setting(("sonarr", "sonarr-v5", "radarr"), frozenset({"items", "disks", "roots"})),
    "releases": Setting(("sftp",), frozenset({"releases"}), frozenset({"here"})),
    "torrents": Setting(
        ("rtorrent", "rtorrent-sftp", "qbittorrent", "transmission"), frozenset({"torrents"}), frozenset({"files"})
    ),
}
"""By the key that says what a world is about."""


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
    def about(self) -> str:
        """Its key of `SETTINGS`."""
        return _about(self.told)

    @property
    def on_disk(self) -> bool:
        """Whether all that is done is done to files, and nothing is sent to the server."""
        return bool(self.told.get("on_disk"))

    @property
    def program(self) -> str:
        """The app, as a connection names it."""
        return self.app.partition("-")[0]


def _about(told: Json) -> str:
    return next((key for key in SETTINGS if key in told), "")


@cache
def _read(kind: str, name: str) -> Json:
    told: Json = yaml.safe_load((HERE / kind / f"{name}.yaml").read_text())
    setting = SETTINGS.get(_about(told))
    assert setting, f"{kind}/{name}.yaml is about none of: {', '.join(SETTINGS)}; see worlds/README.md"
    wrong = told.keys() - OF_EACH - OF_SOME - setting.needs - setting.may
    assert not wrong, f"{kind}/{name}.yaml: {', '.join(sorted(wrong))} means nothing; see worlds/README.md"
    missing = (OF_EACH | setting.needs) - told.keys()
    assert not missing, f"{kind}/{name}.yaml: {', '.join(sorted(missing))} is missing; see worlds/README.md"
    return told


def cases(about: str = "") -> list[Case]:
    """Every registered kind, in each of its worlds (those about one thing only, when it is named), under each app."""
    found = []
    for kind in sorted(registry.kinds()):
        for file in sorted((HERE / kind).glob("*.yaml")):
            told = _read(kind, file.stem)
            if about in ("", _about(told)):
                found += [Case(kind, file.stem, app) for app in told.get("apps", SETTINGS[_about(told)].apps)]
    return found


def steps(case: Case, name: str) -> list[Any]:
    """The steps of a section of the file."""
    return list(case.told[name])
