"""From torrents that go to actions: in which order, whose data with whom, what it frees, and how it can be taken back. Pure.

Torrents that share files go one after another, and the data goes with the last of them: until then somebody claims it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from reconciler.action import Action, Compensation, Effects, Json
from reconciler.units import age_text, size_text
from resources.clients.localfs import HERE, Inode
from resources.clients.torrents import DELETES_DATA
from resources.imports import STILL
from resources.references.graph import Freed
from resources.torrent_retention.decide import Candidate
from resources.torrent_retention.sharing import union
from resources.torrent_retention.world import World, digest, files_digest, lookers, mappings, pressed, referer, subject

STOPPED = ("paused", "halted")
NEEDED = "needed"  # what an action made under pressure rests on


def actions(world: World, group: tuple[Candidate, ...], *, space: bool) -> list[Action]:
    """The actions of one group, in order. `space`: the room is needed, so nothing waits in quarantine.

    The ids are the caller's to give; `requires` names the hash of the torrent that has to be gone before.
    """
    out: list[Action] = []
    together = [referer(world.connection, c.torrent).ident for c in group]
    for number, candidate in enumerate(group):
        last = number == len(group) - 1
        delete = candidate.judgement.delete
        data = delete == "data" and last
        made = _action(world, candidate, group if data else (candidate,), delete, data, together, space=space)
        before = (group[number - 1].torrent.hash,) if number and delete == "data" else ()
        out.append(made.model_copy(update={"requires": before}))
    return out


def _action(
    world: World,
    candidate: Candidate,
    behind: tuple[Candidate, ...],
    delete: str,
    data: bool,
    together: list[str],
    *,
    space: bool,
) -> Action:
    torrent, spec, address = candidate.torrent, world.resource.spec, str(world.resource.address)
    app = world.stack.connections[world.connection].app
    gives = union(behind) if data else Freed()
    inodes = {i.path: i for c in behind if c.bytes for i in c.bytes.inodes} if data else {}
    ours = data and app not in DELETES_DATA
    keep = 0 if space else spec.quarantine.keep
    quarantined = ours and keep > 0
    batch = f"torrent-{torrent.hash[:20]}-{digest(sorted([i.path, i.inode] for i in inodes.values()))}"
    root = candidate.bytes.root if candidate.bytes else None
    by = candidate.bytes.by if candidate.bytes else HERE
    verb = "pause" if delete == "pause" else "remove"
    return Action(
        id=f"{address}/0",
        address=address,
        verb=verb,
        subject=subject(world.connection, torrent),
        reason="; ".join(candidate.judgement.reasons),
        before={"torrent": "is stopped" if torrent.state in STOPPED else "seeds"},
        after={"torrent": "is stopped" if verb == "pause" else "is gone"},
        details=_details(torrent.content, verb, data, ours, quarantined, gives, len(behind), keep, needed=space),
        rests_on=_rests_on(candidate, list(inodes.values())) | ({"room": NEEDED} if space and verb == "remove" else {}),
        effects=_effects(candidate, behind, verb, data, gives, quarantined, len(inodes)),
        data={
            "connection": world.connection, "app": app, "hash": torrent.hash, "data": data, "ours": ours,
            "content": torrent.content, "stop": _stop(candidate, world), "by": by, "root": root, "files": sorted(inodes),
            "batch": batch, "keep": keep, "purge": ours and not quarantined,
            "rules": json.loads(spec.model_dump_json(exclude_defaults=True)), "imported": candidate.imported,
            "taken": [asdict(t) for t in candidate.taken],
            "seeded_before": _before(candidate), "disowned": candidate.disowned, "together": together,
            "clients": sorted(world.torrents), "paths": mappings(world.stack), "lookers": lookers(world.stack),
            "about": {"address": address, "kind": "torrent", "title": torrent.name, "hash": torrent.hash},
            **(pressing(world) if space else {}),
        },
        undo=_undo(by, root, batch) if quarantined else None,
    )  # fmt: skip


def pressing(world: World) -> dict[str, Json]:
    """What an action that makes room carries, so that it is looked at again whether the room is needed still."""
    told, disk = world.resource.spec.pressure, pressed(world.resource)
    if told is None or disk is None:
        return {}
    return {"pressure": {"by": disk.by, "path": disk.path, "until": told.above if told.to is None else told.to}}


def _undo(by: str, root: str | None, batch: str) -> Compensation:
    says = "bring its data back from quarantine (the torrent itself has to be added again)"
    return Compensation(verb="restore", says=says, data={"by": by, "root": root, "batch": batch})


def _before(candidate: Candidate) -> int | None:
    """Seconds of seeding before the present stretch: the part that does not grow from look to look."""
    now = candidate.torrent.seeded_s
    return None if candidate.seeded_s is None or now is None else candidate.seeded_s - now


def _stop(candidate: Candidate, world: World) -> str | None:
    """The uppermost folder that may go when it is empty: the torrent's own; None for a file in a shared folder."""
    place = world.content(world.connection, candidate.torrent)
    single = candidate.torrent.content != candidate.torrent.save_path and len(candidate.torrent.files or ()) == 1
    return None if place is None or single else place.path


def _rests_on(candidate: Candidate, inodes: list[Inode]) -> dict[str, Json]:
    torrent = candidate.torrent
    told: dict[str, Any] = {
        "content": torrent.content,
        "files": files_digest(torrent.files or ()),
        "verdict": "go",
        "also used by": [],
    }
    told |= {"in the library": STILL} if candidate.taken else {}
    return {**told, "on disk": on_disk(inodes)} if inodes else told


def on_disk(inodes: list[Inode]) -> str:
    """What the deletion of files rests on: that these are still the very same bytes. Where there are no numbers of inodes the
    time of the last change stands for them."""
    told = [[i.path, i.state, i.device, i.inode, i.size, *([] if i.names else [i.mtime_ns])] for i in inodes]
    return digest(sorted(told))


def _effects(
    candidate: Candidate,
    behind: tuple[Candidate, ...],
    verb: str,
    data: bool,
    gives: Freed | None,
    quarantined: bool,
    files: int,
) -> Effects:
    if verb == "pause":
        return Effects()
    size = max(c.torrent.size for c in behind) if data else 0
    told = 0 if gives is None or quarantined else gives.bytes
    count = files or len(candidate.torrent.files or ()) if data else 0
    return Effects(destroys=1, bytes_destroyed=size, bytes_freed=told, files=count)


def _details(
    content: str,
    verb: str,
    data: bool,
    ours: bool,
    quarantined: bool,
    gives: Freed | None,
    group: int,
    keep: int,
    *,
    needed: bool,
) -> tuple[str, ...]:
    """What becomes of its data, in figures."""
    if verb == "pause":
        return ("it stops, and nothing is deleted",)
    if not data:
        return ("its data stays",)
    whose = [
        f"the last of {group} torrents that share it" if group > 1 else "no other torrent of your clients uses its data"
    ]
    if gives is None:
        return (content, *whose, "its client deletes its data; what that frees was not checked")
    kept = [f"{size_text(gives.kept)} has other names and frees nothing (hard links)"] if gives.kept else []
    most = "at most " if gives.at_most else ""
    if quarantined:
        wait = f"its data waits in quarantine for {age_text(keep)}"
        return (content, *whose, wait, f"frees nothing now, {most}{size_text(gives.bytes)} then", *kept)
    why = "the room is needed" if needed else "your wish keeps nothing in quarantine"
    how = f"its data is deleted at once, for good: {why}" if ours else "its client deletes its data, for good"
    return (content, *whose, how, f"frees {most}{size_text(gives.bytes)} on disk", *kept)
