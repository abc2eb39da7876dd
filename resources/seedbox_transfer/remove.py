"""`remove`: a release that came home and was imported leaves the server.

Everything that the plan rests on is looked at again, and each file once more right before it goes: nothing is deleted that is
not the very file that was fetched, nothing through a link, and no folder that still holds something. Cut short, it leaves some
of the files, which the next plan takes for what is left of the same.
"""

from __future__ import annotations

import posixpath
from contextlib import suppress
from typing import ClassVar

from reconciler.action import Action, Json
from reconciler.facts import Absent, Fact, Known, NotThere
from reconciler.kind import Verb, Verdict, World, WriteRefused
from reconciler.stack import Stack
from reconciler.units import size_text
from resources.clients.localfs import Inode, Inodes
from resources.clients.sftp import RemoteStat, RemoteTree
from resources.clients.sftp.names import shown
from resources.clients.torrents import Torrents
from resources.seedbox_transfer.release import Release, digest

KEPT = "every file that is left stays"


def _look(world: World, action: Action) -> Release:
    from resources.seedbox_transfer.bring import Order, look  # noqa: PLC0415  # paramiko costs start-up time

    data = action.data
    order = Order(data["connection"], data["remote"], data["name"], "", tuple(data["exclude"]))
    return look(world.client(data["connection"]), order)


def _needed(world: World, action: Action) -> list[str]:
    """Torrents that need it by now. ReadFailed when a client does not answer."""
    from resources.seedbox_transfer.removal import claimants  # noqa: PLC0415  # as above

    data = action.data
    told = {name: world.client(name).read(Torrents(name)) for name in data["clients"]}
    back = [f"{t.name} in {name}" for name, torrents in told.items() for t in torrents if t.hash in data["torrents"]]
    stack = Stack(paths=tuple(data["paths"]))
    return sorted({*back, *claimants(stack, data["connection"], data["remote"], data["files"], told)})


def _left(world: World, action: Action) -> int:
    """How many of the files are there. What lies behind a link that was put there meanwhile is not known to be gone."""
    data, client = action.data, world.client(action.data["connection"])
    try:
        told = client.read(RemoteStat(data["connection"], data["remote"]))
        if told.kind != "folder":
            return len(data["files"])
        tree = client.read(RemoteTree(data["connection"], data["remote"]))
    except NotThere:
        return 0
    there = {entry.path for entry in tree if entry.kind != "folder"}
    return sum(any(way in there for way in _ways(path)) for path, _, _ in data["files"])


def _ways(path: str) -> list[str]:
    """A path in the release, and every folder above it there."""
    names = path.split("/")
    return ["/".join(names[:end]) for end in range(1, len(names) + 1)]


class Remove(Verb):
    """See the module."""

    noun = "removal"
    words: ClassVar = {
        "remote": "it changed on the server",
        "needed by": "a torrent may need it now: {now}",
        "in the library": "{now}",
    }

    def read(self, world: World, action: Action) -> Fact[dict[str, Json]]:
        from resources.imports import Taken, still_taken  # noqa: PLC0415  # as above
        from resources.seedbox_transfer.removal import rows  # noqa: PLC0415  # as above

        try:
            there = _look(world, action)
        except NotThere:
            return Absent(world.now())
        return Known(
            {
                "remote": there.problem or digest(rows(there)),
                "needed by": _needed(world, action),
                "in the library": still_taken(world, (Taken(**t) for t in action.data["taken"])),
            },
            world.now(),
        )

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        """Some at a time: the files and their folders are looked at, and those files go. Then the folders, the deepest first."""
        data, client = action.data, world.client(action.data["connection"])
        folders: set[str] = set()
        for at in range(0, len(data["files"]), client.together):
            some = {
                _path(data["remote"], path): (size, time)
                for path, size, time in data["files"][at : at + client.together]
            }
            ways = {folder for path in some for folder in _folders(data["remote"], path)}
            for told in client.read(Inodes(data["connection"], (*sorted(ways), *some))):
                _expect(told, some.get(told.path))
            client.unlink_all(list(some))
            folders |= ways
        for folder in sorted(folders, key=len, reverse=True):
            with suppress(WriteRefused, NotThere):  # something else is in it, as what was not to be fetched: it stays
                client.rmdir(folder)
        return None

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        data = action.data
        left = _left(world, action)
        if not left:
            files = "1 file" if len(data["files"]) == 1 else f"{len(data['files'])} files"
            return Verdict("done", f"{files}, {size_text(data['bytes'])}, are gone from {data['connection']}")
        if left == len(data["files"]):
            return Verdict("not-done", "all of it is still there")
        says = f"{left} of {len(data['files'])} files are still there: the next plan carries on"
        return Verdict("not-done", says)


def _path(remote: str, path: str) -> str:
    return f"{remote}/{path}" if path else remote


def _folders(remote: str, file: str) -> list[str]:
    """The folders of a file from the release itself on; none of a release that is a file."""
    found = []
    while file != remote:
        file = posixpath.dirname(file)
        found.append(file)
    return found


def _expect(told: Inode, file: tuple[int, int] | None) -> None:
    """WriteRefused unless it is the file of that size and time, or (None) a folder."""
    if told.state == "missing":
        raise WriteRefused(f"{shown(told.path)} is gone from the server: {KEPT}", "look at a new plan: arr plan")
    kind = "folder" if file is None else "file"
    if told.state != kind:
        why = f" ({told.why})" if told.why else ""
        raise WriteRefused(f"{shown(told.path)} is no {kind} any more{why}: {KEPT}", "look at it yourself")
    if file is not None and (told.size, told.mtime_ns) != file:
        raise WriteRefused(f"{shown(told.path)} changed on the server: {KEPT}", "look at a new plan: arr plan")


REMOVE = Remove()
