"""Moving orphans aside, bringing batches back, deleting them for good.

An orphan is looked at once more at the moment of doing: every client is asked whether it claims it by now, and whatever has
come into its folder since the plan shows that somebody uses it.
"""

from __future__ import annotations

import posixpath
from datetime import timedelta
from typing import Any, ClassVar

from reconciler.action import Action, Json
from reconciler.facts import Absent, Fact, Known, NotThere
from reconciler.kind import Verb, Verdict, World
from reconciler.units import size_text
from resources.clients.localfs import Beneath, Inode, RealPaths
from resources.clients.torrents import OneTorrent, Torrents
from resources.references import Place
from resources.torrent_retention.claims import Claims, looks
from resources.torrent_retention.stranded import BACK, GONE
from resources.torrent_retention.verbs.stores import batch_of, by, free, looked, room, store
from resources.torrent_retention.world import carried, digest


class Quarantine(Verb):
    """An orphan is moved aside."""

    noun = "orphan"

    def read(self, world: World, action: Action) -> Fact[dict[str, Json]]:
        found = _lying(world, action)
        told = digest([[i.path, i.state, i.inode, i.size, i.mtime_ns] for i in found])
        return Known({"files": told, "claimed": self._claimed(world, action)}, world.now())

    def _claimed(self, world: World, action: Action) -> list[str]:
        """Torrents of any client that claim it by now, or of which that cannot be told. ReadFailed when one cannot tell."""
        stack, folder = carried(action.data), Place(by(action), action.data["folder"])
        told = {name: world.client(name).read(Torrents(name)) for name in action.data["clients"]}
        real: dict[Place, str] = {}
        for at, paths in looks(stack, told, [folder]).items():
            real |= zip((Place(at, p) for p in paths), world.client(at).read(RealPaths(at, paths)), strict=True)
        claims = Claims(stack, action.data.get("own", ""), told, [folder], real)
        owner = claims.owner(folder, posixpath.basename(action.data["path"]))
        return sorted({*claims.lost, *([owner] if owner else [])})

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        data = action.data
        until = world.now() + timedelta(seconds=data["keep"])
        store(action).stash(
            world.client(by(action)),
            data["root"],
            data["batch"],
            data["files"],
            about=data["about"],
            until=until,
            stop=data["path"],
        )
        return None

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        batch = batch_of(world, action)
        left = [i for i in looked(world, action, action.data["files"]) if i.state != "missing"]
        if batch is None:
            return Verdict("not-done", "it is where it was") if left else Verdict("unknown", "it is nowhere any more")
        if left:
            says = f"{len(left)} of its files were not moved to quarantine"
            return Verdict("broken", says, remedy="arr undo brings the others back")
        return Verdict("done", "it waits in quarantine; nothing is freed yet")


def _lying(world: World, action: Action) -> tuple[Inode, ...]:
    """All that lies where the orphan was seen. ReadFailed."""
    path = action.data["path"]
    (top,) = looked(world, action, [path])
    if top.state != "folder":
        return looked(world, action, action.data["files"])
    found: tuple[Inode, ...] = world.client(by(action)).read(Beneath(by(action), path))
    return found


class Restore(Verb):
    """A batch is brought back, and its torrent, when it is there, takes it up again."""

    noun = "restoration"

    def read(self, world: World, action: Action) -> Fact[dict[str, Json]]:
        batch = batch_of(world, action)
        if batch is None:
            return Absent(world.now())
        told: dict[str, Json] = {"batch": batch.id, "files": batch.files, "bytes": batch.bytes}
        if "torrent" in action.rests_on:
            told["torrent"] = _torrent(world, action)
        return Known(told | ({"room": room(world, action)} if "room" in action.rests_on else {}), world.now())

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        store(action).restore(world.client(by(action)), action.data["root"], action.data["batch"])
        info_hash, name = action.data.get("hash"), action.data.get("connection")
        if info_hash and name:
            client: Any = world.client(name)
            try:
                client.read(OneTorrent(name, info_hash))
            except NotThere:
                return None
            client.reopen(info_hash)
        return None

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        if batch_of(world, action) is not None:
            return Verdict("not-done", "it is still in quarantine")
        return Verdict("done", "it is back in its place")


def _torrent(world: World, action: Action) -> str:
    """Whether the torrent whose data it was is in its client. ReadFailed."""
    name = action.data["connection"]
    try:
        world.client(name).read(OneTorrent(name, action.data["of"]))
    except NotThere:
        return GONE
    return BACK


class Purge(Verb):
    """A batch is deleted for good."""

    noun = "purge"
    words: ClassVar = {"torrent": "the torrent whose data it was {now}"}
    read = Restore.read

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        before = free(world, action)
        freed = store(action).purge(world.client(by(action)), action.data["root"], action.data["batch"])
        after = free(world, action)
        return {"freed": freed, "more_free": None if before is None or after is None else after - before}

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        if batch_of(world, action) is not None:
            return Verdict("not-done", "it is still in quarantine")
        if handle is None:
            return Verdict("done", "it is gone; what that freed was not measured")
        freed, more = size_text(handle["freed"]), handle["more_free"]
        if more is None:
            return Verdict("done", f"{freed} deleted for good; what that freed could not be measured")
        return Verdict(
            "done", f"{freed} deleted for good; the disk has {size_text(max(0, more))} more free than before"
        )


QUARANTINE = Quarantine()
RESTORE = Restore()
PURGE = Purge()
