"""`move`: an item's folder goes from one root to another, by its own app, safely.

The app changes the path first and calls a failed move successful; so nothing is sent unless the target is free, idle and
proven to be another folder, and nothing is believed but the files. The rescan comes last, when every file is there.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from reconciler.action import Action, Json
from reconciler.facts import Fact, Known, ReadFailed
from reconciler.kind import NotBegun, ReplyLost, Verb, Verdict
from reconciler.kind import World as Servers
from reconciler.units import size_text
from resources.clients.localfs import HERE, HardLinks
from resources.clients.servarr import Commands, Items, OneItem
from resources.disk_fill import hardlinks, jobs
from resources.disk_fill.eligibility import HIDDEN
from resources.disk_fill.mending import on_disk
from resources.disk_fill.proof import shared_names, unmounted
from resources.disk_fill.scene import Files
from resources.disk_fill.verbs import look
from resources.disk_fill.verbs.judge import judge
from resources.disk_fill.words import count

LOOKS = 5  # for the command that a PUT has queued
PAUSE = 0.4  # seconds between them
ASKS = 3  # for a rescan whose answer is lost and which is not to be seen either

SAFE: dict[str, Json] = {
    "source": "whole",
    "destination": "absent",
    "idle": "yes",
    "room": "enough",
    "roots": "two folders",
    "mounted": True,
}
"""Without these no move is ever sent, whatever a plan says it rests on."""

NO_LINKS = "none"

WORDS = {
    "path": "its path was {was}, and is {now} now",
    "files": "it had {was} files, and has {now} now",
    "bytes": "it was {was} big, and is {now} now",
    "list": "its files are not those that the plan saw",
    "source": "not everything is where its app has it: {now}",
    "destination": "the target was to be free, and is not: {now}",
    "idle": "somebody is at work: {now}",
    "room": "the room at the target is not enough: {now}",
    "roots": "the two roots are not proven to be two: {now}",
    "mounted": "a root looks unmounted: {now}",
    "links": "it may take along, or leave behind, what is not its own: {now}",
}
"""What a person is told of a field that is not as the plan saw it."""


def fingerprint(files: Files) -> str:
    """Of names and sizes."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()[:16]


def rests_on(path: str, files: Files, *, seen: bool) -> dict[str, Json]:
    """What a move depends on, as planning expects it to be. `seen`: this machine sees the files, so their links count."""
    links: dict[str, Json] = {"links": NO_LINKS} if seen else {}
    return {
        "path": path,
        "files": len(files),
        "bytes": sum(files.values()),
        "list": fingerprint(files),
        **SAFE,
        **links,
    }


class Move(Verb):
    """See the module."""

    long = True
    noun = "move"
    words = WORDS

    def read(self, world: Servers, action: Action) -> Fact[dict[str, Json]]:
        data = action.data
        connection, item_id = data["connection"], data["item_id"]
        item = world.client(connection).read(OneItem(connection, item_id))
        rows = look.rows(world, connection, item_id)
        found = look.tree(world, connection, data["source"])
        there = look.names_in(world, connection, data["destination_root"])
        beside = look.names_in(world, connection, data["source_root"])
        destination = _destination(world, data, there)
        return Known(
            {
                "path": item.path,
                "files": len(rows),
                "bytes": sum(rows.values()),
                "list": fingerprint(rows),
                "source": _source(rows, found),
                "destination": destination,
                "idle": _idle(world, data),
                "room": _room(world, data, rows, found),
                "roots": _roots(data, beside, there, absent=destination == "absent"),
                "mounted": _mounted(world, data, there),
                **_links(world, data, len(rows)),
            },
            world.now(),
        )

    def perform(self, world: Servers, action: Action) -> dict[str, Json] | None:
        data = action.data
        unsafe = [f"{key}: {action.rests_on.get(key)}" for key in SAFE if action.rests_on.get(key) != SAFE[key]]
        links = action.rests_on.get("links", NO_LINKS)
        unsafe += [f"links: {links}"] if links != NO_LINKS else []
        if unsafe:
            raise NotBegun(f"not safe to move: {'; '.join(unsafe)}", "make a new plan: arr plan")
        files = look.tree(world, data["connection"], data["source"])
        last = newest(world, data)
        world.client(data["connection"]).move(
            data["item_id"], data["destination"], move_files=True, from_path=data["source"]
        )
        return {"command": find_command(world, data, last), "files": look.as_rows(files)}

    def verify(self, world: Servers, action: Action, handle: dict[str, Json] | None) -> Verdict:
        return judge(world, action.data, handle, "new")

    def conclude(self, world: Servers, action: Action, handle: dict[str, Json] | None) -> None:
        rescan(world, action.data)


def newest(world: Servers, data: dict[str, Json]) -> int:
    """The highest id of a command that the app tells of now: what a write queues gets a higher one."""
    return max((c.id for c in world.client(data["connection"]).read(Commands(data["connection"]))), default=0)


def find_command(world: Servers, data: dict[str, Json], last: int) -> int | None:
    """The id of the command that a PUT has queued: its answer does not tell. None when it is not to be seen.

    Never raises for a read: the write has been sent, so what follows looks at the world.
    """
    for _ in range(LOOKS):
        try:
            command = look.moving_it(world.client(data["connection"]).read(Commands(data["connection"])), data)
        except ReadFailed:
            return None
        if command is not None and command.id > last:
            return command.id
        world.sleep(PAUSE)
    return None


def rescan(world: Servers, data: dict[str, Json]) -> None:
    """Have the item's folder read again, once: a request whose answer is lost is looked for before it is sent again."""
    client = world.client(data["connection"])
    last = newest(world, data)
    for _ in range(ASKS - 1):
        try:
            client.rescan(data["item_id"])
        except ReplyLost:
            for _ in range(LOOKS):
                if any(
                    number > last for number in jobs.scans(client.read(Commands(data["connection"])), data["item_id"])
                ):
                    return
                world.sleep(PAUSE)
        else:
            return
    client.rescan(data["item_id"])


def _source(rows: Files, found: Files) -> str:
    away = [name for name, size in rows.items() if found.get(name) != size]
    return f"{len(away)} of {len(rows)} files are not there as the app has them: {away[0]}" if away else "whole"


def _destination(world: Servers, data: dict[str, Json], there: set[str]) -> str:
    folder = data["destination"].rpartition("/")[2]
    if folder.casefold() not in {name.casefold() for name in there}:
        return "absent"
    files = look.tree(world, data["connection"], data["destination"])
    if not files:
        return "absent"  # an empty folder is in nobody's way
    return f"there already, {count(len(files), 'file')}, {size_text(sum(files.values()))}"


def _idle(world: Servers, data: dict[str, Json]) -> str:
    """Nobody is at work on the item, and no app on either disk is moving or importing anything."""
    commands = world.client(data["connection"]).read(Commands(data["connection"]))
    busy = jobs.touching(commands, data["item_id"])
    if busy:
        return busy
    for connection in data["watch"]:
        told = jobs.moving(world.client(connection).read(Commands(connection)))
        if told:
            return f"{connection}: {told}"
    return "yes"


def _room(world: Servers, data: dict[str, Json], rows: Files, found: Files) -> str:
    """The tracked files fit under the disk's limit, and everything in the folder fits on the disk."""
    accessible, free = look.root_state(world, data["connection"], data["destination_root"])
    if not accessible:
        return f"{data['destination_root']} is not accessible"
    tracked, everything = sum(rows.values()), sum(found.values())
    if free - tracked < data["min_free"] or free < on_disk(everything):
        return f"{size_text(free)} free, {size_text(everything)} to come, {size_text(data['min_free'])} to stay free"
    return "enough"


def _mounted(world: Servers, data: dict[str, Json], there: set[str]) -> Json:
    """Whether the target shows most of what the app has there: a bare mount point would fill the disk below it.

    A few folders that the plan knew tell it. Where most of them are gone, or none was known, the app's whole list does.
    """
    connection, root = data["connection"], data["destination_root"]
    known = data.get("landmarks", {}).get(root)
    if known and not unmounted(known, there, connection):
        return True
    places = (i.path.rpartition("/") for i in world.client(connection).read(Items(connection)) if i.files)
    mine = {folder for above, _, folder in places if above == root} - {*data["torn"]}
    return unmounted((name for name in mine if name.casefold() not in HIDDEN), there, connection) or True


def _links(world: Servers, data: dict[str, Json], files: int) -> dict[str, Json]:
    """What of its files is linked, where this machine sees them: elsewhere nothing rests on it, and the plan says so."""
    path = data.get("here", {}).get(data["source"])
    if path is None:
        return {}
    no = hardlinks.no(world.client(HERE).read(HardLinks(HERE, path)), files)
    return {"links": no.reason if no else NO_LINKS}


def _roots(data: dict[str, Json], beside: set[str], there: set[str], *, absent: bool) -> str:
    if data["vouched"]:
        return "two folders"
    known = {*data["torn"]}
    if absent:
        known.add(data["destination"].rpartition("/")[2])  # at most empty there, and full here: that is two folders
    shared = shared_names(beside - known, there - known)
    return f"both hold {shared[0]}" if shared else "two folders"


MOVE: Any = Move()
