"""Moving a torrent's data aside so that every failure on the way puts it back. Called by `remove` alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from reconciler.action import Action
from reconciler.facts import NotThere, ReadFailed
from reconciler.kind import World, WriteRefused
from resources.torrent_retention.verbs.stores import by, store


@dataclass
class Aside:
    """Data that was moved. Unless `keep` is called it goes back."""

    kept: bool = False

    def keep(self) -> None:
        self.kept = True


@contextmanager
def move_aside(world: World, action: Action) -> Iterator[Aside]:
    """The client lets go of the files, and they are in quarantine inside of the block.

    A refusal inside puts the data back and has the client take it up again, then raises on. A lost reply does not: whether
    the torrent is gone has to be looked at first.
    """
    data = action.data
    client, files = world.client(data["connection"]), world.client(by(action))
    client.close_files(data["hash"])
    aside = Aside()
    moved = False
    try:
        store(action).stash(
            files,
            data["root"],
            data["batch"],
            data["files"],
            about=data["about"],
            until=world.now() + timedelta(seconds=data["keep"]),
            stop=data["stop"],
        )
        moved = True
        yield aside
    except (WriteRefused, ReadFailed, NotThere) as e:
        if moved and not aside.kept:
            store(action).restore(files, data["root"], data["batch"])
        client.reopen(data["hash"])
        if isinstance(e, WriteRefused):
            raise
        raise WriteRefused(f"not removed, and its data is back in its place: {e}") from None
