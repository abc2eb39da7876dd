"""A broken move as a part of the plan: the heal that mends it, or in words why none does. Pure."""

from __future__ import annotations

from datetime import timedelta

from reconciler.action import Action, Effects, Held, Json
from reconciler.units import size_text
from resources.disk_fill import texts
from resources.disk_fill.broken import Found, claimed
from resources.disk_fill.ground import Survey
from resources.disk_fill.mending import Way, data_of, rests_on, says
from resources.disk_fill.scene import why_not
from resources.disk_fill.verbs.judge import told_of
from resources.disk_fill.words import count

TRIES = 3  # heals of one item within a day; then somebody has to look


def heal(address: str, number: int, seen: Survey, torn: Found, *, rate: float) -> Action | Held:
    """The action `address/number`, or what is said instead. `rate` in bytes a second."""
    thing, scene, way = torn.candidate.thing, torn.scene, torn.way
    subject = thing.subject(seen.view.servers[thing.connection].app)
    told = told_of(scene, denied=torn.candidate.denied)
    if way is not None and not way.remedy.steps:
        told = f"every file has arrived, and {thing.connection} does not know {count(way.remedy.files, 'file')} of it"
    stays = _stays(seen, torn, subject.ident)
    if way is None or stays is not None:
        reason, forward = stays or ("", "")
        size = sum(scene.expected.values())
        return Held(subject=subject, reason=f"{told}; {reason}", way_forward=forward, bytes=size)
    remedy, ours = way.remedy, torn.candidate.data is not None
    halves = scene.both if remedy.moves else []  # overwritten by the whole files
    at_goal = scene.at_new if remedy.goal == "new" else scene.at_old
    return Action(
        id=f"{address}/{number}",
        address=address,
        verb="heal",
        subject=subject,
        reason=texts.broken(torn, told, ours=ours),
        before={"path": scene.path},
        after={"path": scene.new if remedy.goal == "new" else scene.old},
        details=(says(remedy, scene),),
        rests_on=rests_on(scene),
        effects=Effects(
            bytes_moved=remedy.bytes,
            destroys=len(halves),
            bytes_destroyed=sum(at_goal[name] for name in halves),
            moves=1,
            files=remedy.files,
            seconds=remedy.bytes / rate,
            disks=_changes(seen, torn, way),
        ),
        data=data_of(_base(seen, torn), scene, remedy, scene.expected),
        cause="repair" if ours else "drift",
    )


def _stays(seen: Survey, torn: Found, ident: str) -> tuple[str, str] | None:
    """Why it is not mended now, and the way forward; None when it is."""
    scene, way = torn.scene, torn.way
    look = f"look at both folders yourself: {scene.old} and {scene.new}"
    ground = seen.ground
    tries = sum(
        past.action.verb == "heal"
        and past.outcome != "done"
        and past.action.subject.ident == ident
        and past.at > ground.now - timedelta(days=1)
        for past in ground.ledger.history
    )
    if way is None:
        return why_not(scene, torn.candidate.thing.connection), look
    if not seen.view.servers[torn.candidate.thing.connection].writable:
        return f"{torn.candidate.thing.connection} is declared access: read", "access: write lets it be mended"
    foreign = _foreign(seen, torn)
    if foreign:
        return foreign, look
    stays = _excluded(seen, torn) or _one_disk(seen, torn) if way.remedy.moves else ""
    if stays:
        return stays, look
    if tries >= TRIES and ident not in ground.ledger.retried:
        key = torn.candidate.thing.item.ident
        again = f"to try again now: arr plan --retry {key}; it is tried again by itself after a day"
        return f"mended {tries} times within a day, in vain", f"{look}; arr history has the reasons; {again}"
    if not way.fits:
        root = (scene.new if way.remedy.goal == "new" else scene.old).rpartition("/")[0]
        return f"no room for {size_text(way.remedy.bytes)} at {root}", f"make room at {root}"
    return None


def _foreign(seen: Survey, torn: Found) -> str:
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


def _excluded(seen: Survey, torn: Found) -> str:
    """What is excluded is not moved by a heal either; its path may be set right."""
    exclude, item = seen.ground.resource.spec.exclude, torn.candidate.thing.item
    if item.ident in exclude.ids:
        return "it is excluded by its id, so nothing of it is moved"
    nameless = (tag for tag in item.tags if exclude.tags and tag.startswith("#"))  # it may be an excluded one
    tag = next((tag for tag in item.tags if tag in exclude.tags), next(nameless, ""))
    return f"it is excluded by its tag {tag}, so nothing of it is moved" if tag else ""


def _one_disk(seen: Survey, torn: Found) -> str:
    """Two places on one disk may be one folder."""
    connection, scene = torn.candidate.thing.connection, torn.scene
    old, new = _disk(seen, connection, scene.old), _disk(seen, connection, scene.new)
    return f"both places are on {old}, so they may be one folder" if old is not None and old == new else ""


def _base(seen: Survey, torn: Found) -> dict[str, Json]:
    """The part of the data that a move has as well."""
    thing, scene = torn.candidate.thing, torn.scene
    root = scene.new.rpartition("/")[0]
    fill = seen.disks.fills.get(_disk(seen, thing.connection, scene.new) or "")
    # The files that the app must still know in the end: our journal's word, else the app's own rows.
    tracked = torn.candidate.data["files"] if torn.candidate.data is not None else sorted(scene.expected.items())
    return {
        "connection": thing.connection,
        "item_id": thing.item.id,
        "source": scene.old,
        "destination": scene.new,
        "source_root": scene.old.rpartition("/")[0],
        "destination_root": root,
        "files": [[name, size] for name, size in tracked],
        "min_free": fill.min_free if fill else 0,
    }


def _disk(seen: Survey, connection: str, path: str) -> str | None:
    return seen.disks.of.get(seen.view.disk_of.get((connection, path.rpartition("/")[0]), ""))


def _changes(seen: Survey, torn: Found, way: Way) -> dict[str, int]:
    """What it does to each disk: the carried files leave one, and take the place of half copies on the other."""
    scene, connection = torn.scene, torn.candidate.thing.connection
    to, source = (scene.new, scene.old) if way.remedy.goal == "new" else (scene.old, scene.new)
    carried = scene.at_old if way.remedy.goal == "new" else scene.at_new
    changes = {_disk(seen, connection, source): -sum(carried.values()), _disk(seen, connection, to): way.remedy.bytes}
    return {disk: change for disk, change in changes.items() if disk is not None and change}
