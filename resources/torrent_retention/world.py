"""From facts to what this kind plans with: the torrents of every client of the stack, where they lie, and who else is there.

Pure. `first_wave` names what is always asked; `World` is built once those answers are there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.action import Json
from reconciler.address import Subject
from reconciler.connection import ConnectionSpec
from reconciler.facts import Facts, Known, Query, Unknown
from reconciler.kind import Resource
from reconciler.stack import Stack
from resources.clients.localfs import HERE, Batch, Batches, FsSize, Inodes
from resources.clients.servarr import Queue, Roots
from resources.clients.servarr.history import History
from resources.clients.torrents import APPS, DELETES_DATA, OneTorrent, Torrent, TorrentFile, Torrents
from resources.references import Graph, Place, Referer, Sight, place, seen, sights
from resources.references.places import SFTP, plain
from resources.torrent_retention.spec import ARRS, RetentionSpec


def clients(stack: Stack) -> list[str]:
    """Every torrent client of the stack."""
    return sorted(name for name, spec in stack.connections.items() if spec.app in APPS)


def arrs(stack: Stack) -> list[str]:
    """Every app with a library."""
    return sorted(name for name, spec in stack.connections.items() if spec.app in ARRS)


def quarantines(resource: Resource[RetentionSpec]) -> list[Sight]:
    """The folders that hold data of this client, as this machine or an SFTP connection sees them."""
    return sorted({sight for _, sight in sights(resource.stack, resource.spec.connection)})


def pressed(resource: Resource[RetentionSpec]) -> Sight | None:
    """The folder whose disk is under pressure; None without pressure. One that is not mapped is this machine's."""
    told = resource.spec.pressure
    if told is None:
        return None
    return seen(resource.stack, resource.spec.connection, told.disk) or Sight(HERE, told.disk, "")


def first_wave(resource: Resource[RetentionSpec]) -> list[Query[Any]]:
    """One question for each client and app, and what waits in quarantine."""
    stack = resource.stack
    asked: list[Query[Any]] = [Torrents(name) for name in clients(stack)]
    asked += [query for name in arrs(stack) for query in (Roots(name), Queue(name))]
    asked += [History(name) for name in dict.fromkeys(resource.spec.imported_by)]
    asked += [Batches(at.by, at.root) for at in quarantines(resource)]
    disk = pressed(resource)
    asked += [inside(at.by, at.root) for at in quarantines(resource) if deletes(resource) or disk is not None]
    return asked + ([FsSize(disk.by, disk.path), inside(disk.by, disk.path)] if disk is not None else [])


def inside(by: str, folder: str) -> Inodes:
    """What looks at a folder itself, also where a link leads there."""
    return Inodes(by, (f"{folder.rstrip('/')}/.",))


def deletes(resource: Resource[RetentionSpec]) -> bool:
    """Whether data of this client is deleted by us, as it deletes none itself."""
    return resource.stack.connections[resource.spec.connection].app not in DELETES_DATA


def subject(connection: str, torrent: Torrent) -> Subject:
    return Subject(connection=connection, type="torrent", key=torrent.hash, title=torrent.name)


def referer(connection: str, torrent: Torrent) -> Referer:
    return Referer(f"{connection}:torrent/{torrent.hash}", torrent.name)


def digest(value: Any) -> str:
    """A short name for a list that is too long to stand in a plan."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).hexdigest()[:16]


def files_digest(files: Iterable[TorrentFile]) -> str:
    return digest([[f.path, f.size, f.wanted] for f in files])


ALWAYS = "arr-protect"  # this label or tag in a client protects, whatever else is said


class World:
    """What was seen. `unseen`: clients and apps that did not answer, with why; nothing that concerns them is decided."""

    def __init__(self, resource: Resource[RetentionSpec], facts: Facts) -> None:
        self.resource, self.facts, self.stack = resource, facts, resource.stack
        self.connection = resource.spec.connection
        self.unseen: dict[str, Unknown] = {}
        self.torrents: dict[str, tuple[Torrent, ...]] = {}
        for name in clients(self.stack):
            self.torrents[name] = self._answer(name, Torrents(name)) or ()
        self.roots: list[tuple[str, str, Place]] = []
        self.waiting: dict[str, str] = {}  # info-hash → the app that still works on it
        for name in arrs(self.stack):
            for root in self._answer(name, Roots(name)) or ():
                where = place(self.stack, name, root.path)
                if where is not None:
                    self.roots.append((name, root.path, where))
            for record in self._answer(name, Queue(name)) or ():
                self.waiting.setdefault(record.download_id.lower(), name)
        self.batches: list[Batch] = []
        for at in quarantines(resource):
            self.batches += self._answer(f"the quarantine of {at.root}", Batches(at.by, at.root)) or ()
        self._graph: Graph | None = None

    def _answer(self, name: str, query: Query[Any]) -> Any:
        fact = self.facts.get(query)
        if isinstance(fact, Known):
            return fact.value
        why = fact if isinstance(fact, Unknown) else Unknown("refused", f"{name} has nothing of the kind")
        self.unseen.setdefault(name, why)
        return None

    @property
    def own(self) -> tuple[Torrent, ...]:
        """The torrents of this resource's client."""
        return self.torrents[self.connection]

    def whole(self, torrent: Torrent) -> Torrent | Unknown | None:
        """With trackers and files, where the client tells those one by one; None: they have to be asked for."""
        if torrent.trackers is not None and torrent.files is not None:
            return torrent
        query = OneTorrent(self.connection, torrent.hash)
        if not self.facts.has(query):
            return None
        fact = self.facts.get(query)
        if isinstance(fact, Known):
            return fact.value
        return (
            fact if isinstance(fact, Unknown) else Unknown("incomplete", f"{torrent.name} went while it was looked at")
        )

    def content(self, connection: str, torrent: Torrent) -> Place | None:
        return place(self.stack, connection, torrent.content)

    @property
    def graph(self) -> Graph:
        """Every torrent of every client, by the place of its payload; see `placed`."""
        if self._graph is None:
            self._graph = placed(self.stack, self.torrents)
        return self._graph

    def sight(self, torrent: Torrent) -> Inodes | None:
        """What looks at its wanted files, in their order; None where nobody sees them, or there are none."""
        base = seen(self.stack, self.connection, torrent.save_path) if torrent.save_path else None
        if base is None:
            return None
        paths = tuple(f"{base.path}/{f.path}" for f in torrent.files or () if f.wanted)
        return Inodes(base.by, paths) if paths else None

    def device(self, by: str, root: str) -> int | None:
        """The file system of a declared folder; None where that was not asked or could not be told."""
        query = inside(by, root)
        fact = self.facts.get(query) if self.facts.has(query) else None
        return fact.value[0].device if isinstance(fact, Known) and fact.value[0].state == "folder" else None


def placed(stack: Stack, torrents: Mapping[str, Iterable[Torrent]]) -> Graph:
    """Torrents by the place of their payload. Where `paths` does not map one, its path as it was told is compared with
    those of the others as they were told: two clients may well call one folder by one name."""
    graph = Graph()
    found = [(name, t, place(stack, name, t.content)) for name, several in torrents.items() for t in several]
    bare = {where for _, _, where in found if where is not None and not where.space}
    for name, torrent, where in found:
        told = Place("", plain(torrent.content)) if bare else None
        graph.add(referer(name, torrent), where, [told] if told in bare and told is not None else [])
    return graph


def mappings(stack: Stack) -> list[Mapping[str, str]]:
    """`paths` as an action carries it."""
    return [dict(m) for m in stack.paths]


def lookers(stack: Stack) -> dict[str, Json]:
    """The SFTP connections of the stack with their access, as an action carries them."""
    return {name: spec.access for name, spec in sorted(stack.connections.items()) if spec.app == SFTP}


def carried(data: Mapping[str, Any]) -> Stack:
    """The part of the stack that an action carries: enough to tell where things lie."""
    through = {name: ConnectionSpec(app=SFTP, access=access) for name, access in data.get("lookers", {}).items()}
    return Stack(connections=through, paths=tuple(data["paths"]))
