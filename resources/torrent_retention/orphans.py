"""Orphans: what lies in the client's folders and no torrent of any client claims. It goes to quarantine. Pure.

A name directly in such a folder is one thing: it is an orphan when nothing in it is claimed, by path or by hard link, when
nothing in it was changed lately, when an earlier plan saw it unclaimed as well, and when no client or app was unable to
answer. A client that is down owns everything. Clients keep the times of what they download, so that a file is old by its
mtime proves nothing: its ctime counts as well, and that it was seen.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from reconciler.action import Action, Blocked, Compensation, Effects, Held
from reconciler.address import Subject
from reconciler.facts import Known
from reconciler.kind import Ledger, Resource
from reconciler.units import age_text, size_text
from resources.clients.localfs import Beneath, Inode, RealPaths
from resources.clients.localfs.quarantine import FOLDER
from resources.clients.localfs.staging import PARTIAL
from resources.clients.sftp.names import shown
from resources.clients.text import is_whole
from resources.references import Place, seen
from resources.references.graph import freed
from resources.references.places import root_of, shielded
from resources.torrent_retention import claims
from resources.torrent_retention.observed import Observed
from resources.torrent_retention.spec import RetentionSpec
from resources.torrent_retention.world import World, digest, lookers, mappings


@dataclass
class Found:
    """Actions without ids, what is held or not known, and `waiting`: how many names were not unclaimed for long enough."""

    actions: list[Action] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    waiting: int = 0


def scans(resource: Resource[RetentionSpec]) -> list[Beneath]:
    """The folders to look into, on this machine or through an SFTP connection."""
    told = resource.spec.orphans
    folders = told.under if told is not None else ()
    found = [seen(resource.stack, resource.spec.connection, folder) for folder in folders]
    places = dict.fromkeys((at.by, at.path) for at in found if at is not None)
    return [Beneath(by, path, (FOLDER, PARTIAL)) for by, path in places]


def _places(world: World) -> list[Place]:
    return [Place(scan.connection, scan.path) for scan in scans(world.resource)]


def orphans(world: World, observed: Observed, ledger: Ledger, now: datetime) -> Found:
    """All of them, in every folder that is searched."""
    out = Found()
    for scan in scans(world.resource):
        fact = world.facts.get(scan)
        if world.unseen:
            name, why = next(iter(sorted(world.unseen.items())))
            reason = f"{name}: {why.reason}; what it would claim cannot be told"
            out.blocked.append(Blocked(what=f"orphans in {scan.path}", reason=reason, remedy=why.remedy, code=why.code))
        elif not isinstance(fact, Known):
            reason, remedy = getattr(fact, "reason", "it is not there"), getattr(fact, "remedy", "")
            out.blocked.append(Blocked(what=f"orphans in {scan.path}", reason=reason, remedy=remedy, code="refused"))
        else:
            _folder(world, observed, Place(scan.connection, scan.path), fact.value, now, ledger, out)
    return out


def looks(world: World) -> list[RealPaths]:
    """What has to be asked once the torrents are known."""
    found = claims.looks(world.stack, world.torrents, _places(world))
    return [RealPaths(by, paths) for by, paths in found.items()]


def _claims(world: World) -> claims.Claims | None:
    """None while it is not known where links lead."""
    real: dict[Place, str] = {}
    for query in looks(world):
        fact = world.facts.get(query) if world.facts.has(query) else None
        if not isinstance(fact, Known):
            return None
        real |= {Place(query.connection, at): to for at, to in zip(query.paths, fact.value, strict=True)}
    return claims.Claims(world.stack, world.connection, world.torrents, _places(world), real)


def _folder(
    world: World,
    observed: Observed,
    folder: Place,
    inodes: tuple[Inode, ...],
    now: datetime,
    ledger: Ledger,
    out: Found,
) -> None:
    told = world.resource.spec.orphans
    assert told is not None  # noqa: S101  # there is a scan only where it is declared
    claimed = _claims(world)
    if claimed is None or claimed.lost:
        lost = claimed.lost if claimed is not None else ["any torrent"]
        reason = f"where the data of {lost[0]} lies is not known ({len(lost)} torrents)"
        way = "name its folder, as its client calls it, in a row of paths; or see the client"
        out.blocked.append(Blocked(what=f"orphans in {folder.path}", reason=reason, remedy=way, code="incomplete"))
        return
    by_name: dict[str, list[Inode]] = defaultdict(list)
    for inode in inodes:
        by_name[inode.path[len(folder.path) :].strip("/").split("/")[0]].append(inode)
    mine = {name for name in by_name if claimed.owner(folder, name)}
    owned = {i.ident for name in mine for i in by_name[name] if i.state == "file"}
    for name, files in sorted(by_name.items()):
        at = Place(folder.space, f"{folder.path.rstrip('/')}/{name}")
        if name in mine or any(i.ident in owned for i in files if i.state == "file"):
            observed.claimed(shown(at.path))
        elif any(at.overlaps(root) for _, _, root in world.roots) or any(fnmatchcase(name, p) for p in told.ignore):
            continue
        elif not _abandoned(observed, shown(at.path), files, told.older, now):
            out.waiting += 1
        elif held := _held(world, ledger, at, files):
            subject = Subject(connection=at.space, type="path", key=shown(at.path), title=shown(name))
            out.held.append(Held(subject=subject, reason=held[0], way_forward=held[1]))
        else:
            out.actions.append(_action(world, at, files, now))


def _abandoned(observed: Observed, path: str, files: list[Inode], older: float, now: datetime) -> bool:
    """Whether nothing of it was changed, and nobody was seen to claim it, for as long as the wish says."""
    long = observed.unclaimed(path, digest([[shown(i.path), i.state, i.size, i.mtime_ns] for i in files]), older, now)
    return long and _changed(files) <= (now - timedelta(seconds=older)).timestamp()


def _changed(files: list[Inode]) -> float:
    """When the last of them was changed, in seconds: written or renamed, whatever its own time says."""
    return max(max(i.mtime_ns, i.ctime_ns) for i in files) / 1e9


def _held(world: World, ledger: Ledger, at: Place, files: list[Inode]) -> tuple[str, str] | None:
    """Why it stays though nobody claims it, and the way forward; None when it may go."""
    bad = next((i for i in files if i.state != "file" or not is_whole(i.path)), None)
    if bad is not None and not is_whole(bad.path):
        return f"{shown(bad.path)} is no text: its client may call it otherwise", "look at it yourself"
    if bad is not None:
        return f"{shown(bad.path)} is no plain file ({bad.why or bad.state})", "look at it yourself"
    protected = {*world.stack.protect, *world.resource.spec.protect, *ledger.protected}
    if shield := shielded(world.stack, at, protected):
        return f"protected by {shield}: nothing may destroy it", ""
    return None


def _action(world: World, at: Place, files: list[Inode], now: datetime) -> Action:
    resource, spec = world.resource, world.resource.spec
    address, size = str(resource.address), sum(i.size for i in files)
    path, (folder, _, name) = at.path, at.path.rpartition("/")
    declared = root_of(resource.stack, at.space, path)
    root = declared.root if declared is not None else folder
    gives = freed(files)
    last = datetime.fromtimestamp(_changed(files), now.tzinfo)
    batch = f"orphan-{digest([path, [[i.path, i.inode] for i in files]])}"
    kept = f"; {size_text(gives.kept)} of it has other names and frees nothing" if gives.kept else ""
    return Action(
        id=f"{address}/0",
        address=address,
        verb="quarantine",
        subject=Subject(connection=at.space, type="path", key=path, title=name),
        reason=f"no torrent of {', '.join(world.torrents)} claims it; last changed {last:%Y-%m-%d}",
        before={"in": folder},
        after={"in": "quarantine"},
        details=(f"frees {size_text(gives.bytes)} after {age_text(spec.quarantine.keep)} in quarantine{kept}",),
        rests_on={"files": digest([[i.path, i.state, i.inode, i.size, i.mtime_ns] for i in files]), "claimed": []},
        data={
            "root": root, "folder": folder, "path": path, "batch": batch, "files": [i.path for i in files],
            "keep": spec.quarantine.keep, "clients": list(world.torrents), "paths": mappings(resource.stack),
            "by": at.space, "own": world.connection, "lookers": lookers(resource.stack),
            "about": {"address": address, "kind": "orphan", "title": name, "path": path},
        },
        effects=Effects(destroys=1, bytes_destroyed=size, files=len(files)),
        undo=Compensation(
            verb="restore", says="bring it back from quarantine", data={"root": root, "batch": batch, "by": at.space}
        ),
    )  # fmt: skip
