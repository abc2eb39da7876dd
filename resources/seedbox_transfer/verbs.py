"""`fetch`: a release comes home. `perform` claims its place, `work` transfers, `verify` looks whether all of it lies there.

Only what lies under its own name with every file of the right size is done. A fetch that died is not done: what it left is
found by the next plan, which carries on. While a process is at work on it, and only then, it is running.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from reconciler.action import Action, Json
from reconciler.facts import Fact, Known, NotThere, ReadFailed
from reconciler.kind import Verb, Verdict, World, WriteRefused
from reconciler.units import size_text
from resources.clients.localfs import HERE, FolderMark, FsSize, LocalNames, LocalTree, Staged
from resources.clients.localfs.mark import claim
from resources.clients.localfs.staging import at_work
from resources.seedbox_transfer.hours import is_open
from resources.seedbox_transfer.memory import kept, marked
from resources.seedbox_transfer.release import shape

if TYPE_CHECKING:
    from resources.seedbox_transfer.bring import Order


def order(data: dict[str, Json], fingerprint: str = "") -> Order:
    from resources.clients.sftp.fetch import Pace  # noqa: PLC0415  # paramiko costs start-up time of every command
    from resources.seedbox_transfer.bring import Order  # noqa: PLC0415

    parallel = data["parallel"]
    return Order(
        connection=data["connection"],
        remote=data["remote"],
        name=data["name"],
        to=data["to"],
        exclude=tuple(data["exclude"]),
        fingerprint=fingerprint,
        verify=data["verify"],
        pace=Pace(parallel["connections"], parallel["files"], parallel["segments"], data["rate"]),
    )


def _room(world: World, data: dict[str, Json]) -> str:
    here = world.client(HERE)
    free = here.read(FsSize(HERE, data["to"])).free
    left = max(0, data["bytes"] - here.read(Staged(HERE, data["to"], data["name"])))
    if free - left >= data["keep_free"]:
        return "enough"
    return f"{size_text(free)} free, {size_text(left)} to come, {size_text(data['keep_free'])} to stay free"


def _folder(world: World, action: Action) -> str:
    """Its mark; that which this very plan has put there stands for what was there before."""
    mark = world.client(HERE).read(FolderMark(HERE, action.data["to"]))
    return str(action.rests_on["folder"]) if mark == kept(action)["folder"] else marked(mark)


class Fetch(Verb):
    """See the module."""

    long = True
    noun = "fetch"
    words: ClassVar = {
        "remote": "it changed on the server",
        "here": "something of its name is here",
        "room": "the room is not enough: {now}",
        "folder": "the folder that it shall lie in is another one now: is its disk mounted?",
    }

    def read(self, world: World, action: Action) -> Fact[dict[str, Json]]:
        from resources.seedbox_transfer.bring import look  # noqa: PLC0415

        data = action.data
        there = look(world.client(data["connection"]), order(data))
        names = world.client(HERE).read(LocalNames(HERE, data["to"]))
        return Known(
            {
                "remote": there.problem or there.fingerprint,
                "here": "there already" if data["name"] in names else "absent",
                "room": _room(world, data),
                "folder": _folder(world, action),
            },
            world.now(),
        )

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        world.client(HERE).writable()
        if not os.access(action.data["to"], os.W_OK | os.X_OK):
            raise WriteRefused(f"{action.data['to']} may not be written", "let this user write there")
        try:
            claim(action.data["to"], action.data["mark"], kept(action)["folder"])
        except OSError as e:
            why = f"{action.data['to']} could not be marked ({(e.strerror or str(e)).lower()})"
            raise WriteRefused(why, "is its disk full, or not mounted?") from None
        return {"here": True}

    def work(
        self,
        world: World,
        action: Action,
        handle: dict[str, Json],
        told: Callable[[Verdict], None],
        stopped: Callable[[], bool],
    ) -> Verdict | None:
        from resources.seedbox_transfer.bring import bring  # noqa: PLC0415

        total = action.data["bytes"]

        def progress(here: int) -> None:
            told(Verdict("running", done_bytes=here, total_bytes=total))

        def ended() -> bool:
            return stopped() or not is_open(action.data["window"], world.now())

        def checked(how: str) -> None:
            handle["checked"] = how  # `verify` says it: the world does not tell how

        client: Any = world.client(action.data["connection"])
        return bring(client, order(action.data, action.rests_on["remote"]), progress, ended, checked)

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        data, here = action.data, world.client(HERE)
        mark = here.read(FolderMark(HERE, data["to"]))
        if handle is not None and kept(action) and mark not in ("", kept(action)["folder"]):
            return Verdict("unknown", f"{data['to']} is another folder than it was", remedy="mount its disk again")
        try:
            found = here.read(LocalTree(HERE, f"{data['to']}/{data['name']}"))
        except NotThere:
            return self._on_its_way(here, data)
        whole = all(f.kind == "file" for f in found)
        if whole and shape((f.path, f.size) for f in found) == data["shape"]:
            how = (handle or {}).get("checked") or "every file has the size that the server told"
            return Verdict("done", f"all of it is here, {size_text(data['bytes'])}: {how}")
        return Verdict("not-done", "something else of this name is here", remedy="move it away, and plan again")

    def _on_its_way(self, here: Any, data: dict[str, Json]) -> Verdict:
        try:
            arrived = min(data["bytes"], here.read(Staged(HERE, data["to"], data["name"])))
            busy = at_work(data["to"], data["name"])
        except OSError as e:
            raise ReadFailed("refused", f"{data['to']} cannot be looked at ({e.strerror})", "is it mounted?") from None
        says = f"{size_text(arrived)} of {size_text(data['bytes'])} are here"
        if busy:
            return Verdict("running", says, done_bytes=arrived, total_bytes=data["bytes"])
        return Verdict("not-done", f"{says}: the next plan carries on", done_bytes=arrived, total_bytes=data["bytes"])


FETCH = Fetch()
