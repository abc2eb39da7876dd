"""Facts made by hand: what servers would have answered, for tests of planning as a pure function.

A `Made` is a small world of typed values. `ask` answers any query that the kind may name, so waves run without a server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from reconciler.action import Action, Proposal
from reconciler.address import Address, Subject
from reconciler.connection import ConnectionSpec
from reconciler.facts import Absent, Fact, Facts, Known, Query, Unknown
from reconciler.kind import Ledger, Past, Resource
from reconciler.stack import Disk, Stack
from resources.clients import localfs
from resources.clients import servarr as q
from resources.clients.servarr import (
    RADARR,
    SONARR,
    Command,
    DiskSpace,
    Entry,
    FileRow,
    Item,
    QueueRecord,
    Root,
    TreeFile,
)
from resources.disk_fill import KIND
from resources.disk_fill.spec import DiskFillSpec

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GB = 1_000_000_000
TB = 1000 * GB


@dataclass
class Server:
    """One app's answers. `trees` override what follows from the items; `extra` are names in a root that are no item's."""

    app: str
    items: list[Item] = field(default_factory=list)
    roots: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    spaces: list[DiskSpace] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    queue: list[QueueRecord] = field(default_factory=list)
    extra: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[int, dict[str, int]] = field(default_factory=dict)
    trees: dict[str, dict[str, int]] = field(default_factory=dict)
    inaccessible: set[str] = field(default_factory=set)

    def files_of(self, item: Item) -> dict[str, int]:
        """Ten files a show, one a movie, that add up to its size."""
        if item.id in self.rows:
            return self.rows[item.id]
        count = item.files or 0
        each = (item.bytes or 0) // count if count else 0
        files = {f"Season 1/{n:02d}.mkv": each for n in range(1, count + 1)}
        if files:
            files[f"Season 1/{count:02d}.mkv"] += (item.bytes or 0) - each * count
        return files

    def names(self, root: str) -> list[str]:
        mapped = [i.path.rpartition("/")[2] for i in self.items if i.path.rpartition("/")[0] == root]
        return sorted([*mapped, *self.extra.get(root, [])])


@dataclass
class Made:
    """A stack with its servers."""

    servers: dict[str, Server]
    disks: str
    spec: str = ""
    here: dict[str, localfs.Space] = field(default_factory=dict)
    linked: dict[str, localfs.Linked] = field(default_factory=dict)
    paths: tuple[dict[str, str], ...] = ()
    broken: dict[Query[Any], Unknown] = field(default_factory=dict)
    read_only: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()  # torrent clients beside them
    ledger: Ledger = field(default_factory=Ledger)
    asked: list[Query[Any]] = field(default_factory=list)

    def stack(self) -> Stack:
        connections: dict[str, ConnectionSpec] = {
            name: (SONARR if s.app == "sonarr" else RADARR).Spec(
                app=s.app, url="http://x", config_xml="/x", access="read" if name in self.read_only else "write"
            )
            for name, s in self.servers.items()
        }
        connections |= {name: ConnectionSpec(app="rtorrent") for name in self.clients}
        declared = {n: Disk.model_validate_json(json.dumps(d)) for n, d in yaml.safe_load(self.disks).items()}
        return Stack(connections=connections, disks=declared, paths=self.paths)

    def resource(self) -> Resource[DiskFillSpec]:
        spec = DiskFillSpec.model_validate_json(json.dumps(yaml.safe_load(self.spec)))
        return Resource(Address("disk_fill", "media"), spec, self.stack())

    def facts(self, now: datetime = NOW) -> Facts:
        """Three waves."""
        facts = Facts()
        for _ in range(3):
            queries = [x for x in KIND.reads(self.resource(), facts, self.ledger, now) if not facts.has(x)]
            self.asked += queries
            facts = Facts({**facts.answers, **{x: self.ask(x) for x in queries}})
        return facts

    def plan(self, now: datetime = NOW) -> Proposal:
        return KIND.plan(self.resource(), self.facts(now), self.ledger, now)

    def why(self, item: str) -> list[str]:
        return KIND.why(self.resource(), self.facts(), self.ledger, NOW, item)

    def ask(self, query: Query[Any]) -> Fact[Any]:
        if query in self.broken:
            return self.broken[query]
        if isinstance(query, localfs.FsSize):
            found = self.here.get(query.path)
            return Known(found, NOW) if found else Unknown("refused", f"{query.path} cannot be looked at", at=NOW)
        if isinstance(query, localfs.HardLinks):
            return Known(self.linked[query.path], NOW) if query.path in self.linked else Absent(NOW)
        return Known(self._answer(self.servers[query.connection], query), NOW)

    def _answer(self, server: Server, query: Query[Any]) -> Any:  # one line for each sort of query
        match query:
            case q.Items():
                return tuple(server.items)
            case q.Roots():
                return tuple(self._root(server, n, p) for n, p in enumerate(sorted(server.roots), 1))
            case q.DiskSpaces():
                return tuple(server.spaces)
            case q.Commands():
                return tuple(server.commands)
            case q.Queue():
                return tuple(server.queue)
            case q.Listing(path=path):
                return tuple(Entry(name, True, 0) for name in server.names(path))
            case q.FileRows(item_id=item_id):
                item = next(i for i in server.items if i.id == item_id)
                files = server.files_of(item)
                return tuple(FileRow(n, item_id, r, f"{item.path}/{r}", s) for n, (r, s) in enumerate(files.items(), 1))
            case q.Tree(path=path):
                return tuple(TreeFile(name, size) for name, size in sorted(self._tree(server, path).items()))
        raise AssertionError(f"nobody answers {query}")

    def _root(self, server: Server, number: int, path: str) -> Root:
        free, total = server.roots[path]
        return Root(number, path, path not in server.inaccessible, free, total, tuple(server.extra.get(path, ())))

    def _tree(self, server: Server, path: str) -> dict[str, int]:
        if path in server.trees:
            return server.trees[path]
        item = next((i for i in server.items if i.path == path), None)
        return server.files_of(item) if item is not None else {}

    def after(self, actions: tuple[Action, ...], now: datetime = NOW) -> Made:
        """The world and the ledger when these moves are done."""
        servers = {name: replace(s, items=list(s.items), roots=dict(s.roots)) for name, s in self.servers.items()}
        stack = self.stack()
        for action in actions:
            server = servers[action.subject.connection]
            server.items = [
                replace(i, path=action.after["path"]) if i.ident == action.subject.key else i for i in server.items
            ]
            for disk, change in action.effects.disks.items():
                for member in disk.split("="):
                    for connection in stack.disks[member].roots:
                        for root in stack.disks[member].roots_of(connection):
                            free, total = servers[connection].roots[root]
                            servers[connection].roots[root] = (free - change, total)
        past = tuple(Past("r000001", now, action, "done") for action in actions)
        return replace(
            self, servers=servers, asked=[], ledger=replace(self.ledger, history=(*self.ledger.history, *past))
        )


def show(number: int, title: str, size: int, path: str, files: int = 10, tags: tuple[str, ...] = ()) -> Item:
    return Item(number, f"tvdb:{1000 + number}", title, f"{path}/{title}", path, size, files, tags, True)


def film(number: int, title: str, size: int, path: str, tags: tuple[str, ...] = ()) -> Item:
    return Item(number, f"tmdb:{1000 + number}", title, f"{path}/{title}", path, size, 1, tags, True)


def move_command(number: int, item_id: int, source: str, to: str, status: str = "started") -> Command:
    body = {"seriesId": item_id, "sourcePath": source, "destinationPath": to}
    return Command(number, "MoveSeries", status, "unknown", "", "", body)


def past_move(item: Item, old: str, new: str, at: datetime, outcome: str = "done", **data: Any) -> Past:
    action = Action(
        id="disk_fill.media/1",
        address="disk_fill.media",
        verb="move",
        subject=Subject(connection="sonarr", type="series", key=item.ident, title=item.title),
        reason="",
        before={"path": old},
        after={"path": new},
        data={"connection": "sonarr", "item_id": item.id, "source": old, "destination": new, **data},
    )
    return Past("r000007", at, action, outcome)


def three_disks(**more: Any) -> Made:
    """The example of the documentation: d1 is 92 % full, d2 75 %, d3 60 %."""
    items = [
        show(1, "The Expanse", 488 * GB, "/tv1", 62),
        show(2, "Fargo", 318 * GB, "/tv1", 51),
        show(3, "Severance", 5900 * GB, "/tv1", 400),
        show(4, "Dark", 900 * GB, "/tv2", 26),
        show(5, "Lost", 1900 * GB, "/tv3", 118),
    ]
    server = Server(
        "sonarr",
        items,
        {"/tv1": (640 * GB, 8 * TB), "/tv2": (2 * TB, 8 * TB), "/tv3": (4800 * GB, 12 * TB)},
    )
    disks = """
        d1: {roots: {sonarr: /tv1}, max: 85%}
        d2: {roots: {sonarr: /tv2}, max: 85%}
        d3: {roots: {sonarr: /tv3}, max: 85%}
    """
    made = Made({"sonarr": server}, disks, "{disks: [d1, d2, d3]}")
    return replace(made, **more)


def days(number: float) -> timedelta:
    return timedelta(days=number)
