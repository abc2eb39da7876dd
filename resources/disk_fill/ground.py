"""What a plan stands on, put together once from facts and ledger: disks, items, broken moves, who stays, what is reserved.

Pure; `reads`, `planning` and `why` begin here, so that all three see the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.action import Blocked, UnderWay
from reconciler.facts import Facts
from reconciler.kind import Ledger, Resource
from resources.disk_fill import jobs
from resources.disk_fill.broken import Broken, broken
from resources.disk_fill.choose import Ground
from resources.disk_fill.disks import Disks, disk_at, disks
from resources.disk_fill.eligibility import No, rules, verdict
from resources.disk_fill.mending import on_disk
from resources.disk_fill.scene import Remedy, Scene, leaves
from resources.disk_fill.spec import DiskFillSpec
from resources.disk_fill.staying import Mendable, stays
from resources.disk_fill.world import View, view

Mended = Iterable[tuple[str, Scene, Remedy]]  # broken moves that this plan mends: app, how it stands, the way


@dataclass(frozen=True)
class Survey:
    """All of it. `waiting`: disks to which something is brought back, so that what leaves them is decided afterwards.

    `coming`: disk → bytes that moves under way still bring to it (negative: take off it). `staying`: key of a thing → why a
    broken move of it is not mended now, and the way forward.
    """

    view: View
    disks: Disks
    broken: Broken
    ground: Ground
    under_way: tuple[UnderWay, ...]
    blocked: tuple[Blocked, ...]
    waiting: frozenset[str]
    coming: Mapping[str, int]
    staying: Mapping[str, tuple[str, str]]


def survey(resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, now: datetime) -> Survey:
    """The ground of `resource` as far as `facts` go."""
    seen = view(resource, facts, ledger)
    found = disks(resource, seen, facts)
    limits = {name: found.fills[group].min_free for name, group in found.of.items() if group in found.fills}
    torn = broken(seen, facts, ledger, now, limits)
    told = rules(resource, seen, ledger, now)
    ask = Mendable(resource, seen, found, ledger, now)
    staying = {f.candidate.thing.key: why for f in torn.found if (why := stays(ask, f)) is not None}
    mended = [
        (f.candidate.thing.connection, f.scene, f.way.remedy)
        for f in torn.found
        if f.way and f.candidate.thing.key not in staying
    ]
    waiting = _waiting(mended, seen, found)
    unsettled = _unsettled(str(resource.address), ledger, seen, found)
    nos: dict[str, No] = {}
    for thing in seen.things:
        no = verdict(told, seen, thing)
        if no is None and found.of.get(thing.disk) in waiting:
            no = No("what is broken on its disk is mended first", "the next plan looks at it again", quiet=True)
        if no is None and seen.errors:  # a slip of the pen must not send things to other places than were meant
            no = No("a root folder is declared that is not there", "correct the declaration first", quiet=True)
        if no is None and (
            seen.blocked or unsettled
        ):  # what lies on these disks decides which moves are the right ones
            no = No("not all of what lies on these disks is known", "it is looked at again when it is", quiet=True)
        if no is not None:
            nos[thing.key] = no
    nos |= {
        f.candidate.thing.key: No("a move of it stopped half-way", "it may move once that is mended")
        for f in torn.found
    }
    nos |= {
        c.thing.key: No("a move of it may have stopped half-way, and could not be looked at") for c, _ in torn.unknown
    }
    reserved: dict[str, int] = {}
    going = _ours(str(resource.address), ledger, seen, found, reserved)
    _theirs(ledger, seen, found, reserved)
    coming = dict(reserved)
    _heals(mended, seen, found, reserved)
    ground = Ground(resource, seen, found, nos, facts, ledger, now, reserved, _torn(torn, seen))
    return Survey(seen, found, torn, ground, going, unsettled, waiting, coming, staying)


def _waiting(mended: Mended, seen: View, found: Disks) -> frozenset[str]:
    """Disks that get something back: the same item is likely to be the best one to leave, and can't be chosen yet."""
    disks = (disk_at(seen, found, app, scene.old) for app, scene, remedy in mended if remedy.goal == "old")
    return frozenset(disk for disk in disks if disk is not None)


def _unsettled(address: str, ledger: Ledger, seen: View, found: Disks) -> tuple[Blocked, ...]:
    """Actions of ours, or on our disks, of which the world does not tell what became of them."""
    out = []
    for pending in ledger.pending:
        data, subject = pending.action.data, pending.action.subject
        places = [data[key] for key in ("source", "destination") if key in data]
        ours = any(disk_at(seen, found, subject.connection, place) is not None for place in places)
        if pending.verdict.state == "unknown" and (ours or pending.action.address == address):
            verdict = pending.verdict
            out.append(
                Blocked(what=f"what became of {subject.title}", reason=verdict.says, remedy=verdict.remedy, subjects=1)
            )
    return tuple(out)


def _reserve(reserved: dict[str, int], disk: str | None, bytes_: int) -> None:
    if disk is not None and bytes_:
        reserved[disk] = reserved.get(disk, 0) + bytes_


def _ours(address: str, ledger: Ledger, seen: View, found: Disks, reserved: dict[str, int]) -> tuple[UnderWay, ...]:
    """Accepted earlier and not settled: what is still to come takes its room already."""
    out = []
    for pending in ledger.pending:
        data, verdict = pending.action.data, pending.verdict
        if verdict.state in ("running", "unknown") and "destination" in data:
            total = verdict.total_bytes if verdict.total_bytes is not None else pending.action.effects.bytes_moved
            left = max(0, total - (verdict.done_bytes or 0))
            back = data.get("goal") == "old"
            to, source = ("source", "destination") if back else ("destination", "source")
            _reserve(reserved, disk_at(seen, found, data["connection"], data[to]), left)
            _reserve(reserved, disk_at(seen, found, data["connection"], data[source]), -left)
        if verdict.state == "running" and pending.action.address == address:
            out.append(
                UnderWay(
                    action=pending.action, says=verdict.says, done_bytes=verdict.done_bytes,
                    total_bytes=verdict.total_bytes,
                )
            )  # fmt: skip
    return tuple(out)


def _theirs(ledger: Ledger, seen: View, found: Disks, reserved: dict[str, int]) -> None:
    """Moves that an app was told by somebody else: how far they are is not known, so all of it is still to come."""
    mine = {(p.action.data.get("connection"), p.action.data.get("item_id")) for p in ledger.pending}
    for server in seen.servers.values():
        sizes = {item.id: item.bytes or 0 for item in server.items}
        for job in jobs.moves(server.commands):
            if not job.over and (server.name, job.item_id) not in mine:
                size = sizes.get(job.item_id, 0)
                _reserve(reserved, disk_at(seen, found, server.name, job.destination), size)
                _reserve(reserved, disk_at(seen, found, server.name, job.source), -size)


def _heals(mended: Mended, seen: View, found: Disks, reserved: dict[str, int]) -> None:
    """What a heal carries has its room before any move, and what it frees elsewhere need not be freed by a move."""
    for app, scene, remedy in mended:
        to, source = (scene.new, scene.old) if remedy.goal == "new" else (scene.old, scene.new)
        _reserve(reserved, disk_at(seen, found, app, to), on_disk(remedy.bytes))
        _reserve(reserved, disk_at(seen, found, app, source), -leaves(scene, remedy))


def _torn(torn: Broken, seen: View) -> dict[tuple[str, str], frozenset[str]]:
    """Folders that moves have left in two roots, or are about to: they say nothing about two roots being one."""
    places = [(f.candidate.thing.connection, place) for f in torn.found for place in (f.scene.old, f.scene.new)]
    places += [(c.thing.connection, place) for c, _ in torn.unknown for place in (c.old, c.new)]
    places += [(app, place) for app, *both in torn.apart for place in both]
    for server in seen.servers.values():
        live = (job for job in jobs.moves(server.commands) if not job.over)
        places += [(server.name, place) for job in live for place in (job.source, job.destination)]
    out: dict[tuple[str, str], frozenset[str]] = {}
    for app, place in places:
        root, _, folder = place.rpartition("/")
        out[app, root] = out.get((app, root), frozenset()) | {folder}
    return out
