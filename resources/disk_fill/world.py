"""What the apps told, as disks and the items on them. Pure; used by `reads` (waves) and by `plan`.

Nothing is guessed: what was asked and not answered becomes a `Blocked`, and takes only what depends on it out of the
plan. A disk's free space is the servers' own figure, so what no app tracks counts by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import is_
from typing import Any, NamedTuple

from reconciler.action import Blocked
from reconciler.address import Subject
from reconciler.facts import Facts, Known, Query, Unknown
from reconciler.kind import Ledger, Resource
from resources.clients.servarr import Command, Commands, DiskSpace, DiskSpaces, Item, Items, Listing, Queue, Roots
from resources.clients.servarr import Root as AppRoot
from resources.disk_fill.spec import DiskFillSpec

TYPES = {"sonarr": "series", "radarr": "movie"}
FINISHED = ("imported", "ignored", "failed")  # states of a queue record that the app will not touch the item for


class Thing(NamedTuple):  # ten thousand of them are made several times a plan
    """An item, and the disk and root that it lies on. `key` is its subject's ident: unique over all connections.

    `folder` is the name of its own folder, `folded` the same for comparison where case may not count.
    """

    connection: str
    item: Item
    root: str
    folder: str
    folded: str
    disk: str
    key: str

    def subject(self, app: str) -> Subject:
        return Subject(
            connection=self.connection, type=TYPES[app], key=self.item.ident, title=self.item.title or self.item.path
        )


@dataclass(frozen=True)
class Server:
    """One connection whose answers are complete. `queued`: ids of items that are being downloaded or imported.

    `unsized`: why its mounts (`spaces`) are not known; they only matter where nothing else tells a disk's size.
    """

    name: str
    app: str
    writable: bool
    items: tuple[Item, ...]
    roots: Mapping[str, AppRoot]
    spaces: tuple[DiskSpace, ...] | None
    commands: tuple[Command, ...]
    queued: Mapping[int, str]
    unsized: Unknown | None = None


@dataclass(frozen=True)
class Beside:
    """The folders of a connection that has no root on these disks. `reason`: why they are not known."""

    items: tuple[Item, ...] = ()
    roots: tuple[AppRoot, ...] = ()
    reason: str = ""


@dataclass
class View:
    """All of it. `names`: (connection, root) → what lies directly in the root, None where nobody has told yet.

    `disk_of`: (connection, root) → declared disk, for roots that can be used. `asked`: how many servers there are, with
    those that did not answer. `beside`: the other servers of the stack, whose folders may lie within an item's.
    `inside`: what is found of that, once (see `places`).
    """

    servers: dict[str, Server] = field(default_factory=dict)
    blocked: list[Blocked] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    disk_of: dict[tuple[str, str], str] = field(default_factory=dict)
    names: dict[tuple[str, str], frozenset[str] | None] = field(default_factory=dict)
    things: list[Thing] = field(default_factory=list)
    beside: dict[str, Beside] = field(default_factory=dict)
    asked: int = 0
    inside: list[dict[tuple[str, str], str]] = field(default_factory=list)


def connections(resource: Resource[DiskFillSpec]) -> list[str]:
    """Every connection that has a root on one of the disks, sorted."""
    disks = (resource.stack.disks[name] for name in resource.spec.disks)
    return sorted({connection for disk in disks for connection in disk.roots})


def neighbours(resource: Resource[DiskFillSpec]) -> list[str]:
    """Every other Sonarr and Radarr of the stack, sorted."""
    stack = resource.stack.connections
    return sorted(name for name in stack.keys() - connections(resource) if stack[name].app in TYPES)


def folders_of(connection: str) -> tuple[Query[Any], ...]:
    """What is asked of a neighbour."""
    return (Items(connection), Roots(connection))


def first_wave(connection: str) -> tuple[Query[Any], ...]:
    """What is asked of every connection."""
    return (Items(connection), Roots(connection), DiskSpaces(connection), Commands(connection), Queue(connection))


_latest: list[
    tuple[tuple[object, ...], View]
] = []  # of the answers of the first wave: three calls in a run see the same


def view(resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger) -> View:
    """The world of `resource`, from answers that `first_wave` asked for."""
    names, others = connections(resource), neighbours(resource)
    asked = [q for name in names for q in first_wave(name)] + [q for name in others for q in folders_of(name)]
    grounds = (resource, ledger, *(facts.get(query) for query in asked))
    found = next((v for known, v in _latest if len(known) == len(grounds) and all(map(is_, known, grounds))), None)
    if found is None:
        found = _view(resource, facts, ledger, names, others)
        _latest[:] = [(grounds, found)]
    out = replace(found, names={})
    _names(out, facts)
    return out


def _view(resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, names: list[str], others: list[str]) -> View:
    """All but the names in the roots, which further waves tell."""
    out = View()
    out.asked = len(names)
    for name in names:
        _server(out, resource, facts, ledger, name)
    for name in others:
        out.beside[name] = _beside(facts, name)
    for disk_name in dict.fromkeys(resource.spec.disks):
        disk = resource.stack.disks[disk_name]
        for connection in disk.roots:
            for root in disk.roots_of(connection):
                _root(out, disk_name, connection, root)
    for server in out.servers.values():
        _place(out, server)
    return out


def _beside(facts: Facts, name: str) -> Beside:
    items, roots = (facts.get(query) for query in folders_of(name))
    if isinstance(items, Known) and isinstance(roots, Known):
        return Beside(items.value, roots.value)
    failed = items if isinstance(items, Unknown) else roots
    return Beside(reason=failed.reason if isinstance(failed, Unknown) else "it was not found")


def _server(out: View, resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, name: str) -> None:
    spec = resource.stack.connections[name]
    answers = {type(q): facts.get(q) for q in first_wave(name)}
    for query in (Items, Roots, Commands, Queue):
        answer = answers[query]
        if not isinstance(answer, Known):
            reason = answer.reason if isinstance(answer, Unknown) else "it was not found"
            out.blocked.append(
                Blocked(
                    what=f"the {TYPES[spec.app]}s of {name}" if spec.app == "radarr" else f"the series of {name}",
                    reason=f"{_ASKED[query]} of {name} ({reason})",
                    remedy=answer.remedy if isinstance(answer, Unknown) else "",
                    subjects=ledger.populations.get(f"{resource.address} {name}", 0),
                    code=answer.code if isinstance(answer, Unknown) else "",
                )
            )
            return
    spaces = answers[DiskSpaces]
    out.servers[name] = Server(
        name=name,
        app=spec.app,
        writable=spec.access == "write",
        items=answers[Items].value,  # type: ignore[union-attr]  # all four are Known here
        roots={root.path: root for root in answers[Roots].value},  # type: ignore[union-attr]
        spaces=spaces.value if isinstance(spaces, Known) else None,
        unsized=spaces if isinstance(spaces, Unknown) else None,
        commands=answers[Commands].value,  # type: ignore[union-attr]
        queued={r.item_id: r.title for r in answers[Queue].value if r.item_id is not None and r.state not in FINISHED},  # type: ignore[union-attr]
    )


_ASKED: dict[Any, str] = {
    Items: "the list",
    Roots: "the root folders",
    Commands: "what is under way",
    Queue: "the queue",
}


def _root(out: View, disk: str, connection: str, root: str) -> None:
    server = out.servers.get(connection)
    if server is None:
        return
    found = server.roots.get(root)
    if found is None:
        has = ", ".join(sorted(server.roots)) or "none"
        out.errors.append(f"disks.{disk}.roots.{connection}: {connection} has no root folder {root} (it has {has})")
    elif not found.accessible or found.free is None:
        out.blocked.append(
            Blocked(
                what=f"what concerns {root} of {connection} on {disk}",
                reason=f"the free space at {root} ({connection} does not reach it, or it answers slowly)",
                remedy=f"is it mounted? arr doctor {connection}",
                subjects=sum(item.path.rpartition("/")[0] == root for item in server.items),
                code="slow",
            )
        )
    else:
        out.disk_of[connection, root] = disk


def _place(out: View, server: Server) -> None:
    prefix = f"{server.name}:{TYPES[server.app]}/"
    for item in server.items:
        root, _, folder = item.path.rpartition("/")
        disk = out.disk_of.get((server.name, root))
        if disk is not None:
            key = f"{prefix}{item.ident}"
            out.things.append(Thing(server.name, item, root, folder, folder.casefold(), disk, key))


def _names(out: View, facts: Facts) -> None:
    """What lies in each root: from a listing where there is one, else from the app's items and its unmapped folders."""
    held: dict[tuple[str, str], set[str]] = {}
    for thing in out.things:
        held.setdefault((thing.connection, thing.root), set()).add(thing.folder)
    for connection, root in out.disk_of:
        listing = Listing(connection, root)
        answer = facts.get(listing) if facts.has(listing) else None
        unmapped = out.servers[connection].roots[root].unmapped
        told: frozenset[str] | None = None
        if isinstance(answer, Known):
            told = frozenset(entry.name for entry in answer.value)
        elif unmapped is not None:
            told = frozenset(unmapped) | frozenset(held.get((connection, root), ()))
        out.names[connection, root] = told
