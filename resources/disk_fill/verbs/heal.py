"""`heal`: a move that stopped half-way is brought back, carried on, or has its path set right, by the app's own means.

The steps come from the recovery table (`scene.py`): set the path, let the app move files, never a rescan while files lie
in two places, never a file over another whole one. It acts only on exactly the files that were seen when it was planned.
"""

from __future__ import annotations

from typing import Any

from reconciler.action import Action, Json
from reconciler.facts import Absent, Fact, Known, ReadFailed
from reconciler.kind import ReplyLost, Verb, Verdict, WriteRefused
from reconciler.kind import World as Servers
from reconciler.units import size_text
from resources.clients.servarr import Commands
from resources.disk_fill import jobs
from resources.disk_fill.mending import TWO, moves, on_disk
from resources.disk_fill.verbs import look
from resources.disk_fill.verbs.judge import judge
from resources.disk_fill.verbs.move import WORDS, find_command, newest, rescan
from resources.disk_fill.words import count

TOLD = {**WORDS, "files": "files were added, changed or moved at one of its two places"}


class Heal(Verb):
    """See the module."""

    long = True
    noun = "heal"
    words = TOLD

    def read(self, world: Servers, action: Action) -> Fact[dict[str, Json]]:
        data = action.data
        found = look.sight(world, data, {"files": data["expected"]})
        if found is None:
            return Absent(world.now())
        root = data["destination_root" if data["goal"] == "new" else "source_root"]
        accessible, free = look.root_state(world, data["connection"], root)
        proven = found.scene.apart or not moves(data)
        room = "enough" if free >= on_disk(data["carries"]) else f"{size_text(free)} free at {root}"
        return Known(
            {
                "files": found.scene.fingerprint(),
                "idle": found.busy or "yes",
                "room": room if accessible else f"{root} is not accessible",
                "roots": TWO if proven else "both places show the same files, so they may be one folder",
            },
            world.now(),
        )

    def perform(self, world: Servers, action: Action) -> dict[str, Json] | None:
        data = action.data
        if action.rests_on.get("files") != data["fingerprint"] or action.rests_on.get("idle") != "yes":
            raise WriteRefused("its files are not where this heal was planned for", "make a new plan: arr plan")
        if moves(data) and action.rests_on.get("roots") != TWO:
            raise WriteRefused("it is not proven that the two places are two folders", "make a new plan: arr plan")
        if not data["steps"]:
            rescan(world, data)
            return {"command": None, "files": data["expected"]}
        last = newest(world, data)
        client = world.client(data["connection"])
        lies = data["path"]
        for number, (path, carry) in enumerate(data["steps"]):
            try:
                client.move(data["item_id"], path, move_files=carry, from_path=lies)
            except (WriteRefused, ReadFailed) as e:
                if number:  # the path is changed already: only a look at the world can tell where this leaves it
                    raise ReplyLost(f"step {number + 1} failed: {e}") from e
                raise
            lies = path
        return {"command": find_command(world, data, last) if moves(data) else None, "files": data["expected"]}

    def verify(self, world: Servers, action: Action, handle: dict[str, Json] | None) -> Verdict:
        data = action.data
        if not data["steps"]:
            return _rescanned(world, data)
        verdict = judge(world, data, handle or {"files": data["expected"]}, data["goal"])
        if verdict.state == "broken" and verdict.data.get("fingerprint") == data["fingerprint"] and handle is None:
            return Verdict("not-done", f"{data['connection']} did not begin it", remedy=verdict.remedy)
        return verdict

    def conclude(self, world: Servers, action: Action, handle: dict[str, Json] | None) -> None:
        if action.data["steps"]:
            rescan(world, action.data)


def _rescanned(world: Servers, data: dict[str, Json]) -> Verdict:
    """What became of a heal that only has the folder scanned: the app's own rows tell."""
    connection, item_id = data["connection"], data["item_id"]
    busy = jobs.touching(world.client(connection).read(Commands(connection)), item_id)
    if busy:
        return Verdict("running", busy)
    known = look.rows(world, connection, item_id)
    away = [name for name, size in data["files"] if known.get(name) != size]
    if not away:
        return Verdict("done", f"{connection} knows every file again")
    return Verdict(
        "not-done", f"{connection} does not know {count(len(away), 'file')} after all: {away[0]}",
        remedy=f"look at the log of {connection}",
    )  # fmt: skip


HEAL: Any = Heal()
