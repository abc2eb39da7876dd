"""Which quarantine an action speaks of: this machine's own, or that of an SFTP server. Used by the verbs beside this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from reconciler.action import Action, Json
from reconciler.facts import ReadFailed
from reconciler.kind import World
from resources.clients.localfs import HERE, Batch, Batches, FsSize, Inode, Inodes
from resources.clients.localfs import quarantine as on_disk
from resources.clients.sftp import quarantine as on_server


class Store(Protocol):
    """What both quarantines can do; see their modules."""

    def stash(
        self,
        fs: Any,
        root: str,
        batch: str,
        paths: Iterable[str],
        *,
        about: Mapping[str, Json],
        until: datetime,
        stop: str | None,
    ) -> None: ...

    def restore(self, fs: Any, root: str, batch: str) -> None: ...

    def purge(self, fs: Any, root: str, batch: str) -> int: ...


def by(action: Action) -> str:
    """Through which connection the data is seen. Plans of before there was a choice speak of this machine."""
    return str(action.data.get("by", HERE))


def store(action: Action) -> Store:
    return on_disk if by(action) == HERE else on_server


def looked(world: World, action: Action, paths: Iterable[str]) -> tuple[Inode, ...]:
    """These files as they are now. ReadFailed."""
    found: tuple[Inode, ...] = world.client(by(action)).read(Inodes(by(action), tuple(paths)))
    return found


def batch_of(world: World, action: Action) -> Batch | None:
    """The batch that the action speaks of. ReadFailed."""
    batches: tuple[Batch, ...] = world.client(by(action)).read(Batches(by(action), action.data["root"]))
    return next((b for b in batches if b.id == action.data["batch"]), None)


def room(world: World, action: Action) -> str:
    """Whether the room that the action makes is needed still. ReadFailed."""
    told = action.data["pressure"]
    space = world.client(told["by"]).read(FsSize(told["by"], told["path"]))
    return "needed" if space.total - space.free > told["until"] * space.total else "not needed any more"


def free(world: World, action: Action) -> int | None:
    """Free bytes of the disk of its folder; None where they are not told. A figure for people: nothing is decided by it."""
    root = action.data["root"]
    try:
        return int(world.client(by(action)).read(FsSize(by(action), root)).free) if root else None
    except ReadFailed:
        return None
