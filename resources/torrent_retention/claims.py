"""What torrents claim in folders that are searched for orphans; asked at planning and again at the doing.

A claim is a path that a client tells, under every name that `paths` has for it, the path behind its links, and the names that
clients give to what is not whole yet. A torrent that is on its way, or whose folder `paths` knows and nobody sees, claims its
name wherever that lies; one of another client whose folder stands in no row of `paths` may lie anywhere. All of this can only
hold something back. Pure; `looks` names the paths whose links have to be followed.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping

from reconciler.stack import Stack
from resources.clients.torrents import Torrent
from resources.references import Place, place
from resources.references.places import names_of

SUFFIXES = ("", ".part", ".!qB", ".!ut", ".meta")  # of files that are not whole yet, by several clients
Listed = Mapping[str, Iterable[Torrent]]


def looks(stack: Stack, torrents: Listed, folders: Iterable[Place]) -> dict[str, tuple[str, ...]]:
    """Who is to be asked → the paths behind which links may lead elsewhere: payloads, and the folders that are searched."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder in folders:
        found[folder.space].add(folder.path)
    for name, several in torrents.items():
        for torrent in several:
            for at in names_of(stack, name, torrent.content):
                if at.space in found:
                    found[at.space].add(at.path)
    return {by: tuple(sorted(paths)) for by, paths in sorted(found.items())}


class Claims:
    """`own`: the client in whose folders is searched; `real`: what `looks` asked for, without links. `lost`: torrents of which
    nobody can tell what they claim."""

    def __init__(
        self, stack: Stack, own: str, torrents: Listed, folders: Iterable[Place], real: Mapping[Place, str]
    ) -> None:
        self._stack, self._own, self._real = stack, own, real
        self._folders = [self._behind(folder) for folder in folders]
        self._searched = {folder.space for folder in self._folders}
        self._at: dict[Place, dict[str, str]] = defaultdict(dict)  # folder → name in it → title of who claims it
        self._named: dict[str, str] = {}
        self.lost: list[str] = []
        for name, several in torrents.items():
            for torrent in several:
                self._torrent(name, torrent)

    def owner(self, folder: Place, name: str) -> str:
        """Who claims `name` in `folder`; "" for nobody."""
        told = self._at[folder].get(name) or self._at[self._behind(folder)].get(name)
        return told or self._named.get(name, "")

    def _behind(self, at: Place) -> Place:
        return Place(at.space, self._real.get(at, at.path))

    def _torrent(self, connection: str, torrent: Torrent) -> None:
        where = place(self._stack, connection, torrent.content)
        if where is None or (not where.space and connection != self._own):
            self.lost.append(f"{torrent.name} in {connection}")
            return
        spots = {where, *names_of(self._stack, connection, torrent.content)}
        behind = {self._behind(spot) for spot in spots}
        unsure = not torrent.complete or torrent.state in ("checking", "moving", "error", "unknown")
        if unsure or self._searched.isdisjoint(spot.space for spot in spots):
            for spot in spots:
                for suffix in SUFFIXES:
                    self._named[posixpath.basename(spot.path) + suffix] = torrent.name
        for at in spots | behind:
            self._claim(at, torrent.name)
        if any(at.holds(folder) for at in behind for folder in self._folders):
            self._files(connection, torrent)

    def _files(self, connection: str, torrent: Torrent) -> None:
        """Of a payload without a folder of its own, which lies in a searched folder itself: each of its files."""
        if torrent.files is None:
            self.lost.append(f"{torrent.name} in {connection}")
        for file in torrent.files or ():
            path = f"{torrent.save_path}/{file.path}"
            at = place(self._stack, connection, path)
            for spot in {*names_of(self._stack, connection, path), *([at] if at is not None else [])}:
                self._claim(spot, torrent.name)

    def _claim(self, at: Place, title: str) -> None:
        parts = at.path.split("/")
        for end in range(1, len(parts)):
            self._at[Place(at.space, "/".join(parts[:end]) or "/")][parts[end]] = title
        above = Place(at.space, posixpath.dirname(at.path))
        for suffix in SUFFIXES:
            self._at[above][posixpath.basename(at.path) + suffix] = title
