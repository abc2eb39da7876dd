"""Looking at one item in the world: its path, the files at both places, and what the server is doing with it.

Shared by both verbs. Reads only, and always in this order: commands first, files last, so that what is said to be over
is over before its files are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.action import Json
from reconciler.facts import NotThere
from reconciler.kind import World
from resources.clients.servarr import Command, CommandById, Commands, FileRows, Listing, OneItem, Roots, Tree
from resources.disk_fill import jobs
from resources.disk_fill.scene import Files, Scene


@dataclass(frozen=True)
class Sight:
    """One look. `busy` says what is under way for the item; `command` is the one that was followed, if it is known;
    `scanned`: the app has scanned the folder since that ended."""

    scene: Scene
    command: Command | None
    busy: str
    scanned: bool

    @property
    def denied(self) -> bool:
        """The server was stopped by something else than a full disk: it left the path where the files were to go."""
        return self.command is not None and self.command.status == "failed"


def as_files(rows: Iterable[Any]) -> dict[str, int]:
    """From the journal's `[[name, bytes], …]`."""
    return {str(name): int(size) for name, size in rows}


def as_rows(files: Files) -> list[list[Json]]:
    """For the journal, sorted."""
    return [[name, size] for name, size in sorted(files.items())]


def expected_of(data: dict[str, Json], handle: dict[str, Json] | None) -> Files:
    """The files that have to arrive: all that lay there when the move began, else those that the plan knew."""
    return as_files((handle or {}).get("files") or data["files"])


def sight(world: World, data: dict[str, Json], handle: dict[str, Json] | None) -> Sight | None:
    """One look at what `data` names; None when the app has no such item any more."""
    connection, item_id = str(data["connection"]), int(data["item_id"])
    client = world.client(connection)
    commands: tuple[Command, ...] = client.read(Commands(connection))
    command = _followed(client, commands, data, handle)
    busy = jobs.touching(commands, item_id)
    if command is not None and not command.over and not busy:
        busy = f"{command.name} is {command.status}"
    try:
        item = client.read(OneItem(connection, item_id))
    except NotThere:
        return None
    scene = Scene(
        path=item.path,
        old=data["source"],
        new=data["destination"],
        expected=expected_of(data, handle),
        at_old=tree(world, connection, data["source"]),
        at_new=tree(world, connection, data["destination"]),
    )
    return Sight(scene, command, busy, jobs.scanned_since(commands, item_id, command))


def _followed(
    client: Any, commands: tuple[Command, ...], data: dict[str, Json], handle: dict[str, Json] | None
) -> Command | None:
    """The command of this move: by its id, else the newest one whose body says so."""
    known = (handle or {}).get("command")
    if known is None:
        return moving_it(commands, data)
    found: Command | None = next((command for command in commands if command.id == known), None)
    if found is None:
        try:
            found = client.read(CommandById(data["connection"], known))
        except NotThere:
            return None
    return found


def moving_it(commands: Iterable[Command], data: dict[str, Json]) -> Command | None:
    """The newest command that moves this item to one of the two places of `data`."""
    places = {data["source"], data["destination"]}
    mine = [j.command for j in jobs.moves(commands) if j.item_id == data["item_id"] and j.destination in places]
    return max(mine, key=lambda command: command.id, default=None)


def tree(world: World, connection: str, path: str) -> dict[str, int]:
    """Every file under a folder with its size; empty for a missing folder."""
    return {f.relative: f.bytes for f in world.client(connection).read(Tree(connection, path))}


def rows(world: World, connection: str, item_id: int) -> dict[str, int]:
    """The item's files as the app has them."""
    return {r.relative: r.bytes for r in world.client(connection).read(FileRows(connection, item_id))}


def root_state(world: World, connection: str, root: str) -> tuple[bool, int]:
    """Whether the app reaches a root, and the free bytes there (0 when it does not tell)."""
    for found in world.client(connection).read(Roots(connection)):
        if found.path == root:
            return found.accessible, found.free or 0
    return False, 0


def names_in(world: World, connection: str, root: str) -> set[str]:
    """Names directly under a root, as far as the server shows them."""
    return {entry.name for entry in world.client(connection).read(Listing(connection, root))}
