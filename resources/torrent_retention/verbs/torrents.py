"""Removing and pausing a torrent. Where its client deletes no data, ours moves it aside first and takes the torrent out last.

    let go of the files → move them aside → the client itself no longer finds them → take the torrent out

Each step is checked before the next, and one that fails is taken back: a torrent without its data can be mended, data
without its torrent is an orphan. That the client loses sight of the files is the proof that they were the files it means.
Only `remove` of a torrent whose removal is seen deletes anything for good.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from reconciler.action import Action, Json
from reconciler.facts import Absent, Fact, Known, NotThere, ReadFailed
from reconciler.kind import ReplyLost, Verb, Verdict, World, WriteRefused
from reconciler.units import size_text
from resources.clients.rtorrent.queries import FilesThere
from resources.clients.torrents import OneTorrent, Torrent, Torrents
from resources.imports import Taken, still_taken
from resources.torrent_retention import judge
from resources.torrent_retention.halted import HALTED
from resources.torrent_retention.observed import disowned_now
from resources.torrent_retention.removal import on_disk
from resources.torrent_retention.sharing import tie, ties
from resources.torrent_retention.spec import RetentionSpec
from resources.torrent_retention.verbs.aside import move_aside
from resources.torrent_retention.verbs.stores import batch_of, by, free, looked, room, store
from resources.torrent_retention.world import ALWAYS, carried, files_digest, placed, referer


def _found(world: World, action: Action) -> Torrent:
    data = action.data
    found: Torrent = world.client(data["connection"]).read(OneTorrent(data["connection"], data["hash"]))
    return found


def _verdict(world: World, action: Action, torrent: Torrent) -> str:
    """The rules once more, over the torrent as it is now: "go", or why not."""
    data = action.data
    if ALWAYS in {n.lower() for n in (torrent.label, *torrent.tags)}:
        return f"it carries {ALWAYS}"
    spec = RetentionSpec.model_validate_json(json.dumps(data["rules"]))
    if data["disowned"]:
        kept = judge.without_trackers(spec, judge.Known(torrent, world.now()))
        if kept.code in judge.KEEPS:
            return kept.reasons[0]
        return "go" if disowned_now(torrent) else "its tracker knows it again"
    says = "imported" if data["imported"] else "not imported"
    before, now = data["seeded_before"], torrent.seeded_s
    seeded = None if before is None or now is None else before + now
    told = judge.judge(spec, judge.Known(torrent, world.now(), data["imported"], says, seeded))
    return told.verdict if told.verdict == judge.GO else told.reasons[0]


def _sharers(world: World, action: Action, torrent: Torrent) -> list[str]:
    """Torrents of any client that lie where this one lies, or have the same bytes under another name, as planning sees it:
    but for those that go with it. ReadFailed."""
    stack = carried(action.data)
    own = referer(action.data["connection"], torrent)
    told = {name: list(world.client(name).read(Torrents(name))) for name in action.data["clients"]}
    mine = told[action.data["connection"]]
    told[action.data["connection"]] = [torrent, *(t for t in mine if t.hash != torrent.hash)]
    graph = placed(stack, told)
    if action.data["files"]:  # hard links, and folders that are mounted twice
        sizes = {f.size for f in torrent.files or ()}
        tie(graph, ties(stack, told, sizes), lambda query: world.client(query.connection).read(query))
    near = {o.ident for o in {*graph.group(own), *graph.around(own)} - {own}}
    return sorted(near - set(action.data["together"]))


class _OfTorrent(Verb):
    """What both share: what the decision rests on."""

    words: ClassVar = {
        "content": "its data lies at {now} now",
        "files": "it has other files",
        "verdict": "the rules do not let it go any more: {now}",
        "also used by": "its data is used by others now: {now}",
        "in the library": "{now}",
        "on disk": "its files were changed",
        "room": "the room is {now}",
    }

    def read(self, world: World, action: Action) -> Fact[dict[str, Json]]:
        try:
            torrent = _found(world, action)
        except NotThere:
            return Absent(world.now())
        told: dict[str, Any] = {
            "content": torrent.content,
            "files": files_digest(torrent.files or ()),
            "verdict": _verdict(world, action, torrent),
            "also used by": _sharers(world, action, torrent) if action.data["data"] else [],
        }
        if "room" in action.rests_on:
            told["room"] = room(world, action)
        if action.data["taken"]:
            told["in the library"] = still_taken(world, (Taken(**t) for t in action.data["taken"]))
        if action.data["files"]:
            told["on disk"] = on_disk(list(looked(world, action, action.data["files"])))
        return Known(told, world.now())


class Pause(_OfTorrent):
    """The torrent stops. Nothing is deleted."""

    noun = "pause"

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        world.client(action.data["connection"]).pause(action.data["hash"])
        return None

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        try:
            state = _found(world, action).state
        except NotThere:
            return Verdict("not-done", "the torrent is not there any more")
        return Verdict("done", "it is stopped") if state == "paused" else Verdict("not-done", f"it is {state}")


class Remove(_OfTorrent):
    """The torrent goes, and its data where that was planned."""

    noun = "removal"

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        data = action.data
        client = world.client(data["connection"])
        before = free(world, action)
        if not (data["data"] and data["ours"]):
            client.remove(data["hash"], data=data["data"])
            return {"free": before}
        _sees_them(world, action)
        with move_aside(world, action) as aside:
            still = [path for path, there in client.read(FilesThere(data["connection"], data["hash"])) if there]
            if still:
                raise WriteRefused(
                    f"rtorrent still sees {still[0]} after it was moved aside: these are not its files; all is back",
                    "correct paths: the folders it maps are not the same",
                )
            client.remove(data["hash"], data=False)
            aside.keep()
        freed = 0
        if data["purge"]:
            _surely_gone(world, action)
            freed = store(action).purge(world.client(by(action)), data["root"], data["batch"])
        return {"free": before, "freed": freed}

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        data = action.data
        there = True
        try:
            _found(world, action)
        except NotThere:
            there = False
        waits = data["ours"] and data["data"] and _waits(world, action)
        if there and waits:
            return Verdict(
                "broken", "its data was moved to quarantine and the torrent is still there", remedy="arr plan"
            )
        if there:
            return Verdict("not-done", "the torrent is still there")
        left = [i for i in self._files(world, action) if i.state != "missing"]
        if left:
            says = f"the torrent is gone and {len(left)} of its files are still there, as {left[0].path}: nothing was freed"
            return Verdict(
                "unknown" if handle is not None else "broken", says, remedy="delete them yourself, or see orphans"
            )
        return Verdict("done", _measured(world, action, handle, bool(waits)))

    def _files(self, world: World, action: Action) -> Any:
        paths = action.data["files"] if action.data["data"] else ()
        return looked(world, action, paths) if paths else ()


class Resume(Verb):
    """A torrent whose removal stopped half-way seeds again."""

    noun = "resumption"
    words: ClassVar = {"torrent": "it {now}"}

    def read(self, world: World, action: Action) -> Fact[dict[str, Json]]:
        try:
            state = _found(world, action).state
        except NotThere:
            return Absent(world.now())
        return Known({"torrent": HALTED if state == "halted" else f"is {state}"}, world.now())

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        world.client(action.data["connection"]).reopen(action.data["hash"])
        return None

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        try:
            state = _found(world, action).state
        except NotThere:
            return Verdict("not-done", "the torrent is not there any more")
        return Verdict("not-done", "it is still halted") if state == "halted" else Verdict("done", f"it is {state}")


def _sees_them(world: World, action: Action) -> None:
    """The client finds each wanted file before any is moved: else that it finds none afterwards would prove nothing."""
    data = action.data
    client, query = world.client(data["connection"]), FilesThere(data["connection"], data["hash"])
    wanted = {f.path for f in _found(world, action).files or () if f.wanted}
    if wanted - {path for path, there in client.read(query) if there}:
        client.open_files(data["hash"])
    unseen = sorted(wanted - {path for path, there in client.read(query) if there})
    if unseen:
        raise WriteRefused(
            f"rtorrent itself does not find {unseen[0]}: nothing was moved", "look at the torrent in rtorrent"
        )


def _waits(world: World, action: Action) -> bool:
    """Whether its data lies in quarantine."""
    batch = batch_of(world, action)
    return batch is not None and bool(batch.whole or batch.bytes)


def _surely_gone(world: World, action: Action) -> None:
    """What is deleted for good has no torrent any more: seen, not assumed."""
    try:
        _found(world, action)
    except NotThere:
        return
    except ReadFailed as e:
        raise ReplyLost(f"its data waits in quarantine: {e.reason}") from None
    raise ReplyLost("its data waits in quarantine: the torrent is still there")


def _measured(world: World, action: Action, handle: dict[str, Json] | None, waits: bool) -> str:
    """What was freed, as the disk tells it."""
    if not action.data["data"]:
        return "the torrent is gone; its data stays"
    if waits:
        return "the torrent is gone; its data waits in quarantine, and nothing is freed yet"
    if action.data["ours"] and not action.data["purge"]:
        return "the torrent is gone; its data is neither in its place nor in quarantine any more"
    before, after = (handle or {}).get("free"), free(world, action)
    if before is None or after is None or not action.data["files"]:
        return "the torrent is gone; what that freed could not be measured"
    measured = f"the disk has {size_text(max(0, after - before))} more free than before"
    deleted = (handle or {}).get("freed")
    return f"the torrent and its data are gone{f' ({size_text(deleted)} deleted)' if deleted else ''}; {measured}"


REMOVE = Remove()
PAUSE = Pause()
RESUME = Resume()
