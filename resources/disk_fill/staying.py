"""Broken moves that stay as they are for now, and why: what nobody mends takes no room, and makes none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.kind import Ledger, Resource
from reconciler.units import size_text
from resources.disk_fill.broken import Found, claimed
from resources.disk_fill.disks import Disks, disk_at
from resources.disk_fill.scene import why_not
from resources.disk_fill.spec import DiskFillSpec
from resources.disk_fill.world import View

TRIES = 3  # heals of one item within a day; then somebody has to look


@dataclass(frozen=True)
class Mendable:
    """What the question is answered from."""

    resource: Resource[DiskFillSpec]
    view: View
    disks: Disks
    ledger: Ledger
    now: datetime


def stays(seen: Mendable, torn: Found) -> tuple[str, str] | None:
    """Why it is not mended now, and the way forward; None when it is."""
    scene, way = torn.scene, torn.way
    look = f"look at both folders yourself: {scene.old} and {scene.new}"
    ident = torn.candidate.thing.key
    tries = sum(
        past.action.verb == "heal"
        and past.outcome != "done"
        and past.action.subject.ident == ident
        and past.at > seen.now - timedelta(days=1)
        for past in seen.ledger.history
    )
    if way is None:
        return why_not(scene, torn.candidate.thing.connection), look
    if not seen.view.servers[torn.candidate.thing.connection].writable:
        return f"{torn.candidate.thing.connection} is declared access: read", "access: write lets it be mended"
    foreign = _foreign(seen, torn)
    if foreign:
        return foreign, look
    why = _excluded(seen, torn) or _one_disk(seen, torn) if way.remedy.moves else ""
    if why:
        return why, look
    if tries >= TRIES and ident not in seen.ledger.retried:
        key = torn.candidate.thing.item.ident
        again = f"to try again now: arr plan --retry {key}; it is tried again by itself after a day"
        return f"mended {tries} times within a day, in vain", f"{look}; arr history has the reasons; {again}"
    if not way.fits:
        root = (scene.new if way.remedy.goal == "new" else scene.old).rpartition("/")[0]
        return f"no room for {size_text(way.remedy.bytes)} at {root}", f"make room at {root}"
    return None


def _foreign(seen: Mendable, torn: Found) -> str:
    """A place that is another item's, or (for what is not our own move) that is not on our disks, is not touched."""
    thing, scene = torn.candidate.thing, torn.scene
    taken = frozenset(
        item.path
        for server in seen.view.servers.values()
        for item in server.items
        if (server.name, item.id) != (thing.connection, thing.item.id)
    )
    for place in (scene.old, scene.new):
        if place != thing.item.path and claimed(place, taken):
            return f"{place} is another item's folder too"
        if torn.candidate.data is None and (thing.connection, place.rpartition("/")[0]) not in seen.view.disk_of:
            return f"{place} is on no disk of this resource"
    return ""


def _excluded(seen: Mendable, torn: Found) -> str:
    """What is excluded is not moved by a heal either; its path may be set right."""
    exclude, item = seen.resource.spec.exclude, torn.candidate.thing.item
    if item.ident in exclude.ids:
        return "it is excluded by its id, so nothing of it is moved"
    nameless = (tag for tag in item.tags if exclude.tags and tag.startswith("#"))  # it may be an excluded one
    tag = next((tag for tag in item.tags if tag in exclude.tags), next(nameless, ""))
    return f"it is excluded by its tag {tag}, so nothing of it is moved" if tag else ""


def _one_disk(seen: Mendable, torn: Found) -> str:
    """Two places on one disk may be one folder."""
    connection, scene = torn.candidate.thing.connection, torn.scene
    old, new = (disk_at(seen.view, seen.disks, connection, place) for place in (scene.old, scene.new))
    return f"both places are on {old}, so they may be one folder" if old is not None and old == new else ""
