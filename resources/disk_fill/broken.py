"""Moves that stopped half-way, whoever began them: found, looked at, and answered with a heal or with words. Pure.

Found three ways: our own journal, commands that the app still tells of, and folders that lie unmapped in another root
under an item's own name. What is found is believed only when the files say so: a heal is planned when the app would
otherwise forget files at its next rescan, or when our own journal knows that more was to move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.action import Json
from reconciler.facts import Facts, Known, Query, Unknown
from reconciler.kind import Ledger
from resources.clients.servarr import FileRows, Tree
from resources.disk_fill import jobs
from resources.disk_fill.mending import Way, choose
from resources.disk_fill.scene import Place, Scene, rescan_of, unproven
from resources.disk_fill.world import Thing, View

REMEMBERED = timedelta(days=30)  # how long a journalled move that did not end well is looked at again
SETTLED = timedelta(days=1)  # and one that did, in case nobody was left to have it scanned; then the app has, by itself
MOST = 40  # folders under an item's own name that one plan looks into; each costs a few requests


@dataclass(frozen=True)
class Candidate:
    """A thing whose files may lie in two places. `data` is what the journal knows of our own move, else None.

    `directed`: it is known that it went from `old` to `new`. `denied`: its command ended as failed.
    """

    thing: Thing
    old: str
    new: str
    data: dict[str, Json] | None = None
    directed: bool = True
    denied: bool = False

    @property
    def guessed(self) -> bool:
        """Whether its folders alone say that there was a move: now, or when we began to mend it."""
        return not self.directed if self.data is None else bool(self.data.get("guessed"))

    def doubted(self, scene: Scene) -> bool:
        """Whether nothing at all shows that there was one: what lies at the supposed target is somebody's own."""
        return self.guessed and unproven(scene)


@dataclass(frozen=True)
class Found:
    """A broken move: how it stands, and the way to mend it (None when there is no safe one)."""

    candidate: Candidate
    scene: Scene
    way: Way | None


@dataclass
class Broken:
    """All of them. `unknown` could not be looked at, `wants` has to be asked first, `unseen` counts what was too many.

    `apart`: (connection, one folder, another) of the same name whose contents prove that they are two.
    """

    found: list[Found] = field(default_factory=list)
    unknown: list[tuple[Candidate, Unknown]] = field(default_factory=list)
    wants: list[Query[Any]] = field(default_factory=list)
    apart: list[tuple[str, str, str]] = field(default_factory=list)
    unseen: int = 0


def broken(view: View, facts: Facts, ledger: Ledger, now: datetime, limits: Mapping[str, int]) -> Broken:
    """`limits`: declared disk → the free bytes that its target wants to keep."""
    out = Broken()
    seen = {c.thing.key: c for c in reversed(list(_candidates(view, ledger, now)))}
    told = sorted((c for c in seen.values() if c.directed), key=lambda c: c.thing.key)
    folders = sorted((c for c in seen.values() if not c.directed), key=lambda c: c.thing.key)
    out.unseen = max(0, len(folders) - MOST)
    for candidate in (*told, *folders[:MOST]):
        _look(out, view, facts, candidate, limits)
    return out


def _candidates(view: View, ledger: Ledger, now: datetime) -> Iterator[Candidate]:
    """Most telling first: the journal, then commands, then folders. Things that are being moved now are none."""
    by_key = {thing.key: thing for thing in view.things}
    by_id = {(thing.connection, thing.item.id): thing for thing in view.things}
    going = {p.action.subject.ident for p in ledger.pending if p.verdict.state not in ("broken", "done")}
    live: set[str] = set()
    failed: list[Candidate] = []
    for server in view.servers.values():
        for job in jobs.moves(server.commands):
            thing = by_id.get((server.name, job.item_id))
            if thing is None:
                continue
            if not job.over:
                live.add(thing.key)
            elif _ended_badly(job, thing):
                denied = job.command.status == "failed"
                failed.append(Candidate(thing, job.source, job.destination, denied=denied))
    for candidate in (*_journalled(ledger, by_key, now), *failed[::-1], *_folders(view)):
        if candidate.thing.key not in live and candidate.thing.key not in going:
            yield candidate


def _ended_badly(job: jobs.Job, thing: Thing) -> bool:
    """A move that is over and may have stopped half-way: `completed` says nothing, but then the path was put back."""
    if not job.source or not job.destination or thing.item.path not in (job.source, job.destination):
        return False
    return job.command.status != "completed" or thing.item.path == job.source


def _journalled(ledger: Ledger, by_key: dict[str, Thing], now: datetime) -> Iterator[Candidate]:
    """Things that a move or heal of ours left broken, unless a later one was done. What never began breaks nothing.

    And those that were done without the app knowing all of it: whoever was to have it scanned did not come to that.
    """
    latest: dict[str, dict[str, Json] | None] = {}
    done = {p.action.subject.ident: p.action.data for p in ledger.pending if p.verdict.state == "done"}
    for past in ledger.history:
        ident = past.action.subject.ident
        if past.action.verb in ("move", "heal") and past.at > now - REMEMBERED:
            went_on = past.action.verb == "heal" and latest.get(ident)
            if past.outcome == "done":
                latest[ident] = None
                if past.at > now - SETTLED:
                    done[ident] = past.action.data
            elif past.outcome == "broken" or went_on:
                latest[ident] = past.action.data
    for pending in ledger.pending:
        if pending.verdict.state == "broken":
            latest[pending.action.subject.ident] = pending.action.data
    for ident, data in latest.items():
        thing = by_key.get(ident)
        if thing is not None and data and data.get("files"):
            in_vain = data.get("goal") == "new"  # a heal that went this way did not end well: the other way first
            yield Candidate(thing, str(data["source"]), str(data["destination"]), data, denied=in_vain)
    for ident, data in done.items():
        thing = by_key.get(ident)
        if thing is not None and latest.get(ident) is None and _knows_less(thing, data):
            yield Candidate(thing, str(data["source"]), str(data["destination"]), data)


def _knows_less(thing: Thing, data: dict[str, Json]) -> bool:
    """Whether the app counts fewer files or bytes at the place than were brought there."""
    sizes = [int(size) for _, size in data.get("files", ())]
    there = thing.item.path == data["source" if data.get("goal") == "old" else "destination"]
    return there and ((thing.item.files or 0) < len(sizes) or (thing.item.bytes or 0) < sum(sizes))


def _folders(view: View) -> Iterator[Candidate]:
    """Folders of no item, in a root on our disks, under the name of an item that lies in another root of that app."""
    if len(view.servers) < view.asked:
        return  # the folder may be an item's of the app that did not answer
    there: dict[tuple[str, str], frozenset[str]] = {}
    for server in view.servers.values():
        for root, told in server.roots.items():
            if (server.name, root) in view.disk_of:
                names = frozenset(told.unmapped) if told.unmapped is not None else view.names.get((server.name, root))
                there[server.name, root] = names or frozenset()
    wanted = frozenset((name, folder) for (name, _), folders in there.items() for folder in folders)
    by_folder: dict[tuple[str, str], list[Thing]] = {}
    for thing in view.things if wanted else ():
        if (thing.connection, thing.folder) in wanted:
            by_folder.setdefault((thing.connection, thing.folder), []).append(thing)
    taken = frozenset(item.path for server in view.servers.values() for item in server.items if by_folder)
    for (name, root), folders in sorted(there.items()):
        for folder in sorted(folders):
            if (name, folder) in by_folder and not claimed(f"{root}/{folder}", taken):
                for thing in by_folder[name, folder]:
                    yield Candidate(thing, f"{root}/{folder}", thing.item.path, directed=False)


def claimed(folder: str, taken: frozenset[str]) -> bool:
    """Whether a folder is an item's, lies in an item's, or has an item's in it."""
    above = folder
    while above:
        if above in taken:
            return True
        above = above.rpartition("/")[0]
    return any(path.startswith(f"{folder}/") for path in taken)


def _look(
    out: Broken,
    view: View,
    facts: Facts,
    candidate: Candidate,
    limits: Mapping[str, int],
) -> None:
    connection = candidate.thing.connection
    queries: tuple[Query[Any], ...] = (
        FileRows(connection, candidate.thing.item.id), Tree(connection, candidate.old), Tree(connection, candidate.new),
        Tree(connection, candidate.thing.item.path),
    )  # fmt: skip
    missing = [query for query in dict.fromkeys(queries) if not facts.has(query)]
    if missing:
        out.wants += missing
        return
    answers = [facts.get(query) for query in queries]
    for answer in answers:
        if isinstance(answer, Unknown):
            out.unknown.append((candidate, answer))
            return
    rows, old, new, here = answers
    if not (isinstance(rows, Known) and isinstance(old, Known) and isinstance(new, Known) and isinstance(here, Known)):
        return  # the item went away between two answers
    known = {row.relative: row.bytes for row in rows.value}
    at_old, at_new = ({f.relative: f.bytes for f in place.value} for place in (old, new))
    scene = _scene(candidate, known, at_old, at_new)
    if scene.apart:
        out.apart.append((connection, candidate.old, candidate.new))
    if _is_broken(candidate, scene) and not _is_over(
        candidate, scene, known, {f.relative: f.bytes for f in here.value}
    ):
        free = _free(view, connection, scene)
        disk = view.disk_of.get((connection, scene.new.rpartition("/")[0]), "")
        denied = candidate.denied or candidate.data is None
        way = choose(scene, free, limits.get(disk, 0), denied=denied, guessed=candidate.guessed)
        out.found.append(Found(candidate, scene, way))
    elif lost := _forgotten(candidate, scene, known):
        out.found.append(Found(candidate, scene, Way(rescan_of(scene, lost), True)))


def _scene(candidate: Candidate, known: dict[str, int], at_old: dict[str, int], at_new: dict[str, int]) -> Scene:
    """A stranger's move may have no known direction: half copies lie where it went, else it goes back to its path."""
    old, new = candidate.old, candidate.new
    expected = known
    if candidate.data is not None:
        rows = candidate.data.get("expected") or candidate.data["files"]
        expected = {str(name): int(size) for name, size in rows}
    elif not candidate.directed:
        both = at_old.keys() & at_new.keys()
        halves = [name for name in both if at_old[name] != at_new[name]]
        turned = any(at_old[name] < at_new[name] for name in halves) if halves else candidate.thing.item.path == new
        if turned:
            old, new, at_old, at_new = new, old, at_new, at_old
    return Scene(candidate.thing.item.path, old, new, expected, at_old, at_new)


def _is_broken(candidate: Candidate, scene: Scene) -> bool:
    """Whether something has to be done: files the app would forget, or the rest of a move of our own."""
    here, there = (scene.at_new, scene.at_old) if scene.path == scene.new else (scene.at_old, scene.at_new)
    if candidate.doubted(scene):
        return scene.path == scene.new
    if (
        candidate.data is None and not candidate.directed
    ):  # the name alone: an archive or another app's folder has it too
        return any(here.get(name, -1) < size == there.get(name) for name, size in scene.expected.items())
    if any(there.get(name, -1) > here.get(name, -1) for name in scene.expected):
        return True
    if candidate.data is None:
        return False
    return scene.state == "split" or any(here.get(name) != size for name, size in scene.expected.items())


def _forgotten(candidate: Candidate, scene: Scene, known: dict[str, int]) -> int:
    """How many files of our own move lie where the item is, and nowhere else, without the app knowing them so."""
    if candidate.data is None or scene.path not in (scene.old, scene.new):
        return 0
    here, other = (scene.at_new, scene.at_old) if scene.path == scene.new else (scene.at_old, scene.at_new)
    tracked = [(str(name), int(size)) for name, size in candidate.data["files"]]
    if other and not candidate.doubted(scene):
        return 0
    return sum(here.get(name) == size != known.get(name) for name, size in tracked)


def _is_over(candidate: Candidate, scene: Scene, known: dict[str, int], here: dict[str, int]) -> bool:
    """Whether somebody has mended our move by hand, wherever to: all that the app knows is whole at its path, and nothing
    is left elsewhere. At one of the two places it must also know as many files as before."""
    if candidate.data is None or not known or any(here.get(name) != size for name, size in known.items()):
        return False
    if scene.path not in (scene.old, scene.new):
        return scene.expected.keys().isdisjoint(scene.at_old.keys() | scene.at_new.keys())
    return scene.state != "split" and len(known) >= len(candidate.data["files"])


def _free(view: View, connection: str, scene: Scene) -> dict[Place, int]:
    roots = view.servers[connection].roots
    places: dict[Place, str] = {"old": scene.old, "new": scene.new}
    out: dict[Place, int] = {}
    for place, path in places.items():
        root = roots.get(path.rpartition("/")[0])
        out[place] = (root.free or 0) if root is not None and root.accessible else 0
    return out
