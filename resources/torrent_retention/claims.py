"""What torrents claim in folders of this machine, for the search of orphans; asked at planning and again at the doing.

A claim is a path that a client tells, the path behind its links, and the names that clients give to what is not whole yet.
A torrent whose place cannot be told (it is on its way, or `paths` maps its folder to none here) claims its name wherever
that lies. All of this can only hold something back. Pure; `looks` names the paths whose links have to be followed.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping

from reconciler.stack import Stack
from resources.clients.torrents import Torrent
from resources.references import Place, local, place
from resources.references.places import HERE

SUFFIXES = ("", ".part", ".!qB", ".!ut", ".meta")  # of files that are not whole yet, by several clients
Listed = Mapping[str, Iterable[Torrent]]


def looks(stack: Stack, torrents: Listed, folders: Iterable[str]) -> tuple[str, ...]:
    """The paths behind which links may lead elsewhere: where payloads lie, and the folders that are searched."""
    found = (local(stack, name, t.content) for name, several in torrents.items() for t in several)
    return tuple(sorted({*folders, *(path for path in found if path)}))


class Claims:
    """`real`: what `looks` asked for, without links. `lost`: torrents of which nobody can tell what they claim here."""

    def __init__(self, stack: Stack, torrents: Listed, folders: Iterable[str], real: Mapping[str, str]) -> None:
        self._stack, self._real = stack, real
        self._folders = [Place(HERE, real.get(f, f)) for f in folders]
        self._at: dict[str, dict[str, str]] = defaultdict(dict)  # folder → name in it → title of who claims it
        self._named: dict[str, str] = {}
        self.lost: list[str] = []
        for name, several in torrents.items():
            for torrent in several:
                self._torrent(name, torrent)

    def owner(self, folder: str, name: str) -> str:
        """Who claims `name` in `folder`; "" for nobody."""
        told = self._at[folder].get(name) or self._at[self._real.get(folder, folder)].get(name)
        return told or self._named.get(name, "")

    def _torrent(self, connection: str, torrent: Torrent) -> None:
        where = place(self._stack, connection, torrent.content)
        if where is None:
            self.lost.append(torrent.name)
            return
        behind = Place(where.space, self._real.get(where.path, where.path)) if where.space == HERE else where
        if not torrent.complete or torrent.state in ("checking", "moving", "error", "unknown") or where.space != HERE:
            for suffix in SUFFIXES:
                self._named[posixpath.basename(where.path) + suffix] = torrent.name
        for at in {where, behind}:
            self._claim(at.path, torrent.name)
        if any(behind.holds(folder) for folder in self._folders):
            self._files(connection, torrent)

    def _files(self, connection: str, torrent: Torrent) -> None:
        """Of a payload without a folder of its own, which lies in a searched folder itself: each of its files."""
        if torrent.files is None:
            self.lost.append(torrent.name)
        for file in torrent.files or ():
            at = place(self._stack, connection, f"{torrent.save_path}/{file.path}")
            if at is not None:
                self._claim(at.path, torrent.name)

    def _claim(self, path: str, title: str) -> None:
        parts = path.split("/")
        for end in range(1, len(parts)):
            self._at["/".join(parts[:end]) or "/"][parts[end]] = title
        for suffix in SUFFIXES:
            self._at[posixpath.dirname(path)][posixpath.basename(path) + suffix] = title
