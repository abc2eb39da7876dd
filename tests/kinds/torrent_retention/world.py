"""Simulated Sonarrs beside the clients: instances whose history knows some downloads, over a library that lies on this disk."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.process import Stack
from sandbox.scenarios import build
from sandbox.scenarios.build import GB, MB, Library
from sandbox.torrents.model import Torrent


def download(torrent: Torrent, *, imported: bool = True) -> dict[str, Any]:
    """A download that an instance has grabbed, and imported or not."""
    return {"hash": torrent.hash.upper(), "title": torrent.name, "imported": imported}


def by_hand(torrent: Torrent, dropped: Sequence[str]) -> dict[str, Any]:
    """One that nobody grabbed, and of which these files were imported, an episode each."""
    more = {"grabbed": False, "dropped": list(dropped), "episodes": max(1, len(dropped))}
    return {"hash": torrent.hash.upper(), "title": torrent.name, "imported": True, **more}


class Television:
    """The running instances."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.connections = {
            name: f"{{app: sonarr, url: '{h.url}', api_key: {{env: {_variable(name)}}}}}"
            for name, h in stack.handles.items()
        }
        here = stack.home / "data" / "d1"
        self.paths = f"  - {{here: {here}, {', '.join(f'{name}: /data/d1' for name in stack.handles)}}}\n"

    def library(self, name: str) -> Path:
        """Its root folder on this machine."""
        return self.stack.home / "data" / "d1" / name


def _variable(name: str) -> str:
    return f"{name.upper().replace('-', '_')}_API_KEY"


@contextmanager
def sonarr(folder: Path, downloads: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Television]:
    """Instances by name, with their downloads: each is a series (of one episode) whose files lie in the library."""
    folder.chmod(0o755)
    parts = []
    for name, wanted in downloads.items():
        library = Library()
        for number, one in enumerate(wanted, 1):
            build.show(
                library, tvdb_id=9000 + number, title=str(one["title"]), year=2015, seasons=1, size=100 * MB,
                episodes=one.get("episodes", 1), root=f"/data/d1/{name}", chance=random.Random(number),
            )  # fmt: skip
        seed: dict[str, Any] = {"rootFolders": [f"/data/d1/{name}"], "series": library.items, "tags": []}
        seed["downloads"] = [
            {**one, "downloadId": one["hash"], "tvdbId": 9000 + number} for number, one in enumerate(wanted, 1)
        ]
        parts.append((library, {"name": name, "app": "sonarr", "metadata": library.metadata, "seed": seed}))
    stack = Stack(folder / "home", build.world({"/data/d1": 100 * GB}, parts))
    try:
        stack.start()
        tv = Television(stack)
        os.environ.update({_variable(name): h.api_key for name, h in stack.handles.items()})
        yield tv
    finally:
        for name in stack.handles:
            os.environ.pop(_variable(name), None)
        stack.close()
